"""Costing: what providers charge and what is left, from the command line. Each gives back data for JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.commands.opening import known_tenant, opened, work_of
from bot.parts import CannotRun
from bot.settings import Settings
from services.costs import file
from services.costs.margin import Line, lines
from services.people.file_lines import decoded
from services.reconciliation import charges
from services.store.schema import NOBODY, tenants
from services.store.scope import AUDITOR, PLATFORM
from services.work import CLI, Work
from services.written import amount_of

COLUMNS = (
    "month",
    "tenant",
    "provider",
    "rail",
    "currency",
    "items",
    "volume",
    "price",
    "cost",
    "margin",
    "without_cost",
)


async def apply_costs(settings: Settings, path: Path) -> dict[str, Any]:
    """Raises TenantFileError and CannotRun; nothing is changed then."""
    text = _text(path)
    async with opened(settings) as parts, parts.database.transaction(PLATFORM) as connection:
        return await file.apply(Work(connection, parts.vault, NOBODY, parts.clock(), CLI), text, str(path))


def _text(path: Path) -> str:
    return decoded(path.read_bytes(), str(path))


async def show_costs(settings: Settings) -> dict[str, Any]:
    """The bands and rates, in the keys of the file."""
    async with opened(settings) as parts, parts.database.reading(PLATFORM) as connection:
        return await file.shown(Work(connection, parts.vault, NOBODY, parts.clock(), CLI))


async def take_theirs(settings: Settings, slug: str) -> list[dict[str, Any]]:
    """See `services/reconciliation/charges.py`. Raises CannotRun."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        return await charges.take_theirs(work)


async def margin(settings: Settings, month: str | None, slug: str | None) -> dict[str, Any]:
    """Of a month of each tenant's own calendar. Raises CannotRun."""
    async with opened(settings) as parts, parts.database.snapshot(AUDITOR) as connection:
        query = sa.select(tenants.c.id, tenants.c.slug, tenants.c.timezone).order_by(tenants.c.slug)
        if slug is not None:
            query = query.where(tenants.c.id == await known_tenant(connection, slug))
        named = month or f"{parts.clock():%Y-%m}"
        listed: list[dict[str, Any]] = []
        totals: dict[str, list[Line]] = defaultdict(list)
        for tenant in (await connection.execute(query)).all():
            span = _span(named, tenant.timezone)
            for line in await lines(connection, tenant.id, span.since, span.until):
                listed.append({"month": named, "tenant": tenant.slug} | _shown(line))
                totals[line.currency].append(line)
    return {
        "month": named,
        "lines": listed,
        "totals": [_total(currency, told) for currency, told in sorted(totals.items())],
    }


@dataclass(frozen=True)
class _Span:
    since: datetime
    until: datetime


def _span(month: str, zone: str) -> _Span:
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo(zone))
        later = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return _Span(first.astimezone(UTC), later.astimezone(UTC))
    except (ValueError, OverflowError):
        raise CannotRun(f"{month} is no month. Write it as 2026-11.") from None


def _shown(line: Line) -> dict[str, Any]:
    amounts = {
        key: amount_of(getattr(line, key), line.currency) for key in ("volume", "price", "cost", "margin")
    }
    named = {"provider": line.provider, "rail": line.rail, "currency": line.currency, "items": line.items}
    return named | amounts | {"without_cost": line.without_cost}


def _total(currency: str, told: Sequence[Line]) -> dict[str, Any]:
    sums = {key: sum(getattr(line, key) for line in told) for key in ("volume", "price", "cost", "margin")}
    amounts = {key: amount_of(total, currency) for key, total in sums.items()}
    return {"currency": currency, "items": sum(line.items for line in told)} | amounts
