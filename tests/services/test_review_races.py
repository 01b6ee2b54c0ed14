"""Races about what is undecided, over connections of PostgreSQL: one wins, and the sums stay right."""

import asyncio
import random

import pytest
import sqlalchemy as sa

from services.errors import NotPending, Refusal
from services.errors.review import NotUndecided, ReceiptUsed, SettlementWaits
from services.news import Unpaid
from services.providers.base import Failed, Pending, Succeeded
from services.review import settling
from services.store.schema import orders, payouts, settlements, tenants, withdrawals
from tests.conftest import BOTH
from tests.services.business import kes
from tests.services.reviewing import approve, left_undecided, propose
from tests.services.test_by_hand import Order
from tests.services.test_payments_in_doubt import gone_up_the_ladder

pytestmark = pytest.mark.parametrize("database", BOTH[1:], indirect=True)

ROUNDS = 12


async def outcomes(*acts):
    """What each came to: its result, or its refusal."""
    return await asyncio.gather(*acts, return_exceptions=True)


async def test_of_two_who_say_at_once_one_is_heard(business):
    await business.paid("30000")
    for _ in range(ROUNDS // 2):
        out = await left_undecided(business)
        found = await outcomes(
            propose(business, out.payout, by=business.manager),
            propose(business, out.payout, "not_paid", by=business.owner),
        )
        late = [each for each in found if isinstance(each, SettlementWaits)]
        assert len(late) == 1, found
        async with business.behind() as work:
            query = sa.select(sa.func.count()).where(settlements.c.payout_id == out.payout)
            assert await work.connection.scalar(query) == 1


@pytest.mark.parametrize("says", ["yes", "no"])
async def test_of_an_approval_and_the_providers_word_at_once_the_first_counts(business, says):
    """Where they say the same it is as if one had spoken; where not, payouts stop once the approval was
    first, and the approval is refused where the word was."""
    await business.paid("30000")
    for number in range(ROUNDS):
        out = await left_undecided(business)
        asked = await propose(business, out.payout, "not_paid", f"Statement of {number} May")
        yes = Succeeded(f"SJK{number}", kes("967"))
        word = yes if says == "yes" else Failed(Unpaid.PROVIDER, "no")
        acts = [approve(business, asked), out.called(word)]
        random.Random(number).shuffle(acts)
        found = await outcomes(*acts)
        assert all(each is None or not isinstance(each, Exception) or isinstance(each, NotPending)
                   for each in found), found  # fmt: skip
        refused = any(isinstance(each, NotPending) for each in found)
        row = await business.row(settlements, asked.id)
        state = (await business.row(payouts, out.payout)).state
        frozen = (await business.row(tenants, business.tenant)).payouts_frozen
        if refused:
            assert (row.state, state) == ("void", "succeeded" if says == "yes" else "failed")
        else:
            assert (row.state, state) == ("contradicted" if says == "yes" else "done", "failed")
        assert frozen == (not refused and says == "yes")
        await business.set(payouts_frozen=False, frozen_because=None)


async def test_of_approving_rejecting_and_expiring_at_once_one_wins(business):
    await business.paid("30000")
    for number in range(ROUNDS):
        out = await left_undecided(business)
        asked = await propose(business, out.payout, reference=f"SJK{number:07}")
        acts = [
            approve(business, asked),
            act(business, lambda work, id_=asked.id: settling.reject(work, business.owner, id_, "not so")),
            act(business, lambda work, id_=asked.id: settling.cancel(work, business.manager, id_)),
        ]
        random.Random(number).shuffle(acts)
        found = await outcomes(*acts)
        won = [each for each in found if not isinstance(each, Exception)]
        assert len(won) == 1, found
        assert all(isinstance(each, NotPending) for each in found if each is not won[0]), found
        state = (await business.row(settlements, asked.id)).state
        assert state == won[0].state
        status = (await business.row(withdrawals, out.withdrawal.id)).status
        assert status == ("completed" if state == "done" else "processing")


async def test_of_two_approvers_at_once_it_is_done_once(business):
    third = await business.person("Mwangi", "Owner")
    await business.paid("30000")
    for number in range(ROUNDS // 2):
        out = await left_undecided(business)
        asked = await propose(business, out.payout, reference=f"SJK{number:07}")
        found = await outcomes(approve(business, asked), approve(business, asked, third))
        assert sum(not isinstance(each, Exception) for each in found) == 1, found
        assert (await business.row(withdrawals, out.withdrawal.id)).status == "completed"
        with pytest.raises(NotUndecided):
            await propose(business, out.payout)


@pytest.mark.parametrize("told", ["the same", "another receipt", "by hand"])
async def test_of_people_and_the_provider_at_once_a_payment_is_credited_once(business, told):
    for number in range(ROUNDS // 2):
        paying = await business.pay("500")
        await paying.sent()
        await gone_up_the_ladder(paying, Pending())
        receipt = f"SJK{number:07}"
        asked = await propose(business, paying.attempt, reference=receipt)
        order = Order(business, await business.row(orders, paying.started.order_id))
        if told == "by hand":
            word = order.told(order.line(receipt))
        else:
            word = paying.called(Succeeded(receipt if told == "the same" else f"UKO{number:07}", kes("500")))
        acts = [approve(business, asked), word]
        random.Random(number).shuffle(acts)
        found = [each for each in await outcomes(*acts) if isinstance(each, Exception)]
        assert all(isinstance(each, NotPending | ReceiptUsed) for each in found), found
        available = str(500 * (number + 1)) + ".00"
        assert await business.wallet() == (available, "0.00", available)


async def act(business, what):
    refusal = None
    async with business.work() as work:
        try:
            return await what(work)
        except Refusal as error:
            refusal = error
    raise refusal
