"""A success that was told and may not be credited, or not yet; and prompts that come too late."""

from datetime import timedelta

import pytest

from services import jobs
from services.errors import PaymentUnderWay
from services.jobs import COLLECT_LADDER
from services.news import (
    Doubt,
    OrderInDoubt,
    OrderPaidTwice,
    PaidTwice,
    PaymentFailed,
    PaymentInDoubt,
    PaymentOpen,
    PaymentSettled,
    SettingsWrong,
    Unpaid,
)
from services.payments import settle, waiting
from services.providers.base import Failed, Misconfigured, Pending, Succeeded, Unknown
from services.store.schema import attempts, orders, payments
from tests.services.business import kes

PAID = Succeeded("UKO9000001", kes("500"))
OTHER = Succeeded("UKO9000001", kes("5"))
CANCELLED = Failed(Unpaid.CANCELLED, "Request cancelled by user")


async def told_large(paying, word=PAID):
    """A callback where a success above 499 is to be confirmed."""
    await paying.called(word, confirm_above=kes("499"))


async def gone_up_the_ladder(paying, word):
    """Every question of the ladder is answered by this word; the first of them may be asked at once."""
    for _ in range(len(COLLECT_LADDER) + 1):
        if await paying.business.jobs(paying.attempt):
            await paying.checked(word)
    assert await paying.business.jobs(paying.attempt) == {}


async def drop(business, paying):
    async with business.work() as work:
        await waiting.drop_order(work, business.customer, paying.started.order_id)


async def kinds(business, person):
    return [type(news) for news in await business.news(person)]


@pytest.fixture
async def paying(business):
    paying = await business.pay("500")
    await paying.sent()
    return paying


async def test_after_another_amount_a_query_that_knows_no_amount_credits_nothing(business, paying):
    await paying.called(OTHER)
    await gone_up_the_ladder(paying, Succeeded())
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await business.alerts() == ["payment.amount_mismatch"]
    assert (await business.row(attempts, paying.attempt)).doubt == "other_amount"


async def test_another_amount_is_told_to_those_who_reconcile_at_once_and_in_the_end_to_the_payer(
    business, paying
):
    await paying.called(OTHER)
    await paying.called(OTHER)
    for person in (business.owner, business.manager):
        (news,) = await business.news(person)
        assert isinstance(news, OrderInDoubt)
        assert (news.because, news.told, news.receipt) == (Doubt.OTHER_AMOUNT, kes("5"), "UKO9000001")
    assert await kinds(business, business.cashier) == []
    assert await kinds(business, business.customer) == []
    await gone_up_the_ladder(paying, Succeeded())
    assert await kinds(business, business.customer) == [PaymentInDoubt]
    assert await kinds(business, business.owner) == [OrderInDoubt]


async def test_after_another_amount_a_no_is_not_believed_either(business, paying):
    await paying.called(OTHER)
    await gone_up_the_ladder(paying, CANCELLED)
    assert PaymentFailed not in await kinds(business, business.customer)
    assert (await business.row(attempts, paying.attempt)).state == "expired"


async def test_only_a_callback_of_the_right_amount_clears_the_doubt(business, paying):
    await paying.called(OTHER)
    await paying.checked(Succeeded())
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.row(attempts, paying.attempt)).doubt is None
    assert await business.jobs(paying.attempt) == {}


async def test_another_amount_after_the_payment_had_failed_is_told_and_not_credited(business, paying):
    await paying.called(CANCELLED)
    await paying.called(OTHER)
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await kinds(business, business.owner) == [OrderInDoubt]


async def test_another_amount_for_what_is_credited_already_is_an_alert_only(business):
    paying = await business.paid("500")
    await paying.called(Succeeded("UKO9000002", kes("5")))
    assert await business.alerts() == ["payment.amount_mismatch"]
    assert (await business.row(attempts, paying.attempt)).doubt is None
    assert await kinds(business, business.owner) == []


async def test_a_large_success_that_a_query_denies_is_alerted_once_and_stays_open(business, paying):
    await told_large(paying)
    for _ in range(3):
        await paying.checked(CANCELLED)
    assert await business.alerts() == ["payment.contradicted"]
    assert (await business.row(attempts, paying.attempt)).state == "pending"
    assert await business.jobs(paying.attempt) == {"collect_check": COLLECT_LADDER[3]}
    assert await kinds(business, business.customer) == []


async def test_a_large_success_that_is_denied_to_the_end_is_never_told_as_failed(business, paying):
    await told_large(paying)
    await gone_up_the_ladder(paying, CANCELLED)
    assert await kinds(business, business.customer) == [PaymentInDoubt]
    (news,) = await business.news(business.owner)
    assert isinstance(news, OrderInDoubt)
    assert (news.because, news.receipt) == (Doubt.CONTRADICTED, "UKO9000001")
    assert (await business.row(orders, paying.started.order_id)).status == "open"
    assert (await business.row(payments, paying.started.payment_id)).status == "expired"


async def test_a_large_success_that_is_confirmed_after_it_was_denied_credits(business, paying):
    await told_large(paying)
    await paying.checked(CANCELLED)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await kinds(business, business.customer) == [PaymentSettled]
    assert await business.jobs(paying.attempt) == {}


async def test_a_large_success_and_a_no_by_callback_contradict_each_other_too(business, paying):
    await told_large(paying)
    await told_large(paying, CANCELLED)
    assert await business.alerts() == ["payment.contradicted"]
    assert (await business.row(attempts, paying.attempt)).state == "pending"


async def test_a_large_success_that_nobody_confirms_is_told_as_doubtful(business, paying):
    await told_large(paying)
    await gone_up_the_ladder(paying, Pending())
    assert await kinds(business, business.customer) == [PaymentInDoubt]
    (news,) = await business.news(business.owner)
    assert isinstance(news, OrderInDoubt)
    assert news.because == Doubt.UNCONFIRMED


async def test_who_asks_about_a_contradicted_payment_hears_that_it_is_open(business, paying):
    await told_large(paying)
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    await paying.checked(CANCELLED)
    assert await kinds(business, business.customer) == [PaymentOpen]


async def test_a_large_success_after_a_no_that_was_told_is_confirmed_and_credited_as_late(business, paying):
    await told_large(paying, CANCELLED)
    await told_large(paying)
    await paying.checked(Succeeded())
    news = (await business.news(business.customer))[-1]
    assert isinstance(news, PaymentSettled)
    assert news.late


# --- prompts that come too late ------------------------------------------------------------------------


async def test_a_prompt_that_waited_through_an_outage_rings_no_phone_and_is_told(business):
    paying = await business.pay("500")
    business.forward(minutes=2, seconds=1)
    assert not await paying.begun()
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because == Unpaid.NOT_ASKED
    assert (await business.row(attempts, paying.attempt)).state == "expired"
    assert await business.jobs(paying.attempt) == {}


async def test_a_prompt_that_waited_for_two_minutes_is_still_sent(business):
    paying = await business.pay("500")
    business.forward(minutes=2)
    assert await paying.begun()


@pytest.mark.parametrize("so_far", ["created", "submitting", "unknown", "pending"])
async def test_once_a_prompt_can_no_longer_be_answered_another_one_may_be_sent(business, so_far):
    first = await business.pay("500")
    if so_far == "pending":
        await first.sent()
    elif so_far != "created":
        await first.begun()
        await business.change(attempts, attempts.c.id == first.attempt, state=so_far)
    business.forward(minutes=2, seconds=59)
    with pytest.raises(PaymentUnderWay):
        await business.pay("500", first.started.order_id)
    business.forward(seconds=1)
    second = await business.pay("500", first.started.order_id)
    assert (await business.row(attempts, first.attempt)).state == "expired"
    assert not await first.begun()
    await second.sent()
    await second.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await kinds(business, business.customer) == [PaymentSettled]


async def test_what_another_attempt_replaced_is_asked_about_to_the_end_and_its_money_kept(business):
    first = await business.pay("500")
    await first.sent()
    business.forward(minutes=3)
    second = await business.pay("500", first.started.order_id)
    assert "collect_check" in await business.jobs(first.attempt)
    await second.sent()
    await second.called(PAID)
    await first.checked(Succeeded())
    assert await business.balances() == {"provider:mpesa": -100_000, "wallet": 50_000, "suspense": 50_000}
    assert await kinds(business, business.customer) == [PaymentSettled, PaidTwice]
    assert await business.jobs(first.attempt) == {}


async def test_what_another_attempt_replaced_and_was_not_paid_is_told_to_nobody(business):
    first = await business.pay("500")
    await first.sent()
    business.forward(minutes=3)
    await business.pay("500", first.started.order_id)
    await gone_up_the_ladder(first, Pending())
    await first.called(CANCELLED)
    assert await kinds(business, business.customer) == []


async def test_while_a_success_is_being_confirmed_no_other_attempt_may_start(business, paying):
    await told_large(paying)
    business.forward(minutes=5)
    with pytest.raises(PaymentUnderWay) as refused:
        await business.pay("500", paying.started.order_id)
    assert refused.value.told


async def test_nor_where_the_success_came_after_a_no(business, paying):
    await paying.called(CANCELLED)
    await told_large(paying)
    for about in (business.pay("500", paying.started.order_id), drop(business, paying)):
        with pytest.raises(PaymentUnderWay) as refused:
            await about
        assert refused.value.told
    await gone_up_the_ladder(paying, Pending())
    assert (await kinds(business, business.customer))[-1] == PaymentInDoubt
    await business.pay("500", paying.started.order_id)


async def test_another_amount_after_a_no_is_asked_about_and_told_to_the_payer_in_the_end(business, paying):
    await paying.called(CANCELLED)
    await paying.called(OTHER)
    with pytest.raises(PaymentUnderWay):
        await business.pay("500", paying.started.order_id)
    await gone_up_the_ladder(paying, Succeeded())
    assert await kinds(business, business.customer) == [PaymentFailed, PaymentInDoubt]


# --- told before the answer to our request, or without all that it takes ---------------------------------


async def test_a_large_success_whose_request_was_never_answered_is_confirmed_in_the_same_time(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Unknown("timeout"))
    await told_large(paying)
    assert await business.jobs(paying.attempt) == {"collect_check": timedelta()}
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_a_callback_has_named_is_asked_about_though_the_answer_was_lost(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.called(Pending("9876", unheard=True))
    assert not await paying.begun()  # whoever sent it has died
    assert await business.jobs(paying.attempt) == {"collect_check": COLLECT_LADDER[0]}


@pytest.mark.parametrize("word", [Succeeded("UKO9000001"), Pending("0 without an amount", unheard=True)])
async def test_an_unclear_word_after_a_no_is_asked_about(business, paying, word):
    await paying.called(CANCELLED)
    await paying.called(word)
    assert await business.jobs(paying.attempt) == {"collect_check": timedelta()}
    await paying.checked(CANCELLED)
    assert await business.jobs(paying.attempt) == {}
    await paying.called(word)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")


# --- told to those who reconcile -----------------------------------------------------------------------


async def test_a_second_payment_is_told_to_those_who_reconcile(business, paying):
    await paying.called(CANCELLED)
    second = await business.pay("500", paying.started.order_id)
    await second.sent()
    await paying.called(PAID)
    await second.called(Succeeded("UKO9000002", kes("500")))
    for person in (business.owner, business.manager):
        (news,) = await business.news(person)
        assert isinstance(news, OrderPaidTwice)
        assert (news.number, news.receipt) == (paying.started.number, "UKO9000002")
    assert await kinds(business, business.cashier) == []


async def test_wrong_settings_are_told_to_those_who_reconcile_once_an_hour(business):
    for minutes in (0, 30, 31):
        business.forward(minutes=minutes)
        paying = await business.pay("500")
        assert await paying.begun()
        await paying.answered(Misconfigured("Wrong credentials"))
    assert await business.alerts() == ["payment.misconfigured"] * 3
    assert await kinds(business, business.owner) == [SettingsWrong, SettingsWrong]


async def test_a_question_that_our_settings_spoil_is_alerted_and_told(business, paying):
    await paying.checked(Pending("Wrong credentials", ours=True))
    assert await business.alerts() == ["payment.misconfigured"]
    assert await kinds(business, business.owner) == [SettingsWrong]
    assert (await business.row(attempts, paying.attempt)).state == "pending"


async def test_an_expiry_that_was_due_before_a_success_changes_nothing(business, paying):
    await paying.called(PAID)
    async with business.work() as work:
        await jobs.schedule(work, "collect_expire", paying.attempt, work.now)
        await settle.expire(work, paying.attempt)
    assert (await business.row(attempts, paying.attempt)).state == "succeeded"
    assert await business.jobs(paying.attempt) == {}
    assert await kinds(business, business.customer) == [PaymentSettled]
