"""Nobody waits for whom somebody waits for: who locks several of the tenant, what is open and the wallet does
it in this order, as one who decides does. So of two deeds at once none is broken off."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from services import approval, ledger
from services.ids import new_id
from services.jobs import schedule
from services.news import Unpaid
from services.people import tenant_file
from services.people.apply import apply
from services.providers.base import Accepted, Failed, Succeeded
from services.settings import changing
from services.settings.kinds import SETTINGS
from services.store.schema import accounts, jobs, tenants, withdrawals
from services.withdrawals import sending, settle
from services.withdrawals.record import WITHDRAWAL
from tests.conftest import BOTH
from tests.services.batches.test_batches import approve as approve_file
from tests.services.batches.test_batches import ask as ask_file
from tests.services.batches.test_batches import lines
from tests.services.business import PUBLIC, TO_PHONE, TO_TILL, kes

pytestmark = pytest.mark.parametrize("database", BOTH[1:], indirect=True)

ELSEWHERE = {"method_type": "mpesa", "method_details": {"phone_number": "+254733000999"}}


@pytest.fixture
async def funded(business):
    await business.paid("50000")
    async with business.work() as work:
        sealed = work.seal(TO_PHONE.details, "tenants.payout", business.tenant)
    await business.set(payout_method_type="mpesa", payout_sealed=sealed)
    return business


@asynccontextmanager
async def beside(business, deed, then):
    """One lock is taken, and another while the deed waits for the first; that it waits long enough is all
    that is left to the clock."""
    async with business.work() as work:
        yield work
        waits = asyncio.create_task(deed)
        await asyncio.sleep(0.2)
        assert not waits.done()
        await work.connection.exec_driver_sql("SET LOCAL lock_timeout = 2000")
        await then(work)
    await waits


async def the_wallet(work):
    await ledger.lock_wallet(work, "KES")


async def the_tenant(work):
    await work.connection.execute(
        sa.select(tenants.c.id).where(tenants.c.id == work.tenant).with_for_update()
    )


async def taken(business, payout, word):
    async with business.work() as work:
        await settle.settle(work, payout, word)


async def test_payouts_are_stopped_before_what_contradicts_itself_is_booked(funded):
    one = await funded.approved()
    assert await one.begun()
    await one.answered(Accepted("AG_1", None))
    await taken(funded, one.payout, Failed(Unpaid.RECEIVER, "unknown number"))
    late = taken(funded, one.payout, Succeeded("UKZ0000001", kes("967")))
    async with beside(funded, late, the_wallet) as work:
        await the_tenant(work)
    assert await funded.resting() == {None: "contradiction"}


async def test_whatever_ends_with_a_destination_is_locked_before_the_wallet(funded):
    async with funded.work() as work:
        change = await changing.ask(work, funded.owner, new_id(), "destination", ELSEWHERE)
    async with funded.work() as work:
        await changing.approve(work, funded.manager, change.id, change.digest)
    funded.forward(hours=24)
    await funded.withdraw()
    second = await funded.withdraw()

    async def due():
        async with funded.work() as work:
            await changing.take_effect(work, change.id)

    async with beside(funded, due(), the_wallet) as work:
        await approval.locked(work, WITHDRAWAL, second.id)
    assert await funded.wallet() == ("50000.00", "0.00", "50000.00")


async def test_a_file_locks_whatever_is_open_before_the_wallet(funded):
    await funded.withdraw()
    another = await funded.withdraw(to=TO_TILL)
    staff = {"Wanjiku": "Cashier", "Otieno": "Finance Admin", "Njeri": "Owner"}
    listed = [f'[[staff]]\nname = "{name}"\nrole = "{role}"\n' for name, role in staff.items()]
    file = tenant_file.read(
        f'[tenant]\nslug = "{funded.slug}"\n[limits]\napprovals = 2\n[payout]\nmethod_type = "mpesa"\n'
        'method_details = { phone_number = "+254733000999" }\n' + "".join(listed)
    )

    async def applied():
        async with funded.work() as work:
            await apply(work, file)

    async with beside(funded, applied(), the_wallet) as work:
        await approval.locked(work, WITHDRAWAL, another.id)
    assert await funded.wallet() == ("50000.00", "1000.00", "49000.00")


async def test_a_change_locks_the_tenant_before_itself(funded):
    async with funded.work() as work:
        change = await changing.ask(work, funded.owner, new_id(), "limits", {"approvals": 2})

    async def approved():
        async with funded.work() as work:
            return await changing.approve(work, funded.manager, change.id, change.digest)

    async def the_change(work):
        await approval.locked(work, SETTINGS["limits"].kind, change.id)

    async with beside(funded, approved(), the_change) as work:
        await the_tenant(work)


async def test_of_two_that_wait_for_their_turn_and_end_at_once_neither_waits_for_the_other(funded):
    """As all do that payouts had been stopped for too long."""
    under_way = await funded.approved(to=TO_TILL)
    assert await under_way.begun()
    waiting = [await funded.approved(to=TO_TILL) for _ in range(2)]
    for each in waiting:
        assert not await each.begun()
    funded.forward(minutes=31)
    async with funded.work() as work:
        mine = (jobs.c.tenant_id == work.tenant, jobs.c.target_id == waiting[1].payout)
        await work.connection.execute(sa.select(jobs.c.kind).where(*mine).with_for_update())
        async with asyncio.timeout(5):
            assert not await waiting[0].begun()
    assert (await funded.row(withdrawals, waiting[0].withdrawal.id)).status == "pending"


async def test_of_two_lines_of_a_file_that_end_at_once_neither_waits_for_the_other(funded):
    """A line that is paid locks the wallet first; one that fails gives back what it had held of it."""
    batch = await ask_file(funded)
    await approve_file(funded, batch)
    first, _ = await lines(funded, batch)
    payout = await funded.payout_of(first.withdrawal_id)
    async with funded.work() as work:
        assert await sending.begin_payout(work, payout, PUBLIC)

    async def ends_too(work):
        await schedule(work, "batch_done", batch.id, work.now)

    async with beside(
        funded, taken(funded, payout, Failed(Unpaid.RECEIVER, "unknown number")), ends_too
    ) as work:
        await the_wallet(work)


async def test_a_posting_beside_one_who_opens_an_account_after_that_was_rolled_back(funded):
    """A posting looks for all of its accounts before it locks one, until they are committed."""
    aside = ledger.Transfer("aside", ledger.WALLET, kes("1"), "aside")
    async with funded.behind() as work:
        await ledger.post(work, new_id(), [ledger.Transfer("provider:mpesa", "aside", kes("9"), "aside")])
        await work.connection.execute(sa.delete(accounts).where(accounts.c.name == ledger.OWED))

    async def broken_off():
        async with funded.work() as work:
            await ledger.lock(work, [ledger.WALLET, ledger.OWED, "aside"], "KES")
            await ledger.post(work, new_id(), [aside])
            raise KeyError

    with pytest.raises(KeyError):
        await broken_off()

    async def post():
        async with funded.work() as work:
            await ledger.post(work, new_id(), [aside])

    async def lock():
        async with funded.work() as work:
            await ledger.lock(work, [ledger.WALLET, ledger.OWED], "KES")

    async with funded.work() as work:
        await ledger.lock_wallet(work, "KES")
        both = [asyncio.create_task(post())]
        await asyncio.sleep(0.2)
        both.append(asyncio.create_task(lock()))
        await asyncio.sleep(0.2)
    await asyncio.gather(*both)
