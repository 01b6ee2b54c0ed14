"""Key doctor: keys of the API that end soon, or that nobody uses any more."""

from collections.abc import AsyncIterator
from datetime import timedelta

import sqlalchemy as sa

from bot.doctor.finding import Finding, warning
from bot.parts import Parts
from services.people.tenants import Tenant
from services.store.schema import api_keys

_SOON = timedelta(days=14)
_UNUSED = timedelta(days=90)


async def keys(parts: Parts, tenant: Tenant) -> AsyncIterator[Finding]:
    now = parts.clock()
    query = (
        sa.select(api_keys)
        .where(
            api_keys.c.tenant_id == tenant.id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now
        )
        .order_by(api_keys.c.created_at, api_keys.c.prefix)
    )
    async with parts.database.reading(tenant.id) as connection:
        rows = (await connection.execute(query)).all()
    for row in rows:
        used = row.last_used_at or row.created_at
        if row.expires_at - now < _SOON:
            fix = "make another with python main.py apikey create, use it, and revoke this one"
            yield warning(f"the API key {row.prefix} expires at {row.expires_at:%Y-%m-%d}", fix)
        elif now - used > _UNUSED:
            what = f"the API key {row.prefix} was not used for {(now - used).days} days"
            yield warning(what, f"where nobody needs it, run: python main.py apikey revoke {row.prefix}")
