"""What payouts leave behind that stop, fail, come back or are settled, as tests/records has it."""

import pytest

from services.news import Frozen, Unpaid
from services.providers.base import Failed, Pending, Succeeded, Unknown
from services.withdrawals import freeze, sending, stop
from tests.services.business import PUBLIC, TO_BANK, Business, kes
from tests.services.recording import Recorder, compare
from tests.services.reviewing import approve as settle
from tests.services.reviewing import left_undecided, propose
from tests.services.test_recorded import NO, PAID, approve

INITIATOR = Failed(Unpaid.SHOP, "2001 The initiator information is invalid.", ours=True)


@pytest.fixture
async def business(business_on_sqlite: Business) -> Business:
    await business_on_sqlite.paid("9000")
    return business_on_sqlite


async def test_payouts_that_stop_and_go_on(business):
    record = await Recorder(business).begin()
    async with record.act("a payout is sent"):
        out = await business.approved("1000")
        await out.sent()
    async with record.act("it fails by our own settings"):
        await out.called(INITIATOR)
    another = await business.payout_of(out.withdrawal.id)
    async with record.act("the one in its place waits"), business.work() as work:
        await sending.begin_payout(work, another, PUBLIC)
    async with record.act("the operator lets it go on"), business.work() as work:
        await freeze.unfreeze(work, "operator")
    async with record.act("and again"), business.work() as work:
        await freeze.unfreeze(work, "operator")
    async with record.act("the operator stops a way"), business.work() as work:
        await freeze.freeze_way(work, "mpesa")
    async with record.act("and again"), business.work() as work:
        await freeze.freeze_way(work, "mpesa")
    async with record.act("only another way goes on"), business.work() as work:
        await freeze.unfreeze_ways(work, "operator", ["till"])
    async with record.act("that way goes on"), business.work() as work:
        await freeze.unfreeze_ways(work, "operator", ["mpesa"])
    async with record.act("two words contradict each other"), business.work() as work:
        await freeze.freeze_all(work, Frozen.CONTRADICTION)
    async with record.act("the books are wrong, which is graver"), business.work() as work:
        await freeze.freeze_all(work, Frozen.BOOKS)
    async with record.act("a lighter cause"), business.work() as work:
        await freeze.freeze_all(work, Frozen.CONTRADICTION)
    async with record.act("both go on"), business.work() as work:
        await freeze.freeze_way(work, "till")
        await freeze.unfreeze(work, "operator")
    async with record.act("another is asked for"):
        waiting = await business.withdraw("300")
    for title, who in [("the manager stops all", business.manager), ("the operator does", None)]:
        async with record.act(title), business.work() as work:
            await stop.stop(work, who)
        async with record.act("once more"), business.work() as work:
            await stop.stop(work, who)
    async with record.act("the cashier may not"), business.work() as work:
        await stop.stop(work, business.cashier)
    async with record.act("approved while stopped"):
        await approve(business, business.manager, waiting)
    async with record.act("the operator starts them again"), business.work() as work:
        await stop.start_again(work, "operator")
    async with record.act("once more"), business.work() as work:
        await stop.start_again(work, "operator")
    compare("payouts-stopped", record)


async def test_payouts_that_end_otherwise(business):
    record = await Recorder(business).begin()
    async with record.act("a payout is sent"):
        failed = await business.approved("1000")
        await failed.sent()
    async with record.act("it fails"):
        await failed.called(NO)
    async with record.act("and was paid after all"):
        await failed.called(PAID)
    async with record.act("of one to a bank no word comes"):
        await business.go_on()
        returned = await business.approved("1000", TO_BANK)
        await returned.begun()
        await returned.answered(Unknown("timeout"))
    async with record.act("it is paid"):
        await returned.called(Succeeded("TRF_1", kes("950")))
    async with record.act("another amount comes back"):
        await returned.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("900")))
    async with record.act("it comes back"):
        await returned.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("950")))
    async with record.act("another is sent"):
        wrong = await business.approved("1000")
        await wrong.sent()
    async with record.act("a result of another payout"):
        await wrong.called(PAID, reference="another")
    async with record.act("a success without an amount"):
        await wrong.called(Succeeded("UKP9000003", None))
    async with record.act("another amount"):
        await wrong.called(Succeeded("UKP9000003", kes("900")))
    async with record.act("an answer that proves nothing"):
        await wrong.asked()
        await wrong.called(Succeeded("UKP9000003", None), "query", "another")
    async with record.act("the provider's queue was too long"):
        await wrong.called(Pending("timeout"), "payout_timeout")
    async with record.act("another is approved"):
        late = await business.approved("500")
    business.forward(minutes=31)
    async with record.act("it was not begun in time"), business.work() as work:
        await sending.begin_payout(work, late.payout, PUBLIC)
    compare("payouts-contradicted", record)


async def test_a_payout_that_people_settle(business):
    record = await Recorder(business).begin()
    async with record.act("nobody knows what has become of a payout"):
        out = await left_undecided(business)
    async with record.act("the manager says: paid"):
        settlement = await propose(business, out.payout)
    async with record.act("the manager agrees"):
        await settle(business, settlement, business.manager)
    async with record.act("the owner agrees"):
        await settle(business, settlement)
    async with record.act("the provider says: failed"):
        await out.called(NO)
    async with record.act("the provider says: paid"):
        await out.called(PAID)
    async with record.act("nor of another"):
        await business.go_on()
        second = await left_undecided(business)
    async with record.act("settled by no reference"):
        await propose(business, second.payout, "not_paid", "")
    async with record.act("the manager and the owner say: not paid"):
        await settle(business, await propose(business, second.payout, "not_paid"))
    async with record.act("and was paid after all"):
        await second.called(Succeeded("UKP9000002", kes("967")))
    async with record.act("and comes back"):
        await second.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("967")))
    compare("payout-settled", record)


async def test_a_payout_that_is_told_as_paid_while_its_withdrawal_is_asked_for_again(business):
    record = await Recorder(business).begin()
    async with record.act("a payout fails by our own settings, and another takes its place"):
        out = await business.approved("1000")
        await out.sent()
        await out.called(INITIATOR)
    another = await business.payout_of(out.withdrawal.id)
    business.forward(minutes=31)
    async with record.act("which is not begun in time"), business.work() as work:
        await freeze.unfreeze(work, "operator")
        await sending.begin_payout(work, another, PUBLIC)
    async with record.act("the first one was paid"):
        await out.called(PAID)
    compare("payout-paid-late", record)
