"""What people or a provider had said of a payout, and it denies: the books follow the money, once."""

import pytest
import sqlalchemy as sa

from services import books
from services.money import Money
from services.news import Unpaid, Unsent, WithdrawalClosed, WithdrawalPaidLate
from services.providers.base import Failed, Succeeded
from services.providers.listing import Kind
from services.reconciliation.ours import Items
from services.statement.period import Period
from services.statement.read import pages, statement
from services.store.schema import payouts, tenants, withdrawals
from services.store.scope import OWNER
from services.withdrawals import listing
from tests.services.business import TO_BANK, PayingOut, kes
from tests.services.reviewing import approve, left_undecided, propose
from tests.services.test_taken_back import owed

NO = Failed(Unpaid.PROVIDER, "no")
YES = Succeeded("SJK1", kes("967"))
BACK = Failed(Unpaid.PROVIDER, "reversed", returned=kes("967"))


@pytest.fixture
async def out(business):
    """1,000 of 3,000 are asked for, 33 of them the fee."""
    await business.paid("3000")
    return await left_undecided(business)


async def settled(business, out, outcome):
    await approve(business, await propose(business, out.payout, outcome, "SJK7ABC123"))


async def item(business, out):
    async with business.behind() as work:
        (one,) = [
            each
            for each in await Items(work.connection, business.tenant, "mpesa").called([out.payout])
            if each.kind == Kind.SENT
        ]
    return one


async def proven(business):
    async with business.behind() as work:
        assert await business.breaches(work) == []


@pytest.mark.parametrize("settles", [True, False], ids=["settled", "told"])
async def test_what_was_paid_after_all_is_taken_from_the_wallet_once(business, out, settles):
    if settles:
        await settled(business, out, "not_paid")
    else:
        await out.called(NO)
    await out.called(YES)
    alerts = await business.alerts()
    for _ in range(2):
        await out.called(YES)
    assert await business.alerts() == alerts
    assert {"payout.succeeded_after_failure", "payouts.frozen"} <= set(alerts)
    assert ("settlement.contradicted" in alerts) is settles
    assert await business.wallet() == ("2033.00", "0.00", "2033.00")
    balances = await business.balances()
    assert (balances["provider:mpesa"], balances.get("fees:withdrawals", 0)) == (-3000_00 + 967_00, 0)
    assert (await business.row(tenants, business.tenant)).frozen_because == "contradiction"
    assert (await business.row(payouts, out.payout)).receipt == "SJK1"
    for person in (business.cashier, business.manager, business.owner):
        (news,) = [each for each in await business.news(person) if isinstance(each, WithdrawalPaidLate)]
        assert (news.withdrawal.id, news.owed, news.receipt) == (out.withdrawal.id, Money(0, "KES"), "SJK1")
    async with business.work() as work:
        history = (await listing.one(work, out.withdrawal.id)).history
    assert (history[-1].status, history[-1].reason) == ("failed", "paid_after_all")
    one = await item(business, out)
    assert (one.booked, one.receipt) == (kes("967"), "SJK1")
    await proven(business)


async def test_what_the_wallet_has_no_more_is_owed_and_the_next_sales_pay_it(business, out):
    await settled(business, out, "not_paid")
    again = await business.approved("2500")
    await again.sent()
    await out.called(YES)
    assert await owed(business) == 467_00
    assert await business.wallet() == ("2500.00", "2500.00", "0.00")
    (news,) = [each for each in await business.news(business.owner) if isinstance(each, WithdrawalPaidLate)]
    assert news.owed == kes("467")
    assert (await item(business, out)).booked == kes("967")
    await business.paid("500")
    assert await owed(business) == 0
    await proven(business)


async def test_the_first_of_two_that_went_out_is_booked_and_the_second_keeps_its_hold(business):
    await business.paid("3000")
    out = await business.approved("1000")
    await out.sent()
    await out.called(Failed(Unpaid.SHOP, "wrong initiator", ours=True))
    await business.go_on()
    second = PayingOut(business, out.withdrawal, await business.payout_of(out.withdrawal.id))
    await second.sent()
    await out.called(YES)
    assert await business.wallet() == ("2033.00", "1000.00", "1033.00")
    await second.called(Succeeded("SJK2", kes("967")))
    assert await business.wallet() == ("1033.00", "0.00", "1033.00")
    await proven(business)


async def test_it_has_lines_of_its_own_in_a_statement(business, out):
    await settled(business, out, "not_paid")
    business.forward(minutes=1)
    await out.called(YES)
    business.forward(minutes=1)
    since = business.now.replace(hour=0)
    async with business.work() as work:
        found = await statement(work, Period(since, business.now), "KES")
        lines = [line async for page in pages(work, found) for line in page]
    (late,) = [line for line in lines if line.kind == "withdrawal_paid_late"]
    assert (late.amount, late.withdrawal_id, late.receipt) == (-kes("967"), out.withdrawal.id, "SJK1")
    assert late.account == out.withdrawal.destination


async def test_what_was_paid_after_all_may_still_come_back_once(business, out):
    await out.called(NO)
    await out.called(YES)
    for word in (BACK, BACK, YES):
        await out.called(word)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    assert (await business.alerts()).count("payout.returned") == 1
    await proven(business)


async def test_what_had_come_back_before_was_never_paid(business, out):
    await settled(business, out, "not_paid")
    await out.called(BACK)
    await out.called(YES)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    assert "payout.succeeded_before_return" in await business.alerts()


async def test_what_people_had_settled_as_paid_and_failed_is_in_the_wallet_again_once(business, out):
    await settled(business, out, "paid")
    for _ in range(3):
        await out.called(NO)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    balances = await business.balances()
    assert (balances["provider:mpesa"], balances["fees:withdrawals"]) == (-3000_00, 0)
    assert {"payout.failed_after_success", "payouts.frozen"} <= set(await business.alerts())
    assert (await business.alerts()).count("settlement.contradicted") == 1
    assert (await business.row(withdrawals, out.withdrawal.id)).status == "failed"
    for person in (business.cashier, business.manager, business.owner):
        (news,) = [each for each in await business.news(person) if isinstance(each, WithdrawalClosed)]
        assert news.because == Unsent.DENIED
    assert (await item(business, out)).booked is None
    await proven(business)


async def test_of_what_the_provider_had_said_itself_no_is_believed(business, out):
    """It told the yes before the no: two words of its own."""
    await settled(business, out, "paid")
    await out.called(Succeeded("SJK7ABC123", kes("967")))
    before = await business.wallet()
    await out.called(NO)
    assert await business.wallet() == before == ("2000.00", "0.00", "2000.00")
    assert "payouts.frozen" in await business.alerts()
    await proven(business)


async def test_a_yes_after_that_no_is_booked_too(business, out):
    await settled(business, out, "paid")
    await out.called(NO)
    for word in (YES, YES, NO):
        await out.called(word)
    assert await business.wallet() == ("2033.00", "0.00", "2033.00")
    assert (await item(business, out)).booked == kes("967")
    await out.called(BACK)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    await proven(business)


async def test_a_yes_after_it_was_denied_and_came_back_is_of_before_that(business, out):
    await settled(business, out, "paid")
    for word in (NO, BACK, YES):
        await out.called(word)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    assert "payout.succeeded_before_return" in await business.alerts()
    await proven(business)


async def test_to_a_bank_it_is_the_same(business):
    await business.paid("3000")
    out = await left_undecided(business, to=TO_BANK)
    await settled(business, out, "paid")
    await out.called(Failed(Unpaid.RECEIVER, "failed"))
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    await proven(business)


@pytest.mark.parametrize("column", ["left_at", "denied_at"])
async def test_the_books_find_what_does_not_follow(business, out, database, column):
    await settled(business, out, "not_paid" if column == "left_at" else "paid")
    await out.called(YES if column == "left_at" else NO)
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.text(f"UPDATE payouts SET {column} = NULL"))
        breaches = {breach.rule for breach in await books.check(connection)}
        await connection.rollback()
    rules = {
        "left_at": "a payout that was paid after all has left once, in full",
        "denied_at": "a payout that came back is in the wallet once, in full",
    }
    assert rules[column] in breaches
