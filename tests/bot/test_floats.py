"""Floats: the provider's account is asked before a payout leaves it, over real HTTP to the emulators."""

from functools import partial

import pytest
import sqlalchemy as sa

from services.money import Money
from services.news import FloatShort, Held, WithdrawalHeldBack
from services.store.schema import payouts, rails, refund_attempts
from tests.bot.market import PAYSTACK, until
from tests.services import refunding
from tests.services.business import TO_BANK, TO_PHONE, TO_TILL

WAYS = {"mpesa": TO_PHONE, "till": TO_TILL, "bank_transfer": TO_BANK}
way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
async def asking(market):
    """As on the first day: nothing is known of any account."""
    await market.set_up(PAYSTACK, "paystack")
    await market.business.paid("8000")
    async with market.business.work() as work:
        await work.connection.execute(sa.delete(rails).where(rails.c.tenant_id == work.tenant))
    return market


async def holds(market, way, shillings):
    whose = market.business.slug if way == "bank_transfer" else "174379"
    await market.act("float", shortcode=whose, **{"working" if way == "till" else "utility": shillings})


async def state(market, one):
    row = await market.business.row(payouts, one.payout)
    return row.state, row.held


async def at_rest(market, one, *states):
    """It comes to one of these, once what M-Pesa tells has come in."""

    async def there():
        await market.work()
        return (await state(market, one))[0] in states

    await until(there)


async def told(market, person, kind):
    return [news for news in await market.business.news(person) if isinstance(news, kind)]


async def short(market, one):
    async def held():
        await market.work()
        return await state(market, one) == ("created", Held.FLOAT)

    await until(held)


@way
async def test_one_that_its_account_can_pay_is_sent_once_that_was_told(asking, way):
    one = await asking.business.approved("500", WAYS[way])
    await at_rest(asking, one, "succeeded")
    async with asking.business.work() as work:
        row = (await work.connection.execute(sa.select(rails).where(rails.c.tenant_id == work.tenant))).one()
    assert (row.rail, row.float_short_at) == (way, None)
    assert len(await asking.sent_payouts()) == 1
    assert await asking.business.alerts() == []


@way
async def test_a_short_account_holds_it_tells_once_and_it_goes_by_itself(asking, way):
    business = asking.business
    await holds(asking, way, 400)
    first = await business.approved("500", WAYS[way])
    second = await business.approved("600", WAYS[way])
    await short(asking, first)
    await short(asking, second)
    for _ in range(11):  # over half an hour: longer than an approval waits for anything else
        await asking.later(minutes=3, seconds=1)
        await heard(asking)
    await short(asking, first)
    assert await asking.sent_payouts() == []
    assert await business.alerts() == ["payouts.float_short"]
    (news,) = await told(asking, business.owner, FloatShort)
    assert (news.rail, news.funds) == (way, Money(400_00, "KES"))
    (news,) = [
        each
        for each in await told(asking, business.cashier, WithdrawalHeldBack)
        if each.withdrawal.id == first.withdrawal.id
    ]
    assert news.because == Held.FLOAT
    await holds(asking, way, 5_000)
    await asking.later(minutes=3, seconds=1)
    await at_rest(asking, first, "succeeded")
    await at_rest(asking, second, "succeeded")
    assert len(await asking.sent_payouts()) == 2


async def heard(market):
    """Until the question that was asked is answered."""

    async def answered():
        await market.work()
        async with market.business.work() as work:
            query = sa.select(rails).where(rails.c.tenant_id == work.tenant)
            row = (await work.connection.execute(query)).one()
        return row.float_answered_at is not None and row.float_answered_at >= row.float_asked_at

    await until(answered)


@pytest.mark.parametrize(("at", "fault"), [("balance.query", "500"), ("balance.callback", "lost")])
async def test_one_of_whose_account_nothing_is_heard_waits_a_minute_and_no_longer(asking, at, fault):
    await asking.arm(at, fault, times=5)
    one = await asking.business.approved("500")
    await asking.work()
    assert await state(asking, one) == ("created", None)
    await asking.later(seconds=61)
    await at_rest(asking, one, "succeeded")
    another = await asking.business.approved("600")  # nor is it asked again at once
    await at_rest(asking, another, "succeeded")
    assert await asking.business.alerts() == []


async def test_what_can_tell_nothing_blocks_nobody(asking):
    """A question that is refused is answered: the payout goes now."""
    await asking.arm("paystack.balance", "500")
    one = await asking.business.approved("500", TO_BANK)
    await at_rest(asking, one, "succeeded")


async def test_what_is_sent_is_there_no_more(asking):
    """Of several at once no more are sent than there is money for."""
    await holds(asking, "mpesa", 1_000)
    many = [await asking.business.approved("500") for _ in range(4)]
    await until(partial(all_begun, asking, many))
    held = [one for one in many if (await state(asking, one))[1] == Held.FLOAT]
    assert len(held) == 2
    assert len(await asking.sent_payouts()) == 2
    assert (await asking.business.alerts()).count("payouts.float_short") == 1


async def all_begun(market, many):
    await market.work()
    states = [await state(market, one) for one in many]
    return all(state == "succeeded" or held == Held.FLOAT for state, held in states)


async def test_one_account_that_is_short_says_nothing_of_another(asking):
    """Whoever is short again is told anew, once nothing waits for it any more."""
    for way in ("mpesa", "bank_transfer"):
        await holds(asking, way, 400)
        await short(asking, await asking.business.approved("500", WAYS[way]))
    await holds(asking, "mpesa", 5_000)
    await asking.later(minutes=3, seconds=1)

    async def sent():
        await asking.work()
        return await asking.sent_payouts()

    await until(sent)
    async with asking.business.work() as work:
        query = sa.select(rails.c.rail).where(
            rails.c.tenant_id == work.tenant, rails.c.float_short_at.is_not(None)
        )
        assert (await work.connection.execute(query)).scalars().all() == ["bank_transfer"]


async def test_a_refund_that_is_paid_out_waits_for_the_same_account(asking):
    """And goes by itself, as a withdrawal does."""
    paying = await asking.business.paid("1000")
    await holds(asking, "mpesa", 300)
    one = await refunding.approved(asking.business, paying, "400")

    async def held():
        await asking.work()
        return await told(asking, asking.business.owner, FloatShort)

    await until(held)
    assert await asking.sent_payouts() == []
    await holds(asking, "mpesa", 5_000)
    await asking.later(minutes=3, seconds=1)

    async def made():
        await asking.work()
        return (await asking.business.row(refund_attempts, one.attempt)).state == "succeeded"

    await until(made)
    assert len(await asking.sent_payouts()) == 1
    assert await asking.business.alerts() == ["payouts.float_short"]
