"""What giving back and settling take: as many others, and codes, as sending the same sum would."""

from services.providers.base import Succeeded
from services.refunds import decide
from services.store.schema import operations
from tests.services.business import kes
from tests.services.refunding import Refunding, approve, ask
from tests.services.reviewing import approve as settle
from tests.services.reviewing import left_undecided, propose


async def takes(business, what):
    row = await business.row(operations, what.id)
    return row.approvals_needed, bool(row.step_up)


async def test_many_small_refunds_take_what_a_large_one_would(business):
    paying = await business.paid("3000")
    second = await business.person("Barasa", "Owner")
    await business.set(approvals_above=[[1_500_00, 2], [2_500_00, 5]], totp_above=1_500_00)
    assert await takes(business, await ask(business, paying, "1000")) == (1, False)
    assert await takes(business, await ask(business, paying, "1000")) == (2, True)
    await business.set(totp_above=None)
    third = await ask(business, paying, "900")
    # Five are not there: all the others who may, and the refund is not out of reach.
    assert await takes(business, third) == (2, False)
    assert (await approve(business, third)).status == "pending"
    assert (await approve(business, third, second)).status == "processing"


async def test_a_day_after_it_was_given_back_the_sum_begins_anew(business):
    paying = await business.paid("3000")
    await business.set(totp_above=1_500_00)
    refund = await approve(business, await ask(business, paying, "1000"))
    one = await Refunding.of(business, refund)
    await one.sent()
    business.forward(hours=5)
    await one.called(Succeeded("SJK1", kes("1000")))
    business.forward(hours=23)
    again = await ask(business, paying, "501")
    assert await takes(business, again) == (1, True)
    async with business.work() as work:
        await decide.cancel(work, business.manager, again.id)
    business.forward(hours=1)
    assert await takes(business, await ask(business, paying, "1000")) == (1, False)


async def test_what_is_approved_at_the_end_of_a_day_and_asked_for_after_it_are_one_sum(business):
    paying = await business.paid("3000")
    await business.set(totp_above=1_500_00)
    first = await ask(business, paying, "1000")
    business.forward(hours=23, minutes=59, seconds=59)
    assert (await approve(business, first)).status == "processing"
    business.forward(seconds=2)
    assert await takes(business, await ask(business, paying, "1000")) == (1, True)


async def test_settling_takes_what_sending_took(business):
    await business.paid("3000")
    out = await left_undecided(business)
    second = await business.person("Barasa", "Owner")
    await business.change(operations, operations.c.id == out.withdrawal.id, approvals_needed=2)
    settlement = await propose(business, out.payout, "not_paid", "Statement of 25 May")
    assert await takes(business, settlement) == (2, False)
    assert (await settle(business, settlement)).state == "pending"
    assert (await settle(business, settlement, second)).state == "done"
