"""What a provider gives back after it was told as paid out is in the wallet again, with its fee, once."""

import pytest
import sqlalchemy as sa

from services import books
from services.news import Unpaid, Unsent, WithdrawalClosed
from services.providers.base import Failed, Succeeded
from services.statement.period import Period
from services.statement.read import pages, statement
from services.store.schema import audit, payouts, tenants, withdrawals
from services.store.scope import OWNER
from services.withdrawals import listing
from services.withdrawals.returned import GIVEN_BACK
from tests.services.business import TO_BANK, kes
from tests.services.reviewing import approve, left_undecided, propose
from tests.services.test_taken_back import owed, told

BACK = Failed(Unpaid.RECEIVER, "reversed", returned=kes("950"))
YES = Succeeded("TRF_1ptvuv321ahaa7q", kes("950"))


@pytest.fixture
async def out(business):
    """1,000 are paid to a bank, 50 of them the fee."""
    await business.paid("3000")
    out = await business.approved("1000", TO_BANK)
    await out.sent()
    return out


async def test_the_net_and_the_fee_come_back_and_the_withdrawal_has_failed(business, out):
    await out.called(YES)
    before = await business.balances()
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")
    await out.called(BACK)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    after = await business.balances()
    assert after["provider:paystack"] == before["provider:paystack"] - 950_00 == 0
    assert after["fees:withdrawals"] == 0
    async with business.behind() as work:
        one = await listing.one(work, out.withdrawal.id)
        query = sa.select(audit).where(audit.c.action == "payout.returned")
        entry = (await work.connection.execute(query)).one()
    assert one.withdrawal.status == "failed"
    assert [(line.status, line.reason) for line in one.history][-2:] == [
        ("completed", None),
        ("failed", Unsent.RETURNED),
    ]
    assert (await business.row(withdrawals, out.withdrawal.id)).receipt == "TRF_1ptvuv321ahaa7q"
    assert (entry.before, entry.after["status"], entry.alert) == ({"status": "completed"}, "failed", True)
    for person in (business.cashier, business.manager, business.owner):
        news = (await business.news(person))[-1]
        assert isinstance(news, WithdrawalClosed)
        assert news.because == Unsent.RETURNED
    assert not (await business.row(tenants, business.tenant)).payouts_frozen


async def test_told_again_in_any_order_it_changes_nothing(business, out):
    await out.called(YES)
    await out.called(BACK)
    for word in (BACK, YES, BACK):
        await out.called(word)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    assert await business.alerts() == ["payout.returned"]


async def test_before_the_success_it_is_a_failure_and_a_late_success_stops_nothing(business, out):
    await out.called(BACK)
    row = await business.row(payouts, out.payout)
    assert (row.state, row.because) == ("failed", Unsent.RECEIVER)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    await out.called(YES)
    assert await business.alerts() == ["payout.succeeded_before_return"]
    assert not (await business.row(tenants, business.tenant)).payouts_frozen
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")


async def test_another_amount_moves_nothing(business, out):
    await out.called(YES)
    await out.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("900")))
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")
    assert await business.alerts() == ["payout.return_mismatch"]


async def test_an_answer_has_to_name_what_came_back(business):
    await business.paid("3000")
    out = await business.approved("1000")
    await out.sent()
    assert await out.asked()
    await out.called(Succeeded("UKP1", kes("967")))
    back = Failed(Unpaid.PROVIDER, "status reversed", returned=kes("967"))
    await out.called(back, "query", "another")
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")
    await out.called(back, "query", "another", named="someone else's")
    await out.called(back, "query", "another", named=str(out.payout))
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    assert await business.alerts() == [
        "payout.return_unproven",
        "payout.reference_mismatch",
        "payout.returned",
    ]


async def test_of_a_plain_failure_after_the_success_nothing_is_believed(business, out):
    await out.called(YES)
    await out.called(Failed(Unpaid.PROVIDER, "failed"))
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")
    assert await business.alerts() == ["payout.failed_after_success"]


async def test_what_two_people_have_settled_as_paid_may_come_back(business):
    await business.paid("3000")
    out = await left_undecided(business, to=TO_BANK)
    await approve(business, await propose(business, out.payout, reference="TRF_1ptvuv321ahaa7q"))
    await out.called(BACK)
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")


async def test_what_is_owed_is_paid_of_it_first(business, out):
    sale = await business.paid("700")
    await out.called(YES)
    rest = await business.approved("2700")
    await rest.sent()
    await rest.called(Succeeded("UKP1", rest.withdrawal.net))
    await told(business, sale.attempt, "D7", "700")
    assert await owed(business) == 700_00
    await out.called(BACK)
    assert await owed(business) == 0
    assert await business.wallet() == ("300.00", "0.00", "300.00")


async def test_it_has_lines_of_its_own_in_a_statement(business, out):
    await out.called(YES)
    business.forward(minutes=1)
    await out.called(BACK)
    since, until = business.now.replace(hour=0), business.now.replace(hour=23)
    async with business.work() as work:
        found = await statement(work, Period(since, until), "KES")
        lines = [line async for page in pages(work, found) for line in page]
    assert found.closing == kes("3000")
    back = {line.kind: line for line in lines if line.amount.minor > 0}
    assert back["withdrawal_returned"].amount == kes("950")
    assert back["withdrawal_returned"].withdrawal_id == out.withdrawal.id
    assert back["withdrawal_fee_returned"].amount == kes("50")


async def test_the_books_find_what_came_back_in_part_or_twice(business, out, database):
    await out.called(YES)
    await out.called(BACK)
    changed = sa.text("UPDATE payouts SET returned_at = NULL")
    async with database.transaction(OWNER) as connection:
        await connection.execute(changed)
        breaches = {breach.rule for breach in await books.check(connection)}
        await connection.rollback()
    assert "a payout that came back is in the wallet once, in full" in breaches
    assert "a hold is open while its withdrawal is" in breaches
    assert GIVEN_BACK == "payout_returned"
