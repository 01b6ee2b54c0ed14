"""A tenant's payouts that were stopped for its settings go on once its file puts them right."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.news import Frozen, PayoutsResumed, TenantChanged
from services.store.schema import inbox, jobs, tenants
from services.store.scope import OWNER
from tests.services.people.registry import FULL, NOW

RIGHT = FULL.replace("mpesa-password", "the right one")
PAYOUT = UUID(int=7)


async def stopped(registry, because):
    await registry.apply(FULL)
    async with registry.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(tenants).values(payouts_frozen=True, frozen_because=because))
        tenant = await connection.scalar(sa.select(tenants.c.id))
        waits = {"tenant_id": tenant, "target_id": PAYOUT, "kind": "payout"}
        await connection.execute(sa.insert(jobs).values(**waits, due_at=NOW + timedelta(minutes=10)))
        await connection.execute(sa.delete(inbox))


async def found(registry):
    async with registry.database.reading(OWNER) as connection:
        row = (await connection.execute(sa.select(tenants))).one()
        due_at = await connection.scalar(sa.select(jobs.c.due_at).where(jobs.c.target_id == PAYOUT))
    return row.payouts_frozen, due_at - NOW


async def test_new_settings_of_the_provider_let_payouts_go_on_at_once_and_say_so(registry):
    await stopped(registry, Frozen.SETTINGS)
    applied = await registry.apply(RIGHT)
    assert applied.changed == ["providers.mpesa", "payouts_frozen"]
    assert await found(registry) == (False, timedelta(0))
    kinds = {type(news) for news in await registry.told()}
    assert kinds == {PayoutsResumed, TenantChanged}
    assert ("operator", "payouts.unfrozen", {}) in await registry.audited()


@pytest.mark.parametrize("because", [Frozen.CONTRADICTION, Frozen.FUNDS])
async def test_what_was_stopped_for_another_cause_stays_so_until_somebody_has_looked(registry, because):
    await stopped(registry, because)
    assert (await registry.apply(RIGHT)).changed == ["providers.mpesa"]
    assert await found(registry) == (True, timedelta(minutes=10))


@pytest.mark.parametrize("text", [FULL, FULL.replace("Maize flour", "Maize")])
async def test_what_leaves_the_provider_as_it_was_lets_nothing_go_on(registry, text):
    await stopped(registry, Frozen.SETTINGS)
    assert "payouts_frozen" not in (await registry.apply(text)).changed
    assert await found(registry) == (True, timedelta(minutes=10))
