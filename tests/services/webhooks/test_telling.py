"""What tenants' systems are told: each fact once, in its own transaction, and nothing of any person."""

import json
from contextlib import suppress

import pytest

from services import webhooks
from services.payments import settle, waiting
from services.providers.base import Failed, Succeeded
from services.reasons import Unpaid
from services.refunds import decide as refund_decide
from services.refunds import taken_back
from services.store.schema import webhook_deliveries
from services.webhooks import endpoints
from services.webhooks.events import TYPES
from services.withdrawals import decide
from tests.services.business import Business, kes
from tests.services.refunding import Refunding, approve, ask
from tests.services.webhooks.listening import Listening

NAMES = ("Achieng", "Wanjiku", "Otieno", "Njeri", "712345678", "722000111", "5678", "0111")


@pytest.fixture
async def listening(business):
    return await Listening.at(business)


async def bodies(listening):
    return [json.loads(row.body) for row in await listening.written()]


async def test_a_payment_is_told_as_the_api_has_it(business, listening):
    paying = await business.paid("500")
    (body,) = await bodies(listening)
    assert body == {
        "type": "payment.succeeded",
        "timestamp": "2026-11-24T09:00:00Z",
        "data": {
            "id": str(paying.started.payment_id),
            "status": "succeeded",
            "amount": "500.00",
            "currency": "KES",
            "order_id": str(paying.started.order_id),
            "provider": "mpesa",
            "receipt": "UKO0000001",
            "refunded": "0.00",
        },
    }


async def test_a_payment_fails_expires_is_left_and_succeeds_late(business, listening):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(Failed(Unpaid.CANCELLED, "1032"))
    await paying.called(Succeeded("UKO1", kes("500")))
    other = await business.pay("300")
    async with business.work() as work:
        await settle.expire(work, other.attempt)
    left = await business.pay("200")
    async with business.work() as work:
        await waiting.leave(work, business.customer, left.started.payment_id)
    told = [(body["type"], body["data"]["status"]) for body in await bodies(listening)]
    assert told == [
        ("payment.failed", "failed"),
        ("payment.succeeded", "succeeded"),
        ("payment.expired", "expired"),
        ("payment.canceled", "canceled"),
    ]


async def test_a_refund_and_its_payment_are_told(business, listening):
    paying = await business.paid("500")
    refund = await approve(business, await ask(business, paying, "200"))
    refunding = await Refunding.of(business, refund)
    await refunding.sent()
    await refunding.called(Succeeded("RFD1", kes("200")))
    rejected = await ask(business, paying, "100")
    async with business.work() as work:
        await refund_decide.reject(work, business.owner, rejected.id, "Achieng has it already")
    told = {(body["type"], body["data"]["id"]): body["data"] for body in await bodies(listening)}
    assert list(told) == [
        ("payment.succeeded", str(paying.started.payment_id)),
        ("refund.requested", str(refund.id)),
        ("refund.approved", str(refund.id)),
        ("refund.completed", str(refund.id)),
        ("payment.refunded", str(paying.started.payment_id)),
        ("refund.requested", str(rejected.id)),
        ("refund.rejected", str(rejected.id)),
    ]
    payment = told["payment.refunded", str(paying.started.payment_id)]
    assert (payment["status"], payment["refunded"]) == ("partially_refunded", "200.00")
    done = told["refund.completed", str(refund.id)]
    assert (done["status"], done["receipt"], done["payment_id"]) == ("completed", "RFD1", payment["id"])


async def test_what_a_provider_takes_back_and_what_is_paid_twice_is_told(business, listening):
    paying = await business.paid("500")
    async with business.work() as work:
        await taken_back.taken_back(work, paying.attempt, "REV1", kes("500"))
    *_, body = await bodies(listening)
    assert body["type"] == "payment.taken_back"
    assert (body["data"]["status"], body["data"]["refunded"]) == ("refunded", "500.00")
    first = await business.pay("400")
    await first.sent()
    async with business.work() as work:
        await settle.expire(work, first.attempt)
    second = await business.pay("400", order=first.checkout.order_id)
    await second.sent()
    await second.called(Succeeded("UKO8", kes("400")))
    await first.called(Succeeded("UKO9", kes("400")))
    assert (await listening.types())[-3:] == ["payment.expired", "payment.succeeded", "payment.paid_twice"]
    assert (await bodies(listening))[-1]["data"]["refunded"] == "0.00"


async def test_a_withdrawal_is_told_from_its_request_to_its_end(business, listening):
    await business.paid("5000")
    paying_out = await business.approved("1000")
    await paying_out.sent()
    await paying_out.called(Succeeded("UKP1", kes("967")))
    told = await bodies(listening)
    steps = [(body["type"], body["data"]["status"]) for body in told if body["type"].startswith("withdrawal")]
    assert steps == [
        ("withdrawal.requested", "pending"),
        ("withdrawal.approved", "processing"),
        ("withdrawal.processing", "processing"),
        ("withdrawal.completed", "completed"),
    ]
    assert told[-1]["data"] == {
        "id": str(paying_out.withdrawal.id),
        "status": "completed",
        "amount": "1000.00",
        "currency": "KES",
        "fee": "33.00",
        "net_amount": "967.00",
        "method_type": "mpesa",
        "receipt": "UKP1",
    }


async def test_a_withdrawal_is_rejected_canceled_expires_or_fails(business, listening):
    await business.paid("5000")
    asked = [await business.withdraw("500") for _ in range(3)]
    async with business.work() as work:
        await decide.reject(work, business.manager, asked[0].id, "Wanjiku is away")
    async with business.work() as work:
        await decide.cancel(work, business.cashier, asked[1].id)
    failing = await business.approved("500")
    await failing.sent()
    await failing.called(Failed(Unpaid.RECEIVER, "2001"))
    business.forward(hours=25)
    async with business.work() as work:
        await decide.expire(work, asked[2].id)
    ends = {row.object_id: row.type for row in await listening.written()}
    assert [ends[each.id] for each in (*asked, failing.withdrawal)] == [
        "withdrawal.rejected",
        "withdrawal.canceled",
        "withdrawal.expired",
        "withdrawal.failed",
    ]
    for row in await listening.written():
        assert [name for name in NAMES if name in row.body] == []


async def test_what_is_rolled_back_is_not_told(business, listening):
    paying = await business.pay("500")
    with suppress(ZeroDivisionError):
        async with business.work() as work:
            await settle.expire(work, paying.attempt)
            raise ZeroDivisionError
    async with business.work() as work:
        with suppress(ZeroDivisionError):
            async with work.connection.begin_nested():
                await settle.expire(work, paying.attempt)
                raise ZeroDivisionError
    assert await listening.types() == []


async def test_each_endpoint_has_what_it_wants_of_its_own_tenant_and_the_same_id(business):
    everything = await Listening.at(business)
    payouts = await Listening.at(business, types=["withdrawal.requested"])
    stranger = await Listening.at(await Business(business.database, business.vault).open())
    await business.paid("5000")
    await business.withdraw("1000")
    assert await everything.types() == ["payment.succeeded", "withdrawal.requested"]
    assert await payouts.types() == ["withdrawal.requested"]
    assert await stranger.types() == []
    (_, one), (same,) = await everything.written(), await payouts.written()
    assert one.event_id == same.event_id
    assert one.id != same.id


async def test_for_one_that_is_disabled_it_is_kept_and_not_sent(business, listening):
    async with business.work() as work:
        url = "https://shop.example/hooks"
        await endpoints.change(work, business.owner, listening.endpoint, url, None, enabled=False)
    await business.paid("500")
    (row,) = await listening.written()
    assert (row.state, row.because) == ("dead", "endpoint_disabled")
    assert await listening.claimed() == []


async def test_nobody_listens_and_nothing_is_written(business):
    await business.paid("500")
    async with business.behind() as work:
        assert (await work.connection.execute(webhook_deliveries.select())).all() == []


async def test_a_word_that_is_no_event_is_a_bug(business):
    async with business.work() as work:
        with pytest.raises(ValueError, match="dreamt"):
            webhooks.tell(work, "payment.dreamt", business.customer)
    assert all(about.about for about in TYPES.values())
