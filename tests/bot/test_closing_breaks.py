"""Who closes a break: nobody who has asked for or approved what it is about."""

import pytest
import sqlalchemy as sa

from services.errors.reconciliation import OwnBreak
from services.news import Unpaid
from services.providers.base import Failed, Succeeded
from services.reconciliation.closing import close, close_as_operator
from services.store.schema import audit, staff
from tests.bot.reconciled import Reconciled, number
from tests.services.business import kes
from tests.services.reconciliation.portal import came, went
from tests.services.refunding import approved, refunded
from tests.services.reviewing import approve, left_undecided, propose


@pytest.fixture
def reconciled(market):
    return Reconciled(market)


async def closed(business, one, by):
    async with business.work() as work:
        return await close(work, by, one.id, "I looked")


async def only(reconciled, *rows):
    (found,) = (await reconciled.file(*rows)).opened
    return found


async def paid_out(business):
    out = await business.approved("1000")  # Achieng asks, Otieno approves
    await out.sent()
    await out.called(Succeeded("SJP0000001", kes("967")))
    return out


async def test_neither_maker_nor_approver_of_a_withdrawal_closes_a_break_about_it(market, reconciled):
    business = market.business
    paid = await business.paid("2000")
    await paid_out(business)
    at = business.now
    one = await only(
        reconciled, came("UKO0000001", at, "2000", number(paid)), went("SJP0000001", at, "900.00")
    )
    assert one.type == "amount_differs"
    with pytest.raises(OwnBreak) as refused:
        await closed(business, one, business.manager)
    assert refused.value.others == ("Njeri",)
    # With the maker's right to reconcile too nothing changes.
    await business.change(staff, staff.c.person_id == business.cashier, role="Owner")
    with pytest.raises(OwnBreak):
        await closed(business, one, business.cashier)
    assert (await closed(business, one, business.owner)).closed_by == "Njeri"


async def test_what_came_back_of_a_withdrawal_is_not_closed_by_them_either(market, reconciled):
    business = market.business
    paid = await business.paid("2000")
    out = await paid_out(business)
    at = business.now
    business.forward(minutes=1)
    await out.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("967")))
    await reconciled.file(came("UKO0000001", at, "2000", number(paid)), went("SJP0000001", at, "967.00"))
    business.forward(days=2)
    (one,) = (await reconciled.again()).opened
    assert (one.type, one.kind) == ("missing_at_provider", "returned")
    with pytest.raises(OwnBreak):
        await closed(business, one, business.manager)


async def test_who_made_or_approved_a_refund_closes_none_about_it(market, reconciled):
    business = market.business
    first = await business.paid("500")
    await refunded(business, first, receipt="SJR0000001")  # Otieno asks, Njeri approves
    at = business.now
    came_in = came("UKO0000001", at, "500.00", number(first))
    back = went("SJR0000001", at, "500.00", "Pay Utility Reversal", linked="UKO0000001")
    again = went("SJR0000002", at, "500.00", "Pay Utility Reversal", linked="UKO0000001")
    one = await only(reconciled, came_in, back, again)
    for person in (business.manager, business.owner):
        with pytest.raises(OwnBreak) as refused:
            await closed(business, one, person)
        assert refused.value.others == ()


async def test_who_made_or_approved_a_refund_that_was_booked_as_taken_back_closes_none_about_it(
    market, reconciled
):
    business = market.business
    first = await business.paid("500")
    late = await approved(business, first)
    await late.sent()
    await late.called(Failed(Unpaid.PROVIDER, "R000002"))
    await late.called(Succeeded("SJR0000001", kes("500")))
    at = business.now
    came_in = came("UKO0000001", at, "500.00", number(first))
    one = await only(
        reconciled, came_in, went("SJR0000001", at, "400.00", "Pay Utility Reversal", linked="UKO0000001")
    )
    assert (one.type, one.kind) == ("amount_differs", "back")
    for person in (business.manager, business.owner):
        with pytest.raises(OwnBreak):
            await closed(business, one, person)


async def test_who_said_that_it_was_paid_closes_none_about_it(market, reconciled):
    business = market.business
    paid = await business.paid("2000")
    at = business.now
    out = await left_undecided(business)
    third = await business.person("Barasa", "Owner")
    await approve(business, await propose(business, out.payout, by=third))  # Barasa says, Njeri approves
    rows = came("UKO0000001", at, "2000", number(paid)), went("SJK7ABC123", at, "900.00")
    one = await only(reconciled, *rows)
    for person in (business.owner, third):
        with pytest.raises(OwnBreak):
            await closed(business, one, person)


async def test_where_nobody_else_is_left_the_operator_closes_it(market, reconciled):
    business = market.business
    first = await business.paid("500")
    await refunded(business, first, receipt="SJR0000001")
    at = business.now
    came_in = came("UKO0000001", at, "500.00", number(first))
    one = await only(
        reconciled, came_in, went("SJR0000001", at, "400.00", "Pay Utility Reversal", linked="UKO0000001")
    )
    with pytest.raises(OwnBreak):
        await closed(business, one, business.owner)
    async with business.work() as work:
        seen = await close_as_operator(work, one.id, "Safaricom's ticket 12")
    assert (seen.state, seen.closed_by, seen.reason) == ("closed", None, "Safaricom's ticket 12")
    assert (await reconciled.again()).opened == ()
    async with business.behind() as work:
        query = sa.select(audit.c.actor).where(audit.c.action == "break.closed")
        assert await work.connection.scalar(query) == "operator"


async def test_who_pays_is_nobody_of_the_staff(market, reconciled):
    business = market.business
    paid = await business.paid("500")
    one = await only(reconciled, came("UKO0000001", business.now, "50.00", number(paid)))
    assert (await closed(business, one, business.manager)).state == "closed"
