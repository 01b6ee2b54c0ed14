"""Paying on a provider's page: one link, of one amount, until its time is over."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import PaymentUnderWay
from services.facts import Way
from services.jobs import PAGE_LADDER
from services.news import PageOpened, PaymentFailed, PaymentMethod, PaymentSettled, Unpaid
from services.payments import collect, forgetting, methods, pages, waiting
from services.privacy import erase
from services.privacy.traces import Traces
from services.providers.abilities import Charge, Page
from services.providers.base import Accepted, Failed, NotSent, Pending, Refused, Report, Succeeded, Unknown
from services.store.schema import attempts, saved_methods
from tests.services.business import kes

BY_PAGE = Way(method=PaymentMethod(provider="stripe", label=""))
CARD = {"payment_method_id": "pm_1abc", "last4": "4242", "brand": "Visa"}
PAGE = "https://checkout.example/c/pay/cs_1"


async def opened(business, reference="cs_1"):
    paying = await business.pay("500", way=BY_PAGE)
    assert await paying.begun()
    await paying.answered(Accepted(reference, page=PAGE))
    paying.reference = reference
    return paying


async def last(business):
    return (await business.news(business.customer))[-1]


async def state(business, paying):
    return (await business.row(attempts, paying.attempt)).state


async def checked(business, paying, word):
    async with business.work() as work:
        assert await collect.begin_check(work, paying.attempt) is not None
    async with business.work() as work:
        await collect.collect_checked(work, paying.attempt, word)


async def closed(business, paying):
    async with business.work() as work:
        assert await pages.begin_close(work, paying.attempt) is not None
    async with business.work() as work:
        await pages.closed(work, paying.attempt)


async def test_a_new_method_of_a_provider_with_pages_is_a_page_of_this_very_payment(business):
    paying = await business.pay("500", way=BY_PAGE)
    assert await paying.begun()
    page = paying.wanted
    assert isinstance(page, Page)
    assert (page.provider, page.attempt_id, page.amount) == ("stripe", paying.attempt, kes("500"))
    assert page.ends_at == business.now + timedelta(minutes=30)
    assert page.return_url.startswith("https://pay.example/paid/")
    assert page.email == f"{business.customer.hex}@pay.example"


async def test_the_customer_is_sent_the_link_and_can_see_it_again_but_never_a_second_one(business):
    paying = await opened(business)
    news = await last(business)
    assert isinstance(news, PageOpened)
    assert (news.url, news.amount, news.until) == (PAGE, kes("500"), business.now + timedelta(minutes=30))
    with pytest.raises(PaymentUnderWay):
        await business.pay("500", order=paying.started.order_id, way=BY_PAGE)
    business.forward(minutes=29)
    with pytest.raises(PaymentUnderWay) as under_way:
        await business.pay("500", order=paying.started.order_id)
    assert (under_way.value.by, under_way.value.provider) == ("page", "stripe")
    async with business.work() as work:
        assert await pages.shown(work, business.customer, paying.started.order_id) == news
        assert await pages.shown(work, business.cashier, paying.started.order_id) is None


async def test_the_address_is_kept_sealed_and_no_longer_than_it_can_be_paid(business):
    paying = await opened(business)
    row = await business.row(attempts, paying.attempt)
    assert PAGE.encode() not in row.page_sealed
    business.forward(minutes=30)
    await closed(business, paying)
    assert (await business.row(attempts, paying.attempt)).page_sealed is None


async def test_who_pays_on_the_page_has_paid(business):
    paying = await opened(business)
    await paying.called(Succeeded("pi_1", kes("500")))
    news = await last(business)
    assert isinstance(news, PaymentSettled)
    assert not news.can_save  # it told of nothing that may be charged again
    assert await business.jobs(paying.attempt) == {}


async def test_an_unpaid_page_is_asked_about_until_its_end_then_closed_and_told_of_once(business):
    paying = await opened(business)
    for wait in PAGE_LADDER:
        assert (await business.jobs(paying.attempt))["collect_check"] == wait
        business.forward(seconds=wait.total_seconds())
        await checked(business, paying, Pending("open"))
    assert await state(business, paying) == "pending"
    business.now = (await business.row(attempts, paying.attempt)).page_until
    await closed(business, paying)
    assert await state(business, paying) == "pending"  # until the provider has said so
    await checked(business, paying, Pending("expired"))
    assert await state(business, paying) == "expired"
    news = await last(business)
    assert isinstance(news, PaymentFailed)
    assert (news.because, news.provider) == (Unpaid.PAGE, "stripe")
    await paying.called(Succeeded("pi_1", kes("500")))
    late = await last(business)
    assert isinstance(late, PaymentSettled)
    assert late.late


async def test_what_was_paid_at_the_last_moment_counts(business):
    paying = await opened(business)
    business.forward(minutes=30)
    await closed(business, paying)
    await checked(business, paying, Succeeded("pi_1", kes("500")))
    assert isinstance(await last(business), PaymentSettled)


async def test_who_leaves_has_the_page_closed_first_and_can_then_pay_in_another_way(business):
    paying = await opened(business)
    async with business.work() as work:
        await waiting.leave(work, business.customer, paying.started.payment_id)
    assert (await business.jobs(paying.attempt))["page_close"] == timedelta(0)
    with pytest.raises(PaymentUnderWay):
        await business.pay("500", order=paying.started.order_id)
    async with business.work() as work:
        assert await pages.shown(work, business.customer, paying.started.order_id) is None
    await closed(business, paying)
    await checked(business, paying, Pending())
    assert [type(each) for each in await business.news(business.customer)] == [PageOpened]
    await business.pay("500", order=paying.started.order_id)


async def test_who_left_before_the_page_opened_is_not_sent_there(business):
    paying = await business.pay("500", way=BY_PAGE)
    assert await paying.begun()
    async with business.work() as work:
        await waiting.leave(work, business.customer, paying.started.payment_id)
    await paying.answered(Accepted("cs_1", page=PAGE))
    assert await business.news(business.customer) == []
    assert (await business.jobs(paying.attempt))["page_close"] == timedelta(0)


async def test_a_page_whose_address_was_lost_has_failed_and_another_can_be_opened_at_once(business):
    paying = await business.pay("500", way=BY_PAGE)
    assert await paying.begun()
    await paying.answered(Unknown("timeout"))
    assert (await last(business)).because == Unpaid.PROVIDER
    await business.pay("500", order=paying.started.order_id, way=BY_PAGE)


async def test_so_has_one_whose_worker_died(business):
    paying = await business.pay("500", way=BY_PAGE)
    assert await paying.begun()
    assert not await paying.begun()
    assert await state(business, paying) == "failed"


async def test_who_returns_has_the_provider_asked_now_however_often(business):
    paying = await opened(business)
    business.forward(seconds=20)
    for _ in range(2):
        async with business.work() as work:
            await pages.returned(work, paying.attempt)
    assert (await business.jobs(paying.attempt))["collect_check"] == timedelta(0)
    await paying.called(Succeeded("pi_1", kes("500")))
    async with business.work() as work:
        await pages.returned(work, paying.attempt)
    assert await business.jobs(paying.attempt) == {}


async def paid_with_card(business):
    paying = await opened(business)
    await paying.called(Succeeded("pi_1", kes("500"), CARD))
    return paying


async def test_a_card_that_may_be_charged_again_is_offered_to_be_saved_and_charged_on_a_tap(business):
    paying = await paid_with_card(business)
    news = await last(business)
    assert (news.can_save, news.method.label) == (True, "Visa ****4242")
    async with business.work() as work:
        await waiting.save_method(work, business.customer, paying.started.payment_id)
        (way,) = await methods.ways(work, business.customer)
    again = await business.pay("300", way=way)
    assert await again.begun()
    charge = again.wanted
    assert isinstance(charge, Charge)
    assert (charge.details, charge.amount, charge.page.amount) == (CARD, kes("300"), kes("300"))


async def charging(business):
    paying = await paid_with_card(business)
    async with business.work() as work:
        await waiting.save_method(work, business.customer, paying.started.payment_id)
        (way,) = await methods.ways(work, business.customer)
    again = await business.pay("300", way=way)
    assert await again.begun()
    return again, way


async def test_what_a_charge_was_answered_counts_at_once(business):
    again, _ = await charging(business)
    word = Succeeded("pi_2", kes("300"))
    await again.answered(Accepted("pi_2", told=Report("collect", frozenset({"pi_2"}), word)))
    assert isinstance(await last(business), PaymentSettled)
    assert await business.jobs(again.attempt) == {}


async def test_a_charge_for_which_the_bank_asks_goes_on_by_a_page(business):
    again, _ = await charging(business)
    await again.answered(Accepted("pi_2", page=PAGE))
    assert isinstance(await last(business), PageOpened)


async def test_a_charge_whose_answer_was_lost_holds_back_a_second_one(business):
    again, way = await charging(business)
    await again.answered(Unknown("timeout"))
    assert await business.jobs(again.attempt) == {"collect_expire": timedelta(minutes=15)}
    business.forward(minutes=14)
    with pytest.raises(PaymentUnderWay) as under_way:
        await business.pay("300", order=again.started.order_id, way=way)
    assert under_way.value.by == "card"


async def test_a_card_that_is_declined_leaves_the_order_open(business):
    again, _ = await charging(business)
    await again.answered(Refused(Unpaid.DECLINED, "card_declined"))
    assert (await last(business)).because == Unpaid.DECLINED


async def test_a_removed_card_is_forgotten_by_its_provider_too(business):
    _, way = await charging(business)
    async with business.work() as work:
        await methods.remove(work, business.customer, way.method_id, business.customer)
        assert await methods.ways(work, business.customer) == ()
    assert await business.jobs(way.method_id) == {"forget": timedelta(0)}
    async with business.work() as work:
        gone = await forgetting.begin(work, way.method_id)
        assert gone is not None
        assert (gone.provider, gone.details) == ("stripe", CARD)
        await forgetting.forgotten(work, way.method_id, NotSent("away"))
    assert await business.jobs(way.method_id) == {"forget": timedelta(minutes=1)}
    async with business.work() as work:
        await forgetting.forgotten(work, way.method_id, None)
        left = sa.select(sa.func.count()).where(saved_methods.c.tenant_id == work.tenant)
        assert await work.connection.scalar(left) == 0
    assert await business.jobs(way.method_id) == {}


async def test_the_card_of_who_is_erased_is_forgotten_by_its_provider_too(business):
    _, way = await charging(business)
    async with business.work() as work:
        assert (await erase.counted(work, business.customer))["saved_methods"] == 1
        done = await erase.erase(work, business.customer, Traces(set(), set(), set()), {})
        assert done["saved_methods"] == 1
    async with business.work() as work:
        gone = await forgetting.begin(work, way.method_id)
        assert gone is not None
        await forgetting.forgotten(work, way.method_id, None)
    async with business.work() as work:
        left = sa.select(sa.func.count()).where(saved_methods.c.tenant_id == work.tenant)
        assert await work.connection.scalar(left) == 0


async def test_one_that_is_saved_again_is_not_forgotten(business):
    _, way = await charging(business)
    async with business.work() as work:
        await methods.remove(work, business.customer, way.method_id, business.customer)
    async with business.work() as work:
        await methods.save(work, business.customer, way.method, CARD)
    async with business.work() as work:
        assert await forgetting.begin(work, way.method_id) is None
        assert len(await methods.ways(work, business.customer)) == 1


async def test_a_failure_on_the_page_closes_it(business):
    paying = await opened(business)
    await checked(business, paying, Failed(Unpaid.DECLINED, "declined"))
    assert (await last(business)).because == Unpaid.DECLINED
    assert (await business.jobs(paying.attempt))["page_close"] == timedelta(0)
