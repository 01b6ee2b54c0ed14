"""What becomes of asking a customer for a payment, and the provider about it, by each of them: answers that
are lost, limits, tokens and keys that are good no more, and time that runs out."""

import pytest

from services.facts import Way
from services.news import PaymentFailed, PaymentMethod, SettingsWrong, Unpaid
from tests.contract.stands import STANDS
from tests.contract.words import NOTHING, PAID, asked, by_all, news, state


@pytest.mark.parametrize("fault", ["drop", "500_after"])
@by_all
async def test_where_the_answer_is_lost_it_is_paid_once_all_the_same(till, fault):
    """A prompt may ring; a page whose address nobody was given is paid by nobody: another one is opened."""
    await till.market.arm(till.asked_at, fault)
    paying = await asked(till)
    if await state(till, paying) == "failed":
        assert (await news(till))[-1].because == Unpaid.PROVIDER
        paying = await asked(till, paying.checkout.order_id)
    await till.paid(paying)
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    assert len(await till.receipts()) == 1


@by_all
async def test_where_the_provider_is_asked_in_vain_it_is_asked_again(till):
    paying = await asked(till)
    await till.market.arm(till.told_at, "lost", times=9)
    for fault in ("500", "drop", "spike") if till.checked_at != "paystack.check" else ("500", "drop"):
        await till.market.arm(till.checked_at, fault)
    await till.pays(paying)
    for _ in range(4):
        assert await till.business.wallet() == NOTHING
        await till.market.later(seconds=61)
        if await state(till, paying) == "succeeded":
            break
    for _ in range(3):
        await till.market.later(minutes=5)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


@by_all
async def test_what_is_turned_away_by_a_limit_is_sent_again_once(till):
    await till.market.arm(till.asked_at, "spike")
    paying = await asked(till)
    assert await state(till, paying) == "created"
    await till.market.later(seconds=2)
    assert await state(till, paying) == "pending"
    await till.paid(paying)
    await till.market.work()
    assert (await till.business.wallet(), len(await till.receipts())) == (PAID, 1)


@by_all
async def test_a_limit_that_lasts_is_told_to_the_customer(till):
    await till.market.arm(till.asked_at, "spike", times=9)
    paying = await asked(till)
    for _ in range(4):
        await till.market.later(seconds=16)
    assert await state(till, paying) == "failed"
    assert [each.because for each in await news(till)] == [Unpaid.PROVIDER]


@pytest.mark.parametrize("stand", [each for each in STANDS if each.with_tokens], ids=str)
async def test_a_token_that_was_ended_elsewhere_is_fetched_anew(till):
    await till.market.arm(till.asked_at, "token")
    paying = await asked(till)
    assert await state(till, paying) == "pending"
    await till.market.arm(till.told_at, "lost")
    await till.market.arm(till.checked_at, "token")
    await till.pays(paying)
    await till.market.later(seconds=61)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    assert await till.business.alerts() == []


@by_all
async def test_with_wrong_keys_the_staff_are_told_once_and_the_customer_pays_another_way(till):
    await till.market.set_up(till.wrong_keys, till.name)
    for _ in range(2):
        paying = await asked(till)
        assert await state(till, paying) == "failed"
        assert (await news(till))[-1].because == Unpaid.SHOP
    assert await till.business.alerts() == ["payment.misconfigured"] * 2
    told = await news(till, till.business.manager)
    assert [each for each in told if isinstance(each, SettingsWrong)] == [SettingsWrong(provider=till.name)]
    other = next(each for each in STANDS if each.name != till.name)(till.market)
    await till.market.set_up(other.settings, other.name)
    again = await asked(other, paying.checkout.order_id)
    await other.paid(again)
    await till.market.work()
    assert (await state(till, again), await till.business.wallet()) == ("succeeded", PAID)


@by_all
async def test_keys_that_go_wrong_meanwhile_are_told_and_once_right_again_all_is_found(till):
    paying = await asked(till)
    await till.market.arm(till.told_at, "lost", times=9)
    await till.pays(paying)
    await till.market.set_up(till.wrong_keys, till.name)
    await till.market.later(seconds=61)
    assert (await state(till, paying), await till.business.wallet()) == ("pending", NOTHING)
    assert set(await till.business.alerts()) == {"payment.misconfigured"}
    assert await news(till, till.business.manager) == [SettingsWrong(provider=till.name)]
    await till.market.set_up(till.settings, till.name)
    for _ in range(3):
        await till.market.later(minutes=3)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)


@by_all
async def test_what_nobody_pays_ends_in_time_is_told_once_and_may_be_paid_anew(till):
    paying = await asked(till)
    for _ in range(9):
        await till.market.later(minutes=6)
    assert await state(till, paying) in ("expired", "failed")
    assert sum(isinstance(each, PaymentFailed) for each in await news(till)) == 1
    assert await till.business.wallet() == NOTHING
    again = await asked(till, paying.checkout.order_id, way=_another(till))
    await till.paid(again)
    await till.market.work()
    assert (await state(till, again), await till.business.wallet()) == ("succeeded", PAID)


def _another(till):
    """A phone is asked by one prompt at a time, and the emulated one rings on."""
    if till.pages:
        return None
    return Way(method=PaymentMethod(provider=till.name, label=""), phone="+254700000003")
