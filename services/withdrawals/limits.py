"""Limits: what the tenant has set for withdrawals.

A day is any 24 hours, so that splitting an amount, or midnight, helps nobody. What is open counts however
long it waits, and what has arrived for 24 hours from then on: so all that leaves within a day was in one sum.
What was refused, canceled or failed does not count. All sums are exact while the wallet is locked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import hours
from services.errors import OverLimit
from services.errors.limits import (
    DestinationCoolingDown,
    LimitLowered,
    PayoutsBlocked,
    TooManyWithdrawals,
)
from services.facts import Destination
from services.money import Money
from services.store.schema import batches, payouts, withdrawals
from services.withdrawals.destinations import indexes
from services.work import Work

DAY = timedelta(hours=24)
OPEN = ("pending", "processing")
COUNTED = (*OPEN, "completed")
_OF_THEM = sa.and_(
    payouts.c.tenant_id == withdrawals.c.tenant_id, payouts.c.withdrawal_id == withdrawals.c.id
)


async def refuse_beyond(work: Work, tenant: sa.Row[Any], gross: Money, but: Collection[UUID] = ()) -> None:
    """What the amount alone decides. Raises OverLimit and TooManyWithdrawals.

    `OverLimit.of` is "withdrawal", or of 24 hours "day", "destination" or "maker": then its `amount` is the
    sum with this one, and `left` what is still free. `but`: withdrawals that are not counted, here and below.
    """
    if tenant.per_withdrawal is not None and gross.minor > tenant.per_withdrawal:
        raise OverLimit(Money(tenant.per_withdrawal, gross.currency), gross)
    if tenant.per_day is None and tenant.count_per_day is None:
        return
    taken, count = await all_of_a_day(work, gross.currency, but=but)
    refuse_sum(tenant.per_day, taken, gross, "day")
    refuse_count(tenant.count_per_day, count, "day")


async def refuse_beyond_for(
    work: Work,
    tenant: sa.Row[Any],
    gross: Money,
    maker: UUID,
    destination: Destination,
    but: Collection[UUID] = (),
) -> None:
    """What one person may ask for, and one destination be sent. Raises OverLimit and TooManyWithdrawals."""
    if tenant.per_maker is not None:
        taken, _ = await all_of_a_day(work, gross.currency, maker, but)
        refuse_sum(tenant.per_maker, taken, gross, "maker")
    if tenant.per_destination is None and tenant.count_per_destination is None:
        return
    taken, count = await to_one(work, gross.currency, destination, but)
    refuse_sum(tenant.per_destination, taken, gross, "destination")
    refuse_count(tenant.count_per_destination, count, "destination")


def refuse_lowered(tenant: sa.Row[Any], gross: Money) -> None:
    """One that waits since the limit was higher. Its day was counted when it was asked for. Raises
    LimitLowered."""
    if tenant.per_withdrawal is not None and gross.minor > tenant.per_withdrawal:
        raise LimitLowered(Money(tenant.per_withdrawal, gross.currency), gross)


def blocked_until(work: Work, tenant: sa.Row[Any]) -> datetime | None:
    """When the hours end at which nothing may leave; None outside them."""
    return hours.ends(tenant.blocked_hours, work.now, tenant.timezone) if tenant.blocked_hours else None


def refuse_blocked(work: Work, tenant: sa.Row[Any]) -> None:
    """Raises PayoutsBlocked. Asking is free at any hour: a till is counted in the evening, and somebody looks
    at it in the morning."""
    if (until := blocked_until(work, tenant)) is not None:
        raise PayoutsBlocked(until)


def refuse_too_soon(work: Work, tenant: sa.Row[Any], asked_at: datetime, *, new: bool) -> None:
    """To a `new` destination nothing is approved before the hours that the tenant set. Raises
    DestinationCoolingDown."""
    until = asked_at + timedelta(hours=tenant.new_destination_hours)
    if new and work.now < until:
        raise DestinationCoolingDown(until)


@dataclass(frozen=True)
class Policy:
    """What approving a withdrawal takes: so many others than the maker, each with a one-time code or not."""

    approvals: int
    step_up: bool


async def policy(work: Work, tenant: sa.Row[Any], gross: Money, but: Collection[UUID] = ()) -> Policy:
    """For one that is asked for now. What counts is the sum of a day with this one, so that many small ones
    take what a large one would. It is the whole tenant's, which is never less than any one maker's or
    destination's. Exact while the wallet is locked."""
    if not tenant.approvals_above and tenant.totp_above is None:
        return Policy(tenant.approvals, step_up=False)
    taken, _ = await all_of_a_day(work, gross.currency, but=but)
    return of_sum(tenant, taken + gross.minor)


async def policy_again(work: Work, tenant: sa.Row[Any], row: sa.Row[Any]) -> Policy:
    """For one that is asked for again now: it is open, and so in the sum."""
    taken, _ = await all_of_a_day(work, row.currency)
    return of_sum(tenant, taken)


async def least_now(work: Work, tenant: sa.Row[Any], row: sa.Row[Any]) -> int:
    """How many have to have approved it by what the tenant has set by now: its own amount's, or all of its
    batch's. The sum of its day was counted when it was asked for."""
    amount: int = row.amount
    if row.batch_id is not None:
        mine = (batches.c.tenant_id == work.tenant, batches.c.id == row.batch_id)
        amount = await work.connection.scalar(sa.select(batches.c.amount).where(*mine)) or amount
    return of_sum(tenant, amount).approvals


def of_sum(tenant: sa.Row[Any], today: int) -> Policy:
    """What the tenant has set for so much in a day."""
    bands = [approvals for above, approvals in tenant.approvals_above if today > above]
    step_up = tenant.totp_above is not None and today > tenant.totp_above
    return Policy(max([tenant.approvals, *bands]), step_up)


def takes_step_up(tenant: sa.Row[Any], amount: int) -> bool:
    """By itself, by what the tenant has set now."""
    return tenant.totp_above is not None and amount > tenant.totp_above


async def all_of_a_day(
    work: Work, currency: str, maker: UUID | None = None, but: Collection[UUID] = ()
) -> tuple[int, int]:
    """The sum and the number of a day, the tenant's or one maker's, with the lines of batches that wait for
    approval: who splits a sum into files and single requests gains nothing. `but`: withdrawals left out."""
    table = batches.c
    waiting = sa.select(sa.cast(_sum(table.amount), sa.BigInteger), _sum(table.count)).where(
        table.tenant_id == work.tenant,
        table.currency == currency,
        table.state == "pending",
        *([] if maker is None else [table.maker_id == maker]),
    )
    amount, count = (await work.connection.execute(waiting)).one()
    day = _of_a_day(work, currency, but)
    total = sa.select(sa.cast(_sum(day.c.amount), sa.BigInteger), sa.func.count()).select_from(day)
    if maker is not None:
        total = total.where(day.c.maker_id == maker)
    taken, many = (await work.connection.execute(total)).one()
    return int(taken) + int(amount), many + int(count)


async def to_one(work: Work, currency: str, to: Destination, but: Collection[UUID] = ()) -> tuple[int, int]:
    """The sum and the number of a day to this destination."""
    found = await by_destination(work, currency, indexes(work, to.details), but)
    there = [(amount, many) for _, way, amount, many in found if way == to.method_type]
    return sum(amount for amount, _ in there), sum(many for _, many in there)


async def by_destination(
    work: Work, currency: str, those: list[bytes], but: Collection[UUID] = ()
) -> Sequence[Any]:
    """Index, method type, sum and number of a day to each of these."""
    day = _of_a_day(work, currency, but)
    query = (
        sa.select(
            day.c.details_index,
            day.c.method_type,
            sa.cast(_sum(day.c.amount), sa.BigInteger),
            sa.func.count(),
        )
        .where(day.c.details_index.in_(those))
        .group_by(day.c.details_index, day.c.method_type)
    )
    return (await work.connection.execute(query)).all()


def _of_a_day(work: Work, currency: str, but: Collection[UUID]) -> sa.Subquery:
    """What counts now. In one statement, so that what arrives meanwhile is in it once."""
    table = withdrawals.c
    each = sa.select(table.amount, table.maker_id, table.method_type, table.details_index).where(
        table.tenant_id == work.tenant, table.currency == currency, *([table.id.not_in(but)] if but else [])
    )
    arrived = each.join_from(withdrawals, payouts, _OF_THEM).where(
        table.status == "completed",
        payouts.c.tenant_id == work.tenant,
        payouts.c.state == "succeeded",
        payouts.c.resolved_at > work.now - DAY,
    )
    return sa.union_all(each.where(table.status.in_(OPEN)), arrived).subquery()


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(column), 0)


def refuse_sum(limit: int | None, taken: int, gross: Money, of: str) -> None:
    if limit is None or taken + gross.minor <= limit:
        return
    left = Money(max(limit - taken, 0), gross.currency)
    raise OverLimit(Money(limit, gross.currency), Money(taken + gross.minor, gross.currency), of, left)


def refuse_count(limit: int | None, count: int, of: str) -> None:
    if limit is not None and count >= limit:
        raise TooManyWithdrawals(limit, of)
