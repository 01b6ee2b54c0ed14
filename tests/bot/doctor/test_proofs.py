"""Whether what proves the books and the audit is done in time, and what it has found."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from bot.anchoring import Anchoring
from bot.doctor.proofs import proofs
from bot.watch import Watch
from services.store.bell import Bell
from services.store.schema import audit
from services.store.scope import OWNER
from tests.services.business import Business

CHAINS = "the chains of the audit"


@pytest.fixture
async def shop(database, vault):
    """Proven, and anchored."""
    business = await Business(database, vault).open()
    await business.paid("500")
    await proven(business)
    return business


async def proven(business):
    watch = Watch(business.database, business.vault, Bell(None), lambda: business.now)
    await watch.minute()
    await watch.night()
    await Anchoring(business.database, business.vault, lambda: business.now, None).once()


async def found(business):
    parts = cast("Any", SimpleNamespace(database=business.database, clock=lambda: business.now))
    findings = [finding async for finding in proofs(parts)]
    assert all(each.fix for each in findings if each.level != "good")
    return [(each.level, each.what) for each in findings if each.level != "good"]


async def test_all_is_well_as_long_as_it_is_done_in_time(shop):
    assert await found(shop) == []
    shop.forward(minutes=9)
    assert await found(shop) == []


async def test_what_is_overdue_is_told_with_when_it_was_done_last(shop):
    shop.forward(minutes=10)
    at = "2026-11-24 09:00 UTC"
    late = [("warning", f"what has changed in the books: proven last at {at}")]
    assert await found(shop) == late
    shop.forward(hours=36)
    late += [("warning", f"{what}: proven last at {at}") for what in ("the books as a whole", CHAINS)]
    assert await found(shop) == late
    await shop.paid("500")
    shop.forward(minutes=21)
    told = ("warning", "heads of the audit that wait to be anchored: 1, since 2026-11-25 21:10 UTC")
    assert await found(shop) == [*late, told]


async def test_what_was_never_done_is_told_once_it_is_late(database, vault):
    business = await Business(database, vault).open()
    assert await found(business) == []
    await business.paid("500")
    assert await found(business) == []
    business.forward(days=2)
    whats = ("what has changed in the books", "the books as a whole", CHAINS)
    told = ("warning", "heads of the audit that wait to be anchored: 1, since 2026-11-24 09:00 UTC")
    assert await found(business) == [*(("warning", f"{what}: proven never") for what in whats), told]


async def test_a_chain_that_was_changed_is_found_at_night_and_is_broken(shop):
    async with shop.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit).values(action="payment.refused"))
    await proven(shop)
    assert await found(shop) == [("broken", f"when {CHAINS} was proven, 1 breaches were found")]
    async with shop.behind() as work:
        last = sa.select(audit).where(audit.c.action == "audit.broken")
        row = (await work.connection.execute(last)).one()
    assert (row.alert, row.facts) == (True, {"finding": "changed", "position": "1"})
