"""The attacks on four eyes, by their numbers: each is tried, and fails.

A8 (changing the approvers or the destination first) is in tests/services/approval/test_changes.py, where
changes from inside are.
"""

import asyncio
import secrets
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.whatsapp.outgoing import bodies
from flows.conversation import Conversation
from flows.lipachat import SCRIPT
from flows.reply import Tap
from flows.text import LANGUAGES, render
from services import approval
from services.approval import lending
from services.errors import Changed, FourEyesViolation, MissingScope, NotFound, NotPending, StepUpRequired
from services.errors.approval import ApproverCoolingDown, NotLendable
from services.ids import new_id
from services.news import Flag, Unsent, Unusual, WithdrawalRequested
from services.news.approval import RightLent, WithdrawalAskedAgain
from services.people import changes
from services.people.access import APPROVE, INITIATE, ROLES
from services.settings import changing
from services.store.schema import approvals, audit, audit_private, operations, staff, withdrawals
from services.withdrawals import decide
from services.withdrawals.again import hold_against_now
from services.withdrawals.record import WITHDRAWAL, facts
from tests.services.approval.test_step_up import enrolled
from tests.services.business import PayingOut, destination

ERRAND = approval.Kind("errand", ask=INITIATE, approve=APPROVE)


@pytest.fixture
async def funded(business):
    await business.paid("50000")
    return business


async def approved(business, person, withdrawal):
    async with business.teller(person) as teller:
        return await teller.approve(withdrawal.id, withdrawal.digest)


async def asked(business, maker, facts, needed=1):
    """An operation of no kind that the program has: what holds for it holds for every kind."""
    id_ = new_id()
    async with business.work() as work:
        expires_at = business.now.replace(hour=23)
        digest = await approval.ask(work, ERRAND, id_, maker, facts, needed=needed, expires_at=expires_at)
    return id_, digest


async def test_a1_one_person_with_two_phones_is_one_pair_of_eyes(funded):
    boss = await funded.person("Boss", "Owner", phones=2)
    withdrawal = await funded.withdraw(maker=boss)
    with pytest.raises(FourEyesViolation):
        await approved(funded, boss, withdrawal)
    assert await funded.alerts() == ["withdrawal.self_approval"]
    for maker in (boss, funded.manager):  # past the code too: as it is, and with the maker forged
        row = {"operation_id": withdrawal.id, "approver_id": boss, "right_of": boss, "maker_id": maker}
        with pytest.raises(sa.exc.IntegrityError):
            async with funded.work() as work:
                await work.connection.execute(
                    sa.insert(approvals).values(
                        tenant_id=funded.tenant,
                        digest=withdrawal.digest,
                        created_at=funded.now,
                        round=1,
                        **row,
                    )
                )


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a2_no_role_is_exempt(funded, role):
    person = await funded.person("Somebody", role)
    scopes = ROLES[role]
    if INITIATE in scopes:
        withdrawal = await funded.withdraw(maker=person)
        with pytest.raises(FourEyesViolation):
            await approved(funded, person, withdrawal)
    if APPROVE not in scopes:
        withdrawal = await funded.withdraw()
        with pytest.raises(MissingScope) as refused:
            await approved(funded, person, withdrawal)
        assert refused.value.required_scope == APPROVE


async def test_a3_a_request_of_nobody_cannot_be_made_and_so_not_approved(funded):
    """Somebody whom we do not know is not "another person"."""
    withdrawal = await funded.withdraw()
    with pytest.raises(MissingScope):
        await asked(funded, new_id(), {})
    for table, key in ((operations, operations.c.id), (withdrawals, withdrawals.c.id)):
        with pytest.raises(sa.exc.IntegrityError):
            await funded.change(table, key == withdrawal.id, maker_id=None)
    with pytest.raises(MissingScope):
        async with funded.work() as work:
            await decide.approve(work, new_id(), withdrawal.id, withdrawal.digest)


@pytest.mark.parametrize("column", ["amount", "fee", "method_type", "details_index", "needed", "maker"])
async def test_a4_what_was_changed_after_it_was_shown_is_neither_approved_nor_sent(funded, column):
    withdrawal = await funded.withdraw()
    values: dict[str, tuple[sa.Table, dict[str, Any]]] = {
        "amount": (withdrawals, {"amount": 2_000_00, "net": 1_967_00}),
        "fee": (withdrawals, {"fee": 1_00, "net": 999_00}),
        "method_type": (withdrawals, {"method_type": "till"}),
        "details_index": (withdrawals, {"details_index": b"x" * 16}),
        "needed": (operations, {"approvals_needed": 2}),
        "maker": (operations, {"maker_id": funded.owner}),
    }
    table, changed = values[column]
    await funded.change(table, table.c.id == withdrawal.id, **changed)
    with pytest.raises(Changed):
        await approved(funded, funded.manager, withdrawal)
    assert (await funded.row(withdrawals, withdrawal.id)).status == "pending"


async def test_a9_many_small_ones_take_what_a_large_one_takes(funded):
    await funded.set(approvals_above=[[2_000_00, 2], [3_000_00, 3]], totp_above=None)
    needed: list[int] = []
    those: list[UUID] = []
    for _ in range(4):  # by two makers, to two places: the sum is the tenant's
        maker = (funded.cashier, funded.owner)[len(needed) % 2]
        withdrawal = await funded.withdraw("1000", maker=maker)
        those.append(withdrawal.id)
        needed.append((await funded.row(operations, withdrawal.id)).approvals_needed)
    assert needed == [1, 1, 2, 3]
    await approved(funded, funded.manager, withdrawal)
    assert (await funded.row(withdrawals, withdrawal.id)).status == "pending"
    funded.forward(hours=25)
    async with funded.work() as work:
        for each in those:
            await decide.expire(work, each)
    assert (await funded.row(operations, (await funded.withdraw("1000")).id)).approvals_needed == 1


async def test_a9_asked_at_once_the_sums_still_count(funded):
    await funded.set(approvals_above=[[2_500_00, 2]])
    made = await asyncio.gather(*(funded.withdraw("1000") for _ in range(4)))
    needed = [(await funded.row(operations, each.id)).approvals_needed for each in made]
    assert sorted(needed) == [1, 1, 2, 2]


async def test_a9_what_was_taken_back_does_not_count(funded):
    await funded.set(approvals_above=[[1_500_00, 2]])
    first = await funded.withdraw("1000")
    async with funded.teller(funded.cashier) as teller:
        await teller.cancel_withdrawal(first.id)
    assert (await funded.row(operations, (await funded.withdraw("1000")).id)).approvals_needed == 1


async def test_a11_the_executor_asks_again_whether_it_is_approved(funded):
    """However somebody comes to the job: what is not approved is not sent."""
    paying_out = await funded.approved()
    await funded.change(
        operations, operations.c.id == paying_out.withdrawal.id, state="pending", decided_by=None
    )
    assert not await paying_out.begun()
    async with funded.work() as work:
        assert not await approval.stands(work, WITHDRAWAL, paying_out.withdrawal.id, {})


async def test_a13_who_approved_and_was_removed_since_has_not_approved(funded):
    paying_out = await funded.approved()
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    assert not await paying_out.begun()
    # Those who are left are asked; the money stays held.
    assert (await funded.row(withdrawals, paying_out.withdrawal.id)).status == "pending"
    assert await funded.wallet() == ("50000.00", "1000.00", "49000.00")
    asked = [each for each in await funded.news(funded.owner) if isinstance(each, WithdrawalRequested)]
    assert asked[-1].withdrawal.digest != paying_out.withdrawal.digest
    told = (await funded.news(funded.cashier))[-1]
    assert isinstance(told, WithdrawalAskedAgain)
    assert told.because == Unsent.APPROVER
    assert (await approved(funded, funded.owner, asked[-1].withdrawal)).status == "processing"


async def test_a13_a_policy_that_has_become_stricter_holds_before_the_sending(funded):
    paying_out = await funded.approved()
    await funded.set(approvals=2)
    assert not await paying_out.begun()
    async with funded.teller(funded.owner) as teller:
        (waiting,) = await teller.awaiting_approval()
    assert (await approved(funded, funded.owner, waiting)).status == "pending"
    assert (await approved(funded, funded.manager, waiting)).status == "processing"
    again = PayingOut(funded, waiting, await funded.payout_of(waiting.id))
    assert await again.begun()


async def test_a13_what_others_ask_for_later_takes_no_more_approvals_of_what_was_approved(funded):
    await funded.set(approvals_above=[[1_500_00, 2]])
    paying_out = await funded.approved()
    await funded.withdraw("1000")
    assert await paying_out.begun()


async def _held_against_now(funded, before):
    async with funded.work() as work:
        await hold_against_now(work, before)


async def _asked_of(funded, person):
    told = [each for each in await funded.news(person) if isinstance(each, WithdrawalRequested)]
    return [each.withdrawal.digest for each in told]


async def test_a13_a_request_under_a_policy_that_is_no_longer_enough_is_asked_anew(funded):
    asked = await funded.withdraw()
    await funded.set(approvals=2)
    await _held_against_now(funded, {funded.manager, funded.owner})
    old, new = await _asked_of(funded, funded.owner)
    assert (old, len({old, new})) == (asked.digest, 2)
    with pytest.raises(Changed):
        await approved(funded, funded.owner, asked)
    async with funded.teller(funded.owner) as teller:
        (waiting,) = await teller.awaiting_approval()
    assert (waiting.digest, waiting.expires_at) == (new, asked.expires_at)
    assert (await approved(funded, funded.owner, waiting)).status == "pending"
    assert (await approved(funded, funded.manager, waiting)).status == "processing"


async def test_a13_one_that_was_altered_keeps_no_other_from_being_asked_anew(funded):
    altered, whole = await funded.withdraw(), await funded.withdraw()
    await funded.change(withdrawals, withdrawals.c.id == altered.id, amount=2_000_00, net=1_967_00)
    await funded.set(approvals=2)
    await _held_against_now(funded, {funded.manager, funded.owner})
    rounds = [(await funded.row(operations, each.id)).round for each in (altered, whole)]
    assert rounds == [1, 2]
    with pytest.raises(Changed):
        await approved(funded, funded.owner, altered)
    await funded.change(  # the books are the hold's
        withdrawals, withdrawals.c.id == altered.id, amount=1_000_00, net=967_00
    )


async def test_a13_whose_approval_counts_no_more_others_are_asked_for(funded):
    await funded.set(approvals=2)
    asked = await funded.withdraw()
    await approved(funded, funded.manager, asked)
    before = {funded.manager, funded.owner}
    await _held_against_now(funded, before)  # nothing that it hangs on has changed
    assert len(await _asked_of(funded, funded.owner)) == 1
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    helper = await funded.person("Baraka", "Finance Admin")
    await _held_against_now(funded, before)
    assert len(await _asked_of(funded, funded.owner)) == 2
    assert await _asked_of(funded, helper) == [asked.digest]
    assert (await approved(funded, funded.owner, asked)).status == "pending"
    assert (await approved(funded, helper, asked)).status == "processing"


async def test_a13_who_may_approve_from_now_on_is_asked(funded):
    asked = await funded.withdraw()
    before = {funded.manager, funded.owner}
    helper = await funded.person("Baraka", "Finance Admin")
    await _held_against_now(funded, before)
    assert await _asked_of(funded, helper) == [asked.digest]
    assert len(await _asked_of(funded, funded.owner)) == 1


async def test_a7_who_may_be_another_person_by_now_approves_nothing_for_a_day(funded):
    """A phone is stolen, or its number given to somebody else."""
    await funded.set(approvals=2)
    waiting, sent = await funded.withdraw(), await funded.withdraw()
    await approved(funded, funded.manager, waiting)
    for person in (funded.manager, funded.owner):
        await approved(funded, person, sent)
    paying_out = PayingOut(funded, sent, await funded.payout_of(sent.id))
    async with funded.work() as work:
        await changes.distrust(work, funded.manager)
    assert not await paying_out.begun()  # what they approved, and had not been sent
    with pytest.raises(MissingScope):
        await approved(funded, funded.manager, waiting)
    async with funded.work() as work:
        await changes.verify(work, funded.manager)
    assert (await approved(funded, funded.owner, waiting)).status == "pending"  # one of two: theirs is void
    funded.forward(hours=23, minutes=59)
    with pytest.raises(ApproverCoolingDown):
        await approved(funded, funded.manager, await funded.withdraw())
    funded.forward(minutes=1)
    assert (await approved(funded, funded.manager, await funded.withdraw())).status == "pending"


class Chat:
    """One person's chat, and what its buttons carry."""

    def __init__(self, business, person):
        self.business, self.person, self.place = business, person, None

    async def hear(self, heard):
        async with self.business.work() as work:
            teller = self.business.teller_in(work, self.person)
            talk = Conversation(SCRIPT, self.place, teller, lambda: secrets.token_hex(16))
            replies = await talk.hear(heard)
        self.place = talk.place
        return replies[-1]

    async def asked(self):
        """The button to approve, of the latest request that this person was told of."""
        news = [
            each for each in await self.business.news(self.person) if isinstance(each, WithdrawalRequested)
        ]
        return approval_of(await self.hear(news[-1]))


def approval_of(reply):
    return reply.tap(reply.options[0])


async def test_a5_a_button_is_good_once_for_one_person_one_asking_and_a_quarter_of_an_hour(funded):
    withdrawal = await funded.withdraw()

    async def status():
        return (await funded.row(withdrawals, withdrawal.id)).status

    manager, owner = Chat(funded, funded.manager), Chat(funded, funded.owner)
    button, others = await manager.asked(), await owner.asked()
    assert len(bytes.fromhex(button.nonce)) * 8 == 128
    assert button.nonce != others.nonce
    await owner.hear(button)  # another's
    assert await status() == "pending"
    again = approval_of(await manager.hear(Tap(button.thread, button.step, "0" * 32, button.choice)))
    await manager.hear(button)  # sent again since: the earlier one is void
    assert await status() == "pending"
    late = approval_of(await manager.hear(again))
    funded.forward(minutes=15, seconds=1)
    fresh = approval_of(await manager.hear(late))
    assert await status() == "pending"
    await manager.hear(fresh)
    assert await status() == "processing"
    async with funded.behind() as work:
        before = await work.connection.scalar(sa.select(sa.func.count()).select_from(approvals))
    await manager.hear(fresh)
    async with funded.behind() as work:
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(approvals)) == before


async def test_a10_the_approver_reads_everything_that_decides(funded):
    withdrawal = await funded.withdraw(notes="For the new freezer")
    reply = await Chat(funded, funded.manager).hear(WithdrawalRequested(withdrawal=withdrawal))
    told = render(reply.text, "en", "Africa/Nairobi")
    shown = ("Wanjiku", "1,000.00", "33.00", "967.00", "M-Pesa ********0111", "new", "For the new freezer")
    assert [each for each in shown if each not in told] == []
    assert [option.tap_only for option in reply.options] == [True, True]


FORGED = (
    "A withdrawal from Mama Njeri is waiting for your decision until 25 Nov 2026, 12:00.\nReference: 9F3A01\n"
    "Asked by: Njeri\nAmount: *KES 100.00*\nFee: KES 33.00\nAfter the fee: *KES 67.00*\n"
    "To: M-Pesa ********3456"
)
PADDED = "rent" + "\U000e0020" * (494 - len(FORGED)) + "\n\n" + FORGED


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("notes", [FORGED, PADDED, "x " * 250, "🙏" * 500, "x\u202e000,001 SEK"])
async def test_a10_no_notes_pass_for_the_facts_above_the_buttons(funded, notes, language):
    """Nor do those that still stand in a row as somebody once sent them."""
    withdrawal = await funded.withdraw(notes=notes)
    flagged = withdrawal.model_copy(update={"flags": tuple(Flag(because=each, count=9) for each in Unusual)})

    async def shown(withdrawal):
        reply = await Chat(funded, funded.manager).hear(WithdrawalRequested(withdrawal=withdrawal))
        (message,) = bodies(reply, language)
        assert message["interactive"]["type"] == "button"
        return message["interactive"]["body"]["text"].splitlines()

    lines = await shown(flagged)
    facts = await shown(flagged.model_copy(update={"notes": None}))
    (noted,) = [line for line in lines if line not in facts]
    assert [line for line in lines if line != noted] == facts
    assert noted.isprintable()


async def test_a14_what_was_approved_and_not_sent_in_half_an_hour_is_asked_again(funded):
    paying_out = await funded.approved()
    before = paying_out.withdrawal
    bystander = await funded.withdraw("700")
    funded.forward(minutes=30)
    await funded.set(payouts_frozen=True)
    assert not await paying_out.begun()
    await funded.set(payouts_frozen=False)
    assert (await funded.row(withdrawals, before.id)).status == "processing"
    funded.forward(seconds=1)
    assert not await paying_out.begun()
    assert (await funded.row(withdrawals, before.id)).status == "pending"
    assert await funded.wallet() == ("50000.00", "1700.00", "48300.00")  # held as before
    assert (await funded.row(operations, bystander.id)).round == 1
    assert await funded.jobs(before.id) == {"withdrawal_expire": timedelta(hours=24)}
    assert isinstance((await funded.news(funded.cashier))[-1], WithdrawalAskedAgain)
    asked = (await funded.news(funded.owner))[-1]
    assert isinstance(asked, WithdrawalRequested)
    with pytest.raises(Changed):  # the earlier asking is void, and the approval of then does not count
        await approved(funded, funded.owner, before)
    again = await approved(funded, funded.manager, asked.withdrawal)
    assert again.status == "processing"
    second = PayingOut(funded, again, await funded.payout_of(again.id))
    assert second.payout != paying_out.payout
    assert not await paying_out.begun()
    assert await second.begun()


@pytest.mark.parametrize("days", [0, 2])
async def test_a14_what_is_asked_again_takes_what_the_tenant_demands_by_now(funded, days):
    """However old it is: of an older one the sum of the last day knows nothing."""
    paying_out = await funded.approved()
    await funded.set(approvals_above=[[999_00, 2]], totp_above=999_00)
    funded.forward(days=days, minutes=31)
    assert not await paying_out.begun()
    operation = await funded.row(operations, paying_out.withdrawal.id)
    assert (operation.state, operation.approvals_needed, operation.step_up) == ("pending", 2, True)


async def test_a14_what_is_asked_again_takes_no_less_than_before(funded):
    """By then the sum that it was split from may be of another day (A9)."""
    await funded.set(approvals_above=[[1_500_00, 2]], totp_above=1_500_00)
    await funded.withdraw("1000", to=destination("0733000222"))
    paying_out = PayingOut(funded, await funded.withdraw("1000"), new_id())
    before = await funded.row(operations, paying_out.withdrawal.id)
    assert (before.approvals_needed, before.step_up) == (2, True)
    apps = {person: await enrolled(funded, person) for person in (funded.manager, funded.owner)}
    funded.forward(hours=23, minutes=50)
    for person, app in apps.items():
        async with funded.teller(person) as teller:
            await teller.approve(paying_out.withdrawal.id, paying_out.withdrawal.digest, app())
    paying_out.payout = await funded.payout_of(paying_out.withdrawal.id)
    funded.forward(minutes=31)
    assert not await paying_out.begun()
    after = await funded.row(operations, paying_out.withdrawal.id)
    assert (after.state, after.approvals_needed, after.step_up) == ("pending", 2, True)


async def test_a14_what_was_altered_meanwhile_is_not_asked_again_but_failed(funded):
    paying_out = await funded.approved()
    await funded.change(
        withdrawals, withdrawals.c.id == paying_out.withdrawal.id, amount=2_000_00, net=1_967_00
    )
    funded.forward(minutes=31)
    assert not await paying_out.begun()
    assert (await funded.row(withdrawals, paying_out.withdrawal.id)).status == "failed"
    await funded.change(  # the books are the hold's
        withdrawals, withdrawals.c.id == paying_out.withdrawal.id, amount=1_000_00, net=967_00
    )


# --- A15: the right to approve, lent


@pytest.fixture
async def lent(funded):
    """The manager's right, to somebody at the till; the owner has said yes."""
    funded.helper = await funded.person("Helper", "Cashier")
    async with funded.work() as work:
        asked = await lending.lend(work, funded.manager, funded.helper, funded.now + timedelta(days=3))
    async with funded.work() as work:
        assert (await lending.agree(work, funded.owner, asked.id, asked.digest)).state == "lent"
    funded.lending = asked.id
    return funded


async def test_a15_who_borrowed_approves_for_the_lender_and_both_are_named(lent):
    withdrawal = await lent.withdraw()
    assert any(isinstance(news, WithdrawalRequested) for news in await lent.news(lent.helper))
    assert (await approved(lent, lent.helper, withdrawal)).status == "processing"
    async with lent.behind() as work:
        query = sa.select(audit.c.actor, audit.c.facts).where(audit.c.action == "withdrawal.approved")
        line = (await work.connection.execute(query)).one()
    assert (line.actor, line.facts["lent_by"]) == (str(lent.helper), str(lent.manager))
    told = [news for news in await lent.news(lent.owner) if isinstance(news, RightLent)]
    assert [(news.lender, news.borrower) for news in told] == [("Otieno", "Helper")]


async def test_a15_nobody_approves_by_proxy_what_they_asked_for(lent):
    withdrawal = await lent.withdraw(maker=lent.manager)
    with pytest.raises(FourEyesViolation):
        await approved(lent, lent.helper, withdrawal)
    assert "withdrawal.self_approval" in await lent.alerts()
    own = await lent.withdraw(maker=lent.helper)
    with pytest.raises(FourEyesViolation):
        await approved(lent, lent.helper, own)


async def test_a15_one_right_is_one_approval_whoever_uses_it(lent):
    await lent.set(approvals=2)
    withdrawal = await lent.withdraw()
    await approved(lent, lent.helper, withdrawal)
    assert (await approved(lent, lent.manager, withdrawal)).status == "pending"
    assert (await approved(lent, lent.owner, withdrawal)).status == "processing"


async def test_a15_what_was_approved_by_a_right_that_ended_keeps_nobody_from_approving(lent):
    await lent.set(approvals=2)
    withdrawal = await lent.withdraw()
    await approved(lent, lent.helper, withdrawal)
    await approved(lent, lent.manager, withdrawal)  # it is used already, and the audit has no second one
    async with lent.work() as work:
        await lending.end(work, lent.manager, lent.lending)
    assert (await approved(lent, lent.manager, withdrawal)).status == "pending"
    assert (await approved(lent, lent.manager, withdrawal)).status == "pending"
    assert (await approved(lent, lent.owner, withdrawal)).status == "processing"
    async with lent.behind() as work:
        query = sa.select(audit.c.actor).where(audit.c.action == "withdrawal.approved").order_by(audit.c.seq)
        recorded = list((await work.connection.execute(query)).scalars())
    assert recorded == [str(lent.helper), str(lent.manager), str(lent.owner)]


async def test_a15_who_borrowed_two_rights_uses_the_one_that_is_free(lent):
    """Whichever of the two comes first by its id."""
    await lent.set(approvals=2)
    async with lent.work() as work:
        asked = await lending.lend(work, lent.owner, lent.helper, lent.now + timedelta(days=3))
    async with lent.work() as work:
        await lending.agree(work, lent.manager, asked.id, asked.digest)
    for lender in (lent.manager, lent.owner):
        withdrawal = await lent.withdraw()
        await approved(lent, lender, withdrawal)
        assert (await approved(lent, lent.helper, withdrawal)).status == "processing"


@pytest.mark.parametrize("how", ["over", "taken back", "lender gone", "borrower gone"])
async def test_a15_it_ends_in_time_and_with_either_of_them(lent, how):
    paying_out = PayingOut(lent, await lent.withdraw(), new_id())
    await approved(lent, lent.helper, paying_out.withdrawal)
    paying_out.payout = await lent.payout_of(paying_out.withdrawal.id)
    match how:
        case "over":
            lent.forward(days=3)
        case "taken back":
            async with lent.work() as work:
                await lending.end(work, lent.manager, lent.lending)
        case "lender gone":
            await lent.change(staff, staff.c.person_id == lent.manager, active=False)
        case "borrower gone":
            await lent.change(staff, staff.c.person_id == lent.helper, active=False)
    with pytest.raises(MissingScope):
        await approved(lent, lent.helper, await lent.withdraw())
    assert not await paying_out.begun()  # what they had approved, and was not sent


@pytest.mark.parametrize("who", ["helper", "manager"])
async def test_a15_who_leaves_and_comes_back_neither_lends_nor_borrows_any_more(lent, who):
    """Nobody has agreed to that."""
    baraka = await lent.person("Baraka", "Finance Admin")
    person = getattr(lent, who)
    async with lent.work() as work:
        wanted = {"action": "remove", "staff_id": str(person)}
        change = await changing.ask(work, lent.owner, new_id(), "staff", wanted)
    async with lent.work() as work:
        assert (await changing.approve(work, baraka, change.id, change.digest)).state == "done"
    async with lent.behind() as work:
        ended = sa.select(audit.c.target).where(audit.c.action == "lending.ended")
        assert (await work.connection.execute(ended)).scalars().all() == [str(lent.lending)]
    await lent.change(staff, staff.c.person_id == person, active=True)
    with pytest.raises(MissingScope):
        await approved(lent, lent.helper, await lent.withdraw())


@pytest.mark.parametrize("who", ["helper", "manager"])
async def test_a15_what_was_to_be_lent_ends_with_either_of_them_too(funded, who):
    """Whoever agrees to it while they are away, or once they are back."""
    funded.helper, baraka = await funded.person("Helper", "Cashier"), await funded.person("Baraka", "Owner")
    async with funded.work() as work:
        asked = await lending.lend(work, funded.manager, funded.helper, funded.now + timedelta(days=3))
    async with funded.work() as work:
        wanted = {"action": "remove", "staff_id": str(getattr(funded, who))}
        change = await changing.ask(work, funded.owner, new_id(), "staff", wanted)
    assert (await funded.row(operations, asked.id)).state == "pending"  # trying it has ended nothing
    async with funded.work() as work:
        await changing.approve(work, baraka, change.id, change.digest)
    for active in (False, True):
        await funded.change(staff, staff.c.person_id == getattr(funded, who), active=active)
        with pytest.raises(NotPending):
            async with funded.work() as work:
                await lending.agree(work, funded.owner, asked.id, asked.digest)
    async with funded.work() as work:
        assert (await lending.one(work, asked.id)).state == "canceled"


async def test_a15_to_agree_takes_a_code_where_codes_are_in_use(funded):
    helper = await funded.person("Helper", "Cashier")
    await funded.set(totp_above=999_00)
    async with funded.work() as work:
        asked = await lending.lend(work, funded.manager, helper, funded.now + timedelta(days=3))
    assert (await funded.row(operations, asked.id)).step_up
    with pytest.raises(StepUpRequired):
        async with funded.work() as work:
            await lending.agree(work, funded.owner, asked.id, asked.digest)


async def test_who_may_ask_no_more_takes_nothing_back(funded):
    asked = await funded.withdraw()
    await funded.change(staff, staff.c.person_id == funded.cashier, role="Analyst")
    with pytest.raises(MissingScope):
        async with funded.work() as work:
            await approval.cancel(work, WITHDRAWAL, funded.cashier, asked.id)


async def test_a15_it_is_lent_until_and_can_be_agreed_to_until_and_no_longer(funded):
    helper, at = await funded.person("Helper", "Cashier"), funded.now + timedelta(days=3)
    states = []

    async def look(one, **until_then):
        funded.forward(**until_then)
        async with funded.work() as work:
            states.append((await lending.one(work, one.id)).state)

    for agreed in (False, True):
        async with funded.work() as work:
            asked = await lending.lend(work, funded.manager, helper, at)
            if agreed:
                await lending.agree(work, funded.owner, asked.id, asked.digest)
        ends = at if agreed else (await funded.row(operations, asked.id)).expires_at
        await look(asked, seconds=(ends - funded.now).total_seconds() - 1)
        await look(asked, seconds=1)
    assert states == ["pending", "expired", "lent", "over"]


async def test_a15_who_lends_or_borrows_neither_agrees_nor_rejects(lent):
    """Whatever rights the borrower has by now."""
    other = await lent.person("Other", "Cashier")
    async with lent.work() as work:
        asked = await lending.lend(work, lent.owner, other, lent.now + timedelta(days=1))
    await lent.change(staff, staff.c.person_id == other, scopes=sorted(ROLES["Owner"]))
    for person, refusal in (
        (lent.owner, FourEyesViolation),
        (other, FourEyesViolation),
        (lent.helper, MissingScope),
    ):
        with pytest.raises(refusal):
            async with lent.work() as work:
                await lending.refuse(work, person, asked.id, "no")
    with pytest.raises(FourEyesViolation):
        async with lent.work() as work:
            await lending.agree(work, other, asked.id, asked.digest)
    async with lent.work() as work:
        assert (await lending.refuse(work, lent.manager, asked.id, "no")).state == "rejected"


async def test_a15_lending_takes_another_approver_and_two_weeks_at_most_and_is_not_lent_on(lent):
    other = await lent.person("Other", "Cashier")
    days = timedelta(days=1)
    async with lent.work() as work:
        asked = await lending.lend(work, lent.owner, other, lent.now + days)
    for person, refusal in ((lent.owner, FourEyesViolation), (lent.helper, MissingScope)):
        with pytest.raises(refusal):
            async with lent.work() as work:
                await lending.agree(work, person, asked.id, asked.digest)
    for lender, borrower, span, refused in (
        (lent.helper, other, days, MissingScope),
        (lent.owner, other, 15 * days, NotLendable),
        (lent.owner, other, 0 * days, NotLendable),
        (lent.owner, lent.manager, days, NotLendable),
        (lent.owner, lent.customer, days, NotFound),
    ):
        with pytest.raises(refused):
            async with lent.work() as work:
                await lending.lend(work, lender, borrower, lent.now + span)


async def test_what_was_altered_or_is_decided_otherwise_is_not_asked_for_again(funded):
    pending, rejected = await funded.withdraw(), await funded.withdraw("500")
    async with funded.teller(funded.manager) as teller:
        await teller.reject(rejected.id, "no")
    altered = {"amount": 1}
    unaltered = facts(await funded.row(withdrawals, rejected.id))
    ends = funded.now + timedelta(hours=1)
    for id_, what in ((pending.id, altered), (rejected.id, unaltered)):
        with pytest.raises(Changed):
            async with funded.work() as work:
                await approval.ask_again(work, WITHDRAWAL, id_, what, needed=1, expires_at=ends)


# --- what is kept of it


async def test_what_a_reason_tells_of_a_customer_is_kept_where_it_can_be_erased(funded):
    first, second = await funded.withdraw(), await funded.withdraw()
    async with funded.work() as work:
        await approval.reject(work, WITHDRAWAL, funded.manager, first.id, "Not ours")
        await approval.reject(
            work, WITHDRAWAL, funded.manager, second.id, "Achieng was rude", funded.customer
        )
    async with funded.behind() as work:
        told = sa.select(audit.c.facts).where(audit.c.action == "withdrawal.rejected").order_by(audit.c.seq)
        assert (await work.connection.execute(told)).scalars().all() == [{"reason": "Not ours"}, {}]
        about = await work.connection.execute(sa.select(audit_private.c.subject_id))
        assert about.scalars().all() == [funded.customer]


def test_the_digest_of_what_waits_stays_what_it_is():
    """Another one would void whatever waits as a release goes out."""
    ids = [UUID(int=n) for n in range(1, 4)]
    operation = SimpleNamespace(
        id=ids[1], kind="withdrawal", maker_id=ids[2], round=1, approvals_needed=2, step_up=1
    )
    made = approval.digest(ids[0], operation, {"amount": "1000.00", "to": "254722000111"})
    assert made == "e9c6c4f7cd6a77984c29ed88b7e7ab03fe37988a67fbb83640ab4b336190fc1c"
