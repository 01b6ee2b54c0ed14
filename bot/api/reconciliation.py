"""Reconciliation: statements of providers read in, and what does not fit between them and the books."""

import asyncio
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.bodies import Body
from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services.errors.reconciliation import InvalidStatement, NoStatements
from services.people.access import RECONCILE
from services.providers import PROVIDERS, WrongSettings, settings_of
from services.providers.listing import Listed, WrongStatement
from services.reconciliation import ages, closing, record, theirs
from services.reconciliation.facts import State, Type
from services.reconciliation.run import found
from services.reconciliation.seen import Seen
from services.store.schema import breaks

routes = Routes()

MOST_BYTES = 1_000_000
_FILTERS = {"state": tuple(State), "type": tuple(Type), "provider": tuple(PROVIDERS)}


class Exported(Body):
    provider: str
    content: str


class Reasoned(Body):
    reason: str = Field(max_length=closing.MOST_REASON)


@routes.post("/statements", RECONCILE, body=Exported, success=201, most_bytes=MOST_BYTES)
async def read(call: Call) -> Reply:
    """A file that somebody has exported at the provider: kept whole or not at all, and compared at once."""
    provider: str = call.body.provider
    listed = await _parsed(call, provider)
    span, new = await theirs.read_in(call.work, call.person, provider, listed)
    result = await found(call.work.connection, call.work.tenant, provider, span, call.work.now)
    kept = await record.keep(call.work, provider, result.breaks, result.asked)
    told = {
        "provider": provider,
        "from": plain(span.since),
        "to": plain(span.until),
        "lines": len(listed.lines),
        "new_lines": new,
        "new_breaks": kept.new,
        "explained_breaks": kept.explained,
        "open_breaks": await _count(call, breaks.c.provider == provider, breaks.c.state == State.OPEN),
    }
    return Reply(told)


async def _parsed(call: Call, name: str) -> Listed:
    """Raises NoStatements and InvalidStatement."""
    provider = PROVIDERS.get(name)
    if provider is None or provider.statements is None or name not in call.tenant.providers:
        raise NoStatements(name)
    try:
        settings = settings_of(provider, call.tenant.providers[name])
    except WrongSettings:
        raise NoStatements(name) from None
    content = call.body.content.encode()
    try:
        return await asyncio.to_thread(provider.statements, content, settings, call.work.now)
    except WrongStatement as wrong:
        told = (f"line {line}: {what}" if line else f"the file {what}" for line, what in wrong.faults)
        raise InvalidStatement(tuple(told)) from None


@routes.get("/breaks", RECONCILE, query=(*_FILTERS, *PAGING))
async def listed(call: Call) -> Reply:
    """The latest found first."""
    where = []
    for name, known in _FILTERS.items():
        if (wanted := call.query.get(name)) is not None:
            if wanted not in known:
                detail = f"{name} is one of {', '.join(known)}."
                raise Problem(400, f"invalid_{name}", f"Invalid {name}", detail=detail)
            where.append(breaks.c[name] == wanted)
    most = limit(call)
    rows = await record.read(call.work, *where, *_after(call), limit=most + 1, latest=True)
    following = str(rows[most - 1].id) if len(rows) > most else None
    shown = [_described(call, each) for each in rows[:most]]
    return page(call, await _count(call, *where), shown, following)


@routes.get("/breaks/{id}", RECONCILE)
async def one(call: Call) -> Reply:
    return Reply(_described(call, await record.shown(call.work, call.id("break"))))


@routes.post("/breaks/{id}/close", RECONCILE, body=Reasoned)
async def close(call: Call) -> Reply:
    """It needs nothing more. No money moves."""
    seen = await closing.close(call.work, call.person, call.id("break"), call.body.reason)
    return Reply({"message": "The break is closed."} | _described(call, seen))


@routes.get("/clearing", RECONCILE)
async def clearing(call: Call) -> Reply:
    """What stands in the clearing accounts, and since when; few at any time."""
    standing = await ages.standing(call.work.connection, call.work.tenant)
    told = [
        {
            "account": each.account,
            "stands": str(each.stands),
            "currency": each.stands.currency,
            "since": plain(each.since),
            "age_seconds": _seconds(call.work.now - each.since) if each.since else None,
            "statements_until": plain(each.until),
            "too_old": each.too_old(call.work.now),
        }
        for each in standing
    ]
    return page(call, len(told), told, None)


def _after(call: Call) -> list[sa.ColumnElement[bool]]:
    """Ids follow the time that they were made at. Raises Problem."""
    cursor = call.query.get("cursor")
    if cursor is None:
        return []
    try:
        return [breaks.c.id < UUID(cursor)]
    except ValueError:
        raise bad_cursor() from None


async def _count(call: Call, *where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).where(breaks.c.tenant_id == call.work.tenant, *where)
    return int(await call.work.connection.scalar(query) or 0)


def _described(call: Call, seen: Seen) -> Json:
    return {
        "id": str(seen.id),
        "provider": seen.provider,
        "type": seen.type,
        "kind": seen.kind,
        "state": seen.state,
        "ours": plain(seen.ours),
        "theirs": plain(seen.theirs),
        "currency": seen.amount.currency,
        "order_number": seen.label or None,
        "receipt": seen.receipt,
        "party": seen.party,
        "at": plain(seen.at),
        "age_seconds": _seconds(seen.age(call.work.now)),
        "found_at": plain(seen.found_at),
        "closed_by": seen.closed_by,
        "closed_at": plain(seen.closed_at),
        "reason": seen.reason,
    }


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
