"""A payment that the provider's word does not settle: one person says what became of it, another approves."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import FourEyesViolation, NotFound, StepUpRequired
from services.errors.review import NotUndecided, ReceiptUsed, SettlementWaits
from services.news import OrderPaidTwice, PaymentFailed, PaymentSettled
from services.providers.base import Pending, Succeeded
from services.review import queue, settling
from services.store.schema import attempts, operations, orders, payments, settlements, tenants
from tests.services.business import kes
from tests.services.reviewing import approve, given_up, propose
from tests.services.test_by_hand import Order
from tests.services.test_payments_in_doubt import CANCELLED, OTHER, PAID, gone_up_the_ladder

CREDITED = ("500.00", "0.00", "500.00")
NOTHING = ("0.00", "0.00", "0.00")
ALL = kes("500")


@pytest.fixture
async def doubted(business):
    """Another amount was told, and nobody is asked any more."""
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(OTHER)
    await gone_up_the_ladder(paying, Succeeded())
    return paying


@pytest.fixture
async def unheard(business):
    """The provider never gave an answer that says anything."""
    paying = await business.pay("500")
    await paying.sent()
    await gone_up_the_ladder(paying, Pending())
    return paying


async def undecided(business):
    async with business.work() as work:
        return (await queue.queue(work)).undecided


async def settlement(business, made):
    return await business.row(settlements, made.id)


async def status(business, paying):
    payment = await business.row(payments, paying.started.payment_id)
    order = await business.row(orders, paying.started.order_id)
    return (await business.row(attempts, paying.attempt)).state, payment.status, order.status


async def test_what_is_in_doubt_stands_in_the_queue_and_what_only_nobody_paid_does_not(
    business, doubted, unheard
):
    (one,) = await undecided(business)
    assert (one.id, one.kind, one.of) == (doubted.attempt, "payment", doubted.started.payment_id)
    assert (one.amount, one.provider, one.state) == (kes("500"), "mpesa", "expired")
    assert one.destination.startswith("********")


async def test_paid_credits_once_and_what_the_provider_says_then_changes_nothing(business, doubted):
    made = await propose(business, doubted.attempt, "paid", "uko9000001", amount=ALL)
    assert await business.wallet() == NOTHING
    after = await approve(business, made)
    assert (after.state, after.reference) == ("done", "UKO9000001")
    assert await business.wallet() == CREDITED
    assert await status(business, doubted) == ("succeeded", "succeeded", "paid")
    assert await undecided(business) == ()
    await doubted.called(PAID)
    assert await business.wallet() == CREDITED
    assert (await settlement(business, made)).because == "confirmed"
    settled = [news for news in await business.news(business.customer) if isinstance(news, PaymentSettled)]
    assert len(settled) == 1


async def test_not_paid_frees_the_order_and_a_success_after_all_is_honoured_and_told(business, doubted):
    made = await propose(business, doubted.attempt, "not_paid", "statement of 24 November")
    await approve(business, made)
    assert await business.wallet() == NOTHING
    assert await status(business, doubted) == ("failed", "expired", "open")
    assert (await business.row(attempts, doubted.attempt)).doubt is None
    assert isinstance((await business.news(business.customer))[-1], PaymentFailed)
    await doubted.called(PAID)
    assert await business.wallet() == CREDITED
    assert (await settlement(business, made)).state == "contradicted"
    assert not (await business.row(tenants, business.tenant)).payouts_frozen


async def test_what_nobody_was_told_of_may_be_said_by_its_id(business, unheard):
    await approve(business, await propose(business, unheard.attempt, "paid", "SJK7ABC123"))
    assert await business.wallet() == CREDITED


async def test_a_no_to_what_people_said_was_paid_stops_payouts_and_takes_nothing(business, unheard):
    made = await propose(business, unheard.attempt, "paid", "SJK7ABC123")
    await approve(business, made)
    await unheard.called(CANCELLED)
    assert await business.wallet() == CREDITED
    assert (await settlement(business, made)).state == "contradicted"
    assert (await business.row(tenants, business.tenant)).payouts_frozen
    assert {"payment.failed_after_success", "settlement.contradicted"} <= set(await business.alerts())


async def test_after_the_provider_has_confirmed_it_a_no_is_only_an_alert(business, unheard):
    made = await propose(business, unheard.attempt, "paid", "SJK7ABC123")
    await approve(business, made)
    await unheard.called(Succeeded("SJK7ABC123", kes("500")))
    await unheard.called(CANCELLED)
    assert (await settlement(business, made)).state == "done"
    assert not (await business.row(tenants, business.tenant)).payouts_frozen


@pytest.mark.parametrize(("word", "wallet"), [(PAID, CREDITED), (CANCELLED, NOTHING)])
async def test_the_providers_word_before_the_approval_counts(business, unheard, word, wallet):
    made = await propose(business, unheard.attempt, "paid", "SJK7ABC123")
    await unheard.called(word)
    assert await business.wallet() == wallet
    assert (await settlement(business, made)).state == "void"
    with pytest.raises(Exception, match="void"):
        await approve(business, made)
    assert await business.wallet() == wallet


async def test_nobody_approves_what_they_have_said_themselves(business, doubted):
    made = await propose(business, doubted.attempt, "paid", "SJK7ABC123", amount=ALL, by=business.owner)
    with pytest.raises(FourEyesViolation):
        await approve(business, made, business.owner)
    assert await business.wallet() == NOTHING


async def test_a_second_thing_is_not_said_of_it_meanwhile(business, doubted):
    await propose(business, doubted.attempt, "paid", "SJK7ABC123", amount=ALL)
    with pytest.raises(SettlementWaits):
        await propose(business, doubted.attempt, "not_paid", "statement")


async def test_while_the_provider_is_asked_and_after_it_said_what_became_nothing_is_said_of_it(business):
    paying = await business.pay("500")
    with pytest.raises(NotUndecided):
        await propose(business, paying.attempt)
    await paying.sent()
    business.forward(hours=1)
    with pytest.raises(NotUndecided):
        await propose(business, paying.attempt)
    await paying.called(CANCELLED)
    with pytest.raises(NotUndecided):
        await propose(business, paying.attempt)
    paid = await business.pay("500")
    await paid.sent()
    await paid.called(PAID)
    with pytest.raises(NotUndecided):
        await propose(business, paid.attempt, "not_paid", "statement")
    with pytest.raises(NotFound):
        await propose(business, paid.started.payment_id)


async def test_a_receipt_that_is_another_payments_is_refused(business, doubted):
    paid = await business.pay("70")
    await paid.sent()
    await paid.called(Succeeded("SJK7ABC123", kes("70")))
    with pytest.raises(ReceiptUsed):
        await propose(business, doubted.attempt, "paid", "SJK7ABC123", amount=ALL)
    made = await propose(business, doubted.attempt, "paid", "SJK7ABC124", amount=ALL)
    another = await business.pay("80")
    await another.sent()
    await another.called(Succeeded("SJK7ABC124", kes("80")))
    with pytest.raises(ReceiptUsed):
        await approve(business, made)
    assert await business.wallet() == ("150.00", "0.00", "150.00")


async def test_where_the_order_was_paid_again_meanwhile_it_is_kept_apart(business, unheard):
    made = await propose(business, unheard.attempt, "paid", "SJK7ABC123")
    again = await business.pay("500", order=unheard.started.order_id)
    await again.sent()
    await again.called(PAID)
    await approve(business, made)
    assert await business.wallet() == CREDITED
    assert "payment.paid_twice" in await business.alerts()
    assert any(isinstance(news, OrderPaidTwice) for news in await business.news(business.owner))


async def test_it_takes_a_code_where_a_withdrawal_of_that_would(business, doubted):
    async with business.work() as work:
        await work.connection.execute(
            tenants.update().where(tenants.c.id == work.tenant).values(totp_above=100_00)
        )
    made = await propose(business, doubted.attempt, "paid", "SJK7ABC123", amount=ALL)
    assert (await business.row(operations, made.id)).step_up
    with pytest.raises(StepUpRequired):
        await approve(business, made)
    assert await business.wallet() == NOTHING


async def test_it_expires_like_any_other(business, doubted):
    made = await propose(business, doubted.attempt, "paid", "SJK7ABC123", amount=ALL)
    business.now += timedelta(hours=25)
    async with business.work() as work:
        await settling.expire(work, made.id)
    assert (await settlement(business, made)).state == "expired"
    assert await business.wallet() == NOTHING


async def test_not_paid_leaves_alone_what_the_customer_is_paying_by_meanwhile(business, doubted):
    made = await propose(business, doubted.attempt, "not_paid", "statement of 24 November")
    again = await business.pay("500", order=doubted.started.order_id)
    await again.sent()
    told = len(await business.news(business.customer))
    await approve(business, made)
    assert await status(business, again) == ("pending", "pending", "awaiting_payment")
    assert len(await business.news(business.customer)) == told, "what is on the phone has not failed"
    await again.called(Succeeded("UKO9000002", kes("500")))
    assert await business.wallet() == CREDITED
    assert (await business.row(attempts, doubted.attempt)).state == "failed"


async def test_what_was_credited_without_a_receipt_is_not_paid_once_more_by_hand(business, unheard):
    order = Order(business, await business.row(orders, unheard.started.order_id))
    business.forward(hours=1)
    await order.told(order.line("UKH0000009"), confirm_above=kes("100"))
    await unheard.called(Succeeded(None, kes("500")))
    async with business.behind() as work:
        query = sa.select(attempts.c.id).where(attempts.c.receipt == "UKH0000009")
        by_hand = await work.connection.scalar(query)
    await given_up(business, by_hand)
    (one,) = await undecided(business)
    with pytest.raises(ReceiptUsed):
        await propose(business, one.id, "paid", "UKH0000009")
    await approve(business, await propose(business, one.id, "not_paid", "it is the other one"))
    assert await undecided(business) == ()
    assert await business.wallet() == CREDITED
