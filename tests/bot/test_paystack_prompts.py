"""A phone that Paystack asks, over real HTTP, for a shop that has no M-Pesa of its own."""

import pytest

from services.errors import BelowMinimum, NotFound, NotWholeShillings, PaymentUnderWay, ProviderNotConfigured
from services.facts import Way
from services.news import PaymentFailed, PaymentMethod, PaymentSettled, Unpaid
from services.payments import methods, waiting
from services.payments.details import by_phone
from services.rails import asks_phones
from tests.bot.at_paystack import news, settled
from tests.bot.market import PAYSTACK, until
from tests.services.refunding import approved

PHONE = "+254712345678"
BY_PHONE = Way(method=by_phone("paystack", PHONE), phone=PHONE)


@pytest.fixture
async def shop(market):
    await market.set_up(None)
    await market.set_up(PAYSTACK, "paystack")
    yield market
    async with market.business.work() as work:
        assert await market.business.breaches(work) == []


async def asked(market, amount="500", **more):
    paying = await market.business.pay(amount, way=BY_PHONE, **more)
    await market.work()
    return paying


async def rings(market):
    """How many phones were asked there."""
    return len(await market.prompts())


async def ended(market, paying, state):
    async def so():
        await market.later(seconds=20)
        return await market.attempt(paying.attempt) == state

    await until(so)


async def test_the_phone_is_asked_and_what_it_pays_is_credited_once(shop):
    paying = await asked(shop)
    (prompt,) = await shop.prompts()
    assert (prompt["number"], prompt["amount"], prompt["state"]) == (PHONE, 500, "asking")
    await shop.arm("paystack.webhook", "twice")
    await shop.phone("pay")
    await until(lambda: settled(shop, paying))
    told = (await news(shop))[-1]
    assert isinstance(told, PaymentSettled)
    assert (told.method.provider, told.method.label) == ("paystack", "M-Pesa ********5678")
    assert await shop.business.balances() == {"provider:paystack": -50_000, "wallet": 50_000}
    assert await shop.business.jobs(paying.attempt) == {}


async def test_it_is_never_saved_among_the_cards(shop):
    paying = await asked(shop)
    await shop.phone("pay")
    await until(lambda: settled(shop, paying))
    assert not (await news(shop))[-1].can_save
    async with shop.business.work() as work:
        with pytest.raises(NotFound):
            await waiting.save_method(work, shop.business.customer, paying.started.payment_id)
        assert await methods.listed(work, shop.business.customer) == ()


@pytest.mark.parametrize("fault", ["500_after", "drop", "callback_first"])
async def test_one_whose_answer_is_lost_is_asked_about_and_rings_once(shop, fault):
    await shop.arm("paystack.prompt", fault)
    await shop.arm("paystack.webhook", "lost")
    paying = await asked(shop)
    if fault != "callback_first":
        await shop.phone("pay")
    await ended(shop, paying, "succeeded")
    assert await rings(shop) == 1
    assert await shop.business.wallet() == ("500.00", "0.00", "500.00")


async def test_one_that_never_reached_them_rings_nowhere_and_ends(shop):
    await shop.arm("paystack.prompt", "500")
    paying = await asked(shop)
    await ended(shop, paying, "expired")
    assert await rings(shop) == 0
    again = await asked(shop, order=paying.started.order_id)
    assert await shop.attempt(again.attempt) == "pending"


async def test_no_second_one_rings_while_the_first_may_still_be_answered(shop):
    paying = await asked(shop)
    shop.business.forward(seconds=200)
    with pytest.raises(PaymentUnderWay):
        await shop.business.pay("500", order=paying.started.order_id, way=BY_PHONE)
    assert await rings(shop) == 1


@pytest.mark.parametrize(
    ("outcome", "because"),
    [
        ("wrong_pin", Unpaid.WRONG_PIN),
        ("no_funds", Unpaid.INSUFFICIENT_FUNDS),
        ("cancel", Unpaid.CANCELLED),
    ],
)
async def test_a_failure_tells_nobody_and_is_found_by_asking(shop, outcome, because):
    paying = await asked(shop)
    await shop.phone(outcome)
    assert await shop.attempt(paying.attempt) == "pending"
    await ended(shop, paying, "failed")
    told = (await news(shop))[-1]
    assert isinstance(told, PaymentFailed)
    assert (told.because, told.provider) == (because, "paystack")


async def test_nobody_answers_and_a_late_yes_still_counts(shop):
    paying = await asked(shop)
    await shop.phone("ignore")
    await ended(shop, paying, "expired")
    await shop.phone("pay")
    await until(lambda: settled(shop, paying))
    assert (await news(shop))[-1].late


async def test_what_was_paid_so_is_given_back_by_paystack(shop):
    paying = await asked(shop)
    await shop.phone("pay")
    await until(lambda: settled(shop, paying))
    one = await approved(shop.business, paying, "200")

    async def back():
        await shop.work()
        return (await shop.business.wallet())[0] == "300.00"

    await until(back)
    assert one.refund.label == "M-Pesa ********5678"


async def test_what_no_phone_can_be_asked_for_is_refused(shop):
    with pytest.raises(NotWholeShillings):
        await shop.business.pay("500.50", way=BY_PHONE)
    with pytest.raises(BelowMinimum):
        await shop.business.pay("2", way=BY_PHONE)
    other = Way(method=PaymentMethod(provider="pesapal", label=""), phone=PHONE)
    with pytest.raises(ProviderNotConfigured):
        await shop.business.pay("500", way=other)


@pytest.mark.parametrize(
    ("by", "currency", "asks"),
    [
        (("mpesa", "paystack"), "KES", "mpesa"),
        (("paystack", "stripe"), "KES", "paystack"),
        (("paystack",), "NGN", None),
        (("pesapal", "stripe"), "KES", None),
        ((), "KES", None),
    ],
)
def test_who_asks_phones_for_a_shop(by, currency, asks):
    assert asks_phones(by, currency) == asks
