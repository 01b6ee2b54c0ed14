"""What each provider tells of what was paid there, held against the books, whatever became of callbacks."""

import pytest

from services.providers.listing import Kind
from tests.bot.reconciled import Reconciled, number, opened
from tests.contract.words import PAID, asked, by_all, state


@pytest.fixture
async def reconciled(till):
    await till.market.set_up(till.to_list or till.settings, till.name)
    return Reconciled(till.market)


async def found(till, reconciled):
    till.business.forward(seconds=30)
    report = await reconciled.again(till.name, ask=True)
    assert report.trouble is None
    return report


@by_all
async def test_what_was_paid_and_credited_fits_however_often_it_is_read(till, reconciled):
    paying = await asked(till)
    await till.paid(paying)
    await till.market.work()
    first, second = await found(till, reconciled), await found(till, reconciled)
    assert (opened(first), opened(second)) == (set(), set())
    assert [(each.kind, each.count, str(each.total)) for each in first.found.lines] == [
        (Kind.PAID, 1, "500.00")
    ]
    assert (first.new_lines, second.new_lines) == (1, 0)


@by_all
async def test_what_was_paid_and_told_to_nobody_is_a_break_until_it_is_credited(till, reconciled):
    paying = await asked(till)
    await till.market.arm(till.told_at, "lost", times=9)
    await till.pays(paying)
    (receipt,) = await till.receipts()
    report = await found(till, reconciled)
    assert opened(report) == {("late", receipt, number(paying))}
    for _ in range(2):
        await till.market.later(seconds=61)
    assert (await state(till, paying), await till.business.wallet()) == ("succeeded", PAID)
    assert opened(await found(till, reconciled)) == set()


@by_all
async def test_what_nobody_has_paid_is_no_line_and_no_break(till, reconciled):
    await asked(till)
    report = await found(till, reconciled)
    assert (opened(report), report.found.lines) == (set(), ())
