"""Cards by Stripe, over real HTTP: the page that a customer is led to, what its events and answers make of
the books, saved cards, and refunds; with everything that goes wrong on the way."""

import json

import pytest
import sqlalchemy as sa
from stripe import WebhookSignature

from services.facts import Way
from services.news import PageOpened, PaymentFailed, PaymentMethod, PaymentSettled, Unpaid
from services.news.refunds import MoneyTakenBack, PaymentDisputed
from services.payments import details, methods, waiting
from services.payments.record import locked
from services.store.schema import refunds, saved_methods
from tests.bot.market import STRIPE, until
from tests.services.refunding import approved

BY_CARD = Way(method=PaymentMethod(provider="stripe", label=""))
PAID, NOTHING = ("500.00", "0.00", "500.00"), ("0.00", "0.00", "0.00")
ASKS = "4000002760003184"


@pytest.fixture
async def market(market):
    await market.set_up(STRIPE, "stripe")
    yield market
    async with market.business.work() as work:
        assert await market.business.breaches(work) == []


@pytest.fixture
async def paying(market):
    """500, and the customer is led to a page."""
    paying = await market.business.pay("500", way=BY_CARD)
    await market.work()
    return paying


async def news(market):
    return (await market.business.news(market.business.customer))[-1]


async def at_stripe(market, what="sessions"):
    return await market._look(what, "stripe")


async def answer(market, outcome="pay", **more):
    """What the customer does on the page that was opened last."""
    session = (await at_stripe(market))[0]["id"]
    await market.act(f"stripe/sessions/{session}", outcome=outcome, **more)


async def state(market, paying):
    return await market.attempt(paying.attempt)


async def done(market, paying, wanted="succeeded"):
    """Once it stands so; events come in by themselves."""

    async def so():
        await market.work()
        return await state(market, paying) == wanted

    await until(so)


async def saved(market, card="4242424242424242"):
    """A way to pay by a card that was saved when it paid 500."""
    paying = await market.business.pay("500", way=BY_CARD)
    await market.work()
    await answer(market, card=card, proven=True)
    await done(market, paying)
    async with market.business.work() as work:
        attempt = await locked(work, paying.attempt)
        method = PaymentMethod(provider="stripe", label=attempt.label)
        await methods.save(work, market.business.customer, method, attempt.details)
        (kept,) = await methods.listed(work, market.business.customer)
    return Way(method=kept.method, method_id=kept.id)


async def tell(market, kind, told, secret=STRIPE["webhook_secret"], name="evt_told"):
    """An event by whoever knows the secret."""
    event = {"id": name, "object": "event", "type": kind, "livemode": False, "data": {"object": told}}
    at = int(market.clock().timestamp())
    signed = WebhookSignature.generate_signature_header(json.dumps(event), secret, at)
    url = f"{market.app_url}/hooks/stripe/{market.business.slug}"
    given = {"Stripe-Signature": signed}
    async with market._outside.post(url, data=json.dumps(event).encode(), headers=given) as answered:
        return answered.status


def paid_session(paying, **changes):
    return {
        "id": "cs_test_told",
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 500_00,
        "currency": "kes",
        "payment_intent": "pi_told",
        "metadata": {"attempt": str(paying.attempt), "by": "page"},
    } | changes


# --- pages


async def test_a_customer_is_led_to_a_page_and_what_is_paid_there_is_credited(market, paying):
    led = await news(market)
    assert isinstance(led, PageOpened)
    assert led.url == (await at_stripe(market))[0]["url"]
    assert await market.fill_in(led.url, card="4242 4242 4242 4242") == 303
    await done(market, paying)
    told = await news(market)
    assert isinstance(told, PaymentSettled)
    assert (told.method.label, told.can_save) == ("Visa ****4242", True)
    (payment,) = await at_stripe(market, "payments")
    assert told.receipt == payment["id"]
    assert await market.business.wallet() == PAID
    assert await market.business.balances() == {"provider:stripe": -50_000, "wallet": 50_000}


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_whatever_an_event_tells_it_is_credited_as_it_is(market, paying, fault):
    await market.arm("stripe.webhook", fault)
    await answer(market)
    await done(market, paying)
    await market.later(minutes=5)
    assert await market.business.wallet() == PAID


async def test_a_declined_card_leaves_the_page_open_for_another(market, paying):
    await answer(market, card="4000000000000002")
    await market.told()
    assert await state(market, paying) == "pending"
    await answer(market)
    await done(market, paying)
    assert await market.business.wallet() == PAID


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_a_page_whose_answer_is_lost_is_opened_all_the_same(market, fault):
    await market.arm("stripe.session", fault)
    paying = await market.business.pay("500", way=BY_CARD)
    await market.work()
    assert isinstance(await news(market), PageOpened)
    await answer(market)
    await done(market, paying)
    assert len(await at_stripe(market)) == 1


async def test_a_page_that_nobody_pays_is_closed_there_and_one_may_pay_anew(market, paying):
    await market.later(minutes=31)
    await market.later(minutes=1)
    assert (await at_stripe(market))[0]["status"] == "expired"
    assert await state(market, paying) in ("failed", "expired")
    assert isinstance(await news(market), PaymentFailed)
    assert await market.business.wallet() == NOTHING
    again = await market.business.pay("500", order=paying.checkout.order_id, way=BY_CARD)
    await market.work()
    await answer(market)
    await done(market, again)


async def test_a_bank_that_takes_its_time_is_waited_for(market, paying):
    await answer(market, "later")
    await market.told()
    assert await state(market, paying) == "pending"
    await answer(market, "succeed")
    await done(market, paying)
    assert await market.business.wallet() == PAID


# --- saved cards


async def test_a_saved_card_is_charged_by_a_tap(market):
    way = await saved(market)
    paying = await market.business.pay("300", way=way)
    await market.work()
    assert await state(market, paying) == "succeeded"
    assert await market.business.wallet() == ("800.00", "0.00", "800.00")
    assert len(await at_stripe(market)) == 1


@pytest.mark.parametrize("fault", ["500", "drop", "500_after"])
async def test_a_charge_whose_answer_is_lost_is_credited_once(market, fault):
    way = await saved(market)
    await market.arm("stripe.charge", fault)
    paying = await market.business.pay("300", way=way)
    await market.work()
    await done(market, paying)
    await market.later(minutes=5)
    assert await market.business.wallet() == ("800.00", "0.00", "800.00")
    assert len(await at_stripe(market, "payments")) == 2


async def test_a_bank_that_asks_leads_the_customer_to_a_page(market):
    way = await saved(market, ASKS)
    paying = await market.business.pay("300", way=way)
    await market.work()
    assert isinstance(await news(market), PageOpened)
    await market.later(seconds=1)
    assert await state(market, paying) == "pending"
    await answer(market, card=ASKS, proven=True)
    await done(market, paying)
    assert await market.business.wallet() == ("800.00", "0.00", "800.00")


async def test_a_card_that_is_declined_once_saved_is_told(market):
    way = await saved(market, "4000000000000341")
    paying = await market.business.pay("300", way=way)
    await market.work()
    told = await news(market)
    assert (await state(market, paying), told.because) == ("failed", Unpaid.DECLINED)
    assert await market.business.wallet() == PAID


async def test_a_card_that_is_removed_is_forgotten_there_too(market):
    way = await saved(market)
    customer = market.business.customer
    async with market.business.work() as work:
        _, details = await methods.details_of(work, customer, way.method_id)
        await methods.remove(work, customer, way.method_id, customer)
    await market.work()
    url = f"{market.daraja_url}/stripe/v1/payment_methods/{details['payment_method_id']}"
    async with market._outside.get(url, headers={"Authorization": f"Bearer {STRIPE['secret_key']}"}) as known:
        assert (await known.json())["customer"] is None


# --- given back


@pytest.mark.parametrize("fault", [None, "500"])
async def test_a_refund_is_made_once_and_told(market, paying, fault):
    await answer(market)
    await done(market, paying)
    if fault:
        await market.arm("stripe.refund", fault)
    one = await approved(market.business, paying, "200")
    await market.work()
    await market.later(minutes=1)
    assert (await market.business.row(refunds, one.refund.id)).status == "completed"
    (made,) = await at_stripe(market, "refunds")
    assert made["amount"] == 200_00
    assert await market.business.wallet() == ("300.00", "0.00", "300.00")


async def test_one_that_takes_its_time_is_told_by_its_event(market, paying):
    await answer(market)
    await done(market, paying)
    await market.arm("stripe.refunded", "hang")
    one = await approved(market.business, paying, "200")
    await market.work()
    assert (await market.business.row(refunds, one.refund.id)).status == "processing"
    (made,) = await at_stripe(market, "refunds")
    await market.act(f"stripe/refunds/{made['id']}", status="succeeded")

    async def completed():
        await market.work()
        return (await market.business.row(refunds, one.refund.id)).status == "completed"

    await until(completed)


async def test_one_that_fails_after_it_was_made_is_put_right(market, paying):
    await answer(market)
    await done(market, paying)
    one = await approved(market.business, paying, "200")
    await market.work()
    assert await market.business.wallet() == ("300.00", "0.00", "300.00")
    (made,) = await at_stripe(market, "refunds")
    await market.act(f"stripe/refunds/{made['id']}", status="failed")

    async def failed():
        await market.work()
        return (await market.business.row(refunds, one.refund.id)).status == "failed"

    await until(failed)
    assert await market.business.wallet() == PAID


async def test_what_is_given_back_at_stripe_or_lost_in_a_dispute_is_taken_back_once(market, paying):
    await answer(market)
    await done(market, paying)
    (payment,) = await at_stripe(market, "payments")
    await market.arm("stripe.webhook", "twice")
    await market.act("stripe/refunds", payment=payment["id"], amount=100_00)

    async def taken():
        await market.work()
        return (await market.business.wallet())[0]

    await until(lambda: _is(taken, "400.00"))
    await market.act("stripe/disputes", payment=payment["id"], amount=200_00)
    (dispute,) = await at_stripe(market, "disputes")
    await until(lambda: _told(market, PaymentDisputed))
    assert await taken() == "400.00"
    await market.act(f"stripe/disputes/{dispute['id']}", status="lost")
    await until(lambda: _is(taken, "200.00"))
    assert await _told(market, MoneyTakenBack)


async def _is(look, wanted):
    return await look() == wanted


async def _told(market, kind):
    await market.work()
    return any(isinstance(each, kind) for each in await market.business.news(market.business.manager))


# --- the same card under another token


async def paid_on_page(market, amount="500", card="4242424242424242"):
    paying = await market.business.pay(amount, way=BY_CARD)
    await market.work()
    await answer(market, card=card, proven=True)
    await done(market, paying)
    return paying


async def tokens(market, *, removed):
    """Of all that is held of saved cards."""
    where = saved_methods.c.removed_at.is_not(None) if removed else saved_methods.c.removed_at.is_(None)
    async with market.business.behind() as work:
        rows = (await work.connection.execute(sa.select(saved_methods).where(where))).all()
        opened = [work.open(row.details_sealed, "saved_methods.details", row.id) for row in rows]
    return [each["payment_method_id"] for each in opened]


async def belongs_to(market, token):
    url = f"{market.daraja_url}/stripe/v1/payment_methods/{token}"
    async with market._outside.get(url, headers={"Authorization": f"Bearer {STRIPE['secret_key']}"}) as known:
        return (await known.json())["customer"]


async def test_a_saved_card_that_is_paid_with_on_a_page_again_is_one_card_under_its_new_token(market):
    way = await saved(market)
    customer = market.business.customer
    (before,) = await tokens(market, removed=False)
    await paid_on_page(market, "300")
    assert not (await news(market)).can_save
    async with market.business.work() as work:
        (kept,) = await methods.listed(work, customer)
    assert (kept.id, kept.is_default, kept.method.label) == (way.method_id, True, "Visa ****4242")
    (after,) = await tokens(market, removed=False)
    assert after != before
    await market.work()
    assert await tokens(market, removed=True) == []
    assert await belongs_to(market, before) is None
    assert await belongs_to(market, after) is not None
    again = await market.business.pay("200", way=way)
    await market.work()
    assert await state(market, again) == "succeeded"


async def test_another_card_stays_another(market):
    await saved(market)
    await paid_on_page(market, "300", "5555555555554444")
    assert (await news(market)).can_save


async def test_one_that_was_removed_and_is_not_forgotten_yet_stands_in_nobodys_way(market):
    way = await saved(market)
    customer = market.business.customer
    (before,) = await tokens(market, removed=False)
    paying = await paid_on_page(market, "300")
    async with market.business.work() as work:  # and all before the provider has heard of the first
        await methods.remove(work, customer, way.method_id, customer)
        await waiting.save_method(work, customer, paying.started.payment_id)
    await market.later(hours=1)
    assert await belongs_to(market, before) is None
    (left,) = await tokens(market, removed=False)
    assert await belongs_to(market, left) is not None
    assert await tokens(market, removed=True) == []


async def test_one_that_a_program_saves_keeps_what_stripe_has_told_of_it(market):
    await saved(market)
    customer = market.business.customer
    async with market.business.work() as work:
        (kept,) = await methods.listed(work, customer)
        typed = {name: value for name, value in kept.details.items() if name != "fingerprint"}
        assert kept.details.keys() - typed.keys() == {"fingerprint"}
        _, new = await methods.put(work, customer, kept.method, typed, customer)
        assert not new
        (again,) = await methods.listed(work, customer)
    assert again.details == kept.details
    shown = {"last4": "4242", "brand": "Visa", "expires": "2034-12"}
    assert details.shown("stripe", again.details) == shown
