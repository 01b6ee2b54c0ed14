"""A payment by hand that was told and not confirmed: while the provider is asked about it by itself nobody
says what became of it, and then two people do, once."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import jobs
from services.errors import NotPending
from services.errors.review import NotUndecided, ReceiptUsed
from services.news import Unpaid
from services.providers.base import Failed, Report, Succeeded
from services.review import queue
from services.store.schema import attempts, settlements, tenants
from tests.conftest import BOTH
from tests.services.business import kes
from tests.services.reviewing import approve, given_up, propose
from tests.services.test_by_hand import answered, only_attempt, ordered

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

CREDITED = ("500.00", "0.00", "500.00")


async def told(business, receipt="UKH0000001", before=timedelta()):
    """By a call, of an order that was made before it, of more than counts without a question."""
    order = await ordered(business)
    business.now += before
    line = replace(order.line(receipt), at=business.now - before)
    await order.told(line, confirm_above=kes("1"))
    return order, line


async def undecided(business):
    async with business.work() as work:
        return (await queue.queue(work)).undecided


def yes(line):
    return Report("collect", frozenset({line.receipt}), Succeeded(line.receipt, line.amount))


def no(line):
    return Report("collect", frozenset({line.receipt}), Failed(Unpaid.PROVIDER, "no such payment"))


async def test_while_it_is_asked_about_nobody_says_what_became_of_it(business):
    """Though it was made long ago: the call came late, or waited for another payment to be explained."""
    await told(business, before=timedelta(hours=2))
    attempt = await only_attempt(business)
    assert await undecided(business) == ()
    with pytest.raises(NotUndecided) as refused:
        await propose(business, attempt.id, "paid", "UKH0000001")
    assert refused.value.status == "pending"
    await given_up(business, attempt.id)
    assert [each.id for each in await undecided(business)] == [attempt.id]


async def test_what_people_have_settled_is_asked_about_no_more(business):
    _, line = await told(business)
    attempt = await only_attempt(business)
    await given_up(business, attempt.id)
    made = await propose(business, attempt.id, "paid", line.receipt)
    async with business.work() as work:
        await jobs.schedule(work, "payment_check", attempt.id, business.now)
    await approve(business, made)
    assert await business.wallet() == CREDITED
    assert await business.jobs(attempt.id) == {}


async def test_a_no_that_comes_after_people_found_it_paid_stops_payouts(business):
    _, line = await told(business)
    attempt = await only_attempt(business)
    await given_up(business, attempt.id)
    await approve(business, await propose(business, attempt.id, "paid", line.receipt))
    await answered(business, attempt.id, no(line))
    assert await business.wallet() == CREDITED
    assert (await business.row(tenants, business.tenant)).payouts_frozen


@pytest.mark.parametrize("named", ["the same", "another"])
async def test_of_people_and_the_answer_at_once_it_is_credited_once(business, named):
    for number in range(3):
        _, line = await told(business, f"UKH{number:07}")
        attempt = await attempt_of(business, line)
        await given_up(business, attempt.id)
        receipt = line.receipt if named == "the same" else f"UKX{number:07}"
        made = await propose(business, attempt.id, "paid", receipt)
        acts = [approve(business, made), answered(business, attempt.id, yes(line))]
        random.Random(number).shuffle(acts)
        found = await asyncio.gather(*acts, return_exceptions=True)
        refused = [each for each in found if isinstance(each, Exception)]
        assert all(isinstance(each, NotPending | ReceiptUsed) for each in refused), refused
        available = f"{500 * (number + 1)}.00"
        assert await business.wallet() == (available, "0.00", available)
        assert (await business.row(settlements, made.id)).state in ("done", "void")


async def attempt_of(business, line):
    async with business.behind() as work:
        query = sa.select(attempts).where(attempts.c.receipt == line.receipt)
        return (await work.connection.execute(query)).one()
