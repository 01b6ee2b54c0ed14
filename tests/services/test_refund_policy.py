"""What giving back and settling take: as many others, and codes, as sending the same sum would."""

from services.store.schema import operations
from tests.services.refunding import approve, ask
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


async def test_a_day_later_the_sum_begins_anew(business):
    paying = await business.paid("3000")
    await business.set(totp_above=1_500_00)
    await ask(business, paying, "1000")
    business.forward(hours=25)
    assert await takes(business, await ask(business, paying, "1000")) == (1, False)


async def test_settling_takes_what_sending_took(business):
    await business.paid("3000")
    out = await left_undecided(business)
    second = await business.person("Barasa", "Owner")
    await business.change(operations, operations.c.id == out.withdrawal.id, approvals_needed=2)
    settlement = await propose(business, out.payout, "not_paid", "Statement of 25 May")
    assert await takes(business, settlement) == (2, False)
    assert (await settle(business, settlement)).state == "pending"
    assert (await settle(business, settlement, second)).state == "done"
