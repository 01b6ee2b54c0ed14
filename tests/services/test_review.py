"""What one says became of money whose provider says nothing, and another approves."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import BlankReason, Changed, FourEyesViolation, MissingScope, NotFound, NotPending
from services.errors.review import InvalidReference, NotUndecided, ReceiptUsed, SettlementWaits
from services.ids import new_id
from services.news import Frozen, Unpaid, Unsent, WithdrawalClosed, WithdrawalPaid
from services.news.review import SettlementAsked
from services.providers.base import Failed, Succeeded, Unknown
from services.review import queue, settling
from services.review.teller import Review
from services.store.schema import audit, payouts, tenants, withdrawals
from services.withdrawals import ways
from tests.services.business import TO_TILL, kes
from tests.services.refunding import approved
from tests.services.reviewing import approve, last_told, left_undecided, propose

NO = Failed(Unpaid.PROVIDER, "no")


@pytest.fixture
async def out(business):
    await business.paid("3000")
    return await left_undecided(business)


async def status(business, out):
    row = await business.row(withdrawals, out.withdrawal.id)
    return row.status, (await business.row(payouts, out.payout)).state


async def test_it_was_paid_posts_the_hold_as_the_providers_yes_would(business, out):
    asked = await propose(business, out.payout, reference=" sjk7abc123 ")
    assert (asked.reference, asked.state, asked.about.amount) == ("SJK7ABC123", "pending", kes("967"))
    news = (await business.news(business.owner))[-1]
    assert isinstance(news, SettlementAsked)
    done = await approve(business, asked)
    assert done.state == "done"
    assert await status(business, out) == ("completed", "succeeded")
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")
    balances = await business.balances()
    assert (balances["provider:mpesa"], balances["fees:withdrawals"]) == (-3000_00 + 967_00, 33_00)
    assert (await business.row(withdrawals, out.withdrawal.id)).receipt == "SJK7ABC123"
    assert isinstance((await business.news(business.cashier))[-1], WithdrawalPaid)
    assert await business.jobs(out.payout) == {}
    assert await business.jobs(asked.id) == {}
    await out.called(Succeeded("SJK7ABC123", kes("967")))  # the provider says the same at last
    assert "payouts.frozen" not in await business.alerts()


async def test_it_was_not_paid_releases_the_hold_and_sends_nothing(business, out):
    done = await approve(business, await propose(business, out.payout, "not_paid", "Statement of 25 May"))
    assert done.state == "done"
    assert await status(business, out) == ("failed", "failed")
    assert await business.wallet() == ("3000.00", "0.00", "3000.00")
    closed = (await business.news(business.cashier))[-1]
    assert isinstance(closed, WithdrawalClosed)
    assert closed.because == Unsent.SETTLED
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(payouts)) == 1
    await out.called(NO)  # the provider says the same at last
    assert "payouts.frozen" not in await business.alerts()


async def test_what_can_no_longer_be_settled_is_refused_and_stays_to_be_rejected(business, out):
    """Another payout is to be sent for the withdrawal: its word counts. Nothing of the approval is kept."""
    asked = await propose(business, out.payout)
    await business.change(withdrawals, withdrawals.c.id == out.withdrawal.id, status="pending")
    for _ in range(2):
        with pytest.raises(NotUndecided):
            await approve(business, asked)
    async with business.behind() as work:
        recorded = sa.select(audit.c.seq).where(audit.c.action == "settlement.approved")
        assert (await work.connection.execute(recorded)).first() is None
    async with business.work() as work:
        assert (await settling.reject(work, business.owner, asked.id, "it is sent anew")).state == "rejected"


async def test_what_changed_stands_in_the_audit(business, out):
    asked = await propose(business, out.payout, "not_paid", "call 4711 to 0712345678")
    await approve(business, asked)
    async with business.behind() as work:
        query = sa.select(audit).where(audit.c.target == str(asked.id)).order_by(audit.c.seq)
        rows = {row.action: row for row in await work.connection.execute(query)}
    assert list(rows) == ["settlement.asked", "settlement.approved", "settlement.done"]
    assert rows["settlement.asked"].facts["reference"] == "call 4711 to ******5678"
    assert rows["settlement.done"].before == {"payout": "pending", "status": "processing"}
    assert rows["settlement.done"].after == {"payout": "failed", "status": "failed"}


async def test_nobody_approves_what_they_said_themselves_nor_without_the_right(business, out):
    asked = await propose(business, out.payout)
    with pytest.raises(FourEyesViolation):
        await approve(business, asked, business.manager)
    assert "settlement.self_approval" in await business.alerts()
    with pytest.raises(MissingScope):
        await approve(business, asked, business.cashier)
    with pytest.raises(MissingScope):
        await propose(business, out.payout, by=business.cashier)
    with pytest.raises(MissingScope):
        async with business.teller(business.cashier) as teller:
            await teller.review.queue()
    with pytest.raises(Changed):
        await approve(business, asked.model_copy(update={"digest": "0" * 64}))
    assert await status(business, out) == ("processing", "pending")


async def test_only_what_is_undecided_is_settled_and_by_one_at_a_time(business, out):
    early = await business.approved("1000")
    await early.sent()
    with pytest.raises(NotUndecided):
        await propose(business, early.payout)
    with pytest.raises(NotFound):
        await propose(business, new_id())
    asked = await propose(business, out.payout)
    with pytest.raises(SettlementWaits) as waits:
        await propose(business, out.payout, "not_paid", by=business.owner)
    assert waits.value.by == "Otieno"
    assert await propose(business, out.payout, id_=asked.id) == asked  # the same again
    with pytest.raises(NotFound):  # another's
        await propose(business, out.payout, id_=asked.id, by=business.owner)
    await approve(business, asked)
    with pytest.raises(NotUndecided) as known:
        await propose(business, out.payout)
    assert known.value.status == "succeeded"


@pytest.mark.parametrize("reference", ["", "\u200b", "paid", "SJK7 ABC123", "0712345678901", "Ö" * 10])
async def test_what_is_no_receipt_is_refused(business, out, reference):
    with pytest.raises(InvalidReference):
        await propose(business, out.payout, reference=reference)


async def test_a_note_and_a_proof_have_to_be_readable(business, out):
    with pytest.raises(InvalidReference):
        await propose(business, out.payout, "not_paid", "\u2800")
    with pytest.raises(BlankReason):
        async with business.work() as work:
            await settling.propose(work, business.manager, new_id(), out.payout, "paid", "SJK7ABC123", " ")


async def test_a_receipt_of_something_else_is_refused_even_at_the_approval(business, out):
    sale = await business.paid("700")  # UKO0000002
    with pytest.raises(ReceiptUsed):
        await propose(business, out.payout, reference="UKO0000002")
    asked = await propose(business, out.payout)
    back = await approved(business, sale)
    await back.sent()
    await back.called(Succeeded("SJK7ABC123", kes("700")))
    with pytest.raises(ReceiptUsed):
        await approve(business, asked)
    assert await status(business, out) == ("processing", "pending")


@pytest.mark.parametrize("word", [Succeeded("SJK1", kes("967")), NO], ids=["yes", "no"])
async def test_a_word_of_the_provider_before_the_approval_wins(business, out, word):
    asked = await propose(business, out.payout, "not_paid", "Statement of 25 May")
    await out.called(word)
    void = await last_told(business, business.manager)
    assert (void.state, void.because, void.about.state) == (
        "void",
        "decided",
        "succeeded" if isinstance(word, Succeeded) else "failed",
    )
    with pytest.raises(NotPending) as late:
        await approve(business, asked)
    assert late.value.status == "void"
    assert await business.jobs(asked.id) == {}


async def test_a_timeout_meanwhile_does_not_change_what_is_approved(business, out):
    asked = await propose(business, out.payout)
    await out.called(NO, "payout_timeout")
    assert await status(business, out) == ("processing", "unknown")
    assert (await approve(business, asked)).state == "done"


@pytest.mark.parametrize(
    ("outcome", "word", "alert", "wallet"),
    [
        ("paid", NO, "payout.failed_after_success", "3000.00"),
        ("not_paid", Succeeded("SJK1", kes("967")), "payout.succeeded_after_failure", "2033.00"),
    ],
)
async def test_a_word_of_the_provider_that_says_otherwise_is_booked_and_stops_payouts(
    business, out, outcome, word, alert, wallet
):
    await approve(business, await propose(business, out.payout, outcome, "SJK7ABC123"))
    await out.called(word)
    await out.called(word)
    alerts = await business.alerts()
    assert alerts.count("settlement.contradicted") == 1
    assert {alert, "payouts.frozen"} <= set(alerts)
    assert (await business.row(tenants, business.tenant)).frozen_because == "contradiction"
    assert (await last_told(business, business.manager)).state == "contradicted"
    assert await business.wallet() == (wallet, "0.00", wallet)


async def test_nobody_decides_in_time_or_against(business, out):
    asked = await propose(business, out.payout)
    assert await business.jobs(asked.id) == {"settlement_expire": timedelta(hours=24)}
    async with business.work() as work:
        await settling.expire(work, asked.id)  # not yet due
    business.forward(hours=24)
    with pytest.raises(NotPending):
        await approve(business, asked)
    async with business.work() as work:
        await settling.expire(work, asked.id)
    assert (await last_told(business, business.owner)).state == "expired"
    asked = await propose(business, out.payout)
    async with business.work() as work:
        await settling.reject(work, business.owner, asked.id, "not so")
    asked = await propose(business, out.payout)
    async with business.work() as work:
        assert (await settling.cancel(work, business.manager, asked.id)).state == "canceled"
        await settling.expire(work, asked.id)
    assert await status(business, out) == ("processing", "pending")
    assert await business.jobs(out.payout) != {}  # and is asked on


async def test_what_was_never_answered_is_settled_too_and_the_queue_says_what_is_known(business):
    await business.paid("3000")
    out = await left_undecided(business, known=False)
    async with business.work() as work:
        (one,) = (await queue.queue(work)).undecided
    assert (one.kind, one.state, one.reference, one.destination) == (
        "payout",
        "unknown",
        None,
        "********0111",
    )
    assert one.of == out.withdrawal.id
    await approve(business, await propose(business, out.payout, "not_paid", "Statement of 25 May"))
    async with business.work() as work:
        assert (await queue.queue(work)).undecided == ()


async def test_what_must_not_be_asked_about_is_undecided_in_the_end_too(business):
    """It would lock the credential."""
    await business.paid("3000")
    out = await business.approved()
    await out.sent()
    async with business.work() as work:
        await ways.freeze(work, "mpesa", Frozen.SETTINGS)
    business.forward(minutes=10)
    assert not await out.asked()
    with pytest.raises(NotUndecided):
        await propose(business, out.payout)
    for _ in range(2):
        business.forward(hours=8)
        assert not await out.asked()
    assert (await business.alerts()).count("payout.undecided") == 1
    assert (await approve(business, await propose(business, out.payout))).state == "done"


async def test_another_tenant_sees_nothing_of_it(business, out, database, vault):
    from tests.services.business import Business

    asked = await propose(business, out.payout)
    other = await Business(database, vault).open()
    with pytest.raises(NotFound):
        await propose(other, out.payout)
    with pytest.raises(NotFound):
        await approve(other, asked)
    async with other.work() as work:
        review = Review(work, other.teller_in(work, other.owner).me)
        assert (await review.queue()).settlements == ()
        with pytest.raises(NotFound):
            await review.settlement(asked.id)


async def test_a_till_whose_answer_was_lost_is_settled_and_the_next_goes_on(business):
    await business.paid("5000")
    first = await business.approved("1000", TO_TILL)
    assert await first.begun()
    await first.answered(Unknown("timeout"))
    second = await business.approved("500", TO_TILL)
    assert not await second.begun()
    for _ in range(4):
        business.forward(minutes=2)
        assert not await first.asked()  # there is nothing to ask by
    await approve(business, await propose(business, first.payout, "not_paid", "Statement of 25 May"))
    assert await second.begun()
    assert await status(business, first) == ("failed", "failed")
