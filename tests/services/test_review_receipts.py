"""A receipt that people name pays one thing once: at the same instant too, and however it is written."""

import asyncio
import random

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.errors.review import ReceiptUsed
from services.providers.base import Pending, Succeeded
from services.store.schema import approvals, operations, settlements
from tests.conftest import BOTH
from tests.services.business import kes
from tests.services.reviewing import approve, propose
from tests.services.test_payments_in_doubt import gone_up_the_ladder

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

ROUNDS = 4


async def unheard(business, amount="500"):
    """A payment of which the provider never said anything."""
    paying = await business.pay(amount)
    await paying.sent()
    await gone_up_the_ladder(paying, Pending())
    return paying


async def at_once(number, *acts):
    """Their failures, begun in an order that the number decides."""
    shuffled = random.Random(number).sample(acts, k=len(acts))
    found = await asyncio.gather(*shuffled, return_exceptions=True)
    return [each for each in found if isinstance(each, Exception)]


async def approvals_of(business, made):
    async with business.behind() as work:
        query = sa.select(sa.func.count()).select_from(approvals).where(approvals.c.operation_id == made.id)
        return await work.connection.scalar(query)


async def test_of_two_orders_settled_by_one_receipt_at_once_one_is_and_the_other_is_refused(business):
    third = await business.person("Mwangi", "Owner")
    for number in range(ROUNDS):
        one, other = await unheard(business), await unheard(business)
        receipt = f"SJK{number:07}"
        first = await propose(business, one.attempt, reference=receipt)
        second = await propose(business, other.attempt, reference=receipt)
        refused = await at_once(number, approve(business, first), approve(business, second, third))
        assert [type(each) for each in refused] == [ReceiptUsed], refused
        available = f"{500 * (number + 1)}.00"
        assert await business.wallet() == (available, "0.00", available)
        states = {each.id: (await business.row(settlements, each.id)).state for each in (first, second)}
        assert sorted(states.values()) == ["done", "pending"]
        (left,) = [each for each in (first, second) if states[each.id] == "pending"]
        assert (await business.row(operations, left.id)).state == "pending"
        assert await approvals_of(business, left) == 0, "what was refused is not approved"
        with pytest.raises(ReceiptUsed):
            await approve(business, left, third)


async def test_of_people_and_a_callback_that_name_one_receipt_for_two_orders_at_once_one_counts(business):
    for number in range(ROUNDS):
        one, other = await unheard(business), await unheard(business)
        receipt = f"SJK{number:07}"
        made = await propose(business, one.attempt, reference=receipt)
        called = other.called(Succeeded(receipt, kes("500")))
        refused = await at_once(number, approve(business, made), called)
        assert len(refused) <= 1
        # A callback that loses is taken again, as everything that fails is, and alerts then.
        assert all(isinstance(each, ReceiptUsed | IntegrityError) for each in refused), refused
        available = f"{500 * (number + 1)}.00"
        assert await business.wallet() == (available, "0.00", available)
        if (await business.row(settlements, made.id)).state == "pending":
            assert isinstance(refused[0], ReceiptUsed)
            assert await approvals_of(business, made) == 0
