"""Payments by Pesapal over real HTTP: the page opened, the notification told to the app, and the question
whose answer alone counts; with everything that goes wrong on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import hooks
from services.facts import Way
from services.money import Money
from services.news import PaymentMethod, PaymentSettled, Unpaid
from services.news.refunds import MoneyTakenBack
from services.payments import methods, waiting
from services.payments.record import locked
from services.providers.abilities import OpensPages, Page
from services.providers.base import Accepted, Refused, Unknown
from services.store.schema import attempts, audit
from tests.bot.market import PESAPAL, opened
from tests.services.business import kes

PAID, NOTHING = ("1250.50", "0.00", "1250.50"), ("0.00", "0.00", "0.00")


class Paying:
    """An order that a customer pays by Pesapal."""

    def __init__(self, market, attempt):
        self.market, self.business, self.attempt = market, market.business, attempt

    async def client(self):
        client = await self.market.client("pesapal")
        assert isinstance(client, OpensPages)
        return client

    async def read(self):
        async with self.business.work() as work:
            return await locked(work, self.attempt)

    async def open(self):
        """All that is due: the page is opened."""
        await self.market.work()
        return await self.read()

    async def order(self, attempt_id, **changes):
        """What is asked for another order, beside this one."""
        async with self.business.work() as work:
            address = await hooks.lasting(work, self.market.app_url, "pesapal")
        page = Page(
            provider="pesapal",
            attempt_id=attempt_id,
            amount=kes("1250.50"),
            number="L-17",
            about="Mama Njeri Duka",
            ends_at=self.business.now + timedelta(minutes=30),
            return_url="http://127.0.0.1:9/paid/p1",
            callback_url="",
            ipn_url=address,
            email="nobody@example.com",
        )
        return replace(page, **changes)

    async def act(self, how):
        """The customer, on the page."""
        page = (await self.read()).page
        assert page is not None
        return await self.market.fill_in(page, how=how)

    async def told(self, how, number=1):
        await self.act(how)
        await self.market.told(number)
        return await self.state()

    async def state(self):
        return await self.market.attempt(self.attempt)

    async def wallet(self):
        return await self.business.wallet()

    async def token(self):
        return (await self.order(self.attempt)).ipn_url.rpartition("/")[2]


BY_PESAPAL = Way(method=PaymentMethod(provider="pesapal", label=""))


@pytest.fixture
async def market(database, vault):
    async with opened(database, vault) as market:
        await market.set_up(PESAPAL, "pesapal")
        yield market


@pytest.fixture
async def paying(market):
    return Paying(market, (await market.business.pay("1250.50", way=BY_PESAPAL)).attempt)


# --- it goes well


@pytest.mark.parametrize("how", ["mpesa", "card"])
async def test_a_payment_is_told_of_asked_about_and_credited_at_once(market, paying, how):
    await paying.open()
    assert await paying.told(how) == "succeeded"
    assert await paying.wallet() == PAID
    row = await market.business.row(attempts, paying.attempt)
    assert row.receipt is not None


async def test_the_address_is_registered_once_for_all_orders(market, paying):
    await paying.open()
    client = await paying.client()
    other = await paying.order(market.business.owner)
    assert isinstance(await client.open_page(other), Accepted)
    listed = await client._client.get("/api/URLSetup/GetIpnList")
    assert [each["url"] for each in listed.listed] == [other.ipn_url]


async def test_one_that_was_deleted_there_is_registered_again(market, paying):
    client = await paying.client()
    await client.open_page(await paying.order(market.business.owner))
    await market.delete("pesapal/ipns")
    await paying.open()
    assert await paying.told("mpesa") == "succeeded"


# --- notifications


async def test_one_by_get_counts_as_well(market, paying):
    await market.arm("pesapal.notice", "other_way")
    await paying.open()
    assert await paying.told("mpesa") == "succeeded"


async def test_one_that_comes_before_the_answer_is_taken(market, paying):
    await market.arm("pesapal.order", "callback_first")
    await paying.open()
    await market.told()
    assert (await paying.state(), await paying.wallet()) == ("succeeded", PAID)


async def test_one_that_points_to_another_order_that_was_paid_credits_nothing(market, paying):
    """Of an attempt whose answer was lost the notification tells the reference: it may lie."""
    client = await paying.client()
    other = await client.open_page(await paying.order(market.business.owner))
    await market.fill_in(other.page, how="card")
    await market.arm("pesapal.order", "500_after")
    await paying.open()
    await market.told()
    tracking_id = other.reference.partition("/")[0]
    told = {"OrderTrackingId": tracking_id, "OrderMerchantReference": str(paying.attempt)}
    assert await market.post(await paying.token(), told) == 200
    await market.work()
    assert await paying.wallet() == NOTHING
    assert "payment.unheard_code" in await market.business.alerts_of(paying.attempt)


async def test_one_of_an_order_that_is_none_of_ours_is_kept_and_alarms_nobody(market, paying):
    told = {"OrderTrackingId": "a", "OrderMerchantReference": "b"}
    assert await market.post(await paying.token(), told) == 200
    await market.work()
    (row,) = await market.hooks()
    assert (row.state, await market.business.alerts()) == ("kept", [])


# --- what became of it


async def test_a_failure_is_told_and_its_page_is_closed(market, paying):
    page = (await paying.open()).page
    assert await paying.told("fail") == "failed"
    row = await market.business.row(attempts, paying.attempt)
    assert row.because == Unpaid.CANCELLED
    assert await market.fill_in(page, how="card") == 409


@pytest.mark.parametrize(
    ("fault", "alert"),
    [
        ("other_order", "payment.unheard_code"),
        ("contradictory", "payment.unheard_code"),
    ],
)
async def test_a_yes_about_another_thing_credits_nothing_and_alerts(market, paying, fault, alert):
    await market.arm("pesapal.outcome", fault)
    await paying.open()
    assert await paying.told("mpesa") == "pending"
    assert await paying.wallet() == NOTHING
    assert alert in await market.business.alerts_of(paying.attempt)


async def test_another_currency_is_named_in_the_alert(market, paying):
    await market.arm("pesapal.outcome", "other_currency")
    await paying.open()
    await paying.told("mpesa")
    async with market.business.behind() as work:
        told = sa.select(audit.c.facts).where(audit.c.action == "payment.amount_mismatch")
        assert (await work.connection.scalar(told))["told"] == "USD 1250.50"


async def test_a_page_that_is_left_is_given_up_in_the_end(market, paying):
    await paying.open()
    await paying.act("cancel")
    for _ in range(8):
        await market.later(minutes=6)
    assert (await paying.state(), await paying.wallet()) == ("expired", NOTHING)


async def test_a_page_that_was_closed_can_not_be_paid(market, paying):
    page = (await paying.open()).page
    await market.later(minutes=31)
    assert await market.fill_in(page, how="mpesa") == 409
    assert await paying.state() == "expired"


async def test_one_that_is_paid_at_the_last_moment_is_found_when_it_is_closed(market, paying):
    await market.arm("pesapal.notice", "lost")
    await paying.open()
    market.business.forward(minutes=30)
    await paying.act("mpesa")
    await market.work()
    assert (await paying.state(), await paying.wallet()) == ("succeeded", PAID)


# --- requests


async def test_the_same_id_twice_is_unknown_since_the_first_exists(market, paying):
    await paying.open()
    client = await paying.client()
    assert isinstance(await client.open_page(await paying.order(paying.attempt)), Unknown)


async def test_a_token_that_was_killed_is_fetched_anew_and_none_outlives_the_clock(market, paying):
    await market.arm("pesapal.order", "token")
    assert (await paying.open()).page is not None
    market.business.forward(minutes=6)
    assert await paying.told("mpesa") == "succeeded"


async def test_another_currency_is_not_even_asked_for(market, paying):
    client = await paying.client()
    page = await paying.order(market.business.owner, amount=Money(5_00, "GHS"))
    assert isinstance(await client.open_page(page), Refused)


# --- given back


async def test_what_pesapal_gives_back_by_itself_is_found_by_its_notification(market, paying):
    answer = await paying.open()
    assert await paying.told("mpesa") == "succeeded"
    tracking_id = answer.reference.partition("/")[0]
    await market.act(f"pesapal/orders/{tracking_id}", outcome="give_back")
    await market.told(2)
    assert await paying.wallet() == NOTHING
    assert isinstance((await market.business.news(market.business.owner))[-1], MoneyTakenBack)


async def test_the_reference_names_both_ids(market, paying):
    assert (await paying.open()).reference.endswith(f"/{paying.attempt}")


async def test_what_was_paid_with_can_be_saved_and_opens_a_page_the_next_time(market, paying):
    await paying.open()
    await paying.told("card")
    business = market.business
    payment_id = (await paying.read()).payment_id
    news = [each for each in await business.news(business.customer) if isinstance(each, PaymentSettled)][-1]
    assert (news.can_save, news.method.label) == (True, "Visa ****0010")
    async with business.work() as work:
        await waiting.save_method(work, business.customer, payment_id)
        (way,) = await methods.ways(work, business.customer)
    again = await business.pay("20.50", way=way)
    opened_again = await Paying(market, again.attempt).open()
    assert opened_again.page is not None
