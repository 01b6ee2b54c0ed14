"""Ways out that were stopped for their settings go on once the file puts them right, and no others."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.news import Frozen, PayoutsResumed, TenantChanged
from services.store.schema import inbox, jobs, rails, tenants
from services.store.scope import OWNER
from tests.services.people.registry import FULL, NOW

RIGHT = FULL.replace("mpesa-password", "the right one")
PAYOUT = UUID(int=7)


async def stopped(registry, because):
    await registry.apply(FULL)
    async with registry.database.transaction(OWNER) as connection:
        tenant = await connection.scalar(sa.select(tenants.c.id))
        for way in ("mpesa", "bank_transfer"):
            stop = {"tenant_id": tenant, "rail": way, "stopped_because": because, "stopped_at": NOW}
            await connection.execute(sa.insert(rails).values(stop))
        waits = {"tenant_id": tenant, "target_id": PAYOUT, "kind": "payout"}
        await connection.execute(sa.insert(jobs).values(**waits, due_at=NOW + timedelta(minutes=10)))
        await connection.execute(sa.delete(inbox))


async def found(registry):
    async with registry.database.reading(OWNER) as connection:
        stopped_ways = sa.select(rails.c.rail).where(rails.c.stopped_at.is_not(None)).order_by(rails.c.rail)
        rested = list((await connection.execute(stopped_ways)).scalars())
        due_at = await connection.scalar(sa.select(jobs.c.due_at).where(jobs.c.target_id == PAYOUT))
    return rested, due_at - NOW


async def test_new_settings_of_the_provider_let_payouts_go_on_at_once_and_say_so(registry):
    await stopped(registry, Frozen.SETTINGS)
    applied = await registry.apply(RIGHT)
    assert applied.changed == ["providers.mpesa", "payouts_frozen"]
    assert await found(registry) == (["bank_transfer"], timedelta(0))
    kinds = {type(news) for news in await registry.told()}
    assert kinds == {PayoutsResumed, TenantChanged}
    assert ("operator", "payouts.unfrozen", {}) in await registry.audited()


@pytest.mark.parametrize("because", [Frozen.OPERATOR, Frozen.FUNDS])
async def test_what_was_stopped_for_another_cause_stays_so_until_somebody_has_looked(registry, because):
    await stopped(registry, because)
    assert (await registry.apply(RIGHT)).changed == ["providers.mpesa"]
    assert await found(registry) == (["bank_transfer", "mpesa"], timedelta(minutes=10))


@pytest.mark.parametrize("text", [FULL, FULL.replace("Maize flour", "Maize")])
async def test_what_leaves_the_provider_as_it_was_lets_nothing_go_on(registry, text):
    await stopped(registry, Frozen.SETTINGS)
    assert "payouts_frozen" not in (await registry.apply(text)).changed
    assert await found(registry) == (["bank_transfer", "mpesa"], timedelta(minutes=10))
