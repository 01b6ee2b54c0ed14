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
from services.withdrawals.destinations import COLUMN
from services.withdrawals.limits import COUNTED
from services.work import Work

_HOUR, _MONTH = timedelta(hours=1), timedelta(days=30)
_MOST_READ = 500
_TIMES_THE_USUAL = 3
_ENOUGH = 3  # withdrawals, to speak of an amount that is usual
_ENOUGH_FOR_HOURS = 10
_NEAR_HOURS = 2
_NIGHT = frozenset({23, 0, 1, 2, 3, 4})  # where too little is known to speak of usual hours
_MANY = 4  # within an hour, with this one


async def flags(
    work: Work, tenant: sa.Row[Any], gross: Money, maker: UUID, destination: Destination, *, new: bool
) -> tuple[Flag, ...]:
    """Of a request that is about to be written, while the wallet is locked and before its hold."""
    before = await _before(work, gross.currency)
    found = [
        await _amount(work, before, gross, new=new),
        _first(before, maker),
        _hour(work, tenant.timezone, before),
        _many(work, before),
        await _own_phone(work, maker, destination),
        await _refused(work, destination),
    ]
    return tuple(each for each in found if each is not None)


async def record(work: Work, maker: UUID, withdrawal_id: UUID, found: Sequence[Flag]) -> None:
    """In the audit, for somebody to look at."""
    if found:
        facts = {"flags": [each.because for each in found]}
        await audit.record(work, maker, "withdrawal.unusual", withdrawal_id, facts, alert=True)


async def _before(work: Work, currency: str) -> Sequence[Any]:
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


async def _amount(work: Work, before: Sequence[Any], gross: Money, *, new: bool) -> Flag | None:
    """To a new destination half of the wallet is much, and so is all that is above the usual."""
    usual = median_low([row.amount for row in before]) if len(before) >= _ENOUGH else None
    if new:
        available = (await ledger.balance(work, gross.currency)).available
        above = usual is not None and gross.minor > usual
        if above or 2 * gross.minor >= available.minor:
            return Flag(because=Unusual.NEW_AND_LARGE)
    if usual is not None and gross.minor > _TIMES_THE_USUAL * usual:
        return Flag(because=Unusual.LARGE, usual=Money(usual, gross.currency))
    return None


def _first(before: Sequence[Any], maker: UUID) -> Flag | None:
    """Where others have asked; or the first withdrawal of a shop would be one."""
    if before and all(row.maker_id != maker for row in before):
        return Flag(because=Unusual.FIRST_BY_MAKER)
    return None


def _hour(work: Work, timezone: str, before: Sequence[Any]) -> Flag | None:
    zone = ZoneInfo(timezone)
    now = work.now.astimezone(zone).hour
    if len(before) < _ENOUGH_FOR_HOURS:
        odd = now in _NIGHT
    else:
        known = {row.created_at.astimezone(zone).hour for row in before}
        odd = all(min((now - each) % 24, (each - now) % 24) > _NEAR_HOURS for each in known)
    return Flag(because=Unusual.HOUR) if odd else None


def _many(work: Work, before: Sequence[Any]) -> Flag | None:
    lately = 1 + sum(row.created_at > work.now - _HOUR for row in before)
    return Flag(because=Unusual.MANY, count=lately) if lately >= _MANY else None


async def _own_phone(work: Work, maker: UUID, destination: Destination) -> Flag | None:
    phone = destination.details.get("phone_number")
    if destination.configured or phone is None:
        return None
    query = sa.select(conversations.c.id).where(
        conversations.c.tenant_id == work.tenant,
        conversations.c.person_id == maker,
        conversations.c.phone_index.in_(work.vault.indexes(phone, work.tenant, PHONE)),
    )
    theirs = (await work.connection.execute(query)).first() is not None
    return Flag(because=Unusual.OWN_PHONE) if theirs else None


async def _refused(work: Work, destination: Destination) -> Flag | None:
    """Asked for again, perhaps from another approver."""
    query = sa.select(withdrawals.c.id).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.status == "rejected",
        withdrawals.c.created_at > work.now - _MONTH,
        withdrawals.c.method_type == destination.method_type,
        withdrawals.c.details_index.in_(work.indexes(destination.details, COLUMN)),
    )
    rejected = (await work.connection.execute(query.limit(1))).first() is not None
    return Flag(because=Unusual.REJECTED_BEFORE) if rejected else None
