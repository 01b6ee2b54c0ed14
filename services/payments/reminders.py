"""Reminders: of an order that a customer left unpaid. Two at most, while WhatsApp lets us write, and by day.

The job is the state: as long as it stands, reminders are to come. It finds out by itself when it is time,
so whoever places an order knows nothing of hours. Orders of an amount that a customer typed have no job:
who left one has left it.
"""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import inbox, jobs
from services.errors import NotFound
from services.jobs import REMIND_LADDER
from services.news.requests import PaymentReminder
from services.payments.record import LIVE, lock_order, under_way
from services.people import people
from services.people.preferences import may_write_unasked
from services.people.window import is_open
from services.shop.facts import UNPAID
from services.store.schema import attempts, conversations, orders, payments
from services.store.schema import jobs as due
from services.work import Work

_MORNING, _EVENING = time(8), time(20)
_BUSY = timedelta(minutes=15)  # who pays or writes at this moment is left in peace


async def begin(work: Work, order_id: UUID) -> None:
    """Of an order that a customer has placed, or was asked to pay."""
    await jobs.again(work, "remind", order_id, REMIND_LADDER)


async def no_more(work: Work, person_id: UUID, order_id: UUID) -> None:
    """The person does not want to be reminded of it. Raises NotFound, for another's too."""
    query = sa.select(orders.c.id).where(
        orders.c.tenant_id == work.tenant, orders.c.id == order_id, orders.c.person_id == person_id
    )
    if await work.connection.scalar(query) is None:
        raise NotFound("order")
    await jobs.finish(work, order_id, "remind")


async def remind(work: Work, order_id: UUID) -> None:
    """It is due: tell, put off, or leave it. Under the order's lock, so that nobody begins to pay it
    meanwhile, and two workers remind once."""
    order = await lock_order(work, orders.c.id == order_id)
    if order is None or not await _is_due(work, order_id):
        return
    if order.status not in UNPAID or not await may_write_unasked(work, order.person_id):
        await jobs.finish(work, order_id, "remind")
        return
    heard_at = await _heard_at(work, order.conversation_id)
    tenant = await people.tenant_of(work)
    by_day = daylight(work.now, ZoneInfo(tenant.timezone))
    if await _is_busy(work, order, heard_at):
        await jobs.schedule(work, "remind", order_id, work.now + _BUSY)
    elif by_day > work.now:
        await jobs.schedule(work, "remind", order_id, by_day)
    else:
        if tenant.active and is_open(heard_at, work.now):
            await inbox.tell(work, order.conversation_id, PaymentReminder(order_id=order_id))
        if not await jobs.again(work, "remind", order_id, REMIND_LADDER):
            await jobs.finish(work, order_id, "remind")


def daylight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first moment from this one on at which nobody in the zone is disturbed in their sleep."""
    local = moment.astimezone(zone)
    if _MORNING <= local.time() < _EVENING:
        return moment
    day = local.date() + timedelta(days=local.time() >= _EVENING)
    return datetime.combine(day, _MORNING, zone).astimezone(moment.tzinfo)


async def _is_due(work: Work, order_id: UUID) -> bool:
    """Read once the order is locked: another worker may have been quicker."""
    query = sa.select(due.c.due_at).where(
        due.c.tenant_id == work.tenant, due.c.target_id == order_id, due.c.kind == "remind"
    )
    at = await work.connection.scalar(query)
    return at is not None and at <= work.now


async def _heard_at(work: Work, conversation_id: UUID) -> datetime | None:
    query = sa.select(conversations.c.heard_at).where(
        conversations.c.tenant_id == work.tenant, conversations.c.id == conversation_id
    )
    at: datetime | None = await work.connection.scalar(query)
    return at


async def _is_busy(work: Work, order: Any, heard_at: datetime | None) -> bool:
    """Amid a payment of this order or of another, or amid talk."""
    if heard_at is not None and work.now < heard_at + _BUSY:
        return True
    if await under_way(work, order.id):
        return True
    live = (
        sa.select(payments.c.id)
        .where(
            payments.c.tenant_id == work.tenant,
            payments.c.person_id == order.person_id,
            sa.exists().where(
                attempts.c.tenant_id == payments.c.tenant_id,
                attempts.c.payment_id == payments.c.id,
                attempts.c.state.in_(LIVE),
            ),
        )
        .limit(1)
    )
    return await work.connection.scalar(live) is not None
