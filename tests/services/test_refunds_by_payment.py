"""Refunds at a provider that has no name of its own for them: asked about by the payment's reference, and
told with the answer."""

import pytest

from services.errors.refunds import NotRefundable
from services.news.refunds import Way
from services.payments.record import locked
from services.providers.base import Accepted, Pending, Report, Succeeded
from services.refunds import sending, still_paid
from services.store.schema import attempts, refund_attempts, refunds
from tests.services.business import PUBLIC, kes
from tests.services.refunding import approved


@pytest.fixture
async def paying(business):
    paying = await business.paid("500")
    await business.change(attempts, attempts.c.id == paying.attempt, provider="pesapal")
    return paying


async def payment(business, paying):
    async with business.work() as work:
        return await locked(work, paying.attempt)


def told(receipt, word):
    facts = {"original": receipt}
    return Accepted(receipt, told=Report("refunded_query", frozenset({receipt}), word, facts))


async def questions(business, one):
    """The next three, however often it was asked."""
    found = []
    for _ in range(3):
        async with business.work() as work:
            found.append(await sending.begin_check(work, one.attempt, PUBLIC))
    return found


async def test_received_is_not_done_and_it_is_asked_about_by_the_payment_each_time(business, paying):
    paid = await payment(business, paying)
    one = await approved(business, paying, way=Way.REVERSAL)
    assert await one.begun()
    await one.answered(Accepted(paid.receipt))
    assert (await business.row(refund_attempts, one.attempt)).state == "pending"
    for question in await questions(business, one):
        assert (question.receipt, question.reference) == (paid.receipt, paid.reference)
    async with business.work() as work:
        await sending.check_answered(work, one.attempt, told(paid.receipt, Pending("the payment stands")))
    assert (await business.row(refunds, one.refund.id)).status == "processing"
    async with business.work() as work:
        await sending.check_answered(work, one.attempt, told(paid.receipt, Succeeded(None, kes("500"))))
    assert (await business.row(refunds, one.refund.id)).status == "completed"
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_a_part_is_not_given_back_there(business, paying):
    with pytest.raises(NotRefundable):
        await approved(business, paying, "200", Way.REVERSAL)


async def test_one_that_was_given_back_by_itself_is_taken_back_by_the_answer(business, paying):
    paid = await payment(business, paying)
    async with business.work() as work:
        question = await still_paid.begin_check(work, paying.attempt, PUBLIC)
    assert question is not None
    assert question.reference == paid.reference
    for word in (Pending("the payment stands"), Succeeded(None, kes("500")), Succeeded(None, kes("500"))):
        async with business.work() as work:
            await still_paid.check_answered(work, paying.attempt, told(paid.receipt, word))
    assert (await business.balances()).get("wallet", 0) == 0
