"""Refunds that were made at Paystack itself, in the list that it tells of them, beside the books."""

import pytest

from services import audit, callbacks, hooks, ledger
from services.ledger import Transfer
from services.providers.base import Report, Succeeded
from services.reconciliation.facts import Type
from services.refunds import still_paid
from services.store.schema import attempts, refunds
from tests.bot.market import PAYSTACK, until
from tests.bot.reconciled import Reconciled, opened
from tests.services.business import kes
from tests.services.refunding import approved


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
    receipt = str((await listed(market))[0]["id"])
    await business.change(attempts, attempts.c.id == paying.attempt, receipt=receipt)
    return paying


async def transaction(market, reference, status="success"):
    slug = market.business.slug
    await market.act("paystack/transactions", slug=slug, amount=500_00, reference=reference, status=status)


async def refund(market, reference, shillings=500, status="processed"):
    slug = market.business.slug
    about = {"slug": slug, "reference": reference, "status": status}
    await market.act("paystack/refunds", amount=shillings * 100, told=False, **about)


async def told(market, sale, shillings, reference="dispute-7"):
    """By a signed event, whose name of it may not be the list's."""
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


async def given_back(market, sale, amount, ended="processed"):
    """By a refund of ours, which is done there, and may fail later."""
    one = await approved(market.business, sale, amount)
    await market.work()
    await until(lambda: _is(market, one, "completed"))
    if ended == "failed":
        (made,) = [each for each in await market._look("payments", "paystack") if each["refunds"]]
        await market.act(f"paystack/refunds/{made['refunds'][0]['id']}", status="failed")
        await until(lambda: _is(market, one, "failed"))
    return one


async def _is(market, one, status):
    await market.work()
    return (await market.business.row(refunds, one.refund.id)).status == status


async def listed(market):
    url, key = f"{market.daraja_url}/paystack/transaction", PAYSTACK["secret_key"]
    async with market._outside.get(url, headers={"Authorization": f"Bearer {key}"}) as answer:
        return (await answer.json())["data"]


async def test_one_of_ours_is_told_from_another_of_the_same_amount(market, reconciled, sale):
    await given_back(market, sale, "200")
    assert opened(await asked(market, reconciled)) == set()
    await refund(market, str(sale.attempt), 200)
    (one,) = (await asked(market, reconciled, days=2)).opened
    assert (one.type, one.theirs) == (Type.DUPLICATE, kes("200"))
    async with market.business.work() as work:
        await still_paid.ask(work, market.business.manager, sale.started.payment_id)
    await market.work()
    assert (await asked(market, reconciled)).opened == ()
    assert await market.business.wallet() == ("100.00", "0.00", "100.00")


async def test_one_of_ours_that_failed_later_is_in_neither(market, reconciled, sale):
    await given_back(market, sale, "200", "failed")
    assert opened(await asked(market, reconciled, days=2)) == set()
