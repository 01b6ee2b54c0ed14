"""Reconciliation: statements of providers read in, and what does not fit between them and the books."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.answers import Answer, OneOf, Page, Sum, Time
from bot.api.bodies import Body, Told
from bot.api.pages import bad_cursor, page, whole
from bot.api.queries import PAGING, Choice, limit
from bot.api.routes import Call, Reply, Routes
from services.errors.reconciliation import InvalidStatement, NoStatements
from services.people.access import RECONCILE
from services.providers import PROVIDERS, WrongSettings, settings_of
from services.providers.listing import Kind, Listed, WrongStatement
from services.reconciliation import ages, closing, record, theirs
from services.reconciliation.facts import State, Type
from services.reconciliation.run import found
from services.reconciliation.seen import Seen
from services.store.schema import breaks

routes = Routes("Reconciliation")

MOST_BYTES = 1_000_000
_FILTERS = (
    Choice("state", "Those alone that stand so.", *State),
    Choice("type", "Those of this type alone.", *Type),
    Choice("provider", "Those with this provider alone.", *PROVIDERS),
)


class ProviderStatement(Body):
    """`content`: the text of a file that the provider's portal has exported."""

    provider: str
    content: str


class BreakReason(Body):
    reason: Told = Field(max_length=closing.MOST_REASON)


class StatementRead(Answer):
    provider: str
    since: Time = Field(alias="from")
    until: Time = Field(alias="to")
    lines: int
    new_lines: int
    new_breaks: int
    explained_breaks: int
    open_breaks: int


class Break(Answer):
    """What the books and a provider do not agree on. `ours` and `theirs`: what the books and the statement
    say, null where one lacks it; `party`: the payer's number, masked."""

    id: UUID
    provider: str
    type: Annotated[str, OneOf(*Type)]
    kind: Annotated[str, OneOf(*Kind)]
    state: Annotated[str, OneOf(*State)]
    ours: Sum | None
    theirs: Sum | None
    currency: str
    order_number: str | None
    receipt: str | None
    party: str | None
    at: Time
    age_seconds: int
    found_at: Time
    closed_by: str | None
    closed_at: Time | None
    reason: str | None


class _Told(Answer):
    message: str


class BreakClosed(Break, _Told):
    pass


class Standing(Answer):
    """What is in an account that should come back to zero. `since`: the oldest that nothing has resolved;
    `statements_until`: up to when statements tell; `too_old`: whether that is beyond its limit."""

    account: str
    stands: Sum
    currency: str
    since: Time | None
    age_seconds: int | None
    statements_until: Time | None
    too_old: bool


@routes.post(
    "/statements", RECONCILE, body=ProviderStatement, success=201, most_bytes=MOST_BYTES, answer=StatementRead
)
async def read(call: Call) -> Reply[StatementRead]:
    """Read in a statement of a provider.

    A file that somebody has exported at the provider: kept whole or not at all, and compared at once."""
    provider: str = call.body.provider
    listed = await _parsed(call, provider)
    span, new = await theirs.read_in(call.work, call.person, provider, listed)
    result = await found(call.work.connection, call.work.tenant, provider, span, call.work.now)
    kept = await record.keep(call.work, provider, result.breaks, result.asked)
    return Reply(
        StatementRead(
            provider=provider,
            since=span.since,
            until=span.until,
            lines=len(listed.lines),
            new_lines=new,
            new_breaks=kept.new,
            explained_breaks=kept.explained,
            open_breaks=await _count(call, breaks.c.provider == provider, breaks.c.state == State.OPEN),
        )
    )


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


@routes.get("/breaks", RECONCILE, query=(*_FILTERS, *PAGING), answer=Page[Break])
async def listed(call: Call) -> Reply[Page[Break]]:
    """Breaks, the latest found first."""
    asked = [(each.name, each.of(call.query)) for each in _FILTERS]
    where = [breaks.c[name] == wanted for name, wanted in asked if wanted is not None]
    most = limit(call.query)
    rows = await record.read(call.work, *where, *_after(call), limit=most + 1, latest=True)
    following = str(rows[most - 1].id) if len(rows) > most else None
    shown = [Break(**_facts(call, each)) for each in rows[:most]]
    return page(call, await _count(call, *where), shown, following)


@routes.get("/breaks/{id}", RECONCILE, answer=Break)
async def one(call: Call) -> Reply[Break]:
    """One break."""
    return Reply(Break(**_facts(call, await record.shown(call.work, call.id("break")))))


@routes.post("/breaks/{id}/close", RECONCILE, body=BreakReason, answer=BreakClosed)
async def close(call: Call) -> Reply[BreakClosed]:
    """Say that a break needs nothing more. No money moves."""
    seen = await closing.close(call.work, call.person, call.id("break"), call.body.reason)
    return Reply(BreakClosed(message="The break is closed.", **_facts(call, seen)))


@routes.get("/clearing", RECONCILE, answer=Page[Standing])
async def clearing(call: Call) -> Reply[Page[Standing]]:
    """What stands in the clearing accounts, and since when; few at any time."""
    standing = await ages.standing(call.work.connection, call.work.tenant)
    return whole(
        [
            Standing(
                account=each.account,
                stands=str(each.stands),
                currency=each.stands.currency,
                since=each.since,
                age_seconds=_seconds(call.work.now - each.since) if each.since else None,
                statements_until=each.until,
                too_old=each.too_old(call.work.now),
            )
            for each in standing
        ]
    )


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


def _facts(call: Call, seen: Seen) -> dict[str, Any]:
    """The fields of a Break."""
    return {
        "id": seen.id,
        "provider": seen.provider,
        "type": seen.type,
        "kind": seen.kind,
        "state": seen.state,
        "ours": None if seen.ours is None else str(seen.ours),
        "theirs": None if seen.theirs is None else str(seen.theirs),
        "currency": seen.amount.currency,
        "order_number": seen.label or None,
        "receipt": seen.receipt,
        "party": seen.party,
        "at": seen.at,
        "age_seconds": _seconds(seen.age(call.work.now)),
        "found_at": seen.found_at,
        "closed_by": seen.closed_by,
        "closed_at": seen.closed_at,
        "reason": seen.reason,
    }


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
