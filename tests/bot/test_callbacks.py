"""Callbacks of payments as anybody could post them, over real HTTP, taken by the worker: what credits, what
does not, and what becomes of those that nobody can read."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.callbacks import MOST_TRIES
from bot.commands import events
from bot.parts import Parts
from services.ids import new_id
from services.people.tenants import TenantBook
from services.store.schema import inbox
from tests.bot.canary import CANARY, leaks
from tests.bot.door import settings_of
from tests.bot.market import NOWHERE, SETTINGS, prompt_told, slow_daraja, until

CREDITED = ("500.00", "0.00", "500.00")
NOTHING = ("0.00", "0.00", "0.00")


class Asked:
    """A customer is asked for 500; `token` is of the address that Daraja was told, `checkout` its answer."""

    def __init__(self, market, daraja, attempt, token, checkout):
        self.market, self.daraja, self.attempt = market, daraja, attempt
        self.token, self.checkout = token, checkout

    async def called(self, code=0, amount=500.0, **more):
        body = prompt_told(self.checkout, code, amount if code == 0 else None, **more)
        assert await self.market.post(self.token, body) == 200
        await self.market.work()

    async def wallet(self):
        return await self.market.business.wallet()

    async def state(self):
        return await self.market.attempt(self.attempt)


@asynccontextmanager
async def asking(market, *, answered=True):
    """A prompt that Daraja has taken; with its answer, or before it."""
    async with slow_daraja() as daraja:
        calls, _ = market.workers(daraja.url)
        paying = await market.business.pay("500")
        if answered:
            daraja.answers.set()
        sending = asyncio.create_task(calls.once())

        async def came():
            return daraja.asked

        await until(came)
        if answered:
            await sending
        token = daraja.asked[-1]["CallBackURL"].rsplit("/", 1)[1]
        yield Asked(market, daraja, paying.attempt, token, f"ws_CO_{len(daraja.asked)}")
        daraja.answers.set()
        await sending


@pytest.fixture
async def asked(market):
    async with asking(market) as asked:
        yield asked


@pytest.mark.parametrize("amount", [1.0, 499.99, 500.01, 5000000.0, -500.0, 0.0])
async def test_a_callback_of_another_amount_credits_nothing_and_is_kept_and_alerted(market, asked, amount):
    await asked.called(amount=amount)
    assert await asked.wallet() == NOTHING
    assert await asked.state() != "succeeded"
    assert len(await market.hooks()) == 1
    assert await market.business.alerts() != []


async def test_a_callback_of_another_checkout_credits_nothing_and_is_alerted(market, asked):
    assert await market.post(asked.token, prompt_told("ws_CO_of_somebody_else", 0, 500.0)) == 200
    await market.work()
    assert await asked.wallet() == NOTHING
    assert await market.business.alerts() == ["payment.reference_mismatch"]


async def test_a_callback_on_an_address_that_nobody_gave_away_moves_nothing(market, asked):
    for token in ("0" * 64, new_id().hex * 2, asked.checkout, "mpesa"):
        assert await market.post(token, prompt_told(asked.checkout, 0, 500.0)) == 404
    await market.work()
    assert await asked.wallet() == NOTHING
    assert await market.hooks() == []
    assert await asked.state() == "pending"


async def test_a_success_before_the_answer_to_our_request_credits_and_stays(market):
    async with asking(market, answered=False) as asked:
        assert await asked.state() == "submitting"
        await asked.called()
        assert await asked.wallet() == CREDITED
    assert await asked.state() == "succeeded"
    assert await asked.wallet() == CREDITED
    assert await market.business.alerts() == []


async def test_a_callback_that_was_done_and_is_played_again_moves_money_once(market, asked):
    await asked.called()
    book = TenantBook(market.database, market.vault, market.clock)
    parts = Parts(settings_of(NOWHERE), market.database, market.vault, book, market.bell, market.clock)
    ((seq, state),) = [(row.seq, row.state) for row in await market.hooks()]
    assert state == "done"
    for _ in range(3):
        await events.replayed(parts, seq)
        await market.work()
    assert await asked.wallet() == CREDITED
    assert [row.state for row in await market.hooks()] == ["done"]
    assert await market.business.alerts() == []


async def test_a_no_after_a_yes_takes_nothing_back_and_is_alerted(market, asked):
    await asked.called()
    await asked.called(code=1032)
    assert await asked.wallet() == CREDITED
    assert await asked.state() == "succeeded"
    assert await market.business.alerts() == ["payment.failed_after_success"]


async def test_a_yes_and_a_no_at_once_credit_whatever_comes_first(market, asked):
    bodies = [prompt_told(asked.checkout, 0, 500.0), prompt_told(asked.checkout, 1032)]
    assert await asyncio.gather(*(market.post(asked.token, body) for body in bodies * 3)) == [200] * 6
    _, others = market.workers()
    await asyncio.gather(others.once(), market.callbacks.once())
    await market.work()
    assert await asked.wallet() == CREDITED


UNREADABLE = [b"", b"no json", b"[]", b"null", b"{}", b'{"Body":{}}', b"\xff\x00", b"<xml/>", b"{" * 5000]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:12]))
async def test_what_nobody_can_read_is_parked_and_the_right_one_still_credits(market, asked, body):
    assert await market.post(asked.token, body) == 200
    await asked.called()
    assert await asked.wallet() == CREDITED
    states = [row.state for row in await market.hooks()]
    assert states == ["parked", "done"]
    assert (await market.hooks())[0].error.startswith("unreadable: ")


class Failing:
    """Providers with a bug, for a while."""

    def __init__(self, providers):
        self._providers, self.failing = providers, True

    async def of(self, tenant_id, provider):
        if self.failing:
            raise RuntimeError(f"a bug with {CANARY}")
        return await self._providers.of(tenant_id, provider)

    async def confirm_above(self, tenant_id, provider):
        return await self._providers.confirm_above(tenant_id, provider)


class Slow:
    """Providers of which the first that is asked for takes its time."""

    def __init__(self, providers):
        self._providers, self._wait = providers, 0.2

    async def of(self, tenant_id, provider):
        wait, self._wait = self._wait, 0
        await asyncio.sleep(wait)
        return await self._providers.of(tenant_id, provider)

    async def confirm_above(self, tenant_id, provider):
        return await self._providers.confirm_above(tenant_id, provider)


async def test_what_one_address_was_told_is_taken_in_the_order_in_which_it_came(market, asked):
    """Read beside each other, whichever is quicker would be the first."""
    for body in (prompt_told(asked.checkout, 0, 500.0), prompt_told(asked.checkout, 1032)):
        assert await market.post(asked.token, body) == 200
    _, callbacks = market.workers_with(Slow(market.callbacks._providers))
    assert await callbacks.once()
    assert await asked.state() == "succeeded"
    assert await market.business.alerts() == ["payment.failed_after_success"]


async def test_a_callback_that_fails_by_a_bug_waits_longer_each_time_and_credits_once_it_is_mended(
    market, asked
):
    providers = Failing(market.callbacks._providers)
    _, callbacks = market.workers_with(providers)
    assert await market.post(asked.token, prompt_told(asked.checkout, 0, 500.0)) == 200
    assert await callbacks.once()
    assert not await callbacks.once()  # it waits
    market.business.forward(seconds=3)
    assert await callbacks.once()
    providers.failing = False
    market.business.forward(seconds=5)
    assert await callbacks.once()
    assert await asked.wallet() == CREDITED


async def test_a_callback_that_always_fails_is_parked_while_others_go_on(market, asked):
    _, callbacks = market.workers_with(Failing(market.callbacks._providers))
    assert await market.post(asked.token, prompt_told(asked.checkout, 0, 500.0)) == 200
    for _ in range(MOST_TRIES):
        assert await callbacks.once()
        assert leaks((await market.hooks())[0].error) == []
        market.business.forward(minutes=1)
    assert not await callbacks.once()
    (row,) = await market.hooks()
    assert (row.state, row.tries) == ("parked", MOST_TRIES)
    assert "a bug" in row.error
    await asked.called(receipt="UKO0000002")
    assert await asked.wallet() == CREDITED


async def test_a_callback_that_kills_its_process_is_parked_in_the_end(market, asked):
    assert await market.post(asked.token, prompt_told(asked.checkout, 0, 500.0)) == 200
    await market.business.change(inbox, inbox.c.kind == "hook", tries=MOST_TRIES)  # what earlier deaths left
    await market.work()
    assert [row.state for row in await market.hooks()] == ["parked"]
    assert await asked.wallet() == NOTHING


async def test_what_a_dead_worker_had_claimed_is_taken_after_its_lease(market, asked):
    assert await market.post(asked.token, prompt_told(asked.checkout, 0, 500.0)) == 200
    _, dead = market.workers()
    assert await dead._claim(tried=False)
    assert not await market.callbacks.once()
    market.business.forward(seconds=31)
    await market.work()
    assert await asked.wallet() == CREDITED


async def test_a_callback_that_comes_while_the_settings_are_missing_is_taken_once_they_are_back(market):
    async with asking(market) as asked:
        await market.set_up(None)
        await asked.called()
        for _ in range(2 * MOST_TRIES):
            await market.later(minutes=1)
        assert await asked.wallet() == NOTHING
        await market.set_up(SETTINGS)
        await market.later(minutes=1)
        assert await asked.wallet() == CREDITED
