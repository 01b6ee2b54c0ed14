"""A refund that is paid out to the payer after its provider had said no: the money has left, whatever else
has gone back of the payment meanwhile."""

import pytest
import sqlalchemy as sa

from services.news import Unpaid
from services.news.refunds import Way
from services.providers.base import Failed, Succeeded
from services.store.schema import jobs, refunds
from tests.services.business import kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, approved, resolve
from tests.services.test_taken_back import owed, told

NO = Failed(Unpaid.RECEIVER, "said no")


@pytest.fixture
async def failed(business):
    """Of a payment of 500, with as much left in the wallet."""

    async def to_fail(paying, amount):
        one = await approved(business, paying, amount, Way.PAYOUT)
        await one.sent()
        await one.called(NO)
        assert (await business.row(refunds, one.refund.id)).status == "failed"
        return one

    return to_fail


async def sound(business):
    async with business.work() as work:
        assert await business.breaches(work) == []


async def test_it_is_booked_beside_another_refund_that_gave_the_whole_back(business, failed):
    paying = await business.paid("500")
    await business.paid("700")
    late = await failed(paying, "500")
    other = await approved(business, paying)
    await other.sent()
    await other.called(Succeeded("UKR1", kes("500")))
    for _ in range(2):
        await late.called(Succeeded("UKP1", kes("500")))
    assert await business.balances() == {"provider:mpesa": -200_00, "wallet": 200_00}
    await sound(business)


async def test_it_is_booked_while_a_reversal_is_under_way_that_is_booked_too(business, failed):
    paying = await business.paid("500")
    late = await failed(paying, "500")
    other = await approved(business, paying)
    await other.sent()
    await late.called(Succeeded("UKP1", kes("500")))
    await other.called(Succeeded("UKR1", kes("500")))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await owed(business) == 500_00
    await sound(business)


async def test_what_the_provider_then_takes_back_itself_is_booked_too(business, failed):
    paying = await business.paid("500")
    late = await failed(paying, "500")
    await late.called(Succeeded("UKP1", kes("500")))
    await told(business, paying.attempt)
    assert await owed(business) == 500_00
    await sound(business)


async def test_a_part_is_booked_once_whether_its_receipt_is_told_or_not(business, failed):
    paying = await business.paid("500")
    late = await failed(paying, "200")
    await late.called(Succeeded(None, kes("200")))
    await late.called(Succeeded("UKP1", kes("200")))
    assert await business.wallet() == ("300.00", "0.00", "300.00")
    await sound(business)


@pytest.mark.parametrize("kept", [False, True])
async def test_of_what_was_paid_twice_it_leaves_suspense_or_the_wallet_where_that_was_kept(business, kept):
    second = await paid_twice_by(business)
    await told(business, second.attempt, "D1", "200")  # so that the rest is paid out
    late = await Refunding.of(
        business, await approve(business, await resolve(business, second.attempt, keep=False))
    )
    await late.sent()
    await late.called(NO)
    if kept:
        await approve(business, await resolve(business, second.attempt, keep=True))
    await late.called(Succeeded("UKP1", kes("300")))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["suspense"] == 0
    await sound(business)


async def test_where_a_reversal_was_told_while_another_one_was_under_way_the_payment_is_asked(business):
    """It may have been that other one; where that one fails, nobody has booked it."""
    paying = await business.paid("500")
    first = await approved(business, paying)
    await first.sent()
    await first.called(NO)
    second = await approved(business, paying)
    await second.sent()
    await first.called(Succeeded("UKR1", kes("500")))
    assert "payment.reversal_unmatched" in await business.alerts()
    due = (jobs.c.kind == "payment_check", jobs.c.target_id == paying.attempt)
    for word in (None, NO):
        if word is not None:
            await second.called(word)
        async with business.behind() as work:
            found = (await work.connection.execute(sa.select(jobs.c.kind).where(*due))).all()
        assert len(found) == (word is not None)
