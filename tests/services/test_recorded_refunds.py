"""What refunds leave behind, as tests/records has it."""

import pytest

from services.news import Unpaid
from services.news.refunds import Way
from services.providers.base import Accepted, Failed, Succeeded
from services.store.schema import orders
from tests.services.business import Business, kes
from tests.services.recording import Recorder, compare
from tests.services.refunding import Refunding, approve, approved, ask
from tests.services.reviewing import LADDER, propose
from tests.services.reviewing import approve as settle

NO, REFERENCE = Failed(Unpaid.PROVIDER, "R000002"), "71840-27539181-1"


@pytest.fixture
async def business(business_on_sqlite: Business) -> Business:
    return business_on_sqlite


async def begun(business):
    """A payment, and what comes from now on: the number of its order is another one each time."""
    paying = await business.paid("500")
    order = await business.row(orders, paying.started.order_id)
    await business.change(orders, orders.c.id == order.id, number="K7Q2X0")
    return paying, await Recorder(business).begin()


async def test_a_refund_that_is_made_or_fails(business):
    paying, record = await begun(business)
    async with record.act("the manager asks"):
        refund = await ask(business, paying)
    async with record.act("the manager tries to approve it"):
        await approve(business, refund, business.manager)
    async with record.act("the owner approves"):
        await approve(business, refund)
    one = await Refunding.of(business, refund)
    async with record.act("it begins"):
        await one.begun()
    async with record.act("the provider accepts it"):
        await one.answered(Accepted(REFERENCE))
    async with record.act("the provider says: failed"):
        await one.called(NO, reference=REFERENCE)
    async with record.act("and was made after all"):
        await one.called(Succeeded("UKR9000001", kes("500")), reference=REFERENCE)
    async with record.act("the provider says so again"):
        await one.called(Succeeded("UKR9000001", kes("500")), reference=REFERENCE)
    compare("refund-failed", record)


async def test_a_refund_that_is_paid_out_and_comes_back(business):
    paying, record = await begun(business)
    async with record.act("the payer is to be paid out, for a part"):
        one = await approved(business, paying, "200", Way.PAYOUT)
        await one.sent()
    async with record.act("the provider says: paid"):
        await one.called(Succeeded("UKP9000001", kes("200")))
    async with record.act("another amount comes back"):
        await one.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("150")))
    async with record.act("it comes back"):
        await one.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("200")))
    async with record.act("the provider says so again"):
        await one.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("200")))
    async with record.act("another fails"):
        late = await approved(business, paying, "300", Way.PAYOUT)
        await late.sent()
        await late.called(NO)
    async with record.act("and is paid after all"):
        await late.called(Succeeded("UKP9000002", kes("300")))
    async with record.act("and comes back"):
        await late.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("300")))
    compare("refund-returned", record)


async def test_a_refund_that_people_settle(business):
    paying, record = await begun(business)
    async with record.act("nobody knows what has become of a refund"):
        one = await approved(business, paying)
        await one.begun()
        await one.answered(Accepted(REFERENCE))
        for _ in range(LADDER):
            business.forward(hours=6)
            await one.asked()
    async with record.act("the manager and the owner say: made"):
        await settle(business, await propose(business, one.attempt))
    async with record.act("the provider says: failed"):
        await one.called(NO, reference=REFERENCE)
    async with record.act("the provider says so again"):
        await one.called(NO, reference=REFERENCE)
    async with record.act("the provider says: made"):
        await one.called(Succeeded("UKR9000002", kes("500")), reference=REFERENCE)
    compare("refund-settled", record)
