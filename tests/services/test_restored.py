"""Of a restored database nothing is sent: what would be is laid before two people."""

import pytest
import sqlalchemy as sa

from services.errors import PayoutsFrozen
from services.news import Frozen, PayoutsStopped, PayoutUndecided
from services.review import queue
from services.store.schema import payouts, refund_attempts, tenants
from services.withdrawals.freeze import freeze_all, freeze_restored
from tests.services.business import TO_TILL, PayingOut
from tests.services.refunding import approved as refund_approved
from tests.services.reviewing import approve, propose


@pytest.fixture
async def funded(business):
    await business.paid("10000")
    return business


async def restore(business):
    async with business.work() as work:
        await freeze_restored(work)


async def cause(business):
    async with business.behind() as work:
        return (await work.connection.execute(sa.select(tenants.c.frozen_because))).scalar_one()


async def undecided(business):
    async with business.work() as work:
        return [each.id for each in (await queue.queue(work)).undecided]


async def test_what_was_to_be_sent_is_laid_before_two_people_and_asked_of_nobody(funded):
    out = await funded.approved()
    await restore(funded)
    assert not await out.begun()
    assert (await funded.row(payouts, out.payout)).state == "unknown"
    assert await undecided(funded) == [out.payout]
    assert await funded.jobs(out.payout) == {}
    told = await funded.news(funded.manager)
    assert [type(each) for each in told[-2:]] == [PayoutsStopped, PayoutUndecided]
    assert not await out.begun()  # nor ever again
    done = await approve(funded, await propose(funded, out.payout, reference="SJK7ABC123"))
    assert done.state == "done"
    assert await funded.wallet() == ("9000.00", "0.00", "9000.00")


async def test_what_is_approved_anew_is_laid_before_them_too(funded):
    """Its approval, or all of it, may have been after the backup."""
    await restore(funded)
    out = await funded.approved()
    assert not await out.begun()
    assert await undecided(funded) == [out.payout]
    await approve(funded, await propose(funded, out.payout, "not_paid", "Statement of 25 May"))
    assert await funded.wallet() == ("10000.00", "0.00", "10000.00")


async def test_an_approval_that_had_grown_old_is_not_asked_for_again(funded):
    """By a new id it would be sent twice."""
    out = await funded.approved()
    funded.forward(hours=2)
    await restore(funded)
    assert not await out.begun()
    assert await undecided(funded) == [out.payout]


async def test_of_tills_each_waits_until_the_one_before_is_settled(funded):
    first, second = [await funded.approved("100", to=TO_TILL) for _ in range(2)]
    await restore(funded)
    for out in (first, second):
        assert not await out.begun()
    assert await undecided(funded) == [first.payout]
    await approve(funded, await propose(funded, first.payout, reference="SJK7ABC123"))
    assert not await second.begun()
    assert await undecided(funded) == [second.payout]


async def test_a_refund_is_laid_before_them(funded):
    back = await refund_approved(funded, await funded.paid("300"))
    await restore(funded)
    assert not await back.begun()
    assert (await funded.row(refund_attempts, back.attempt)).state == "unknown"
    assert await undecided(funded) == [back.attempt]


async def test_nothing_takes_its_place_and_it_takes_the_place_of_all(funded):
    async with funded.work() as work:
        assert await freeze_all(work, Frozen.BOOKS)
    with pytest.raises(PayoutsFrozen):
        await funded.approved()
    await restore(funded)
    for because in (Frozen.BOOKS, Frozen.CONTRADICTION):
        async with funded.work() as work:
            assert not await freeze_all(work, because)
    assert await cause(funded) == "restored"
    assert (await funded.alerts()).count("database.restored") == 1


async def test_it_is_said_to_each_tenant_once_and_recorded_each_time(funded):
    for _ in range(2):
        await restore(funded)
    told = [each for each in await funded.news(funded.manager) if isinstance(each, PayoutsStopped)]
    assert [each.because for each in told] == [Frozen.RESTORED]
    assert (await funded.alerts()).count("database.restored") == 2


async def test_after_it_payouts_are_sent_as_ever(funded):
    from services import audit
    from services.withdrawals.freeze import unfreeze

    await restore(funded)
    async with funded.work() as work:
        await unfreeze(work, audit.OPERATOR)
    out = await funded.approved()
    assert await PayingOut(funded, out.withdrawal, out.payout).begun()
