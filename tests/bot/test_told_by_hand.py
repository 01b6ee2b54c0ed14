"""Payments that M-Pesa tells of by itself, at the address it was given once, over real HTTP: lost, twice,
late, made up, before and after its list, and beside the prompt that asked for them."""

import asyncio

import pytest

from services import hooks
from services.providers.base import Accepted, Refused
from tests.bot.market import SETTINGS, until, with_phone
from tests.bot.reconciled import Reconciled
from tests.bot.test_reconciling_sources import ordered

PAID = ("70.00", "0.00", "70.00")
NOTHING = ("0.00", "0.00", "0.00")


@pytest.fixture
async def told(market):
    """A market whose shortcode has been registered."""
    assert isinstance(await register(market), Accepted)
    return market


async def register(market):
    async with market.business.work() as work:
        urls = [await hooks.lasting(work, market.app_url, "mpesa", asked=asked) for asked in (False, True)]
    return await (await market.client("mpesa")).register(*urls)


async def at_the_counter(market, number, amount=70):
    """Somebody pays; M-Pesa's call has come in."""
    before = len(await market.hooks())
    await market.act("counter", amount=amount, account=number)
    await market.told(before + 1)


async def test_who_types_an_orders_number_has_paid_it_at_once(told):
    number = await ordered(told)
    await at_the_counter(told, f" {number.lower()} ")
    assert await told.business.wallet() == PAID
    assert await told.business.alerts() == []
    assert [row.state for row in await told.hooks()] == ["done"]


async def test_a_shortcodes_addresses_are_taken_once(told):
    assert isinstance(await register(told), Accepted)  # the same again does no harm
    client = await told.client("mpesa")
    other = await client.register("https://elsewhere.example/1", "https://elsewhere.example/2")
    assert isinstance(other, Refused)
    assert "already registered" in other.detail


@pytest.mark.parametrize("fault", ["twice", "asks"])
async def test_told_twice_or_asked_for_first_it_is_paid_once(told, fault):
    number = await ordered(told)
    await told.arm("c2b.callback", fault)
    await told.act("counter", amount=70, account=number)
    await told.told(2)
    assert await told.business.wallet() == PAID
    assert await told.business.alerts() == []
    assert {row.state for row in await told.hooks()} == ({"done"} if fault == "twice" else {"done", "kept"})


async def test_the_question_alone_pays_nothing(told):
    """It says what the confirmation says, and no money has moved."""
    number = await ordered(told)
    async with told.business.work() as work:
        url = await hooks.lasting(work, told.app_url, "mpesa", asked=True)
    body = {
        "TransID": "UKH0000009",
        "TransAmount": "70.00",
        "TransTime": "20261124120000",
        "BusinessShortCode": SETTINGS["shortcode"],
        "BillRefNumber": number,
        "MSISDN": "2547 ***** 126",
    }
    async with told._outside.post(url, json=body) as answer:
        assert (answer.status, (await answer.json())["ResultCode"]) == (200, 0)
    await told.work()
    assert await told.business.wallet() == NOTHING
    assert [row.state for row in await told.hooks()] == ["kept"]


async def test_one_that_is_lost_is_found_in_the_list(told):
    await told.set_up(SETTINGS | {"pull": True})
    reconciled = Reconciled(told)
    number = await ordered(told)
    await told.arm("c2b.callback", "lost")
    await told.act("counter", amount=70, account=number)
    await told.later(minutes=31)
    await reconciled.edge.as_frequent_job()
    assert await told.business.wallet() == PAID


async def test_told_before_and_after_the_list_it_is_paid_once_and_fits(told):
    await told.set_up(SETTINGS | {"pull": True})
    reconciled = Reconciled(told)
    early, late = await ordered(told), await ordered(told)
    await at_the_counter(told, early)
    await told.arm("c2b.callback", "late", seconds=0.5)
    await told.act("counter", amount=70, account=late)
    told.business.forward(minutes=31)
    await reconciled.edge.as_frequent_job()
    await told.told(2)
    assert await told.business.wallet() == ("140.00", "0.00", "140.00")
    assert (await reconciled.again(ask=True)).opened == ()
    assert await told.business.alerts() == []


async def test_the_list_and_the_call_at_the_same_moment_pay_once(told):
    """By other processes, on a database that lets them in together."""
    await told.set_up(SETTINGS | {"pull": True})
    number = await ordered(told)
    await told.arm("c2b.callback", "twice")
    await told.act("counter", amount=70, account=number)
    await until(lambda: _came(told, 2))
    told.business.forward(minutes=31)
    edges = [Reconciled(told).edge for _ in range(2)]
    workers = [told.workers()[1] for _ in range(2)]
    await asyncio.gather(
        *(edge.as_frequent_job() for edge in edges), *(callbacks.once() for callbacks in workers)
    )
    await told.work()
    assert await told.business.wallet() == PAID
    assert await told.business.alerts() == []


async def _came(market, number):
    return len(await market.hooks()) >= number


async def test_a_payment_that_a_prompt_asked_for_is_told_in_both_ways_and_paid_once(told):
    paying = await told.business.pay("500", way=with_phone(1))
    await told.work()
    await told.phone("pay")
    await told.told(2)
    await told.later(minutes=1)
    assert await told.attempt(paying.attempt) == "succeeded"
    assert await told.business.wallet() == ("500.00", "0.00", "500.00")
    assert await told.business.alerts() == []
    assert {row.state for row in await told.hooks()} == {"done"}


async def test_where_the_prompts_own_call_is_lost_it_is_found_by_asking_and_paid_once(told):
    paying = await told.business.pay("500", way=with_phone(1))
    await told.work()
    await told.arm("stk.callback", "lost")
    await told.phone("pay")
    await told.told(1)
    assert await told.business.wallet() == NOTHING  # it waits for the end of the prompt
    for _ in range(6):
        await told.later(minutes=1)
    assert await told.attempt(paying.attempt) == "succeeded"
    assert await told.business.wallet() == ("500.00", "0.00", "500.00")
    assert await told.business.alerts() == []


async def test_another_amount_moves_nothing_and_is_told_to_who_looks(told):
    number = await ordered(told)
    await at_the_counter(told, number, amount=69)
    assert await told.business.wallet() == NOTHING
    assert await told.business.alerts() == ["payment.by_hand_misfit"]


@pytest.mark.parametrize("account", ["KWA DUKA", "ZZZZZZ", ""])
async def test_what_names_no_order_is_left_to_the_list_and_the_statement(told, account):
    await at_the_counter(told, account)
    assert (await told.business.wallet(), await told.business.alerts()) == (NOTHING, [])


async def test_one_to_another_shortcode_pays_nothing(told):
    number = await ordered(told)
    await told.set_up(SETTINGS | {"shortcode": "600999"})
    await told.act("counter", amount=70, account=number)
    await told.told(1)
    assert await told.business.wallet() == NOTHING
    assert [row.state for row in await told.hooks()] == ["parked"]


async def test_above_the_limit_the_provider_is_asked_before_it_counts(told):
    await told.set_up(SETTINGS | {"confirm_above": "50"})
    number = await ordered(told)
    await told.arm("status.callback", "lost")
    await at_the_counter(told, number)
    assert await told.business.wallet() == NOTHING
    await told.later(seconds=15)  # it is asked again
    await told.told(2)
    assert await told.business.wallet() == PAID
    assert await told.business.alerts() == []


async def test_what_is_made_up_above_the_limit_pays_nothing(told):
    """Whoever has learnt the address names an order and a receipt that there is not."""
    await told.set_up(SETTINGS | {"confirm_above": "50"})
    number = await ordered(told)
    await told.arm("c2b.callback", "forged")
    await at_the_counter(told, number)
    for _ in range(12):
        await told.later(minutes=2)
    assert await told.business.wallet() == NOTHING
    assert "payment.in_doubt" in await told.business.alerts()


async def test_what_is_made_up_below_the_limit_is_found_by_the_list(told):
    """As one of a prompt would be: the address is the secret, and what it told is compared every night."""
    await told.set_up(SETTINGS | {"pull": True})
    number = await ordered(told)
    await told.arm("c2b.callback", "forged")
    await at_the_counter(told, number)
    assert await told.business.wallet() == PAID
    await told.later(minutes=31)
    opened = (await Reconciled(told).again(ask=True)).opened
    assert "late" in {each.type.value for each in opened}
