"""The statement of the wallet: as a list by pages, or as a file."""

from datetime import timedelta
from uuid import UUID

from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Download, Json, Reply, Routes
from bot.paper.statement.making import MEDIA_TYPES, Wanted
from bot.whatsapp.documents import file_name
from services.errors.statement import InvalidPeriod
from services.people.access import VIEW_FINANCE
from services.statement import period, read
from services.statement.facts import Line, Statement
from services.statement.period import Period
from services.store.schema import Moment

routes = Routes()

_FORMS = ("json", *MEDIA_TYPES)
_LAST = timedelta(microseconds=1)
_MOST_DIGITS = 18  # of what both databases count with


@routes.get("/wallet/statement", VIEW_FINANCE, query=("from", "to", "format", *PAGING))
async def statement(call: Call) -> Reply | Download:
    form = call.query.get("format") or "json"
    if form not in _FORMS:
        raise Problem(
            400, "invalid_format", "Invalid format", detail=f"format is one of {', '.join(_FORMS)}."
        )
    asked = _period(call)
    if form == "json":
        return await _listed(call, asked)
    if paging := sorted({"limit", "cursor"} & call.query.keys()):
        detail = f"A file is whole: {paging[0]} goes with JSON only."
        raise Problem(400, "invalid_query", "Invalid query", detail=detail, field=paging[0])
    await read.statement(call.work, asked, call.currency)
    return Download(Wanted(asked, form, call.tenant.language), _name(call, asked, form), MEDIA_TYPES[form])


def _period(call: Call) -> Period:
    zone, now = call.tenant.shop.timezone, call.work.now
    since, until = call.query.get("from"), call.query.get("to")
    try:
        return period.told(since, until, zone, now)
    except InvalidPeriod as wrong:
        detail = (
            f"{wrong.given} is neither a day like 2026-11-30 nor a time like 2026-11-30T08:00:00Z: "
            "from and to are one of these."
        )
        raise Problem(400, wrong.code, "Invalid period", detail=detail, given=wrong.given) from None


async def _listed(call: Call, asked: Period) -> Reply:
    """A cursor is where the statement ends and the last line that was shown: so the pages are of one
    statement, however long somebody takes over them."""
    most, last = limit(call), None
    if (cursor := call.query.get("cursor")) is not None:
        asked, line_id = _parsed(cursor, asked)
        last = await read.after(call.work, asked, call.currency, line_id)
        if last is None:
            raise bad_cursor()
    told = await read.statement(call.work, asked, call.currency)
    lines = await read.page(call.work, asked, call.currency, last, most + 1)
    following = f"{Moment.microseconds(asked.until)}.{lines[most - 1].id}" if len(lines) > most else None
    reply = page(call, told.count, [_line(line) for line in lines[:most]], following)
    return Reply(_head(told) | reply.body, reply.headers)


def _parsed(cursor: str, asked: Period) -> tuple[Period, UUID]:
    """Raises Problem."""
    until, _, line_id = cursor.partition(".")
    if not (until.isascii() and until.isdigit() and len(until) <= _MOST_DIGITS):
        raise bad_cursor()
    try:
        ends = Moment.moment(int(until))
        found = UUID(line_id)
    except (ValueError, OverflowError):
        raise bad_cursor() from None
    if not asked.since < ends <= asked.until:
        raise bad_cursor()
    return Period(asked.since, ends), found


def _head(told: Statement) -> Json:
    return {
        "from": plain(told.since),
        "to": plain(told.until),
        "currency": told.opening.currency,
        "opening_balance": str(told.opening),
        "closing_balance": str(told.closing),
        "held": str(told.held),
        "owed": str(told.owed),
        "totals": [
            {"kind": each.kind, "count": each.count, "amount": str(each.amount)} for each in told.sums
        ],
    }


def _line(line: Line) -> Json:
    figure = str(line.amount if line.amount.minor > 0 else -line.amount)
    return {
        "id": str(line.id),
        "at": plain(line.at),
        "kind": line.kind,
        "order_number": line.number,
        "transaction_id": plain(line.withdrawal_id),
        "provider": line.provider,
        "account": line.account,
        "receipt": line.receipt,
        "in": figure if line.amount.minor > 0 else None,
        "out": figure if line.amount.minor < 0 else None,
        "balance": str(line.balance),
    }


def _name(call: Call, asked: Period, form: str) -> str:
    first = period.today(call.tenant.shop.timezone, asked.since)
    last = period.today(call.tenant.shop.timezone, asked.until - _LAST)
    return file_name(f"statement {call.tenant.slug} {first} {last}".replace(" ", "-"), f".{form}")
