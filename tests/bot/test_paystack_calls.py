"""Bank transfers, over real HTTP against the emulated Paystack."""

import asyncio
import hashlib
import hmac
import json

import pytest
import sqlalchemy as sa

from services import jobs
from services.news import Frozen, Unsent, WithdrawalClosed, WithdrawalPaid
from services.store.schema import inbox, payouts
from services.store.scope import OWNER
from services.withdrawals import freeze
from tests.bot.market import PAYSTACK, until
from tests.services.business import TO_BANK


@pytest.fixture
async def paying_out(market):
    """1,000 of 5,000 are approved to leave for a bank, less the fee of 50."""
    await market.business.paid("5000")
    return await market.business.approved("1000", TO_BANK)


async def paid(market, paying_out):
    completed = await market.withdrawal(paying_out.withdrawal.id) == "completed"
    return completed and await market.business.wallet() == ("4000.00", "0.00", "4000.00")


async def held(market, paying_out):
    processing = await market.withdrawal(paying_out.withdrawal.id) == "processing"
    return processing and await market.business.wallet() == ("5000.00", "1000.00", "4000.00")


async def decided(market):
    return (await market.sent_payouts())[-1]["state"] == "done"


async def frozen(market):
    return (await market.business.resting()).get("bank_transfer")


async def unfrozen(market):
    async with market.business.work() as work:
        assert await freeze.unfreeze(work, "operator")
    await market.work()


async def last_news(market):
    return (await market.business.news(market.business.cashier))[-1]


async def tell(market, body, key=PAYSTACK["secret_key"], slug=None):
    """An event by whoever knows the key; the status that it is answered with."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(key.encode(), raw, hashlib.sha512).hexdigest()
    url = f"{market.app_url}/hooks/paystack/{slug or market.business.slug}"
    async with market._outside.post(url, data=raw, headers={"X-Paystack-Signature": signature}) as answer:
        return answer.status


def event(payout, status="success", **changes):
    data = {
        "reference": str(payout),
        "transfer_code": "TRF_told",
        "amount": 950_00,
        "currency": "KES",
        "status": status,
    }
    return {"event": f"transfer.{status}", "data": data | changes}


async def states(market):
    async with market.database.reading(OWNER) as connection:
        query = sa.select(inbox.c.state).where(inbox.c.kind == "hook").order_by(inbox.c.seq)
        return list((await connection.execute(query)).scalars())


# --- paid


async def test_an_approved_withdrawal_is_transferred_and_told(market, paying_out):
    await market.work()
    await market.told()
    assert await paid(market, paying_out)
    (sent,) = await market.sent_payouts()
    assert (sent["amount"], sent["id"]) == (950, str(paying_out.payout))
    news = await last_news(market)
    assert isinstance(news, WithdrawalPaid)
    assert news.receipt == sent["receipt"] != ""
    assert await market.business.jobs(paying_out.payout) == {}
    assert await market.business.balances() == {
        "provider:mpesa": -500_000,
        "provider:paystack": 95_000,
        "wallet": 400_000,
        "fees:withdrawals": 5_000,
    }


async def test_the_same_bank_account_is_made_known_once(market, paying_out):
    await market.work()
    await market.told()
    second = await market.business.approved("500", TO_BANK)
    await market.arm("paystack.recipient", "500")  # it would not be asked for
    await market.work()
    await market.told(2)
    assert await market.withdrawal(second.withdrawal.id) == "completed"
    codes = {(await market.business.row(payouts, one.payout)).recipient for one in (paying_out, second)}
    assert len(codes) == 1
    assert codes.pop().startswith("RCP_")


async def test_with_the_keys_of_another_account_it_is_made_known_there(market, paying_out):
    await market.business.change(payouts, payouts.c.id == paying_out.payout, recipient="RCP_elsewhere")
    await market.work()
    await market.told()
    assert await paid(market, paying_out)


async def test_an_event_before_the_answer_to_our_request_completes(market, paying_out):
    await market.arm("paystack.transfer", "callback_first")
    await market.work()
    assert await paid(market, paying_out)
    assert await market.business.alerts() == []


@pytest.mark.parametrize("fault", ["twice", "forged"])
async def test_events_that_come_twice_or_forged_change_nothing(market, paying_out, fault):
    await market.arm("paystack.webhook", fault)
    await market.work()
    await market.told()
    assert await paid(market, paying_out)
    assert await states(market) == ["done"]
    assert await market.business.alerts() == []


async def test_an_event_that_is_late_finds_it_settled_by_asking(market, paying_out):
    await market.arm("paystack.webhook", "late", seconds=0.5)
    await market.work()
    await until(lambda: decided(market))
    await market.later(seconds=15)
    assert await paid(market, paying_out)
    await market.told()
    assert await paid(market, paying_out)
    assert await market.business.alerts() == []


# --- not known


async def test_where_the_event_is_lost_paystack_is_asked_and_tells_at_once(market, paying_out):
    await market.arm("paystack.webhook", "lost")
    await market.arm("paystack.verify", "500", times=2)
    await market.work()
    await until(lambda: decided(market))
    await market.later(seconds=15)
    await market.later(seconds=45)
    assert await held(market, paying_out)
    await market.later(minutes=2)
    assert await paid(market, paying_out)
    assert await market.hooks() == []


@pytest.mark.parametrize("fault", ["500_after", "drop"])
async def test_a_transfer_whose_answer_is_lost_is_never_sent_again(market, paying_out, fault):
    await market.arm("paystack.transfer", fault)
    await market.arm("paystack.webhook", "lost")
    await market.work()
    assert await market.payout(paying_out.payout) == "unknown"
    await until(lambda: decided(market))
    await market.later(seconds=15)
    assert await paid(market, paying_out)
    assert len(await market.sent_payouts()) == 1


async def test_a_worker_that_died_while_sending_leaves_it_unknown_and_nothing_is_sent_again(
    market, paying_out
):
    assert await paying_out.begun()  # and never came back
    await market.work()
    await market.later(seconds=15)  # not known there, which proves nothing
    assert await market.payout(paying_out.payout) == "unknown"
    assert await held(market, paying_out)
    assert await market.sent_payouts() == []


async def test_the_same_reference_is_not_paid_twice_and_the_first_one_is_asked_about(market, paying_out):
    await market.arm("paystack.webhook", "lost")
    await market.work()
    await until(lambda: decided(market))
    await market.business.change(payouts, payouts.c.id == paying_out.payout, state="created")
    async with market.business.work() as work:
        await jobs.schedule(work, "payout", paying_out.payout, work.now)
    await market.work()
    assert await market.payout(paying_out.payout) == "unknown"
    await market.later(minutes=1)
    assert await paid(market, paying_out)
    assert len(await market.sent_payouts()) == 1


@pytest.mark.parametrize(
    ("at", "fault"), [("recipient", "500"), ("recipient", "drop"), ("transfer", "spike")]
)
async def test_what_provably_never_left_is_sent_again(market, paying_out, at, fault):
    await market.arm(f"paystack.{at}", fault)
    await market.work()
    assert await market.payout(paying_out.payout) == "created"
    await market.later(seconds=15)
    await market.told()
    assert await paid(market, paying_out)


# --- no


@pytest.mark.parametrize("outcome", ["failed", "given_back", "blocked"])
async def test_a_transfer_that_fails_gives_the_hold_back(market, paying_out, outcome):
    await market.arm("paystack.outcome", outcome)
    await market.work()
    await market.told()
    assert await market.withdrawal(paying_out.withdrawal.id) == "failed"
    assert await market.business.wallet() == ("5000.00", "0.00", "5000.00")
    assert isinstance(await last_news(market), WithdrawalClosed)


async def test_one_that_is_given_back_after_it_was_paid_is_in_the_wallet_again(market, paying_out):
    await market.work()
    await market.told()
    assert await paid(market, paying_out)
    await market.act(f"payouts/{paying_out.payout}", outcome="give_back")
    await market.told(2)
    for _ in range(2):  # and the same again
        assert await market.withdrawal(paying_out.withdrawal.id) == "failed"
        assert await market.business.wallet() == ("5000.00", "0.00", "5000.00")
        assert await tell(market, event(paying_out.payout, "reversed")) == 200
        await market.work()
    news = await last_news(market)
    assert isinstance(news, WithdrawalClosed)
    assert news.because == Unsent.RETURNED
    assert await market.business.alerts() == ["payout.returned"]


async def test_a_code_that_is_asked_for_stops_payouts_and_the_transfer_is_not_sent_anew(market, paying_out):
    await market.arm("paystack.outcome", "otp")
    await market.work()
    assert await frozen(market) == Frozen.SETTINGS
    assert await held(market, paying_out)
    await market.act(f"payouts/{paying_out.payout}", outcome="succeed")  # with the code, at the dashboard
    await market.told()
    assert await paid(market, paying_out)
    assert len(await market.sent_payouts()) == 1


async def test_where_no_code_was_given_in_time_it_is_sent_under_a_new_reference(market, paying_out):
    await market.arm("paystack.outcome", "otp")
    await market.work()
    assert await tell(market, event(paying_out.payout, "abandoned")) == 200
    await market.work()
    assert await market.payout(paying_out.payout) == "failed"
    assert await held(market, paying_out)
    await unfrozen(market)
    await market.told(2)
    assert await paid(market, paying_out)
    assert len({sent["id"] for sent in await market.sent_payouts()}) == 2


async def test_a_short_balance_stops_payouts_until_money_was_added(market, paying_out):
    await market.act("float", shortcode=market.business.slug, utility=949)
    await market.work()
    assert await frozen(market) == Frozen.FUNDS
    assert await held(market, paying_out)
    await market.act("float", shortcode=market.business.slug, utility=950)
    await unfrozen(market)
    await market.told()
    assert await paid(market, paying_out)


@pytest.mark.parametrize("wrong", ["key", "forbidden", "none"])
async def test_what_is_wrong_with_our_settings_stops_payouts_and_the_same_is_sent_later(
    market, paying_out, wrong
):
    if wrong == "forbidden":
        await market.arm("paystack.transfer", "forbidden")
    else:
        await market.set_up({"secret_key": "sk_test_wrong"} if wrong == "key" else None, "paystack")
    await market.work()
    assert await frozen(market) == Frozen.SETTINGS
    assert await market.payout(paying_out.payout) == "created"
    await market.set_up(PAYSTACK, "paystack")
    await unfrozen(market)
    await market.told()
    assert await paid(market, paying_out)
    assert [sent["id"] for sent in await market.sent_payouts()] == [str(paying_out.payout)]


# --- events that prove nothing


@pytest.fixture
async def hanging(market, paying_out):
    """Sent, and not decided."""
    await market.arm("paystack.outcome", "hang")
    await market.work()
    return paying_out


@pytest.mark.parametrize(
    "changes",
    [{"amount": 951_00}, {"amount": 1}, {"currency": "NGN"}],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
async def test_an_event_of_another_amount_moves_nothing_and_is_alerted(market, hanging, changes):
    assert await tell(market, event(hanging.payout, **changes)) == 200
    await market.work()
    assert await held(market, hanging)
    assert await market.business.alerts() == ["payout.amount_mismatch"]


async def test_an_event_without_an_amount_is_asked_about(market, hanging):
    told = event(hanging.payout)
    del told["data"]["amount"]
    assert await tell(market, told) == 200
    await market.work()
    assert await held(market, hanging)
    assert await market.business.alerts() == ["payout.without_amount"]


async def test_an_event_of_an_unheard_status_is_alerted_and_pending(market, hanging):
    assert await tell(market, event(hanging.payout, "teleported")) == 200
    await market.work()
    assert await held(market, hanging)
    assert await market.business.alerts() == ["payout.unheard_code"]


@pytest.mark.parametrize(
    "told",
    [
        {"event": "charge.success", "data": {"reference": "order-12", "amount": 50000, "status": "success"}},
        {"event": "transfer.success", "data": {"reference": "of-somebody-else", "status": "success"}},
        {"event": "refund.processed", "data": {}},
    ],
    ids=["charge", "transfer", "refund"],
)
async def test_what_is_not_ours_is_kept_and_moves_nothing(market, hanging, told):
    assert await tell(market, told) == 200
    await market.work()
    assert await states(market) == ["kept"]
    assert await held(market, hanging)
    assert await market.business.alerts() == []


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"event": 7}', b"\xff"])
async def test_what_is_signed_and_cannot_be_read_is_parked(market, hanging, body):
    assert await tell(market, body) == 200
    await market.work()
    assert await states(market) == ["parked"]


async def test_without_the_right_signature_nothing_is_stored(market, hanging):
    told = event(hanging.payout)
    assert await tell(market, told, key="sk_test_other") == 401
    assert await tell(market, told, slug="nobody") == 401
    url = f"{market.app_url}/hooks/paystack/{market.business.slug}"
    for headers in ({}, {"X-Paystack-Signature": "0" * 128}, {"X-Paystack-Signature": "x"}):
        async with market._outside.post(url, json=told, headers=headers) as answer:
            assert answer.status == 401
    await market.set_up(None, "paystack")
    assert await tell(market, told) == 401
    assert await market.hooks() == []
    assert await held(market, hanging)


async def test_a_tenant_cannot_speak_for_anothers_payout(market, hanging):
    """Its own key, its own address, and our reference."""
    from tests.services.business import Business

    other = await Business(market.database, market.vault).open()
    ours, market.business = market.business, other
    await market.set_up({"secret_key": "sk_test_other"}, "paystack")
    assert await tell(market, event(hanging.payout), key="sk_test_other") == 200
    market.business = ours
    await market.work()
    assert await states(market) == ["kept"]
    assert await held(market, hanging)


# --- races


async def test_events_and_answers_at_once_pay_it_once(market, hanging):
    """The same success by two bodies and by asking, taken by several workers at once."""
    for transfer_id in range(4):
        assert await tell(market, event(hanging.payout, transfer_code="TRF_told", id=transfer_id)) == 200
    await market.act(f"payouts/{hanging.payout}", outcome="succeed")
    market.business.forward(seconds=15)
    crowd = [market.workers() for _ in range(4)]
    await asyncio.gather(*(worker.once() for pair in crowd for worker in pair))
    await market.told(5)
    assert await paid(market, hanging)
    async with market.business.behind() as work:
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(payouts)) == 1


async def test_a_success_and_a_failure_at_once_leave_one_of_them_and_the_sums_right(market, hanging):
    for status in ("success", "failed"):
        assert await tell(market, event(hanging.payout, status)) == 200
    await asyncio.gather(*(market.workers()[1].once() for _ in range(4)))
    await market.work()
    status = await market.withdrawal(hanging.withdrawal.id)
    assert status in ("completed", "failed")
    # A yes after the no: the net has left after all, and no fee is taken of it.
    ended = {"completed": ("4000.00", "0.00", "4000.00"), "failed": ("4050.00", "0.00", "4050.00")}
    assert await market.business.wallet() == ended[status]
    assert await market.business.alerts() != []


async def test_a_refund_in_the_same_bytes_is_told_anew_once_it_was_read_and_waits_once(market):
    data = {"transaction_reference": "nobody", "amount": 100_00, "currency": "KES"}
    refund = {"event": "refund.processed", "data": data}
    charge = {"event": "charge.success", "data": {"reference": "nobody"}}
    for _ in range(2):
        assert await asyncio.gather(*(tell(market, refund) for _ in range(3))) == [200] * 3
        assert await tell(market, charge) == 200
        waiting = await states(market)
        await market.work()
        assert "waiting" not in await states(market)
    assert waiting.count("waiting") == 1
    assert len(waiting) == 2
