"""What comes after a payment seems to be over, by each provider: a success after all, twice, and refunds."""

import pytest

from services.news import PaidTwice, PaymentFailed, PaymentSettled
from services.store.schema import payments, refunds
from tests.bot.market import until
from tests.contract.stands import GIVES_BACK
from tests.contract.words import NOTHING, PAID, asked, by_all, news, state
from tests.services.refunding import approved


async def failed(till):
    """One that has failed, and whose page is not closed yet."""
    paying = await asked(till)
    if till.pages:
        assert await till.open_page(paying)
    await till.refuses(paying)
    while await state(till, paying) != "failed":
        assert await till.market.callbacks.once() or await till.market.calls.once()
    return paying


@by_all
async def test_what_is_paid_after_it_has_failed_is_credited_as_late(till):
    paying = await failed(till)
    await till.paid(paying)
    await till.market.work()
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    failure, late = (await news(till))[-2:]
    assert isinstance(failure, PaymentFailed)
    assert (isinstance(late, PaymentSettled), late.late) == (True, True)


@by_all
async def test_what_is_paid_after_its_time_is_honoured_where_it_can_be_paid_at_all(till):
    paying = await asked(till)
    if till.pages:
        assert await till.open_page(paying)
    for _ in range(9):
        await till.market.later(minutes=6)
    assert await state(till, paying) in ("expired", "failed")
    if not await till.pays(paying):  # its page was closed
        assert await till.business.wallet() == NOTHING
        return
    await until(lambda: succeeded(till, paying))
    assert (await till.business.wallet(), (await news(till))[-1].late) == (PAID, True)


@by_all
async def test_what_is_paid_after_another_attempt_was_is_kept_apart(till):
    first = await failed(till)
    second = await asked_anew(till, first)
    await till.paid(second)
    await till.market.work()
    assert await till.business.wallet() == PAID
    if await till.pays(first):  # where its page was not, or cannot be, closed
        await until(lambda: succeeded(till, first))
        assert isinstance((await news(till))[-1], PaidTwice)
    assert await till.business.wallet() == PAID


async def asked_anew(till, before):
    """By another attempt, while the first can still be paid."""
    paying = await till.business.pay("500", order=before.checkout.order_id, way=till.way)
    await till.market.calls.once()
    return paying


async def succeeded(till, paying):
    await till.market.work()
    return await state(till, paying) == "succeeded"


@pytest.mark.parametrize("fault", [None, "drop", "500_after"])
@pytest.mark.parametrize("stand", GIVES_BACK, ids=str)
async def test_a_payment_is_given_back_once_and_told(till, fault):
    paying = await asked(till)
    await till.paid(paying)
    await till.market.work()
    if fault:
        await till.market.arm(till.refunds_at, fault)
    one = await approved(till.business, paying)
    await till.market.work()
    await till.agrees_to_refund(paying)

    async def completed():
        await till.market.later(minutes=2)
        return (await till.business.row(refunds, one.refund.id)).status == "completed"

    await until(completed)
    assert (await till.business.row(payments, paying.started.payment_id)).status == "refunded"
    assert (await till.business.wallet(), await till.held()) == (NOTHING, 0)
    assert await till.business.alerts() == []  # and nobody takes it for given back by the provider itself
