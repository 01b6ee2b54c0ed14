"""Payments by Pesapal over real HTTP: the page opened, the notification told to the app, and the question
whose answer alone counts; with everything that goes wrong on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services import hooks, jobs
from services.ids import new_id
from services.news import Unpaid
from services.news.refunds import MoneyTakenBack
from services.payments import collect
from services.payments.record import locked
from services.providers.abilities import OpensPages, Page
from services.providers.base import Accepted, Refused, Unknown
from services.refunds import request
from services.store.schema import attempts, refund_attempts, refunds
from tests.bot.market import PESAPAL, opened
from tests.services.business import kes
from tests.services.refunding import SHOP, Refunding, approve

PAID, NOTHING = ("1250.00", "0.00", "1250.00"), ("0.00", "0.00", "0.00")


class Paying:
    """A page that was opened for one attempt, as the job that opens pages does it."""

    def __init__(self, market, attempt):
        self.market, self.attempt = market, attempt
        self.page = None

    @property
    def business(self):
        return self.market.business

    async def client(self):
        client = await self.market.client("pesapal")
        assert isinstance(client, OpensPages)
        return client

    async def asked_for(self, amount="1250.00"):
        async with self.business.work() as work:
            address = await hooks.lasting(work, self.market.app_url, "pesapal")
        return Page(
            provider="pesapal",
            attempt_id=self.attempt,
            amount=kes(amount),
            number="L-17",
            about="Mama Njeri Duka",
            ends_at=self.business.now + timedelta(minutes=30),
            return_url="http://127.0.0.1:9/pay/p1",
            callback_url="",
            ipn_url=address,
            email="nobody@example.com",
            phone="+254712345678",
        )

    async def open(self):
        client = await self.client()
        answer = await client.open_page(await self.asked_for())
        async with self.business.work() as work:
            await collect.collect_answered(work, self.attempt, answer)
        self.page = answer.page if isinstance(answer, Accepted) else None
        return answer

    async def act(self, how):
        """The customer, on the page."""
        return await self.market.fill_in(self.page, how=how)

    async def told(self, how, number=1):
        await self.act(how)
        await self.market.told(number)
        return await self.state()

    async def state(self):
        return await self.market.attempt(self.attempt)

    async def wallet(self):
        return await self.business.wallet()


@pytest.fixture
async def market(database, vault):
    async with opened(database, vault) as market:
        await market.set_up(PESAPAL, "pesapal")
        yield market


@pytest.fixture
async def paying(market):
    """Begun, and nothing sent yet."""
    one = await market.business.pay("1250")
    assert await one.begun()
    to_pesapal = {"provider": "pesapal", "details_sealed": b""}
    await market.business.change(attempts, attempts.c.id == one.attempt, **to_pesapal)
    async with market.business.work() as work:
        await jobs.finish(work, one.attempt, "collect")
    return Paying(market, one.attempt)


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
    other = replace(await paying.asked_for(), attempt_id=market.business.owner)
    assert isinstance(await client.open_page(other), Accepted)
    listed = await client._client.get("/api/URLSetup/GetIpnList")
    assert [each["url"] for each in listed.listed] == [other.ipn_url]


async def test_one_that_was_deleted_there_is_registered_again(market, paying):
    client = await paying.client()
    await client.open_page(replace(await paying.asked_for(), attempt_id=market.business.owner))
    await market.delete("pesapal/ipns")
    await paying.open()
    assert await paying.told("mpesa") == "succeeded"


# --- notifications


@pytest.mark.parametrize("fault", ["twice", "forged"])
async def test_a_notification_that_comes_twice_or_forged_credits_once(market, paying, fault):
    await market.arm("pesapal.notice", fault)
    await paying.open()
    assert await paying.told("mpesa", 2) == "succeeded"
    assert await paying.wallet() == PAID
    forged = ["payment.reference_mismatch"] if fault == "forged" else []
    assert await market.business.alerts() == forged


async def test_one_by_get_counts_as_well(market, paying):
    await market.arm("pesapal.notice", "other_way")
    await paying.open()
    assert await paying.told("mpesa") == "succeeded"


async def test_where_it_is_lost_the_ladder_asks(market, paying):
    await market.arm("pesapal.notice", "lost")
    await paying.open()
    await paying.act("mpesa")
    await market.later(seconds=11)
    assert (await paying.state(), await paying.wallet()) == ("succeeded", PAID)


async def test_one_that_comes_before_the_answer_is_taken(market, paying):
    await market.arm("pesapal.order", "callback_first")
    answer = await paying.open()
    await market.told()
    assert isinstance(answer, Accepted)
    assert (await paying.state(), await paying.wallet()) == ("succeeded", PAID)


async def test_a_forged_one_of_an_unpaid_order_moves_nothing(market, paying):
    answer = await paying.open()
    page = await paying.asked_for()
    tracking_id = answer.reference.partition("/")[0]
    told = {"OrderTrackingId": tracking_id, "OrderMerchantReference": str(paying.attempt), "status_code": 1}
    assert await market.post(page.ipn_url.rpartition("/")[2], told) == 200
    await market.work()
    assert (await paying.state(), await paying.wallet()) == ("pending", NOTHING)


async def test_one_that_points_to_another_order_that_was_paid_credits_nothing(market, paying):
    """Of an attempt whose answer was lost the notification tells the reference: it may lie."""
    client = await paying.client()
    page = await paying.asked_for()
    other = await client.open_page(replace(page, attempt_id=market.business.owner))
    await market.fill_in(other.page, how="card")
    await market.told()
    tracking_id = other.reference.partition("/")[0]
    told = {"OrderTrackingId": tracking_id, "OrderMerchantReference": str(paying.attempt)}
    assert await market.post(page.ipn_url.rpartition("/")[2], told) == 200
    await market.work()
    assert await paying.wallet() == NOTHING
    assert "payment.unheard_code" in await market.business.alerts_of(paying.attempt)


async def test_one_of_an_order_that_is_none_of_ours_is_kept_and_alarms_nobody(market, paying):
    page = await paying.asked_for()
    told = {"OrderTrackingId": "a", "OrderMerchantReference": "b"}
    assert await market.post(page.ipn_url.rpartition("/")[2], told) == 200
    await market.work()
    (row,) = await market.hooks()
    assert (row.state, await market.business.alerts()) == ("kept", [])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"OrderTracking', b"OrderTrackingId=a"])
async def test_what_nobody_can_read_is_parked(market, paying, body):
    page = await paying.asked_for()
    assert await market.post(page.ipn_url.rpartition("/")[2], body) == 200
    await market.work()
    assert [row.state for row in await market.hooks()] == ["parked"]


# --- what became of it


async def test_a_failure_is_told_and_a_payment_after_it_is_honoured(market, paying):
    await paying.open()
    assert await paying.told("fail") == "failed"
    row = await market.business.row(attempts, paying.attempt)
    assert row.because == Unpaid.CANCELLED
    assert await paying.told("card", 2) == "succeeded"
    assert await paying.wallet() == PAID


@pytest.mark.parametrize(
    ("fault", "alert"),
    [
        ("other_amount", "payment.amount_mismatch"),
        ("other_currency", "payment.amount_mismatch"),
        ("other_order", "payment.unheard_code"),
        ("unheard", "payment.unheard_code"),
        ("contradictory", "payment.unheard_code"),
    ],
)
async def test_a_yes_about_another_thing_credits_nothing_and_alerts(market, paying, fault, alert):
    await market.arm("pesapal.outcome", fault)
    await paying.open()
    assert await paying.told("mpesa") == "pending"
    assert await paying.wallet() == NOTHING
    assert alert in await market.business.alerts_of(paying.attempt)


async def test_a_page_that_is_left_is_given_up_in_the_end(market, paying):
    await paying.open()
    await paying.act("cancel")
    for _ in range(8):
        await market.later(minutes=6)
    assert (await paying.state(), await paying.wallet()) == ("expired", NOTHING)


async def test_a_page_that_was_closed_can_not_be_paid(market, paying):
    answer = await paying.open()
    await (await paying.client()).close_page(answer.reference)
    assert await paying.act("mpesa") == 409


# --- requests


@pytest.mark.parametrize("fault", ["500", "500_after", "drop"])
async def test_an_order_whose_answer_is_lost_is_unknown_and_never_sent_again(market, paying, fault):
    await market.arm("pesapal.order", fault)
    assert isinstance(await paying.open(), Unknown)
    assert await paying.state() == "unknown"
    await market.later(minutes=3)
    assert (await paying.state(), await paying.wallet()) == ("expired", NOTHING)


async def test_the_same_id_twice_is_unknown_since_the_first_exists(market, paying):
    await paying.open()
    client = await paying.client()
    assert isinstance(await client.open_page(await paying.asked_for()), Unknown)


async def test_a_token_that_was_killed_is_fetched_anew_and_none_outlives_the_clock(market, paying):
    await market.arm("pesapal.order", "token")
    assert isinstance(await paying.open(), Accepted)
    market.business.forward(minutes=6)
    assert await paying.told("mpesa") == "succeeded"


async def test_a_question_that_fails_is_asked_again(market, paying):
    await market.arm("pesapal.status", "500")
    await market.arm("pesapal.status", "drop")
    await paying.open()
    assert await paying.told("mpesa") == "pending"
    await market.later(seconds=31)
    await market.later(seconds=61)
    assert (await paying.state(), await paying.wallet()) == ("succeeded", PAID)


async def test_another_currency_is_not_even_asked_for(market, paying):
    client = await paying.client()
    page = replace(await paying.asked_for(), amount=replace(kes("5"), currency="GHS"))
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
    answer = await paying.open()
    async with market.business.work() as work:
        assert (await locked(work, paying.attempt)).reference == answer.reference
    assert answer.reference.endswith(f"/{paying.attempt}")


async def test_a_refund_is_done_once_the_merchant_has_agreed_to_it_there(market, paying):
    answer = await paying.open()
    assert await paying.told("mpesa") == "succeeded"
    business = market.business
    row = await business.row(attempts, paying.attempt)
    async with business.work() as work:
        made = await request.request(work, SHOP, business.manager, new_id(), row.payment_id, "too small")
    refund = await approve(business, made)
    await market.work()
    one = await Refunding.of(business, refund)
    assert (await business.row(refund_attempts, one.attempt)).state == "pending"
    await market.later(minutes=1)
    assert (await business.row(refunds, refund.id)).status == "processing"
    await market.act(f"payouts/{answer.reference.partition('/')[0]}", outcome="succeed")
    await market.told(2)  # its notification has the refund asked about, and no reversal by itself is found
    assert (await business.row(refunds, refund.id)).status == "completed"
    assert await paying.wallet() == NOTHING
    assert await business.alerts() == []
