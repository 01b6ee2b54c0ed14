"""What each act with money leaves behind, row by row, as tests/records has it: see recording.py."""

from datetime import timedelta

import pytest

from services.approval import lending
from services.news import Unpaid
from services.providers.base import Accepted, Failed, Pending, Succeeded
from services.withdrawals import decide, listing
from tests.services.approval.test_step_up import enrolled, other
from tests.services.business import TO_BANK, TO_TILL, Business, PayingOut, kes
from tests.services.recording import Recorder, compare

PAID, NO = Succeeded("UKP9000001", kes("967")), Failed(Unpaid.RECEIVER, "unregistered number")
INITIATOR = Failed(Unpaid.SHOP, "2001 The initiator information is invalid.", ours=True)


@pytest.fixture
async def business(business_on_sqlite: Business) -> Business:
    await business_on_sqlite.paid("9000")
    return business_on_sqlite


async def paying_out(business, withdrawal):
    return PayingOut(business, withdrawal, await business.payout_of(withdrawal.id))


async def approve(business, person, withdrawal, digest=None, code=None):
    async with business.teller(person) as teller:
        return await teller.approve(withdrawal.id, digest or withdrawal.digest, code)


async def test_a_withdrawal_that_is_paid(business):
    record = await Recorder(business).begin()
    async with record.act("the cashier asks"):
        withdrawal = await business.withdraw(notes="for 0722000111's rent")
    business.forward(minutes=5)
    async with record.act("the cashier tries to approve it"):
        await approve(business, business.cashier, withdrawal)
    async with record.act("the manager approves what was never shown"):
        await approve(business, business.manager, withdrawal, "0" * 64)
    async with record.act("the manager approves"):
        await approve(business, business.manager, withdrawal)
    async with record.act("the owner comes too late"):
        await approve(business, business.owner, withdrawal)
    out = await paying_out(business, withdrawal)
    async with record.act("the payout begins"):
        await out.begun()
    async with record.act("the provider accepts it"):
        await out.answered(Accepted("AG_1"))
    business.forward(minutes=1)
    async with record.act("we ask what has become of it"):
        await out.asked()
    async with record.act("the provider says: not yet"):
        await out.called(Pending("queued"), "query", "another", named=str(out.payout))
    async with record.act("the provider says: paid"):
        await out.called(PAID)
    async with record.act("the provider says so again"):
        await out.called(PAID)
    async with record.act("the provider says another receipt"):
        await out.called(Succeeded("UKP9000009", kes("967")))
    async with record.act("the provider says: failed"):
        await out.called(NO)
    compare("withdrawal-paid", record)


async def test_requests_that_are_not_approved(business):
    record = await Recorder(business).begin()
    async with record.act("three are asked for"):
        first, second, third = [await business.withdraw(each) for each in ("1000", "500", "300")]
    async with record.act("a blank reason"), business.teller(business.manager) as teller:
        await teller.reject(first.id, " ")
    async with record.act("the cashier may not reject"), business.teller(business.cashier) as teller:
        await teller.reject(first.id, "mine")
    async with record.act("the manager rejects it"), business.teller(business.manager) as teller:
        await teller.reject(first.id, "call 0722000111 first")
    async with record.act("the manager rejects it again"), business.teller(business.manager) as teller:
        await teller.reject(first.id, "really")
    async with record.act("a customer cancels"), business.work() as work:
        await decide.cancel(work, business.customer, second.id, "no")
    async with record.act("the cashier takes one back"), business.work() as work:
        await decide.cancel(work, business.cashier, second.id, "wrong number")
    async with record.act("nobody decides in time: not yet"), business.work() as work:
        await decide.expire(work, third.id)
    business.forward(hours=24)
    async with record.act("the owner comes a moment too late"):
        await approve(business, business.owner, third)
    async with record.act("nobody has decided in time"), business.work() as work:
        await decide.expire(work, third.id)
    async with record.act("somebody approves what has expired"):
        await approve(business, business.manager, third)
    async with record.act("one that was refused before is asked for"):
        again = await business.withdraw("1000")
    async with record.act("its destination is changed"), business.work() as work:
        await decide.void(work)
    async with record.act("voided again"), business.work() as work:
        await decide.expire(work, again.id)
    compare("withdrawals-closed", record)


async def test_two_approvals_a_limit_and_a_low_balance(business):
    await business.set(
        approvals_above=[[3000_00, 2]],
        per_day=6000_00,
        per_withdrawal=5000_00,
        per_maker=5500_00,
        per_destination=5200_00,
        low_balance=4000_00,
        new_destination_hours=2,
    )
    async with business.teller(business.owner) as teller:
        await teller.switch_notice("low_balance", on=True)
    record = await Recorder(business).begin()
    async with record.act("too much at once"):
        await business.withdraw("5001")
    async with record.act("a large one"):
        large = await business.withdraw("5000")
    async with record.act("too much to one number"):
        await business.withdraw("300")
    async with record.act("too much by one person"):
        await business.withdraw("600", to=TO_TILL)
    async with record.act("too much of a day"):
        await business.withdraw("1001", business.owner, to=TO_TILL)
    async with record.act("more than there is"):
        await business.set(per_day=None, per_withdrawal=None)
        await business.withdraw("4500", business.owner, to=TO_TILL)
    async with record.act("too soon for a new number"):
        await approve(business, business.manager, large)
    business.forward(hours=2)
    async with record.act("the first of two"):
        await approve(business, business.manager, large)
    async with record.act("the first of two, twice"):
        await approve(business, business.manager, large)
    async with record.act("the second of two"):
        await approve(business, business.owner, large)
    compare("withdrawal-by-two", record)


async def test_codes(business):
    await business.set(totp_above=999_00)
    app = await enrolled(business, business.manager)
    record = await Recorder(business).begin()
    async with record.act("the cashier asks for more than goes without a code"):
        withdrawal = await business.withdraw()
    async with record.act("without a code"):
        await approve(business, business.manager, withdrawal)
    async with record.act("without an app"):
        await approve(business, business.owner, withdrawal, code="123456")
    for n in range(1, 11):
        async with record.act(f"wrong code {n}"):
            await approve(business, business.manager, withdrawal, code=other(app()))
        if n == 5:
            async with record.act("a good code while locked"):
                await approve(business, business.manager, withdrawal, code=app())
            business.forward(minutes=16)
    compare("withdrawal-codes", record)


async def test_a_right_that_is_lent(business):
    record = await Recorder(business).begin()
    until = business.now + timedelta(days=3)
    for title, borrower, end in [
        ("to oneself", business.manager, until),
        ("to who may approve", business.owner, until),
        ("to a customer", business.customer, until),
        ("for too long", business.cashier, until + timedelta(days=12)),
        ("for the past", business.cashier, business.now),
    ]:
        async with record.act(f"lent {title}"), business.work() as work:
            await lending.lend(work, business.manager, borrower, end)
    async with record.act("the manager lends"), business.work() as work:
        lent = await lending.lend(work, business.manager, business.cashier, until)
    async with record.act("the lender agrees"), business.work() as work:
        await lending.agree(work, business.manager, lent.id, lent.digest)
    async with record.act("the borrower agrees"), business.work() as work:
        await lending.agree(work, business.cashier, lent.id, lent.digest)
    async with record.act("the borrower refuses"), business.work() as work:
        await lending.refuse(work, business.cashier, lent.id, "no")
    async with record.act("the owner agrees"), business.work() as work:
        await lending.agree(work, business.owner, lent.id, lent.digest)
    async with record.act("the owner asks for a withdrawal"):
        withdrawal = await business.withdraw("1000", business.owner)
    async with record.act("the borrower approves"):
        business.scopes[business.cashier] |= {"withdrawals:approve"}
        await approve(business, business.cashier, withdrawal)
    async with record.act("the borrower lends on"), business.work() as work:
        await lending.lend(work, business.cashier, business.customer, until)
    async with record.act("the manager ends it"), business.work() as work:
        await lending.end(work, business.manager, lent.id)
    async with record.act("another is asked for, and taken back"), business.work() as work:
        second = await lending.lend(work, business.manager, business.cashier, until)
        await lending.end(work, business.manager, second.id)
    async with record.act("another is asked for, and refused"), business.work() as work:
        third = await lending.lend(work, business.manager, business.cashier, until)
        await lending.refuse(work, business.owner, third.id, "not this week")
    async with record.act("ended again"), business.work() as work:
        await lending.end(work, business.manager, third.id)
    compare("right-lent", record)


async def test_what_is_shown_of_withdrawals(business):
    """Newest first, so many at most; the history of each by its lines."""
    record = await Recorder(business).begin()
    made = []
    for n in range(4):
        async with record.act("one is asked for"):
            made.append(await business.withdraw(f"{200 + n}", to=(TO_BANK, TO_TILL)[n % 2]))
        business.forward(minutes=1)
    async with business.teller(business.manager) as teller:
        waiting, all_ = await teller.awaiting_approval(), await teller.withdrawals()
        named = await teller.withdrawal(made[0].id)
        known = await teller.destinations()
    async with business.work() as work:
        one = await listing.one(work, made[0].id)
    record.lines.append(
        "## what waits, the latest, one with its holder, where it may go, one with its history"
    )
    record.show(waiting, all_, named, known, vars(one) | {"history": [vars(each) for each in one.history]})
    compare("withdrawals-shown", record)
