"""Rate doctor: messages that WhatsApp charges and whose cost nobody can tell, since no rate was told."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.doctor.finding import Finding, good, warning
from bot.parts import Parts
from services.costs import messages
from services.store.schema import outbox, tenants
from services.store.scope import AUDITOR

_LATELY = timedelta(days=7)
_HOW = "[[messages]] in a file of costs, and python main.py costs apply FILE"


async def rates(parts: Parts) -> AsyncIterator[Finding]:
    now = parts.clock()
    async with parts.database.reading(AUDITOR) as connection:
        told = await messages.rates(connection)
        charged = (await connection.execute(_charged(now - _LATELY))).all() if told else []
    missing: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for tenant, slug, category, country, many in charged:
        if messages.cost(told, tenant, category, messages.REGULAR, country or "", now) is None:
            missing[slug, category][country or ""] += many
    for (slug, category), many in missing.items():
        countries = ", ".join(filter(None, sorted(many))) or "of no known country"
        what = f"WhatsApp charged messages of the last seven days as {category} that have no rate"
        yield warning(f"{slug}: {what}: {many.total()} ({countries})", f"add it: {_HOW}")
    if not told:
        yield good(f"what messages cost is not told ({_HOW}): they are counted alone")
    elif not missing:
        yield good("what WhatsApp charges for messages is known")


def _charged(since: datetime) -> sa.Select[Any]:
    columns = (outbox.c.tenant_id, tenants.c.slug, outbox.c.price_category, outbox.c.price_country)
    return (
        sa.select(*columns, sa.func.count())
        .join_from(outbox, tenants, tenants.c.id == outbox.c.tenant_id)
        .where(outbox.c.price_type == messages.REGULAR, outbox.c.created_at > since)
        .group_by(*columns)
        .order_by(tenants.c.slug, outbox.c.price_category, outbox.c.price_country)
    )
