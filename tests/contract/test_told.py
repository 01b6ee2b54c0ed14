"""What a provider tells, in every way that it may go wrong, by each of them: what it tells twice, what others
tell in its name, what nobody has heard before, and what is not what it was asked for."""

import asyncio
import itertools
import json
import random

import pytest

from services.errors import Refusal
from services.news import OrderInDoubt, PaymentInDoubt
from services.providers import PROVIDERS
from services.review import queue
from tests.contract.stands import STANDS
from tests.contract.words import NOTHING, PAID, asked, by_all, every, news, state
from tests.services.reviewing import propose

ODD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    10**40,
    1.5e300,
    "",
    "\x00\ud800",
    "x" * 5000,
    [],
    {},
    [{}],
    "500.00",
)


@by_all
async def test_the_same_payment_told_twice_is_credited_once(till):
    await till.market.arm(till.told_at, "twice")
    paying = await asked(till)
    await till.paid(paying, posts=2)
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


@by_all
async def test_the_same_words_at_once_and_again_a_day_later_change_nothing(till):
    paying = await asked(till)
    await till.paid(paying)
    told = list(till.market.came)
    await asyncio.gather(*(till.told(each) for each in told * 3), till.market.work())
    await till.market.work()
    await till.market.later(hours=24)
    for each in told:
        in_other_bytes = json.dumps(json.loads(each.body), indent=3).encode()
        assert [await till.told(each), await till.post(each.path, in_other_bytes)] == [200, 200]
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    assert await till.business.alerts() == []


@by_all
async def test_what_comes_in_another_order_counts_all_the_same(till):
    paying = await asked(till)
    await till.held_up(paying)
    for each in reversed(till.market.came.copy()):
        await till.told(each)
    await till.market.work()
    assert await state(till, paying) == "succeeded"


@pytest.mark.parametrize(("stand", "how"), every("forgeries"))
async def test_what_is_forged_credits_nothing_and_the_true_word_after_it_counts(till, how):
    paying = await asked(till)
    refused = await till.forged(paying, how)
    assert refused in (200, 401, 404)
    await till.market.work()
    rows = await till.market.hooks()
    assert (refused == 200) == bool(rows), "what is refused is not kept either"
    assert (await state(till, paying), await till.business.wallet()) == ("pending", NOTHING)
    await till.paid(paying)
    await till.market.work()
    assert await state(till, paying) == "succeeded"


@pytest.mark.parametrize("stand", [each for each in STANDS if each.dated], ids=str)
async def test_a_true_word_that_is_replayed_after_its_time_is_not_let_in(till):
    paying = await asked(till)
    held_up = await till.held_up(paying)
    signs = till.signed(held_up.body)
    till.business.forward(minutes=6)
    kept = len(await till.market.hooks())
    assert await till.post(held_up.path, held_up.body, signs) == 401
    assert len(await till.market.hooks()) == kept
    assert await till.told(held_up) == 200  # signed anew
    await till.market.work()
    assert await state(till, paying) == "succeeded"


@by_all
async def test_a_status_that_nobody_has_heard_of_is_pending_until_it_is_known(till):
    paying = await asked(till)
    await till.lies(paying, "status")
    await till.market.work()
    await till.market.later(seconds=61)
    assert (await state(till, paying), await till.business.wallet()) == ("pending", NOTHING)
    assert "payment.unheard_code" in await till.business.alerts_of(paying.attempt)
    await till.true_again()
    for _ in range(4):
        await till.market.later(minutes=3)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


@pytest.mark.parametrize(
    ("stand", "what"),
    [
        pytest.param(each, what, id=f"{each}-{what}")
        for each in STANDS
        for what in ("amount", "currency")
        if what == "amount" or each.tells_currency
    ],
)
async def test_another_amount_or_currency_credits_nothing_and_people_look_at_it(till, what):
    paying = await asked(till)
    await till.lies(paying, what)
    await till.market.work()
    for _ in range(9):
        await till.market.later(minutes=6)
    assert (await state(till, paying), await till.business.wallet()) == ("expired", NOTHING)
    assert "payment.amount_mismatch" in await till.business.alerts_of(paying.attempt)
    told = await news(till, till.business.manager)
    assert [each.provider for each in told if isinstance(each, OrderInDoubt)] == [till.name]
    heard = (await news(till))[-1]
    assert (isinstance(heard, PaymentInDoubt), heard.provider) == (True, till.name)
    await seen_by_who_settles_it(till, paying)


async def seen_by_who_settles_it(till, paying):
    """What was told, and how it came; only of what nobody has signed people may know better."""
    while await till.business.jobs(paying.attempt):  # it may be asked about for a while after it has expired
        await till.market.later(minutes=6)
    async with till.business.work() as work:
        about = await queue.one(work, paying.attempt)
    (other, *_) = about.others
    assert other.receipt is not None
    assert (other.by == "callback") == (about.firm is None)
    assert other.by != "callback" or PROVIDERS[till.name].signature is None
    with pytest.raises(Refusal) as refused:
        await propose(till.business, paying.attempt, reference=other.receipt)
    assert refused.value.code == ("amount_needed" if about.firm is None else "amount_differs")


@by_all
async def test_a_no_after_a_yes_takes_nothing_back(till):
    paying = await asked(till)
    await till.paid(paying)
    await till.market.work()
    before = len(await news(till))
    await till.denies(paying)
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    assert len(await news(till)) == before


@by_all
async def test_bodies_that_nobody_can_read_are_put_aside_and_stop_nothing(till):
    paying = await asked(till)
    true = await till.held_up(paying)
    bodies = (b"", b"[]", b"null", b"{", b"\xff\x00", true.body[: len(true.body) // 2], b"[" * 3000, b"{}")
    for body in bodies:
        assert await till.post(true.path, body) == 200
    await till.market.work()
    assert {row.state for row in await till.market.hooks()} <= {"parked", "kept"}
    assert (await state(till, paying), await till.business.wallet()) == ("pending", NOTHING)
    assert await till.told(true) == 200
    await till.market.work()
    assert await state(till, paying) == "succeeded"


@by_all
async def test_fields_that_nobody_knows_are_passed_over(till):
    paying = await asked(till)
    true = await till.held_up(paying)
    await till.post(true.path, json.dumps(_with_more(json.loads(true.body))).encode())
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


@by_all
async def test_types_that_nobody_expects_credit_nothing_wrong_and_break_nothing(till):
    """Each part of what is told is something else once; then all of it is told as it is."""
    paying = await asked(till)
    true = await till.held_up(paying)
    body, odd = json.loads(true.body), itertools.cycle(random.Random(7).sample(ODD, len(ODD)))
    for path in list(_paths(body)):
        assert await till.post(true.path, json.dumps(_changed(body, path, next(odd))).encode()) == 200
    await till.market.work()
    assert {row.state for row in await till.market.hooks()} <= {"parked", "kept", "done"}
    assert await till.business.wallet() in (NOTHING, PAID)  # where it is asked, the truth is found by then
    assert await till.told(true) == 200
    for _ in range(2):
        await till.market.later(seconds=61)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


def _with_more(told):
    if isinstance(told, dict):
        return {"unheard_of": {"a": [1, None]}} | {key: _with_more(value) for key, value in told.items()}
    return [_with_more(each) for each in told] if isinstance(told, list) else told


def _paths(told, at=()):
    if isinstance(told, dict | list):
        for key in told if isinstance(told, dict) else range(len(told)):
            yield (*at, key)
            yield from _paths(told[key], (*at, key))


def _changed(told, path, value):
    head, *rest = path
    copy = dict(told) if isinstance(told, dict) else list(told)
    copy[head] = _changed(told[head], rest, value) if rest else value
    return copy
