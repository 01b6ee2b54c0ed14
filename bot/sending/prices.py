"""Prices: how many messages there were of each category and type that WhatsApp charges them under, and what
they cost by the rates that the operator has told (`services/costs/messages.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.parts import CannotRun
from services.costs import messages
from services.store.schema import Moment, outbox, tenants


class _Kind(NamedTuple):
    """What a line sums up. Without a category where WhatsApp has told none (yet), and without a currency
    where it is free or where its cost is not `known`."""

    category: str | None
    type: str | None
    country: str | None
    currency: str | None
    known: bool


@dataclass
class _Sum:
    messages: int = 0
    millionths: int = 0


_Sums = dict[_Kind, _Sum]


async def counted(connection: AsyncConnection, slug: str, month: str | None, now: datetime) -> dict[str, Any]:
    """The tenant's messages of a month of its own calendar, by price and by day. `without_cost`: those that
    are charged and whose rate nobody has told. Raises CannotRun where it is no month."""
    tenant = (await connection.execute(sa.select(tenants).where(tenants.c.slug == slug))).one()
    zone = ZoneInfo(tenant.timezone)
    first = _first_day(month, now.astimezone(zone), zone)
    rates = await messages.rates(connection)
    total: _Sums = {}
    by_day: dict[str, _Sums] = {}
    for day, begins, *price, many in await connection.execute(_by_price(tenant.id, _spans(first, rates))):
        kind, each = _cost(rates, tenant.id, price, begins)
        for sums in (total, by_day.setdefault(day, {})):
            line = sums.setdefault(kind, _Sum())
            line.messages += many
            line.millionths += many * each
    return {
        "tenant": slug,
        "month": f"{first:%Y-%m}",
        "messages": sum(line.messages for line in total.values()),
        "totals": _totals(total),
        "without_cost": sum(
            line.messages for kind, line in total.items() if kind.category and not kind.known
        ),
        "prices": _shown(total),
        "days": [{"day": day, "prices": _shown(sums)} for day, sums in by_day.items()],
    }


def _by_price(tenant: Any, spans: sa.Subquery) -> sa.Select[Any]:
    by = (
        spans.c.day,
        spans.c.begins,
        outbox.c.price_category,
        outbox.c.price_type,
        outbox.c.price_country,
    )
    return (
        sa.select(*by, sa.func.count())
        .join(spans, sa.and_(outbox.c.created_at >= spans.c.begins, outbox.c.created_at < spans.c.ends))
        .where(outbox.c.tenant_id == tenant, outbox.c.wamid.is_not(None))
        .group_by(*by)
        .order_by(*by)
    )


def _cost(
    rates: Sequence[messages.Rate], tenant: Any, price: Sequence[str | None], at: datetime
) -> tuple[_Kind, int]:
    """And what each of them costs, in millionths."""
    category, type_, country = (word or None for word in price)
    cost = messages.cost(rates, tenant, category, type_ or "", country or "", at) if category else None
    if cost is None:
        return _Kind(category, type_, country, None, known=False), 0
    return _Kind(category, type_, country, cost.currency or None, known=True), cost.millionths


def _shown(sums: _Sums) -> list[dict[str, Any]]:
    return [
        {
            "category": kind.category,
            "type": kind.type,
            "country": kind.country,
            "messages": line.messages,
            "currency": kind.currency,
            "cost": messages.written(line.millionths) if kind.known else None,
        }
        for kind, line in sums.items()
    ]


def _totals(sums: _Sums) -> list[dict[str, Any]]:
    """Of what costs something, by currency."""
    listed = []
    for currency in sorted({kind.currency for kind in sums if kind.currency}):
        lines = [line for kind, line in sums.items() if kind.currency == currency]
        cost = messages.written(sum(line.millionths for line in lines))
        listed.append({"currency": currency, "messages": sum(line.messages for line in lines), "cost": cost})
    return listed


def _first_day(month: str | None, today: datetime, zone: ZoneInfo) -> datetime:
    if month is None:
        return datetime(today.year, today.month, 1, tzinfo=zone)
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    except ValueError:
        raise CannotRun(f"{month} is no month. Write it as 2026-11.") from None


def _spans(first: datetime, rates: Iterable[messages.Rate]) -> sa.Subquery:
    """The days of the month, each from midnight to midnight there, and cut where a rate begins or ends: what
    is sent within one of them costs the same."""
    cuts = {moment for rate in rates for moment in (rate.valid_from, rate.valid_until) if moment}
    spans = []
    for day in (first + timedelta(days=n) for n in range(32)):
        if day.month == first.month:
            begins, ends = day.astimezone(UTC), (day + timedelta(days=1)).astimezone(UTC)
            edges = [begins, *sorted(cut for cut in cuts if begins < cut < ends), ends]
            spans += [(f"{day:%Y-%m-%d}", *span) for span in pairwise(edges)]
    listed = [
        sa.select(
            sa.literal(day).label("day"),
            sa.literal(begins, Moment).label("begins"),
            sa.literal(ends, Moment).label("ends"),
        )
        for day, begins, ends in spans
    ]
    return sa.union_all(*listed).subquery()
