"""Prices: how many messages there were of each category and type that WhatsApp charges them under.

What one costs is on WhatsApp's list for the country.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.parts import CannotRun
from services.store.schema import Moment, outbox, tenants


async def counted(connection: AsyncConnection, slug: str, month: str | None, now: datetime) -> dict[str, Any]:
    """The tenant's messages of a month of its own calendar, by price and by day; `category` is null where
    none was told (yet). Raises CannotRun where it is no month."""
    tenant = (await connection.execute(sa.select(tenants).where(tenants.c.slug == slug))).one()
    zone = ZoneInfo(tenant.timezone)
    first = _first_day(month, now.astimezone(zone), zone)
    days = _days(first)
    query = (
        sa.select(days.c.day, outbox.c.price_category, outbox.c.price_type, sa.func.count())
        .join(days, sa.and_(outbox.c.created_at >= days.c.begins, outbox.c.created_at < days.c.ends))
        .where(outbox.c.tenant_id == tenant.id, outbox.c.wamid.is_not(None))
        .group_by(days.c.day, outbox.c.price_category, outbox.c.price_type)
        .order_by(days.c.day, outbox.c.price_category, outbox.c.price_type)
    )
    rows = (await connection.execute(query)).all()
    total: Counter[tuple[str | None, str | None]] = Counter()
    by_day: dict[str, list[dict[str, Any]]] = {}
    for day, category, type_, many in rows:
        total[category, type_] += many
        by_day.setdefault(day, []).append(_shown(category, type_, many))
    return {
        "tenant": slug,
        "month": f"{first:%Y-%m}",
        "messages": sum(total.values()),
        "prices": [_shown(*price, many) for price, many in total.items()],
        "days": [{"day": day, "prices": prices} for day, prices in by_day.items()],
    }


def _shown(category: str | None, type_: str | None, many: int) -> dict[str, Any]:
    return {"category": category, "type": type_ or None, "messages": many}


def _first_day(month: str | None, today: datetime, zone: ZoneInfo) -> datetime:
    if month is None:
        return datetime(today.year, today.month, 1, tzinfo=zone)
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    except ValueError:
        raise CannotRun(f"{month} is no month. Write it as 2026-11.") from None


def _days(first: datetime) -> sa.Subquery:
    """The days of the month, each from midnight to midnight there."""
    begins = [first + timedelta(days=n) for n in range(32)]
    days = [
        sa.select(
            sa.literal(f"{begin:%Y-%m-%d}").label("day"),
            sa.literal(begin.astimezone(UTC), Moment).label("begins"),
            sa.literal((begin + timedelta(days=1)).astimezone(UTC), Moment).label("ends"),
        )
        for begin in begins
        if begin.month == first.month
    ]
    return sa.union_all(*days).subquery()
