"""The statement of the wallet: as a list by pages, or as a file."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from pydantic import Field

from bot.api.answers import Answer, Sum, Time
from bot.api.pages import bad_cursor, link
from bot.api.problems import Problem
from bot.api.queries import PAGING, Choice, Query, limit
from bot.api.routes import Call, Download, Reply, Routes
from bot.paper.statement.making import MEDIA_TYPES, Wanted
from bot.whatsapp.documents import file_name
from services.errors.statement import InvalidPeriod
from services.people.access import VIEW_FINANCE
from services.statement import facts, period, read
from services.statement.period import Period
from services.store.schema import Moment

routes = Routes("Wallet")

_DAY = {"type": "string", "examples": ["2026-11-30", "2026-11-30T08:00:00Z"]}
_PERIOD = (
    Query("from", "A day by the tenant's clocks, or a time of RFC 3339; else this month.", _DAY),
    Query("to", "A day, which is taken in, or a time, which is not; else now.", _DAY),
)
_FORMAT = Choice("format", "A list by pages, or a whole file.", "json", *MEDIA_TYPES)
_LAST = timedelta(microseconds=1)
_MOST_DIGITS = 18  # of what both databases count with


class StatementTotal(Answer):
    """Of one kind of entries; what went out is negative."""

    kind: str
    count: int
    amount: Sum


class StatementEntry(Answer):
    """`in` or `out` is null; `balance` is after it."""

    id: UUID
    at: Time
    kind: str
    order_number: str | None
    transaction_id: UUID | None
    provider: str | None
    account: str | None  # masked
    receipt: str | None
    came: Sum | None = Field(alias="in")
    went: Sum | None = Field(alias="out")
    balance: Sum


class Statement(Answer):
    """The opening balance and all entries make the closing balance; this page has some of them."""

    since: Time = Field(alias="from")
    until: Time = Field(alias="to")
    currency: str
    opening_balance: Sum
    closing_balance: Sum
    held: Sum
    owed: Sum
    totals: list[StatementTotal]
    count: int
    results: list[StatementEntry]
    next_cursor: str | None


@routes.get(
    "/wallet/statement",
    VIEW_FINANCE,
    query=(*_PERIOD, _FORMAT, *PAGING),
    answer=Statement,
    downloads=tuple(MEDIA_TYPES.values()),
)
async def statement(call: Call) -> Reply[Statement] | Download:
    """What moved in a period, and the balances that it leads from and to.

    `limit` and `cursor` go with JSON only: a file is whole."""
    form = (_FORMAT.of(call.query) if call.query.get("format") else None) or "json"
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


async def _listed(call: Call, asked: Period) -> Reply[Statement]:
    """A cursor is where the statement ends and the last line that was shown: so the pages are of one
    statement, however long somebody takes over them."""
    most, last = limit(call.query), None
    if (cursor := call.query.get("cursor")) is not None:
        asked, line_id = _parsed(cursor, asked)
        last = await read.after(call.work, asked, call.currency, line_id)
        if last is None:
            raise bad_cursor()
    told = await read.statement(call.work, asked, call.currency)
    lines = await read.page(call.work, asked, call.currency, last, most + 1)
    following = f"{Moment.microseconds(asked.until)}.{lines[most - 1].id}" if len(lines) > most else None
    return Reply(_statement(told, lines[:most], following), link(call, following))


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


def _statement(told: facts.Statement, lines: Sequence[facts.Line], following: str | None) -> Statement:
    return Statement(
        since=told.since,
        until=told.until,
        currency=told.opening.currency,
        opening_balance=str(told.opening),
        closing_balance=str(told.closing),
        held=str(told.held),
        owed=str(told.owed),
        totals=[
            StatementTotal(kind=each.kind, count=each.count, amount=str(each.amount)) for each in told.sums
        ],
        count=told.count,
        results=[_entry(line) for line in lines],
        next_cursor=following,
    )


def _entry(line: facts.Line) -> StatementEntry:
    figure = str(line.amount if line.amount.minor > 0 else -line.amount)
    return StatementEntry(
        id=line.id,
        at=line.at,
        kind=line.kind,
        order_number=line.number,
        transaction_id=line.withdrawal_id,
        provider=line.provider,
        account=line.account,
        receipt=line.receipt,
        came=figure if line.amount.minor > 0 else None,
        went=figure if line.amount.minor < 0 else None,
        balance=str(line.balance),
    )


def _name(call: Call, asked: Period, form: str) -> str:
    first = period.today(call.tenant.shop.timezone, asked.since)
    last = period.today(call.tenant.shop.timezone, asked.until - _LAST)
    return file_name(f"statement {call.tenant.slug} {first} {last}".replace(" ", "-"), f".{form}")
