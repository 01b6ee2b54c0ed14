"""Many short chains are read together, and each is judged by itself."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import audit
from services.audit.anchors import Anchors
from services.audit.verify import verify
from services.store.schema import audit as entries
from services.store.schema import audit_heads
from services.store.scope import OWNER
from services.work import Via, Work

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
TENANTS = [UUID(int=n * 2**100) for n in range(1, 8)]


@pytest.fixture
async def chains(database, vault):
    for tenant in TENANTS:
        for n in range(3):
            async with database.transaction(tenant) as connection:
                work = Work(connection, vault, tenant, NOW, Via("cli"))
                await audit.record(work, "operator", f"done.{n}", tenant, {})
    return database


async def verified(database, vault, together, tenant=None):
    async with database.reading(OWNER) as connection:
        found = await verify(connection, vault, Anchors(), tenant, together)
    listed = [(each.finding, TENANTS.index(each.tenant_id), each.position) for each in found.findings]
    return found.tenants, found.entries, listed


@pytest.mark.parametrize("together", [1, 2, 7, 500])
async def test_each_is_looked_at_once_however_many_are_read_together(chains, vault, together):
    assert await verified(chains, vault, together) == (7, 21, [])
    assert await verified(chains, vault, together, TENANTS[3]) == (1, 3, [])


@pytest.mark.parametrize("together", [1, 3, 500])
async def test_what_is_bad_is_told_of_each_and_hides_nothing_of_the_others(chains, vault, together):
    async with chains.transaction(OWNER) as connection:
        await connection.execute(sa.delete(entries).where(entries.c.tenant_id == TENANTS[1]))
        await connection.execute(sa.delete(audit_heads).where(audit_heads.c.tenant_id == TENANTS[2]))
        mine = (entries.c.tenant_id == TENANTS[4], entries.c.seq == 2)
        await connection.execute(sa.update(entries).where(*mine).values(action="other"))
        last = (entries.c.tenant_id == TENANTS[6], entries.c.seq == 3)
        await connection.execute(sa.delete(entries).where(*last))
    bad = [("cut", 1, 1), ("head", 2, 1), ("changed", 4, 2), ("cut", 6, 3)]
    assert await verified(chains, vault, together) == (7, 3 + 3 + 3 + 2 + 3 + 2, bad)
