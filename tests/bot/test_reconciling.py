"""Reconciling with files of M-Pesa's portal: what is lost, doubled, of another amount, or nobody's."""

import pytest
import sqlalchemy as sa

from services import ledger
from services.costs.margin import lines
from services.errors import BlankReason, MissingScope
from services.errors.reconciliation import InvalidStatement, NotOpen, StillLate
from services.ids import new_id
from services.ledger import Transfer
from services.news import Unpaid
from services.news.reconciliation import BreaksAged
from services.news.refunds import Way
from services.providers.base import Failed, Succeeded
from services.reconciliation import charges
from services.reconciliation.closing import close
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State
from services.reconciliation.record import read
from services.store.schema import audit, statement_lines
from services.store.schema import costs as bands
from services.store.scope import AUDITOR, OWNER, PLATFORM
from tests.bot.reconciled import Reconciled, number, opened
from tests.services.business import kes
from tests.services.reconciliation.portal import came, went
from tests.services.refunding import approved, refunded


@pytest.fixture
def reconciled(market):
    return Reconciled(market)


async def test_sales_payouts_and_refunds_that_fit_leave_nothing_open(market, reconciled):
    business = market.business
    first, second = await business.paid("500"), await business.paid("1500")
    await refunded(business, first, receipt="SJR0000001")
    out = await business.approved("1000")
    await out.sent()
    await out.called(Succeeded("SJP0000001", kes("967")))
    at = business.now
    report = await reconciled.file(
        came("UKO0000001", at, "500.00", number(first)),
        came("UKO0000002", at, "1,500.00", number(second)),
        went("SJR0000001", at, "500.00", "Pay Utility Reversal", linked="UKO0000001"),
        went("SJP0000001", at, "967.00"),
    )
    assert opened(report) == set()
    assert {(each.kind, each.count, str(each.total)) for each in report.found.lines} == {
        ("paid", 2, "2000.00"),
        ("back", 1, "500.00"),
        ("sent", 1, "967.00"),
    }
    assert report.found.booked == report.found.lines
    # Two days later nothing of it is missed either.
    business.forward(days=2)
    assert opened(await reconciled.again()) == set()


async def test_a_lost_callback_is_late_then_missing_told_once_and_explained_when_booked(market, reconciled):
    business = market.business
    paying = await business.pay("500")
    await paying.sent()
    told = came("SJK0000001", business.now, "500", number(paying))
    assert opened(await reconciled.file(told)) == {("late", "SJK0000001", number(paying))}
    assert await business.alerts() == []
    business.forward(days=2)
    for _ in range(2):
        report = await reconciled.again()
        assert opened(report) == {("missing_in_books", "SJK0000001", number(paying))}
    assert await business.alerts() == ["reconciliation.aged"]
    (news,) = await business.news(business.manager)
    assert isinstance(news, BreaksAged)
    assert (news.count, news.total) == (1, kes("500"))
    await paying.called(Succeeded("SJK0000001", kes("500")))
    assert opened(await reconciled.again()) == set()
    async with business.work() as work:
        assert [each.state for each in await read(work)] == [State.EXPLAINED]


async def test_what_the_statement_lacks_is_missing_there_once_it_is_a_day_old(market, reconciled):
    business = market.business
    paid = await business.paid("500")
    business.forward(minutes=1)
    other = came("SJK0000009", business.now, "20", party="")
    lacking = ("UKO0000001", number(paid))
    assert ("late", *lacking) in opened(await reconciled.file(other))
    business.forward(days=2)
    assert ("missing_at_provider", *lacking) in opened(await reconciled.again())
    # It comes with a later file, which overlaps the first.
    at = reconciled.began
    report = await reconciled.file(other, came("UKO0000001", at, "500", number(paid)))
    assert opened(report) == {("unknown_reference", "SJK0000009", "")}


async def test_doubled_of_another_amount_and_nobodys(market, reconciled):
    business = market.business
    paid, short = await business.paid("500"), await business.paid("700")
    at = business.now
    rows = [
        came("UKO0000001", at, "500", number(paid)),
        came("SJK0000002", at, "500", number(paid)),
        came("UKO0000002", at, "70", number(short)),
        came("SJK0000003", at, "50", "KWA MAMA", party="254700111222 - MANUAL T"),
    ]
    report = await reconciled.file(*rows)
    assert opened(report) == {
        ("duplicate", "SJK0000002", number(paid)),
        ("amount_differs", "UKO0000002", number(short)),
        ("unknown_reference", "SJK0000003", ""),
    }
    assert (report.new_lines, report.kept.new) == (4, 3)
    stranger = next(each for each in report.opened if each.receipt == "SJK0000003")
    assert stranger.party == "********1222"
    # The same file again changes nothing.
    report = await reconciled.file(*rows)
    assert (report.new_lines, report.kept.new, report.kept.explained) == (0, 0, 0)
    assert len(report.opened) == 3


async def test_a_fee_that_is_not_the_one_booked_differs(market, reconciled):
    business = market.business
    band = {"id": business.tenant, "provider": "mpesa", "rail": "mpesa", "currency": "KES", "ppm": 0}
    async with market.database.transaction(PLATFORM) as connection:
        await connection.execute(sa.insert(bands).values(**band, from_amount=0, flat=5_00))
    await business.paid("2000")
    out = await business.approved("1000")
    await out.sent()
    await out.called(Succeeded("SJP0000001", kes("967")))
    paid = came("UKO0000001", business.now, "2000")
    sent = went("SJP0000001", business.now, "967.00")
    charge = went("SJP0000001", business.now, "7.00", "Business Payment to Customer Charge")
    report = await reconciled.file(paid, sent, charge)
    (only,) = report.opened
    assert (only.type, only.ours, only.theirs) == ("fee_differs", kes("5"), kes("7"))
    # What `costs settle` does: from then on the books, the statement and the margin say the same.
    async with business.work() as work:
        (told,) = await charges.take_theirs(work)
    assert (told["receipt"], told["cost"], told["posted"]) == ("SJP0000001", "7.00", True)
    assert opened(await reconciled.again()) == set()
    assert (await business.balances())["costs:mpesa"] == -7_00
    async with market.database.reading(AUDITOR) as connection:
        found = await lines(connection, business.tenant, reconciled.began, business.now + LATE)
    assert [(each.rail, each.price, each.cost, each.margin) for each in found] == [
        ("collection", 0, 0, 0),
        ("mpesa", 33_00, 7_00, 26_00),
    ]
    async with business.work() as work:
        assert await charges.take_theirs(work) == []


async def test_what_the_ledger_moved_and_nothing_has_asked_for_is_missed(market, reconciled):
    """The third side: a posting without an attempt."""
    business = market.business
    async with business.work() as work:
        await ledger.post(work, business.tenant, [Transfer("provider:mpesa", "suspense", kes("9"), "other")])
    report = await reconciled.file(came("SJK0000009", business.now, "20"))
    assert {(each.type.value, str(each.amount)) for each in report.opened} == {
        ("late", "9.00"),
        ("unknown_reference", "20.00"),
    }
    async with business.work() as work:
        await ledger.post(work, business.owner, [Transfer("suspense", "provider:mpesa", kes("9"), "other")])


async def test_what_nobody_has_answered_is_open_however_late_the_next_run_is(market, reconciled):
    """A payout that came back in the books alone, and a movement that nothing asked for: the items of both
    are called by other ids than those of what was asked for."""
    business = market.business
    paid = await business.paid("2000")
    out = await business.approved("1000")
    await out.sent()
    at = business.now
    await out.called(Succeeded("SJP0000001", kes("967")))
    business.forward(minutes=1)
    await out.called(Failed(Unpaid.RECEIVER, "reversed", returned=kes("967")))
    async with business.work() as work:
        await ledger.post(work, new_id(), [Transfer("provider:mpesa", "suspense", kes("9"), "other")])
    await reconciled.file(came("UKO0000001", at, "2000", number(paid)), went("SJP0000001", at, "967.00"))
    missing = {("missing_at_provider", "returned", "967.00"), ("missing_at_provider", "paid", "9.00")}
    for days in (2, 8, 30):
        business.forward(days=days)
        report = await reconciled.again()
        assert {(each.type.value, each.kind.value, str(each.amount)) for each in report.opened} == missing
    async with business.work() as work:
        assert {each.state for each in await read(work)} == {State.OPEN}


async def test_a_person_closes_a_break_with_a_reason_and_it_stays_closed(market, reconciled):
    business = market.business
    paying = await business.pay("500")
    await paying.sent()
    rows = [came("SJK0000001", business.now, "500", number(paying)), came("SJK0000002", business.now, "9")]
    late, strange = sorted((await reconciled.file(*rows)).opened, key=lambda each: each.type)
    with pytest.raises(StillLate):
        await closed(business, late.id)
    with pytest.raises(BlankReason):
        await closed(business, strange.id, " ")
    with pytest.raises(MissingScope):
        await closed(business, strange.id, by=business.cashier)
    before = await business.balances()
    seen = await closed(business, strange.id, "counter sale, call 0712345678")
    assert (seen.state, seen.reason, seen.closed_by) == (
        "closed",
        "counter sale, call ******5678",
        "Otieno",
    )
    with pytest.raises(NotOpen):
        await closed(business, strange.id)
    assert await business.balances() == before
    assert [each.id for each in (await reconciled.file(*rows)).opened] == [late.id]
    async with business.behind() as work:
        actions = (await work.connection.execute(sa.select(audit.c.action, audit.c.actor))).all()
    recorded = [tuple(row) for row in actions]
    assert ("break.closed", str(business.manager)) in recorded
    assert ("statement.read", "operator") in recorded


async def closed(business, break_id, reason="a sale at the counter", by=None):
    async with business.work() as work:
        return await close(work, by or business.manager, break_id, reason)


async def test_a_bad_file_names_each_fault_and_keeps_nothing(market, reconciled):
    with pytest.raises(InvalidStatement) as wrong:
        await reconciled.file(
            came("SJK0000001", market.business.now, "500"), came("x", market.business.now, "")
        )
    assert wrong.value.faults == ("line 7: Receipt No. is none",)
    with pytest.raises(InvalidStatement, match="600999"):
        await reconciled.file(came("SJK0000001", market.business.now, "500"), shortcode="600999")
    async with market.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(statement_lines))).all() == []


async def test_a_refund_that_was_paid_out_after_it_had_failed_is_what_the_statement_has_as_sent(
    market, reconciled
):
    business = market.business
    paying = await business.paid("500")
    late = await approved(business, paying, "200", Way.PAYOUT)
    await late.sent()
    await late.called(Failed(Unpaid.RECEIVER, "said no"))
    business.forward(hours=30)
    at = business.now
    await late.called(Succeeded("SJP0000001", kes("200")))
    report = await reconciled.file(
        came("UKO0000001", reconciled.began, "500.00", number(paying)),
        went("SJP0000001", at, "200.00"),
    )
    assert opened(report) == set()
    assert report.found.booked == report.found.lines
