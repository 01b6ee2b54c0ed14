"""Clearing doctor: where a tenant's books and its providers do not agree, and what has stood for too long."""

from collections.abc import AsyncIterator

import sqlalchemy as sa

from bot.doctor.finding import Finding, warning
from bot.parts import Parts
from services.people.tenants import Tenant
from services.reconciliation import ages
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State, Type
from services.store.schema import breaks


async def clearing(parts: Parts, tenant: Tenant) -> AsyncIterator[Finding]:
    now, command = parts.clock(), f"python main.py reconcile --tenant {tenant.slug}"
    async with parts.database.reading(tenant.id) as connection:
        standing = await ages.standing(connection, tenant.id)
        query = sa.select(sa.func.count()).where(
            breaks.c.tenant_id == tenant.id,
            breaks.c.state == State.OPEN,
            breaks.c.type != Type.LATE,
            breaks.c.at <= now - LATE,
        )
        aged = await connection.scalar(query) or 0
    if aged:
        what = f"{aged} breaks between its books and its providers are open for more than a day"
        yield warning(what, f"run: {command}")
    for each in standing:
        if not each.too_old(now) or each.since is None:
            continue
        days = (now - each.since).days
        if each.account.startswith("provider:") and each.until is None:
            provider = each.account.removeprefix("provider:")
            what = f"no statement of {provider} was ever compared with its books, for {days} days"
            fix = f"export one there, then run: {command} --file FILE.csv" if provider == "mpesa" else command
            yield warning(what, fix)
        else:
            told = f"{each.stands.currency} {each.stands}"
            yield warning(f"{told} stands in {each.account}, the oldest for {days} days", f"run: {command}")
