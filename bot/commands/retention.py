"""Retention: what has grown old, told or forgotten at once instead of at night."""

from typing import Any

import sqlalchemy as sa

from bot.commands.opening import opened
from bot.settings import Settings
from services.privacy import compact
from services.privacy.retention import forget
from services.store.schema import tenants
from services.store.scope import PLATFORM


async def apply_retention(settings: Settings, *, really: bool) -> dict[str, Any]:
    """How much is old, by tenant; or was forgotten."""
    periods = settings.retention
    async with opened(settings) as parts:
        told = await forget(parts.database, parts.vault, periods, parts.clock(), really=really)
        async with parts.database.reading(PLATFORM) as connection:
            rows = await connection.execute(sa.select(tenants.c.id, tenants.c.slug))
            slugs = {row.id: row.slug for row in rows}
        compacted = await compact.compact(parts.database) if really else False
    return {
        "applied": really,
        "days": periods.model_dump(),
        "tenants": {slugs.get(tenant, "nobody's"): found for tenant, found in told.items()},
        "compacted": compacted,
    }
