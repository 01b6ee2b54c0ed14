"""Whom a file has paid is forgotten: of a person who is erased at once, of the others when it is old."""

import pytest

from services.privacy.periods import Periods
from services.privacy.retention import forget
from services.privacy.sweep import sweep
from services.privacy.traces import Traces
from services.providers.base import Succeeded
from services.store.schema import batches
from tests.services.batches.test_batches import approve, ask, finish, funded, lines, settle

__all__ = ["funded"]
PAID = Traces({"+254712345678"}, set(), set())
STRANGER = Traces({"+254733999888"}, set(), set())


async def swept(business, traces):
    found = await sweep(business.database, business.vault, business.tenant, traces, [])
    return found.emptied["batches"], found.left["batches"]


async def kept(business, batch):
    return (await business.row(batches, batch.id)).lines_sealed is not None


@pytest.fixture
async def paid(funded):
    batch = await ask(funded)
    await approve(funded, batch)
    return batch


async def test_a_file_that_names_who_is_erased_has_no_lines_any_more(funded, paid):
    waiting = await ask(funded, "to,number,amount,note\nphone,0712345678,700,rice\n")
    assert await swept(funded, STRANGER) == (0, 0)
    assert await swept(funded, PAID) == (1, 1)
    assert (await kept(funded, paid), await kept(funded, waiting)) == (False, True)
    assert (await approve(funded, waiting)).state == "running"
    assert await swept(funded, PAID) == (1, 0)
    assert not await kept(funded, waiting)


async def test_the_lines_of_a_file_that_is_over_are_forgotten_when_they_are_old(funded, paid):
    for number, result in enumerate(await lines(funded, paid)):
        await settle(funded, result, Succeeded(f"SJP000000{number}", result.net))
    await finish(funded, paid)
    periods = Periods(**dict.fromkeys(Periods.model_fields, 0) | {"details_days": 540})

    async def forgotten():
        done = await forget(funded.database, funded.vault, periods, funded.now, really=True)
        return done.get(funded.tenant, {}).get("lines of files", 0)

    funded.forward(days=539)
    assert (await forgotten(), await kept(funded, paid)) == (0, True)
    funded.forward(days=2)
    assert (await forgotten(), await kept(funded, paid)) == (1, False)
