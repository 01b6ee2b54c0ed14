"""Prompts, over real HTTP against the emulated M-Pesa: every way that a payment can go."""

import asyncio

import pytest
import structlog

from bot.metrics import registry
from services.jobs import COLLECT_LADDER, SEND_LADDER
from services.news import PaymentFailed, PaymentSettled, Unpaid
from services.payments import waiting
from services.store.schema import attempts
from tests.bot.canary import CANARY, leaks
from tests.bot.market import NOWHERE, SETTINGS, until


def calls_counted(operation: str, outcome: str) -> float:
    labels = {"provider": "mpesa", "operation": operation, "outcome": outcome}
    return registry.get_sample_value("lipachat_provider_calls_total", labels) or 0


async def last_news(market):
    return (await market.business.news(market.business.customer))[-1]


async def test_a_payment_approved_on_the_phone_credits_the_wallet_and_is_told(market):
    before = calls_counted("collect", "accepted")
    paying = await market.business.pay("500")
    await market.work()
    assert await market.attempt(paying.attempt) == "pending"
    assert calls_counted("collect", "accepted") == before + 1
    await market.phone("pay")
    await market.told()
    (news,) = await market.business.news(market.business.customer)
    assert isinstance(news, PaymentSettled)
    assert news.receipt == (await market.prompts())[0]["receipt"]
    assert await market.business.balances() == {"provider:mpesa": -50_000, "wallet": 50_000}
    assert await market.business.jobs(paying.attempt) == {}
    assert [row.state for row in await market.hooks()] == ["done"]


@pytest.mark.parametrize(
    ("outcome", "because"),
    [("wrong_pin", Unpaid.WRONG_PIN), ("cancel", Unpaid.CANCELLED), ("no_funds", Unpaid.INSUFFICIENT_FUNDS)],
)
async def test_a_failure_on_the_phone_is_told_with_its_cause(market, outcome, because):
    paying = await market.business.pay("500")
    await market.work()
    await market.phone(outcome)
    await market.told()
    (news,) = await market.business.news(market.business.customer)
    assert isinstance(news, PaymentFailed)
    assert news.because == because
    assert await market.business.balances() == {}
    assert await market.business.jobs(paying.attempt) == {}


async def test_a_query_is_asked_up_its_ladder_and_a_late_yes_is_honoured(market):
    paying = await market.business.pay("500")
    await market.work()
    for wait in COLLECT_LADDER:
        assert await market.attempt(paying.attempt) == "pending"
        assert await market.business.jobs(paying.attempt) == {"collect_check": wait}
        await market.later(seconds=wait.total_seconds())
    assert await market.attempt(paying.attempt) == "expired"
    news = await last_news(market)
    assert isinstance(news, PaymentFailed)
    assert news.because == Unpaid.EXPIRED
    await market.phone("pay")
    await market.told()
    late = await last_news(market)
    assert isinstance(late, PaymentSettled)
    assert late.late
    assert await market.business.wallet() == ("500.00", "0.00", "500.00")


@pytest.mark.parametrize("fault", ["500", "drop", "busy"])
async def test_a_query_that_fails_is_asked_again(market, fault):
    await market.business.pay("500")
    await market.work()
    await market.arm("stk.callback", "lost")
    await market.phone("wrong_pin")
    await market.arm("stk.query", fault)
    await market.later(seconds=10)
    assert await market.business.news(market.business.customer) == []
    await market.later(seconds=20)
    assert (await last_news(market)).because == Unpaid.WRONG_PIN


@pytest.mark.parametrize("fault", ["500", "500_after", "busy"])
async def test_what_stays_unknown_is_given_up_after_its_time_and_never_sent_again(market, fault):
    await market.arm("stk.request", fault)
    paying = await market.business.pay("500")
    for _ in range(20):
        await market.later(seconds=10)
    assert await market.attempt(paying.attempt) == "expired"
    assert (await last_news(market)).because == Unpaid.EXPIRED
    assert len(await market.prompts()) == (1 if fault == "500_after" else 0)


async def test_a_callback_after_a_lost_answer_teaches_the_reference_to_ask_by(market):
    """Where a success must be confirmed, the query is asked by what the callback said."""
    await market.set_up(SETTINGS | {"confirm_above": "400"})
    await market.arm("stk.request", "500_after")
    paying = await market.business.pay("500")
    await market.work()
    await market.phone("pay")
    await market.told()
    assert await market.attempt(paying.attempt) == "succeeded"
    (news,) = await market.business.news(market.business.customer)
    assert news.receipt == (await market.prompts())[0]["receipt"]


async def test_what_provably_was_not_looked_at_is_sent_again(market):
    await market.arm("oauth", "500")
    paying = await market.business.pay("500")
    await market.work()
    assert await market.attempt(paying.attempt) == "created"
    await market.later(seconds=2)
    assert await market.attempt(paying.attempt) == "pending"
    assert len(await market.prompts()) == 1


async def test_where_nobody_listens_it_is_sent_again_while_the_person_waits(market):
    paying = await market.business.pay("500")
    lost, _ = market.workers(NOWHERE)
    assert await lost.once()
    assert await market.attempt(paying.attempt) == "created"
    await market.later(seconds=2)
    assert await market.attempt(paying.attempt) == "pending"
    assert len(await market.prompts()) == 1


async def test_where_nobody_listens_for_long_the_payment_has_failed(market):
    paying = await market.business.pay("500")
    lost, _ = market.workers(NOWHERE)
    assert await lost.once()
    for wait in SEND_LADDER:
        assert await market.attempt(paying.attempt) == "created"
        market.business.forward(seconds=wait.total_seconds())
        assert await lost.once()
    assert (await last_news(market)).because == Unpaid.PROVIDER
    assert await market.business.jobs(paying.attempt) == {}


async def test_a_person_who_asks_is_told_by_the_provider_at_once(market):
    paying = await market.business.pay("500")
    await market.work()
    await market.arm("stk.callback", "lost")
    await market.phone("pay")
    async with market.business.work() as work:
        await waiting.check(work, market.business.customer, paying.started.payment_id)
    await market.work()
    assert isinstance(await last_news(market), PaymentSettled)


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {"shortcode": "none"},
        {key: value for key, value in SETTINGS.items() if key != "passkey"},
        SETTINGS | {"passkey": "wrong"},
        SETTINGS | {"consumer_secret": "wrong"},
    ],
    ids=["no settings", "broken settings", "no passkey", "wrong passkey", "wrong secret"],
)
async def test_settings_that_cannot_work_fail_the_payment_and_alert(market, settings):
    await market.set_up(settings)
    paying = await market.business.pay("500")
    with structlog.testing.capture_logs() as logs:
        await market.work()
    assert await market.attempt(paying.attempt) == "failed"
    assert (await last_news(market)).because == Unpaid.SHOP
    assert await market.business.alerts() == ["payment.misconfigured"]
    assert [line["kind"] for line in logs if line["event"] == "call.misconfigured"] == ["collect"]
    detail = (await market.business.row(attempts, paying.attempt)).detail
    assert detail
    assert "secret" not in detail.replace("consumer_secret", "")


class Broken:
    """A vault with a bug."""

    def open(self, *_where):
        raise RuntimeError(f"a bug with {CANARY}")


async def test_a_call_that_fails_by_a_bug_keeps_its_reason_and_nothing_of_anybody(market):
    paying = await market.business.pay("500")
    market.vault = Broken()
    calls, _ = market.workers_with(None)
    assert await calls.once()
    await calls.drain()
    kept = (await market.job(paying.attempt)).error
    assert "a bug" in kept
    assert leaks(kept) == []


async def test_new_settings_are_used_from_the_next_call_on(market):
    await market.set_up(None)
    await market.business.pay("500")
    await market.work()
    await market.set_up(SETTINGS)
    paying = await market.business.pay("500")
    await market.work()
    assert await market.attempt(paying.attempt) == "pending"


async def test_the_workers_run_by_themselves(market):
    """Woken by the bell: nothing here waits for a poll, and the turns are woken in the end."""
    running = [asyncio.create_task(worker.run()) for worker in (market.calls, market.callbacks)]
    paying = await market.business.pay("500")
    market.bell.ring("jobs")

    async def prompted():
        return await market.attempt(paying.attempt) == "pending"

    await until(prompted)
    async with asyncio.timeout(5):
        await market.phone("pay")
        while await market.attempt(paying.attempt) != "succeeded":  # it may ring for the prompt as well
            await market.bell.wait("turns", 5)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await market.calls.drain()
