"""Breakers: what a provider does not answer is not asked again at once. One for each account of a tenant's at
a provider, and each operation there.

Closed: all calls go. Open, after `_MANY` of the last `_WINDOW` were not answered: none goes for `REST`. Half
open: then one goes, and what is heard of it decides. A plain no is an answer, and so is the customer's; a
fault in our own settings says nothing of the provider. Of an account that is well there is no row at all, and
to lose the rows loses nothing but that knowledge.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.providers.base import Misconfigured, NotSent, Pending, Unknown
from services.store.schema import attempts, breakers
from services.work import Work

REST = timedelta(seconds=10)  # a customer waits, and one call in so many seconds burdens nobody
_WINDOW, _MANY = 10, 5
# What was heard longer ago says nothing any more.
_HOLDS_FOR = timedelta(minutes=5)
_ANSWERED, _LOST = "0", "1"
# What customers are asked by.
COLLECTS = ("prompt", "page", "charge")
# Of tenants whose accounts are not answered: so many, while nobody at all is paid by the provider, and it is
# the provider itself.
_TENANTS = 3
_NOBODY_PAID_FOR = timedelta(minutes=1)


async def open_until(work: Work, provider: str, operation: str) -> datetime | None:
    """Until when nothing is sent. None where the call may go, and then it goes: of those that wait for an
    open breaker the first alone is let through, in the transaction that says that it is sent."""
    row = (
        await work.connection.execute(sa.select(breakers).where(*_mine(work, provider, operation)))
    ).first()
    if row is None or row.open_until is None or _forgotten(row, work.now):
        return None
    if work.now < row.open_until:
        return row.open_until  # type: ignore[no-any-return]
    probing = (
        sa.update(breakers)
        .where(*_mine(work, provider, operation), breakers.c.open_until == row.open_until)
        .values(open_until=work.now + REST)
        .returning(breakers.c.provider)
    )
    taken = (await work.connection.execute(probing)).first() is not None
    return None if taken else work.now + REST


def lost(answer: object) -> bool | None:
    """Whether a call was not answered; None where that says nothing of the provider."""
    if isinstance(answer, Misconfigured) or (isinstance(answer, Pending) and answer.ours):
        return None
    return isinstance(answer, NotSent | Unknown)


async def heard(work: Work, provider: str, operation: str, *, lost: bool) -> None:
    """One call has ended. In a transaction of its own, which waits for nothing else."""
    if lost:
        new = work.insert(breakers).values(
            tenant_id=work.tenant, provider=provider, operation=operation, outcomes="", heard_at=work.now
        )
        await work.connection.execute(new.on_conflict_do_nothing())
    mine = _mine(work, provider, operation)
    row = (await work.connection.execute(sa.select(breakers).where(*mine).with_for_update())).first()
    if row is None:
        return
    outcomes, until = _after(row, work.now, lost=lost)
    if _LOST not in outcomes:
        await work.connection.execute(sa.delete(breakers).where(*mine))
    else:
        known = {"outcomes": outcomes, "open_until": until, "heard_at": work.now}
        await work.connection.execute(sa.update(breakers).where(*mine).values(**known))


async def is_known(work: Work, provider: str, operation: str) -> bool:
    """Whether anything was not answered lately, so that an answer is news."""
    query = sa.select(breakers.c.provider).where(*_mine(work, provider, operation))
    return await work.connection.scalar(query) is not None


async def troubled(connection: AsyncConnection, now: datetime) -> "Troubled":
    """By which providers customers are not well asked now. A wide read: the accounts of all tenants."""
    query = sa.select(breakers.c.tenant_id, breakers.c.provider).where(
        breakers.c.operation.in_(COLLECTS),
        breakers.c.open_until.is_not(None),
        breakers.c.heard_at > now - _HOLDS_FOR,
    )
    found: dict[str, set[UUID]] = defaultdict(set)
    for tenant, provider in await connection.execute(query):
        found[provider].add(tenant)
    many = [provider for provider, those in found.items() if len(those) >= _TENANTS]
    paid = await _paid_lately(connection, many, now) if many else ()
    return Troubled(found, frozenset(many) - frozenset(paid))


class Troubled:
    """`of` a tenant: those whose breaker of its own is open, and those that answer nobody."""

    def __init__(self, accounts: Mapping[str, Collection[UUID]], all_over: frozenset[str]) -> None:
        self._accounts, self._all_over = accounts, all_over

    def of(self, tenant: UUID) -> frozenset[str]:
        return self._all_over | {name for name, tenants in self._accounts.items() if tenant in tenants}


async def standing(work: Work) -> list[sa.Row[Any]]:
    """The tenant's rows that still say something."""
    query = sa.select(breakers).where(
        breakers.c.tenant_id == work.tenant, breakers.c.heard_at > work.now - _HOLDS_FOR
    )
    order = (breakers.c.provider, breakers.c.operation)
    return list((await work.connection.execute(query.order_by(*order))).all())


async def counted(connection: AsyncConnection, now: datetime) -> dict[tuple[str, str], int]:
    """How many accounts wait, by provider and operation."""
    query = (
        sa.select(breakers.c.provider, breakers.c.operation, sa.func.count())
        .where(breakers.c.open_until.is_not(None), breakers.c.heard_at > now - _HOLDS_FOR)
        .group_by(breakers.c.provider, breakers.c.operation)
    )
    return {(row[0], row[1]): row[2] for row in await connection.execute(query)}


def down(now: datetime) -> sa.Select[Any]:
    """Tenants with a provider of theirs that is not called."""
    return (
        sa.select(breakers.c.tenant_id, breakers.c.provider)
        .where(breakers.c.open_until.is_not(None), breakers.c.heard_at > now - _HOLDS_FOR)
        .distinct()
        .order_by(breakers.c.tenant_id, breakers.c.provider)
    )


async def _paid_lately(connection: AsyncConnection, providers: Collection[str], now: datetime) -> set[str]:
    query = sa.select(attempts.c.provider).where(
        attempts.c.provider.in_(providers),
        attempts.c.state == "succeeded",
        attempts.c.resolved_at > now - _NOBODY_PAID_FOR,
    )
    return set((await connection.execute(query.distinct())).scalars())


def _after(row: sa.Row[Any], now: datetime, *, lost: bool) -> tuple[str, datetime | None]:
    """The last outcomes, and until when it is open."""
    outcome = _LOST if lost else _ANSWERED
    if _forgotten(row, now):
        return outcome, None
    if row.open_until is not None:
        return (row.outcomes, now + REST) if lost else ("", None)
    outcomes = (row.outcomes + outcome)[-_WINDOW:]
    return outcomes, now + REST if outcomes.count(_LOST) >= _MANY else None


def _forgotten(row: sa.Row[Any], now: datetime) -> bool:
    return bool(now - row.heard_at > _HOLDS_FOR)


def _mine(work: Work, provider: str, operation: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        breakers.c.tenant_id == work.tenant,
        breakers.c.provider == provider,
        breakers.c.operation == operation,
    )
