import asyncio
from datetime import timedelta

import pytest

from services import callbacks, hooks
from services.errors import (
    AlreadyPaid,
    BelowMinimum,
    Changed,
    InvalidPhone,
    NotFound,
    NotWholeShillings,
    OverLimit,
    PaymentUnderWay,
)
from services.facts import Checkout
from services.ids import new_id
from services.jobs import COLLECT_LADDER
from services.news import PaidTwice, PaymentFailed, PaymentOpen, PaymentSettled, Unpaid
from services.payments import settle, waiting
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
)
from services.rails import refuse_uncollectable
from services.store.schema import attempts, orders, payments
from tests.services.business import NEW_WAY, kes

PAID = Succeeded("UKO9000001", kes("500"))
CANCELLED = Failed(Unpaid.CANCELLED, "Request cancelled by user")
UNREACHABLE = Failed(Unpaid.UNREACHABLE, "DS timeout")


async def test_a_success_credits_the_wallet_and_is_told(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.balances() == {"provider:mpesa": -50_000, "wallet": 50_000}
    assert (await business.row(orders, paying.started.order_id)).status == "paid"
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentSettled)
    assert (news.receipt, news.can_save, news.late, news.method.label) == (
        "UKO9000001",
        True,
        False,
        "********5678",
    )
    assert await business.jobs(paying.attempt) == {}


async def test_the_merchants_fee_is_taken_from_the_sale(business):
    await business.set(payment_fee_ppm=15_000)
    await business.paid("333")
    assert await business.balances() == {"provider:mpesa": -33_300, "wallet": 32_800, "fees:payments": 500}


async def test_the_same_success_again_changes_nothing(business):
    paying = await business.pay()
    await paying.sent()
    for _ in range(3):
        await paying.called(PAID)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert len(await business.news(business.customer)) == 1
    assert await business.alerts() == []


async def test_a_failure_reopens_the_order_and_is_told_in_our_words(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(CANCELLED)
    await paying.called(CANCELLED)
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because is Unpaid.CANCELLED
    assert (await business.row(orders, paying.started.order_id)).status == "open"
    assert (await business.row(payments, paying.started.payment_id)).status == "failed"
    assert await business.jobs(paying.attempt) == {}
    async with business.teller(business.customer) as teller:
        again = await teller.open_order()
    assert again is not None
    assert again.order_id == paying.started.order_id


async def test_a_late_success_after_a_failure_is_honoured_and_told_as_late(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(UNREACHABLE)
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    news = (await business.news(business.customer))[-1]
    assert isinstance(news, PaymentSettled)
    assert news.late


async def test_a_failure_after_a_success_is_an_alert_only(business):
    paying = await business.paid()
    await paying.called(UNREACHABLE)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.row(attempts, paying.attempt)).state == "succeeded"
    assert await business.alerts() == ["payment.failed_after_success"]
    assert len(await business.news(business.customer)) == 1


async def test_no_second_attempt_while_one_may_succeed(business):
    paying = await business.pay()
    with pytest.raises(PaymentUnderWay):
        await business.pay(order=paying.started.order_id)
    await paying.sent()
    with pytest.raises(PaymentUnderWay):
        await business.pay(order=paying.started.order_id)


async def test_a_paid_order_is_not_collected_again(business):
    paying = await business.paid()
    with pytest.raises(AlreadyPaid) as refused:
        await business.pay(order=paying.started.order_id)
    assert refused.value.receipt == "UKO0000001"


async def test_a_second_success_is_kept_in_suspense_told_and_alerted(business):
    first = await business.pay()
    await first.sent()
    await first.called(UNREACHABLE)
    second = await business.pay(order=first.started.order_id)
    assert second.started == first.started
    await second.sent()
    await first.called(PAID)
    await second.called(Succeeded("UKO9000002", kes("500")))
    assert await business.balances() == {"provider:mpesa": -100_000, "wallet": 50_000, "suspense": 50_000}
    assert isinstance((await business.news(business.customer))[-1], PaidTwice)
    assert await business.alerts() == ["payment.paid_twice"]


async def test_a_prompt_is_not_sent_once_an_earlier_attempt_has_paid(business):
    first = await business.pay()
    await first.sent()
    await first.called(UNREACHABLE)
    second = await business.pay(order=first.started.order_id)
    await first.called(PAID)
    assert not await second.begun()
    assert (await business.row(attempts, second.attempt)).state == "expired"
    assert await business.jobs(second.attempt) == {}


async def test_another_amount_credits_nothing_and_alerts(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(Succeeded("UKO9000001", kes("5")))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await business.alerts() == ["payment.amount_mismatch"]
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_another_reference_credits_nothing_and_alerts(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(PAID, reference="ws_CO_other")
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await business.alerts() == ["payment.reference_mismatch"]


async def test_the_same_receipt_on_another_attempt_credits_nothing_and_alerts(business):
    first, second = await business.pay(), await business.pay()
    for paying in (first, second):
        await paying.sent()
        await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == ["payment.receipt_reused"]


async def test_a_success_by_query_gets_its_receipt_from_the_callback_after_it(business):
    paying = await business.pay()
    await paying.sent()
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    await paying.called(PAID)
    assert (await business.row(attempts, paying.attempt)).receipt == "UKO9000001"
    assert (await business.row(payments, paying.started.payment_id)).receipt == "UKO9000001"
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    await paying.called(Succeeded("UKO9000009", kes("500")))
    assert await business.alerts() == ["payment.receipt_changed"]


async def test_a_callback_before_the_answer_to_our_request_is_taken(business):
    paying = await business.pay()
    assert await paying.begun()
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    await paying.answered(Accepted(paying.reference, "merchant-1"))
    row = await business.row(attempts, paying.attempt)
    assert row.state == "succeeded"
    assert row.reference_sealed is not None
    assert await business.alerts() == []
    assert await business.jobs(paying.attempt) == {}


async def test_an_answer_that_names_another_reference_than_the_callback_did_is_alerted(business):
    paying = await business.pay()
    assert await paying.begun()
    await paying.called(PAID)
    await paying.answered(Accepted("ws_CO_other"))
    assert await business.alerts() == ["payment.reference_mismatch"]


async def test_a_crash_before_the_answer_becomes_unknown_and_is_never_sent_again(business):
    paying = await business.pay()
    assert await paying.begun()
    assert not await paying.begun()
    assert (await business.row(attempts, paying.attempt)).state == "unknown"
    assert await business.jobs(paying.attempt) == {"collect_expire": timedelta(minutes=2)}
    with pytest.raises(PaymentUnderWay):
        await business.pay(order=paying.started.order_id)
    business.forward(minutes=2)
    async with business.work() as work:
        await settle.expire(work, paying.attempt)
    second = await business.pay(order=paying.started.order_id)
    assert second.attempt != paying.attempt
    await paying.called(PAID)  # still honoured
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_an_unknown_outcome_waits_for_the_callback(business):
    paying = await business.pay()
    await paying.begun()
    await paying.answered(Unknown("timeout"))
    await paying.called(PAID)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.jobs(paying.attempt) == {}


async def test_what_never_left_is_sent_again_and_fails_in_the_end(business):
    paying = await business.pay()
    waits = []
    for _ in range(3):
        assert await paying.begun()
        await paying.answered(NotSent("refused"))
        waits.append((await business.jobs(paying.attempt))["collect"].seconds)
    assert waits == [2, 5, 15]
    assert await paying.begun()
    await paying.answered(NotSent("refused"))
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because is Unpaid.PROVIDER
    assert await business.jobs(paying.attempt) == {}


@pytest.mark.parametrize(
    ("answer", "because", "alerts"),
    [
        (Refused(Unpaid.BUSY, "locked"), Unpaid.BUSY, []),
        (Misconfigured("Wrong credentials"), Unpaid.SHOP, ["payment.misconfigured"]),
    ],
)
async def test_a_definite_no_to_the_prompt_is_told(business, answer, because, alerts):
    paying = await business.pay()
    await paying.begun()
    await paying.answered(answer)
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because is because
    assert await business.alerts() == alerts


async def test_the_query_ladder_climbs_and_then_expires(business):
    paying = await business.pay()
    await paying.sent()
    waits = []
    for _ in range(6):
        waits.append((await business.jobs(paying.attempt))["collect_check"].seconds)
        await paying.checked(Pending())
    assert waits == [10, 20, 30, 60, 120, 300]
    assert await business.jobs(paying.attempt) == {}
    assert (await business.row(attempts, paying.attempt)).state == "expired"
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because is Unpaid.EXPIRED


async def test_a_code_that_we_do_not_know_is_pending_and_alerted(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(Pending("9876", unheard=True))
    assert (await business.row(attempts, paying.attempt)).state == "pending"
    assert await business.alerts() == ["payment.unheard_code"]


async def test_i_have_paid_asks_now_and_tells_in_any_case(business):
    paying = await business.pay()
    await paying.sent()
    await paying.checked(Pending())
    assert await business.news(business.customer) == []
    async with business.teller(business.customer) as teller:
        await teller.check_payment(paying.started.payment_id)
    assert (await business.jobs(paying.attempt))["collect_check"] == timedelta(0)
    await paying.checked(Pending())
    await paying.checked(Pending())
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentOpen)


async def test_i_have_paid_after_a_failure_asks_again(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(UNREACHABLE)
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    await paying.checked(UNREACHABLE)
    assert len(await business.news(business.customer)) == 2
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_i_have_paid_without_anything_to_ask_by_is_answered_at_once(business):
    paying = await business.pay()
    await paying.begun()
    await paying.answered(Unknown("timeout"))
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentOpen)


async def test_what_was_left_is_not_told_as_failed_but_honoured_when_paid(business):
    paying = await business.pay()
    await paying.sent()
    async with business.teller(business.customer) as teller:
        await teller.leave_payment(paying.started.payment_id)
    await paying.called(CANCELLED)
    assert await business.news(business.customer) == []
    await paying.called(PAID)
    (news,) = await business.news(business.customer)
    assert isinstance(news, PaymentSettled)
    assert not news.late
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_was_left_before_it_was_sent_is_never_sent(business):
    paying = await business.pay()
    async with business.teller(business.customer) as teller:
        await teller.leave_payment(paying.started.payment_id)
    assert not await paying.begun()
    assert await business.jobs(paying.attempt) == {}
    await business.pay(order=paying.started.order_id)


@pytest.mark.parametrize(
    ("amount", "refusal"), [("10.50", NotWholeShillings), ("0.50", NotWholeShillings), ("250001", OverLimit)]
)
async def test_amounts_that_mpesa_does_not_take_are_refused(business, amount, refusal):
    with pytest.raises(refusal):
        await business.pay(amount)


async def test_a_number_that_is_none_is_refused(business):
    with pytest.raises(InvalidPhone):
        await business.pay(way=NEW_WAY.model_copy(update={"phone": "+25412"}))
    with pytest.raises(InvalidPhone):
        await business.pay(way=NEW_WAY.model_copy(update={"phone": "+14155550123"}))


async def test_an_order_has_one_amount_and_one_person(business):
    paying = await business.pay("500")
    with pytest.raises(Changed):
        await business.pay("400", order=paying.started.order_id)
    business.customer = await business.person("Juma")
    with pytest.raises(NotFound):
        await business.pay("500", order=paying.started.order_id)
    async with business.work() as work:
        with pytest.raises(NotFound):
            await waiting.check(work, business.customer, paying.started.payment_id)


async def test_a_method_is_saved_once_and_is_then_the_preferred_one(business):
    paying = await business.paid()
    async with business.teller(business.customer) as teller:
        assert (await teller.save_method(paying.started.payment_id)).label == "********5678"
        await teller.save_method(paying.started.payment_id)
        (saved,) = await teller.ways()
    other = await business.pay(way=NEW_WAY.model_copy(update={"phone": "0722 111 222"}))
    await other.sent()
    await other.called(Succeeded("UKO9000002", kes("500")))
    async with business.teller(business.customer) as teller:
        await teller.save_method(other.started.payment_id)
        ways = await teller.ways()
    assert [way.method.label for way in ways] == ["********1222", "********5678"]
    third = await business.pay(way=saved)
    await third.sent()
    await third.called(Succeeded("UKO9000003", kes("500")))
    news = (await business.news(business.customer))[-1]
    assert isinstance(news, PaymentSettled)
    assert not news.can_save


async def test_another_persons_method_is_not_found(business):
    paying = await business.paid()
    async with business.teller(business.customer) as teller:
        await teller.save_method(paying.started.payment_id)
        (saved,) = await teller.ways()
    business.customer = await business.person("Juma")
    with pytest.raises(NotFound):
        await business.pay(way=saved)


async def test_a_large_success_is_confirmed_by_a_query_first(business):
    paying = await business.pay("500")
    await paying.sent()
    async with business.work() as work:
        hook = await business.hook(paying.token)
        assert hook is not None
        report = Report("collect", frozenset({paying.reference}), PAID)
        await callbacks.apply(work, hook, report, confirm_above=kes("499"))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await business.jobs(paying.attempt))["collect_check"] == timedelta(0)
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.row(payments, paying.started.payment_id)).receipt == "UKO9000001"


async def test_an_unknown_token_is_nobodys(business):
    assert await business.hook("0" * 64) is None
    async with business.work() as work:
        token = await hooks.mint(work, "collect", new_id())
    assert len(token) == 64
    int(token, 16)


async def test_pays_at_once_for_one_order_start_one_attempt(business):
    order = new_id()
    results = await asyncio.gather(*(business.pay("500", order) for _ in range(6)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Paying"] + ["PaymentUnderWay"] * 5


async def test_callbacks_at_once_credit_once(business):
    paying = await business.pay()
    await paying.sent()
    await asyncio.gather(*(paying.called(PAID) for _ in range(6)), paying.checked(Succeeded()))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert len(await business.news(business.customer)) == 1


async def test_two_attempts_that_succeed_at_once_credit_once(business):
    for n in range(4):
        first = await business.pay()
        await first.sent()
        await first.called(UNREACHABLE)
        second = await business.pay(order=first.started.order_id)
        await second.sent()
        await asyncio.gather(
            first.called(Succeeded(f"UKO91{n}", kes("500"))),
            second.called(Succeeded(f"UKO92{n}", kes("500"))),
        )
    assert await business.balances() == {"provider:mpesa": -400_000, "wallet": 200_000, "suspense": 200_000}


def test_a_checkout_of_nothing_cannot_be_made():
    with pytest.raises(ValueError, match="0"):
        Checkout(order_id=new_id(), amount=kes("0"))


def test_less_than_a_shilling_is_below_the_minimum():
    with pytest.raises(BelowMinimum):
        refuse_uncollectable("mpesa", kes("500") - kes("500"))


async def test_however_often_a_person_asks_the_provider_has_its_time(business):
    paying = await business.pay("500")
    await paying.sent()
    for _ in range(2 * len(COLLECT_LADDER)):
        business.forward(seconds=2)
        async with business.work() as work:
            await waiting.check(work, business.customer, paying.started.payment_id)
        await paying.checked(Pending())
    assert (await business.row(attempts, paying.attempt)).state == "pending"
    assert await business.jobs(paying.attempt) == {"collect_check": COLLECT_LADDER[0]}
    assert {type(news) for news in await business.news(business.customer)} == {PaymentOpen}


async def test_who_asks_without_end_does_not_wait_without_end(business):
    paying = await business.pay("500")
    await paying.sent()
    business.forward(minutes=10)
    for _ in COLLECT_LADDER:
        async with business.work() as work:
            await waiting.check(work, business.customer, paying.started.payment_id)
        await paying.checked(Pending())
    assert (await business.row(attempts, paying.attempt)).state == "expired"
