"""Refunds that were made at Paystack itself, in the list that it tells of them, beside the books."""

import pytest

from services import audit, callbacks, hooks, ledger
from services.ledger import Transfer
from services.providers.base import Report, Succeeded
from services.reconciliation.facts import Type
from services.store.schema import attempts
from tests.bot.reconciled import Reconciled, opened
from tests.services.business import kes


@pytest.fixture
def reconciled(market):
    return Reconciled(market)


@pytest.fixture
async def sale(market):
    """A payment of 500 by a page of Paystack's, which knows it by the id of our attempt."""
    business = market.business
    paying = await business.pay("500")
    moved = Transfer("provider:paystack", ledger.WALLET, kes("500"), "sale")
    done = {"provider": "paystack", "state": "succeeded", "resolved_at": business.now}
    async with business.work() as work:
        await ledger.post(work, paying.attempt, [moved])
        await audit.record(work, audit.PROVIDER, "payment.succeeded", paying.attempt, {})
    await business.change(attempts, attempts.c.id == paying.attempt, **done)
    await transaction(market, str(paying.attempt))
    return paying


async def transaction(market, reference, status="success"):
    slug = market.business.slug
    await market.act("paystack/transactions", slug=slug, amount=500_00, reference=reference, status=status)


async def refund(market, reference, shillings=500, status="processed"):
    slug = market.business.slug
    await market.act(
        "paystack/refunds", slug=slug, amount=shillings * 100, reference=reference, status=status
    )


async def told(market, sale, shillings, reference="refund-TRF_1"):
    """By the signed event, whose name of the refund is not the list's."""
    word = Succeeded(reference, kes(str(shillings)))
    report = Report("taken_back", frozenset({str(sale.attempt)}), word)
    async with market.business.work() as work:
        hook = await hooks.named(work, "paystack", report)
        assert hook is not None
        await callbacks.apply(work, hook, report)


async def asked(market, reconciled, days=0):
    market.business.forward(minutes=1, days=days)
    report = await reconciled.again("paystack", ask=True)
    assert report.trouble is None
    return report


async def test_a_refund_on_both_sides_fits(market, reconciled, sale):
    await told(market, sale, 200)
    await refund(market, str(sale.attempt), 200)
    report = await asked(market, reconciled)
    assert opened(report) == set()
    assert {each.kind: str(each.total) for each in report.found.lines} == {"paid": "500.00", "back": "200.00"}


async def test_one_that_is_only_there_is_late_and_then_missing_in_our_books(market, reconciled, sale):
    await refund(market, str(sale.attempt), 500)
    (one,) = (await asked(market, reconciled)).opened
    assert (one.type, one.kind, one.theirs) == (Type.LATE, "back", kes("500"))
    (one,) = (await asked(market, reconciled, days=2)).opened
    assert one.type == Type.MISSING_IN_BOOKS
    await told(market, sale, 500)
    assert (await asked(market, reconciled)).opened == ()


async def test_one_that_is_only_here_is_missing_there(market, reconciled, sale):
    await told(market, sale, 200)
    market.business.forward(minutes=1)
    await transaction(market, "another")
    await asked(market, reconciled)
    report = await asked(market, reconciled, days=2)
    found = {(each.type, each.kind, str(each.amount)) for each in report.opened}
    assert found == {
        (Type.MISSING_AT_PROVIDER, "back", "200.00"),
        (Type.UNKNOWN_REFERENCE, "paid", "500.00"),
    }


async def test_one_of_another_amount_differs(market, reconciled, sale):
    await told(market, sale, 200)
    await refund(market, str(sale.attempt), 300)
    (one,) = (await asked(market, reconciled)).opened
    assert (one.type, one.ours, one.theirs) == (Type.AMOUNT_DIFFERS, kes("200"), kes("300"))


async def test_what_is_not_processed_yet_and_what_was_nobodys_is_nothing(market, reconciled, sale):
    await refund(market, str(sale.attempt), 200, status="pending")
    await transaction(market, "a-page-of-theirs", status="reversed")
    await refund(market, "a-page-of-theirs", 500)
    assert (await asked(market, reconciled)).opened == ()


async def test_one_that_the_bank_took_weeks_for_is_found_in_the_list_of_when_it_was_made(
    market, reconciled, sale
):
    await told(market, sale, 200)
    await refund(market, str(sale.attempt), 200)
    market.business.forward(days=14)
    report = await asked(market, reconciled)
    assert report.new_lines == 1  # the transaction is older than what the night asks for
