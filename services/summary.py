"""Summary: what a day has brought, told once a day, at the hour that the tenant's file says.

Its job moves itself to the next hour in the commit that tells: so it is told once, by whichever worker
comes first; and after an outage once only, of the day that ended last.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import inbox, jobs, ledger
from services.money import Money
from services.news.staff import DaySummed
from services.people import people, telling
from services.store.schema import jobs as due
from services.store.schema import transfers
from services.work import Work

_MARGIN = timedelta(seconds=10)  # what is being written as the day ends is counted with it
_NEAR = tuple(timedelta(days=days) for days in range(-2, 4))


async def begin(work: Work) -> None:
    """Of a tenant that is new, or whose hour is another one."""
    await jobs.schedule(work, "summary", work.tenant, await _next(work, await people.tenant_of(work)))


async def summarize(work: Work, tenant_id: UUID) -> None:
    """It is due. Whoever is second finds it moved."""
    tenant = await people.tenant_of(work)
    mine = (due.c.tenant_id == work.tenant, due.c.target_id == tenant_id, due.c.kind == "summary")
    moved = (
        sa.update(due)
        .where(*mine, due.c.due_at <= work.now)
        .values(due_at=await _next(work, tenant), leased_until=None)
        .returning(due.c.target_id)
    )
    if (await work.connection.execute(moved)).first() is None or not tenant.active:
        return
    chats = await telling.chats(work, "summary")
    if chats and (news := await _day(work, tenant)) is not None:
        await inbox.tell_all(work, chats, news)


def ends(at: str, zone: ZoneInfo, moment: datetime) -> list[datetime]:
    """The ends of the days around a moment, in order: at this hour ("20:00") of the zone's clocks."""
    today, hour = moment.astimezone(zone).date(), time.fromisoformat(at)
    return sorted({_end(today + days, hour, zone) for days in _NEAR})


def _end(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """Of an hour that the clocks show twice, the first; of one that they leave out, as long after."""
    return datetime.combine(day, hour, zone).astimezone(UTC)


async def _next(work: Work, tenant: Any) -> datetime:
    known = ends(tenant.summary_at, ZoneInfo(tenant.timezone), work.now)
    return next(end for end in known if end + _MARGIN > work.now) + _MARGIN


async def _day(work: Work, tenant: Any) -> DaySummed | None:
    """The day that ended last; None where nothing was sold or paid out."""
    known = ends(tenant.summary_at, ZoneInfo(tenant.timezone), work.now)
    since, until = [end for end in known if end <= work.now][-2:]
    summed = await _summed(work, since, until)
    sales, sold = summed.get("sale", (0, 0))
    withdrawals, paid_out = summed.get("payout", (0, 0))
    if not sales and not withdrawals:
        return None
    fees = sum(summed.get(reason, (0, 0))[1] for reason in ("sale_fee", "withdrawal_fee"))
    currency = tenant.currency
    return DaySummed(
        until=until,
        sales=sales,
        sold=Money(sold, currency),
        withdrawals=withdrawals,
        paid_out=Money(paid_out, currency),
        fees=Money(fees, currency),
        available=(await ledger.balance(work, currency)).available,
    )


async def _summed(work: Work, since: datetime, until: datetime) -> dict[str, tuple[int, int]]:
    """How many transfers, and of how much, by their reason."""
    query = (
        sa.select(transfers.c.reason, sa.func.count(), sa.func.sum(transfers.c.amount))
        .where(
            transfers.c.tenant_id == work.tenant,
            transfers.c.created_at >= since,
            transfers.c.created_at < until,
        )
        .group_by(transfers.c.reason)
    )
    rows = await work.connection.execute(query)
    return {reason: (number, int(total)) for reason, number, total in rows}
