"""Unusual: what of a withdrawal its approvers should look at twice, and why.

It never stops anything: they decide. What is usual is what was asked for in the last 30 days and not refused.
"""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median_low
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import audit, ledger
from services.facts import Destination
from services.money import Money
from services.news import Flag
from services.people.identity import PHONE
from services.reasons import Unusual
from services.store.schema import conversations, withdrawals
from services.withdrawals.destinations import indexes
from services.withdrawals.limits import COUNTED
from services.work import Work

_HOUR, _MONTH = timedelta(hours=1), timedelta(days=30)
_MOST_READ = 500
_TIMES_THE_USUAL = 3
ENOUGH = 3  # withdrawals, to speak of an amount that is usual
_ENOUGH_FOR_HOURS = 10
_NEAR_HOURS = 2
_NIGHT = frozenset({23, 0, 1, 2, 3, 4})  # where too little is known to speak of usual hours
_MANY = 4  # within an hour, with this one


async def flags(
    work: Work, tenant: sa.Row[Any], gross: Money, maker: UUID, destination: Destination, *, new: bool
) -> tuple[Flag, ...]:
    """Of a request that is about to be written, while the wallet is locked and before its hold."""
    earlier = await before(work, gross.currency)
    found = [
        await _amount(work, earlier, gross, new=new),
        first(earlier, maker),
        hour(work, tenant.timezone, earlier),
        _many(work, earlier),
        await _own_phone(work, maker, destination),
        await _refused(work, destination),
    ]
    return tuple(each for each in found if each is not None)


async def record(work: Work, maker: UUID, withdrawal_id: UUID, found: Sequence[Flag]) -> None:
    """In the audit, for somebody to look at."""
    if found:
        facts = {"flags": [each.because for each in found]}
        await audit.record(work, maker, "withdrawal.unusual", withdrawal_id, facts, alert=True)


async def before(work: Work, currency: str) -> Sequence[Any]:
    """The latest first."""
    table = withdrawals.c
    query = (
        sa.select(table.amount, table.maker_id, table.created_at)
        .where(
            table.tenant_id == work.tenant,
            table.currency == currency,
            table.status.in_(COUNTED),
            table.created_at > work.now - _MONTH,
        )
        .order_by(table.created_at.desc())
        .limit(_MOST_READ)
    )
    return (await work.connection.execute(query)).all()


async def _amount(work: Work, earlier: Sequence[Any], gross: Money, *, new: bool) -> Flag | None:
    usual = median_low([row.amount for row in earlier]) if len(earlier) >= ENOUGH else None
    available = (await ledger.balance(work, gross.currency)).available
    return of_amount(gross, usual, available, new=new)


def of_amount(gross: Money, usual: int | None, available: Money, *, new: bool) -> Flag | None:
    """To a new destination half of the wallet is much, and so is all that is above the usual."""
    if new:
        above = usual is not None and gross.minor > usual
        if above or 2 * gross.minor >= available.minor:
            return Flag(because=Unusual.NEW_AND_LARGE)
    if usual is not None and gross.minor > _TIMES_THE_USUAL * usual:
        return Flag(because=Unusual.LARGE, usual=Money(usual, gross.currency))
    return None


def first(earlier: Sequence[Any], maker: UUID) -> Flag | None:
    """Where others have asked; or the first withdrawal of a shop would be one."""
    if earlier and all(row.maker_id != maker for row in earlier):
        return Flag(because=Unusual.FIRST_BY_MAKER)
    return None


def hour(work: Work, timezone: str, earlier: Sequence[Any]) -> Flag | None:
    zone = ZoneInfo(timezone)
    now = work.now.astimezone(zone).hour
    if len(earlier) < _ENOUGH_FOR_HOURS:
        odd = now in _NIGHT
    else:
        known = {row.created_at.astimezone(zone).hour for row in earlier}
        odd = all(min((now - each) % 24, (each - now) % 24) > _NEAR_HOURS for each in known)
    return Flag(because=Unusual.HOUR) if odd else None


def _many(work: Work, earlier: Sequence[Any]) -> Flag | None:
    lately = 1 + sum(row.created_at > work.now - _HOUR for row in earlier)
    return Flag(because=Unusual.MANY, count=lately) if lately >= _MANY else None


async def _own_phone(work: Work, maker: UUID, destination: Destination) -> Flag | None:
    if destination.configured:
        return None
    return Flag(because=Unusual.OWN_PHONE) if (await phones_of(work, maker, [destination]))[0] else None


async def phones_of(work: Work, maker: UUID, to: Sequence[Destination]) -> list[bool]:
    """Of each whether it is a phone of the maker's own chats."""
    query = sa.select(conversations.c.phone_index).where(
        conversations.c.tenant_id == work.tenant,
        conversations.c.person_id == maker,
        conversations.c.phone_index.is_not(None),
    )
    theirs = set((await work.connection.execute(query)).scalars())
    phones = [each.details.get("phone_number") for each in to]
    return [
        phone is not None and not theirs.isdisjoint(work.vault.indexes(phone, work.tenant, PHONE))
        for phone in phones
    ]


async def _refused(work: Work, destination: Destination) -> Flag | None:
    """Asked for again, perhaps from another approver."""
    return Flag(because=Unusual.REJECTED_BEFORE) if (await refused_of(work, [destination]))[0] else None


async def refused_of(work: Work, to: Sequence[Destination]) -> list[bool]:
    """Of each whether a request to it was rejected lately."""
    by = [indexes(work, each.details) for each in to]
    query = sa.select(withdrawals.c.method_type, withdrawals.c.details_index).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.status == "rejected",
        withdrawals.c.created_at > work.now - _MONTH,
        withdrawals.c.details_index.in_([index for mine in by for index in mine]),
    )
    rejected = {(row.method_type, row.details_index) for row in await work.connection.execute(query)}
    return [
        any((each.method_type, index) in rejected for index in mine)
        for each, mine in zip(to, by, strict=True)
    ]
