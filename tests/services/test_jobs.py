import asyncio
from datetime import timedelta

from services import jobs
from services.ids import new_id
from services.store.scope import OWNER

LEASE = timedelta(seconds=60)
LADDER = (timedelta(seconds=1), timedelta(seconds=5))


async def claimed(business, limit=10):
    async with business.database.transaction(OWNER) as connection:
        return await jobs.claim(connection, business.now, LEASE, limit)


async def test_what_is_due_is_claimed_once_until_its_lease_ends(business):
    target = new_id()
    async with business.work() as work:
        await jobs.schedule(work, "collect", target, business.now)
        await jobs.schedule(work, "payout", new_id(), business.now + timedelta(seconds=1))
    (job,) = await claimed(business)
    assert (job.tenant_id, job.target_id, job.kind, job.tries) == (business.tenant, target, "collect", 0)
    assert await claimed(business) == []
    business.forward(seconds=60)
    assert len(await claimed(business)) == 2


async def test_workers_at_once_share_the_jobs(business):
    async with business.work() as work:
        for _ in range(9):
            await jobs.schedule(work, "collect", new_id(), business.now)
    shares = await asyncio.gather(*(claimed(business, 3) for _ in range(5)))
    targets = [job.target_id for share in shares for job in share]
    assert len(targets) == len(set(targets)) == 9


async def test_the_ladder_grows_and_ends(business):
    target = new_id()
    async with business.work() as work:
        assert await jobs.again(work, "payout_check", target, LADDER)
    assert await business.jobs(target) == {"payout_check": timedelta(seconds=1)}
    async with business.work() as work:
        await jobs.schedule(work, "payout_check", target, business.now)  # sooner, on the same rung
        assert await jobs.again(work, "payout_check", target, LADDER)
    assert await business.jobs(target) == {"payout_check": timedelta(seconds=5)}
    async with business.work() as work:
        assert not await jobs.again(work, "payout_check", target, LADDER)
        await jobs.finish(work, target, "payout_check", "payout")
    assert await business.jobs(target) == {}
