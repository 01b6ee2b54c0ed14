"""Payments on a page and by saved cards, over real HTTP against the emulated Paystack."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.news import PageOpened, PaymentFailed, PaymentSettled, Unpaid
from services.payments import methods, waiting
from services.privacy.periods import Periods
from services.privacy.retention import forget
from services.store.schema import audit, saved_methods
from tests.bot.at_paystack import news, on_page, opened, pays, settled
from tests.bot.market import PAYSTACK, until


@pytest.fixture
async def shop(market):
    await market.set_up(PAYSTACK, "paystack")
    return market


async def test_a_payment_on_the_page_credits_the_wallet_once(shop):
    paying = await opened(shop)
    await pays(shop, paying)
    told = (await news(shop))[-1]
    assert isinstance(told, PaymentSettled)
    assert (told.can_save, told.method.label) == (True, "Visa ****4081")
    assert await shop.business.balances() == {"provider:paystack": -50_000, "wallet": 50_000}
    assert await shop.business.jobs(paying.attempt) == {}
    assert await on_page(shop, paying, "pay") == 410


async def test_where_the_event_is_lost_who_returns_has_it_asked(shop):
    await shop.arm("paystack.webhook", "lost")
    paying = await opened(shop)
    await on_page(shop, paying, "pay", follow=True)
    await until(lambda: settled(shop, paying))
    assert await shop.business.wallet() == ("500.00", "0.00", "500.00")


async def test_a_card_that_is_declined_is_found_by_asking(shop):
    paying = await opened(shop)
    assert await on_page(shop, paying, "fail") == 402
    await shop.later(seconds=60)
    told = (await news(shop))[-1]
    assert isinstance(told, PaymentFailed)
    assert (told.because, told.provider) == (Unpaid.DECLINED, "paystack")


async def test_a_page_that_is_left_alone_is_over_in_half_an_hour_and_a_late_yes_counts(shop):
    paying = await opened(shop)
    assert await on_page(shop, paying, "abandon", follow=True) == 303
    await shop.work()
    assert await shop.attempt(paying.attempt) == "pending"
    for _ in range(7):
        await shop.later(seconds=300)
    assert await shop.attempt(paying.attempt) == "expired"
    assert [each.because for each in await news(shop) if isinstance(each, PaymentFailed)] == [Unpaid.PAGE]
    await pays(shop, paying)
    assert (await news(shop))[-1].late


@pytest.mark.parametrize("fault", ["contradictory", "unheard"])
async def test_an_event_that_makes_no_sense_is_asked_about(shop, fault):
    await shop.arm("paystack.told", fault)
    paying = await opened(shop)
    await on_page(shop, paying, "pay")
    await until(lambda: _hooked(shop))
    assert await shop.attempt(paying.attempt) == "pending"
    await shop.later(seconds=60)
    assert await shop.attempt(paying.attempt) == "succeeded"


async def test_another_amount_credits_nothing_until_a_person_or_the_right_one_is_told(shop):
    await shop.arm("paystack.told", "other_amount")
    paying = await opened(shop)
    await on_page(shop, paying, "pay")
    await until(lambda: _hooked(shop))
    assert await shop.business.balances() == {}
    await shop.later(seconds=60)  # verify tells our amount
    assert await shop.attempt(paying.attempt) == "succeeded"


async def _hooked(market):
    await market.work()
    return any(row.state == "done" for row in await market.hooks())


async def saved(market):
    paying = await opened(market)
    await pays(market, paying)
    async with market.business.work() as work:
        await waiting.save_method(work, market.business.customer, paying.started.payment_id)
        (way,) = await methods.ways(work, market.business.customer)
    return way


async def test_a_saved_card_is_known_with_its_last_month(shop):
    await saved(shop)
    async with shop.business.work() as work:
        (known,) = await methods.listed(work, shop.business.customer)
    assert known.details["expires"] == "2030-12"


async def test_a_saved_card_is_charged_on_a_tap(shop):
    way = await saved(shop)
    again = await shop.business.pay("300", way=way)
    await shop.work()
    assert await shop.attempt(again.attempt) == "succeeded"
    assert await shop.business.wallet() == ("800.00", "0.00", "800.00")


@pytest.mark.parametrize("fault", ["500_after", "drop", "callback_first"])
async def test_a_charge_whose_answer_is_lost_is_asked_about_and_never_made_twice(shop, fault):
    way = await saved(shop)
    await shop.arm("paystack.charge", fault)
    await shop.arm("paystack.webhook", "lost" if fault != "callback_first" else "twice")
    again = await shop.business.pay("300", way=way)
    await shop.work()
    for _ in range(3):
        await shop.later(seconds=20)
    assert await shop.attempt(again.attempt) == "succeeded"
    assert await shop.business.wallet() == ("800.00", "0.00", "800.00")


async def test_one_that_never_reached_them_is_over_with_the_ladder(shop):
    way = await saved(shop)
    await shop.arm("paystack.charge", "500")
    again = await shop.business.pay("300", way=way)
    for _ in range(12):
        await shop.later(seconds=60)
    assert await shop.attempt(again.attempt) == "expired"
    assert await shop.business.wallet() == ("500.00", "0.00", "500.00")


@pytest.mark.parametrize(
    ("fault", "because"),
    [("declined", Unpaid.DECLINED), ("insufficient", Unpaid.INSUFFICIENT_FUNDS)],
)
async def test_a_charge_that_is_declined_is_told_at_once(shop, fault, because):
    way = await saved(shop)
    await shop.arm("paystack.charge", fault)
    await shop.business.pay("300", way=way)
    await shop.work()
    assert (await news(shop))[-1].because == because


async def test_where_the_bank_asks_the_customer_goes_on_by_a_link(shop):
    way = await saved(shop)
    await shop.arm("paystack.charge", "paused")
    again = await shop.business.pay("300", way=way)
    await shop.work()
    told = (await news(shop))[-1]
    assert isinstance(told, PageOpened)
    again.page = told.url
    await on_page(shop, again, "pay")
    await until(lambda: settled(shop, again))


async def test_a_card_that_was_removed_can_be_charged_no_more_there_either(shop):
    way = await saved(shop)
    business = shop.business
    async with business.work() as work:
        await methods.remove(work, business.customer, way.method_id, business.customer)
    await shop.arm("paystack.forget", "500")
    await shop.work()
    assert await business.jobs(way.method_id) == {"forget": timedelta(minutes=1)}
    await shop.later(seconds=60)
    assert await business.jobs(way.method_id) == {}


async def test_a_card_of_who_has_been_silent_for_a_year_is_forgotten_there_first(shop):
    way = await saved(shop)
    business = shop.business
    business.forward(days=370)
    told = await forget(business.database, business.vault, Periods(), business.now, really=True)
    assert told[business.tenant]["saved methods of the silent"] == 1
    async with business.work() as work:
        assert await methods.listed(work, business.customer) == ()
    await shop.arm("paystack.forget", "500")
    await shop.work()
    assert (await business.row(saved_methods, way.method_id)).removed_at is not None
    again = await forget(business.database, business.vault, Periods(), business.now, really=True)
    assert "saved methods of the silent" not in again.get(business.tenant, {})
    await shop.later(seconds=60)
    async with business.behind() as work:
        assert (await work.connection.execute(sa.select(saved_methods))).first() is None
        done = sa.select(audit.c.action).where(audit.c.target == str(way.method_id))
        assert (await work.connection.execute(done)).scalars().all() == ["method.forgotten"]
