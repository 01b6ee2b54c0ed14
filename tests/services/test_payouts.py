import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import NotPending
from services.news import Held, Unpaid, Unsent, WithdrawalClosed, WithdrawalPaid
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
)
from services.store.schema import holds, payouts, rails, staff, withdrawals
from services.withdrawals import attempt, floats, record, sending
from tests.services.business import PUBLIC, PayingOut, kes

SENT = Succeeded("UKP9000001", kes("967"))
UNREGISTERED = Failed(Unpaid.RECEIVER, "2040 unregistered number")
OURS = Failed(Unpaid.SHOP, "The initiator information is invalid.", ours=True)


@pytest.fixture
async def paying_out(business):
    await business.paid("10000")
    return await business.approved("1000")


async def test_a_payout_whose_hold_is_gone_is_not_told_as_completed(business, paying_out):
    """Completed without a posting, the books would never show that the money has left."""
    await paying_out.sent()
    its_own = holds.c.id == paying_out.withdrawal.id
    await business.change(holds, its_own, state="voided", resolved_at=business.now)
    with pytest.raises(RuntimeError, match="no open hold"):
        await paying_out.called(SENT)
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "processing"
    await business.change(holds, its_own, state="open", resolved_at=None)
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def none_is_held():
    raise AssertionError("the account holds enough for either")


async def test_of_two_that_have_looked_at_the_same_moment_one_takes_what_the_account_holds(
    business, paying_out
):
    another = await business.approved("1000")
    await business.change(rails, rails.c.rail == "mpesa", float_funds=1_500_00)
    async with business.work() as work:
        both = [await attempt.sending(work, each.payout) for each in (paying_out, another)]
        assert [await floats.waits(work, each, none_is_held) for each in both] == [False, False]
        assert [await floats.taken(work, each) for each in both] == [True, False]
        query = sa.select(rails.c.float_funds).where(
            rails.c.tenant_id == work.tenant, rails.c.rail == "mpesa"
        )
        assert await work.connection.scalar(query) == 1_500_00 - 967_00
    assert not await another.begun()
    assert (await business.row(payouts, another.payout)).held == Held.FLOAT


async def test_a_success_posts_the_hold_and_is_told_to_maker_and_approver(business, paying_out):
    await paying_out.sent()
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
    assert await business.balances() == {
        "provider:mpesa": -1_000_000 + 96_700,
        "wallet": 900_000,
        "fees:withdrawals": 3_300,
    }
    for person in (business.cashier, business.manager):
        news = (await business.news(person))[-1]
        assert isinstance(news, WithdrawalPaid)
        assert news.receipt == "UKP9000001"
        assert news.withdrawal.status == "completed"
    assert (await business.row(holds, paying_out.withdrawal.id)).state == "posted"
    assert await business.jobs(paying_out.payout) == {}


async def test_the_same_success_again_changes_nothing(business, paying_out):
    await paying_out.sent()
    for _ in range(3):
        await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
    assert await business.alerts() == []


async def test_their_failure_releases_the_hold(business, paying_out):
    await paying_out.sent()
    await paying_out.called(UNREGISTERED)
    await paying_out.called(UNREGISTERED)
    assert await business.wallet() == ("10000.00", "0.00", "10000.00")
    news = (await business.news(business.cashier))[-1]
    assert isinstance(news, WithdrawalClosed)
    assert (news.withdrawal.status, news.because, news.reason) == ("failed", Unsent.RECEIVER, None)


async def test_a_refused_request_releases_the_hold(business, paying_out):
    await paying_out.begun()
    await paying_out.answered(Refused(Unpaid.PROVIDER, "Bad Request - Invalid PartyB"))
    assert await business.wallet() == ("10000.00", "0.00", "10000.00")
    assert await business.jobs(paying_out.payout) == {}


async def test_our_failure_keeps_the_withdrawal_and_stops_the_payouts(business, paying_out):
    await paying_out.sent()
    await paying_out.called(OURS)
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "processing"
    assert await business.resting() == {"mpesa": "settings"}
    assert await business.alerts() == ["payouts.frozen"]
    assert await business.wallet() == ("10000.00", "1000.00", "9000.00")
    another = PayingOut(business, paying_out.withdrawal, await business.payout_of(paying_out.withdrawal.id))
    assert another.payout != paying_out.payout
    assert not await another.begun()
    assert await business.jobs(another.payout) == {"payout": timedelta(minutes=10)}
    await business.go_on()
    await another.sent()
    await another.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_a_success_of_the_first_takes_back_the_second_that_was_made_ready(business, paying_out):
    await paying_out.sent()
    await paying_out.called(OURS)
    another = PayingOut(business, paying_out.withdrawal, await business.payout_of(paying_out.withdrawal.id))
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
    assert (await business.row(payouts, another.payout)).state == "failed"
    assert await business.jobs(another.payout) == {}


async def test_a_success_of_the_first_takes_back_that_it_is_asked_for_again(business, paying_out):
    """Or whoever approves it again pays it twice."""
    await paying_out.sent()
    await paying_out.called(OURS)
    again = PayingOut(business, paying_out.withdrawal, await business.payout_of(paying_out.withdrawal.id))
    business.forward(minutes=31)
    assert not await again.begun()
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "pending"
    await paying_out.called(SENT)
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "completed"
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
    await business.go_on()
    async with business.work() as work:
        digest = (await record.shown(work, paying_out.withdrawal.id)).digest
    with pytest.raises(NotPending):
        async with business.teller(business.manager) as teller:
            await teller.approve(paying_out.withdrawal.id, digest)
    assert "withdrawal_expire" not in await business.jobs(paying_out.withdrawal.id)
    async with business.behind() as work:
        assert await business.breaches(work) == []


async def test_a_success_of_the_first_while_the_second_is_out_is_booked_beside_it_and_alerts(
    business, paying_out
):
    await paying_out.sent()
    await paying_out.called(OURS)
    await business.go_on()
    another = PayingOut(business, paying_out.withdrawal, await business.payout_of(paying_out.withdrawal.id))
    await another.sent()
    await paying_out.called(SENT)
    assert await business.wallet() == ("9033.00", "1000.00", "8033.00")
    assert "payout.succeeded_after_failure" in await business.alerts()
    assert await business.resting() == {None: "contradiction"}


async def test_a_wrong_setting_keeps_the_same_payout_until_an_operator_has_looked(business, paying_out):
    await paying_out.begun()
    await paying_out.answered(Misconfigured("Wrong credentials"))
    assert (await business.row(payouts, paying_out.payout)).state == "created"
    assert await business.resting() == {"mpesa": "settings"}
    assert await business.jobs(paying_out.payout) == {"payout": timedelta(minutes=10)}
    await business.go_on()
    await paying_out.sent()
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_an_approver_suspended_before_the_sending_stops_it(business, paying_out):
    await business.change(staff, staff.c.person_id == business.manager, active=False)
    assert not await paying_out.begun()
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "pending"


@pytest.mark.parametrize("column", ["details_sealed", "amount"])
async def test_a_withdrawal_changed_after_its_approval_is_not_sent(business, paying_out, column):
    id_ = paying_out.withdrawal.id
    async with business.work() as work:
        forged = work.seal({"phone_number": "+254700000666"}, "withdrawals.details", id_)
    values = {
        "details_sealed": {"details_sealed": forged},
        "amount": {"amount": 1_100_00, "net": 1_067_00},
    }[column]
    before = await business.row(withdrawals, id_)
    await business.change(withdrawals, withdrawals.c.id == id_, **values)
    assert not await paying_out.begun()
    assert await business.alerts() == ["payout.not_sent"]
    assert before.status == "processing"


async def test_a_crash_before_the_answer_becomes_unknown_and_is_asked_about(business, paying_out):
    assert await paying_out.begun()
    assert not await paying_out.begun()
    assert (await business.row(payouts, paying_out.payout)).state == "unknown"
    assert await business.jobs(paying_out.payout) == {"payout_check": timedelta(seconds=15)}
    assert await paying_out.asked()
    await paying_out.called(SENT, about="query", reference="the query's own")
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
    assert not await paying_out.asked()
    assert await business.jobs(paying_out.payout) == {}


async def test_an_unknown_outcome_stays_processing_and_climbs_the_ladder(business, paying_out):
    await paying_out.begun()
    await paying_out.answered(Unknown("timeout"))
    waits = []
    for _ in range(7):
        waits.append((await business.jobs(paying_out.payout))["payout_check"].total_seconds())
        assert await paying_out.asked()
        await paying_out.called(Pending(), about="query")
    assert waits == [15, 45, 120, 300, 900, 3600, 21600]
    assert await business.alerts() == ["payout.undecided"]
    assert (await business.jobs(paying_out.payout))["payout_check"] == timedelta(hours=6)
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "processing"
    assert await business.wallet() == ("10000.00", "1000.00", "9000.00")


async def test_their_timeout_proves_nothing_and_asks_at_once(business, paying_out):
    await paying_out.sent()
    await paying_out.called(Failed(Unpaid.PROVIDER, "timed out"), about="payout_timeout")
    assert (await business.row(payouts, paying_out.payout)).state == "unknown"
    assert (await business.jobs(paying_out.payout))["payout_check"] == timedelta(0)
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_what_never_left_is_sent_again_and_fails_in_the_end(business, paying_out):
    for _ in range(8):
        assert await paying_out.begun()
        await paying_out.answered(NotSent("refused"))
    assert (await business.row(withdrawals, paying_out.withdrawal.id)).status == "failed"
    assert await business.wallet() == ("10000.00", "0.00", "10000.00")


async def test_the_result_before_the_answer_is_taken(business, paying_out):
    await paying_out.begun()
    await paying_out.called(SENT)
    await paying_out.answered(Accepted("AG_2026"))
    row = await business.row(payouts, paying_out.payout)
    assert (row.state, row.reference) == ("succeeded", "AG_2026")
    assert await business.jobs(paying_out.payout) == {}


@pytest.mark.parametrize(
    ("word", "reference", "alert"),
    [
        (Succeeded("UKP1", kes("1000")), None, "payout.amount_mismatch"),
        (SENT, "another", "payout.reference_mismatch"),
    ],
)
async def test_a_mismatch_moves_nothing_and_alerts(business, paying_out, word, reference, alert):
    await paying_out.sent()
    await paying_out.called(word, reference=reference)
    assert await business.wallet() == ("10000.00", "1000.00", "9000.00")
    assert await business.alerts() == [alert]


async def test_a_receipt_is_applied_once(business, paying_out):
    await paying_out.sent()
    await paying_out.called(SENT)
    second = await business.approved("1000")
    await second.sent()
    await second.called(SENT)
    assert await business.alerts() == ["payout.receipt_reused"]
    assert await business.wallet() == ("9000.00", "1000.00", "8000.00")


async def test_a_failure_after_a_success_is_an_alert_only(business, paying_out):
    await paying_out.sent()
    await paying_out.called(SENT)
    await paying_out.called(UNREGISTERED)
    assert await business.alerts() == ["payout.failed_after_success"]
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_a_success_after_a_failure_is_booked_alerts_and_stops_the_payouts(business, paying_out):
    await paying_out.sent()
    await paying_out.called(UNREGISTERED)
    await paying_out.called(SENT)
    assert await business.alerts() == ["payout.succeeded_after_failure", "payouts.frozen"]
    assert await business.wallet() == ("9033.00", "0.00", "9033.00")


async def test_a_receipt_that_comes_later_is_filled_in(business, paying_out):
    await paying_out.sent()
    await paying_out.asked()
    await paying_out.called(Succeeded(), about="query", named=str(paying_out.payout))
    await paying_out.called(SENT)
    assert (await business.row(payouts, paying_out.payout)).receipt == "UKP9000001"
    await paying_out.called(Succeeded("UKP2", kes("967")))
    assert await business.alerts() == ["payout.receipt_changed"]


async def test_a_question_that_our_settings_spoil_stops_the_payouts(business, paying_out):
    await paying_out.sent()
    async with business.work() as work:
        await sending.payout_check_answered(work, paying_out.payout, Misconfigured("initiator"))
        await sending.payout_check_answered(work, paying_out.payout, Unknown("timeout"))
    assert await business.alerts() == ["payouts.frozen"]


async def test_callbacks_at_once_settle_once(business, paying_out):
    await paying_out.sent()
    await asyncio.gather(*(paying_out.called(SENT) for _ in range(5)), paying_out.called(Succeeded()))
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_beginning_at_once_sends_once(business, paying_out):
    """The second to come takes the first for dead: it asks, and does not send."""
    begun = await asyncio.gather(*(paying_out.begun() for _ in range(4)))
    assert sorted(begun) == [False, False, False, True]


async def test_the_addresses_hold_no_forbidden_word(business, paying_out):
    await paying_out.begun()
    for url in (paying_out.sending.callback_url, paying_out.sending.timeout_url):
        path = url.removeprefix(PUBLIC)
        assert not any(word in path for word in ("mpesa", "safaricom", "exe", "cmd", "sql", "query"))
    async with business.behind() as work:
        rows = (await work.connection.execute(sa.text("SELECT token_hash FROM hooks"))).all()
    assert all(len(row[0]) == 32 for row in rows)
