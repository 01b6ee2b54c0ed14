"""Refunds whose provider says nothing are settled as payouts are."""

from services.news import Unpaid
from services.news.refunds import Unrefunded
from services.providers.base import Failed, Succeeded
from services.review import queue
from services.store.schema import refund_attempts, refunds, tenants
from tests.services.business import kes
from tests.services.reviewing import approve, last_told, propose, refund_left_undecided

NO = Failed(Unpaid.PROVIDER, "no")


async def test_a_refund_is_settled_in_the_same_way(business):
    one = await refund_left_undecided(business)
    async with business.work() as work:
        (found,) = (await queue.queue(work)).undecided
    assert (found.kind, found.of, found.reference) == ("refund", one.refund.id, one.reference)
    asked = await propose(business, one.attempt)
    await approve(business, asked)
    assert (await business.row(refunds, one.refund.id)).status == "completed"
    assert (await business.row(refund_attempts, one.attempt)).receipt == "SJK7ABC123"
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    await one.called(NO)
    assert "refund.failed_after_success" in await business.alerts()
    assert (await business.row(tenants, business.tenant)).payouts_frozen


async def test_a_refund_that_was_not_made_is_available_again(business):
    one = await refund_left_undecided(business)
    await approve(business, await propose(business, one.attempt, "not_paid", "Statement of 25 May"))
    row = await business.row(refunds, one.refund.id)
    assert (row.status, row.because) == ("failed", Unrefunded.SETTLED)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    await one.called(NO)
    assert not (await business.row(tenants, business.tenant)).payouts_frozen
    await one.called(Succeeded("B1", kes("500")))  # it went back after all: taken like any other
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await last_told(business, business.owner)).state == "contradicted"


async def test_a_word_about_a_refund_before_the_approval_wins(business):
    one = await refund_left_undecided(business)
    await propose(business, one.attempt, "not_paid", "Statement of 25 May")
    await one.called(Succeeded("B1", kes("500")))
    assert (await last_told(business, business.manager)).state == "void"
