import asyncio
import copy
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.errors import (
    BelowMinimum,
    BlankReason,
    Changed,
    FourEyesViolation,
    InsufficientBalance,
    InvalidPhone,
    MissingScope,
    NotFound,
    NotPending,
    NotWholeShillings,
    OverLimit,
    PayoutsFrozen,
    ProviderNotConfigured,
    Refusal,
    StepUpRequired,
)
from services.errors.limits import DestinationCoolingDown
from services.facts import Quote
from services.ids import new_id
from services.news import (
    SelfApprovalTried,
    Withdrawal,
    WithdrawalApproved,
    WithdrawalClosed,
    WithdrawalPaid,
    WithdrawalRequested,
)
from services.providers.base import Succeeded
from services.store.schema import approvals, audit, holds, staff, tenants, withdrawal_history, withdrawals
from services.withdrawals import decide, listing, request
from tests.services.business import TO_PHONE, PayingOut, destination, kes


@pytest.fixture
async def funded(business):
    await business.paid("10000")
    return business


async def decided(business, person, withdrawal, verb="approve"):
    async with business.teller(person) as teller:
        if verb == "approve":
            return await teller.approve(withdrawal.id, withdrawal.digest)
        if verb == "reject":
            return await teller.reject(withdrawal.id, "not today")
        return await teller.cancel_withdrawal(withdrawal.id)


async def test_a_request_holds_the_gross_and_asks_the_approvers(funded):
    withdrawal = await funded.withdraw("1000")
    assert (str(withdrawal.amount), str(withdrawal.fee), str(withdrawal.net)) == (
        "1000.00",
        "33.00",
        "967.00",
    )
    assert (withdrawal.status, withdrawal.destination, withdrawal.new_destination, withdrawal.maker) == (
        "pending",
        "********0111",
        True,
        "Wanjiku",
    )
    assert await funded.wallet() == ("10000.00", "1000.00", "9000.00")
    for approver in (funded.manager, funded.owner):
        (news,) = await funded.news(approver)
        assert isinstance(news, WithdrawalRequested)
        assert news.withdrawal == withdrawal
    assert await funded.news(funded.cashier) == []
    assert await funded.jobs(withdrawal.id) == {"withdrawal_expire": timedelta(hours=24)}


async def test_the_same_id_again_is_the_same_withdrawal(funded):
    id_ = new_id()
    first = await funded.withdraw("1000", id=id_)
    assert await funded.withdraw("1000", id=id_) == first
    assert await funded.wallet() == ("10000.00", "1000.00", "9000.00")
    with pytest.raises(NotFound):
        await funded.withdraw("1000", maker=funded.owner, id=id_)


async def test_the_destination_is_sealed_in_full(funded):
    withdrawal = await funded.withdraw()
    row = await funded.row(withdrawals, withdrawal.id)
    assert b"254722000111" not in row.details_sealed
    paying_out = await _processed(funded, withdrawal)
    assert await paying_out.begun()
    assert paying_out.sending.details == {"phone_number": "+254722000111"}
    assert paying_out.sending.amount == kes("967")


async def _processed(business, withdrawal):
    await decided(business, business.manager, withdrawal)
    return PayingOut(business, withdrawal, await business.payout_of(withdrawal.id))


async def test_an_approval_makes_a_payout_due_now_and_tells_the_others(funded):
    withdrawal = await funded.withdraw()
    after = await decided(funded, funded.manager, withdrawal)
    assert after.status == "processing"
    payout = await funded.payout_of(withdrawal.id)
    assert await funded.jobs(payout) == {"payout": timedelta(0)}
    assert await funded.jobs(withdrawal.id) == {}
    for person in (funded.cashier, funded.owner):
        news = (await funded.news(person))[-1]
        assert isinstance(news, WithdrawalApproved)
        assert news.by == "Otieno"
    assert not any(isinstance(news, WithdrawalApproved) for news in await funded.news(funded.manager))


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        ("10001", InsufficientBalance),
        ("42", BelowMinimum),
        ("33", BelowMinimum),
        ("500.50", NotWholeShillings),
        ("250034", InsufficientBalance),
    ],
)
async def test_amounts_that_cannot_be_sent_are_refused(funded, amount, refusal):
    with pytest.raises(refusal):
        await funded.withdraw(amount)
    assert await funded.wallet() == ("10000.00", "0.00", "10000.00")


async def test_more_than_the_rail_takes_is_over_its_limit_where_there_is_as_much(funded):
    await funded.paid("250000")
    with pytest.raises(OverLimit):
        await funded.withdraw("250034")


async def test_who_asks_for_more_than_there_is_and_than_is_allowed_hears_how_much_there_is(funded):
    await funded.set(per_withdrawal=2_000_00, per_day=3_000_00)
    with pytest.raises(InsufficientBalance) as refused:
        await funded.withdraw("10001")
    assert refused.value.available == kes("10000")


async def test_what_is_missing_is_named(funded):
    with pytest.raises(InsufficientBalance) as refused:
        await funded.withdraw("10001")
    assert (refused.value.available, refused.value.required) == (kes("10000"), kes("10001"))


async def test_the_tenants_limits_count_by_the_request_and_by_the_day(funded):
    await funded.set(per_withdrawal=2_000_00, per_day=3_000_00)
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("2001")
    assert refused.value.limit == kes("2000")
    first = await funded.withdraw("2000")
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("1001")
    assert refused.value.limit == kes("3000")
    await decided(funded, funded.cashier, first, "cancel")
    others = [await funded.withdraw("2000"), await funded.withdraw("1000")]
    funded.forward(hours=25)
    async with funded.work() as work:
        for each in others:
            await decide.expire(work, each.id)
    await funded.withdraw("1001")


async def test_the_fee_that_was_shown_is_the_fee_that_is_charged(funded):
    stale = Quote(gross=kes("1000"), fee=kes("10"), net=kes("990"))
    async with funded.work() as work:
        with pytest.raises(Changed):
            await request.request(work, funded.cashier, new_id(), stale, TO_PHONE)


async def test_a_request_takes_its_scope_from_the_database(funded):
    with pytest.raises(MissingScope):
        await funded.withdraw(maker=funded.customer)
    await funded.change(staff, staff.c.person_id == funded.cashier, active=False)
    with pytest.raises(MissingScope):
        await funded.withdraw()


async def test_a_phone_that_is_none_is_refused(funded):
    async with funded.teller(funded.cashier) as teller:
        for text in ("12", "+14155550123", "0202345678"):
            with pytest.raises(InvalidPhone):
                await teller.destination("mpesa", {"phone_number": text})
        assert (await teller.destination("mpesa", {"phone_number": "0722 000 111"})).details == {
            "phone_number": "+254722000111"
        }


# --- four eyes


# The one may approve others' requests, the other none.
@pytest.mark.parametrize("maker", ["owner", "cashier"])
async def test_the_maker_may_not_approve_and_trying_is_recorded_and_told(funded, maker):
    maker = getattr(funded, maker)
    withdrawal = await funded.withdraw(maker=maker)
    with pytest.raises(FourEyesViolation):
        await decided(funded, maker, withdrawal)
    assert await funded.alerts() == ["withdrawal.self_approval"]
    assert isinstance((await funded.news(funded.owner))[-1], SelfApprovalTried)
    assert (await funded.row(withdrawals, withdrawal.id)).status == "pending"


async def test_two_phones_of_one_person_are_one_person(funded):
    boss = await funded.person("Boss", "Owner", phones=2)
    withdrawal = await funded.withdraw(maker=boss)
    with pytest.raises(FourEyesViolation):
        await decided(funded, boss, withdrawal)
    assert len([n for n in await funded.news(boss) if isinstance(n, SelfApprovalTried)]) == 2


async def test_the_database_refuses_the_makers_own_approval_too(funded):
    withdrawal = await funded.withdraw(maker=funded.owner)
    for maker in (funded.owner, funded.manager):  # as it is, and with the maker forged
        with pytest.raises(sa.exc.IntegrityError):
            async with funded.work() as work:
                await work.connection.execute(
                    sa.insert(approvals).values(
                        tenant_id=funded.tenant,
                        operation_id=withdrawal.id,
                        round=1,
                        approver_id=funded.owner,
                        right_of=funded.owner,
                        maker_id=maker,
                        digest=withdrawal.digest,
                        created_at=funded.now,
                    )
                )


async def test_an_approver_needs_the_scope_now(funded):
    withdrawal = await funded.withdraw()
    cashier = await funded.person("Second cashier", "Cashier")
    with pytest.raises(MissingScope):
        await decided(funded, cashier, withdrawal)
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    with pytest.raises(MissingScope):
        await decided(funded, funded.manager, withdrawal)


async def test_an_admin_may_not_approve(funded):
    admin = await funded.person("Admin", "Admin")
    with pytest.raises(MissingScope):
        await decided(funded, admin, await funded.withdraw())


@pytest.mark.parametrize("column", ["amount", "method_type", "details_index"])
async def test_what_was_changed_after_it_was_shown_cannot_be_approved(funded, column):
    withdrawal = await funded.withdraw()
    forged: dict[str, dict[str, Any]] = {
        "amount": {"amount": 2_000_00, "net": 1_967_00},
        "method_type": {"method_type": "till"},
        "details_index": {"details_index": b"x" * 16},
    }
    values = forged[column]
    row = await funded.row(withdrawals, withdrawal.id)
    await funded.change(withdrawals, withdrawals.c.id == withdrawal.id, **values)
    with pytest.raises(Changed):
        await decided(funded, funded.manager, withdrawal)
    before = {name: getattr(row, name) for name in values}
    await funded.change(withdrawals, withdrawals.c.id == withdrawal.id, **before)
    with pytest.raises(Changed):
        async with funded.work() as work:
            await decide.approve(work, funded.manager, withdrawal.id, "0" * 64)


async def test_two_approvals_take_two_people(funded):
    await funded.set(approvals=2)
    withdrawal = await funded.withdraw()
    assert (await decided(funded, funded.manager, withdrawal)).status == "pending"
    assert (await decided(funded, funded.manager, withdrawal)).status == "pending"
    assert (await decided(funded, funded.owner, withdrawal)).status == "processing"


async def test_an_approver_who_was_suspended_no_longer_counts(funded):
    await funded.set(approvals=2)
    third = await funded.person("Third", "Finance Admin")
    withdrawal = await funded.withdraw()
    await decided(funded, funded.manager, withdrawal)
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    assert (await decided(funded, funded.owner, withdrawal)).status == "pending"
    assert (await decided(funded, third, withdrawal)).status == "processing"


async def test_above_the_limit_a_one_time_code_is_needed(funded):
    await funded.set(totp_above=999_00)
    withdrawal = await funded.withdraw("1000")
    with pytest.raises(StepUpRequired):
        await decided(funded, funded.manager, withdrawal)


async def test_frozen_payouts_are_not_approved(funded):
    withdrawal = await funded.withdraw()
    await funded.set(payouts_frozen=True)
    with pytest.raises(PayoutsFrozen):
        await decided(funded, funded.manager, withdrawal)


async def test_a_new_destination_cools_down_where_the_tenant_wants_it(funded):
    await funded.set(new_destination_hours=2)
    withdrawal = await funded.withdraw()
    with pytest.raises(DestinationCoolingDown):
        await decided(funded, funded.manager, withdrawal)
    funded.forward(hours=2)
    assert (await decided(funded, funded.manager, withdrawal)).status == "processing"


async def test_another_tenants_withdrawal_is_not_found(funded):
    withdrawal = await funded.withdraw()
    other = await type(funded)(funded.database, funded.vault).open()
    with pytest.raises(NotFound):
        await decided(other, other.manager, withdrawal)


# --- the other decisions


@pytest.mark.parametrize(
    ("verb", "status", "reason"), [("reject", "rejected", "not today"), ("cancel", "canceled", None)]
)
async def test_a_withdrawal_that_is_not_wanted_releases_its_hold(funded, verb, status, reason):
    withdrawal = await funded.withdraw()
    after = await decided(funded, funded.manager, withdrawal, verb)
    assert after.status == status
    assert await funded.wallet() == ("10000.00", "0.00", "10000.00")
    news = (await funded.news(funded.cashier))[-1]
    assert isinstance(news, WithdrawalClosed)
    assert (news.by, news.reason, news.withdrawal.status) == ("Otieno", reason, status)
    assert (await funded.row(holds, withdrawal.id)).state == "voided"
    with pytest.raises(NotPending) as refused:
        await decided(funded, funded.owner, withdrawal)
    assert (refused.value.status, refused.value.by) == (status, "Otieno")


BLANK = {
    "nothing": "",
    "spaces": " \t\n",
    "wide spaces": "\u00a0\u2003",
    "no width": "\u200b\u200d\ufeff\u00ad",
    "empty letters": "\u3164\u2800",
    "a selector": "\ufe0f",
    "replaced": "\ufffd \ufffd",
}
SIGNS = {"mark": "?", "thumb": "\U0001f44e\ufe0f", "face": "\U0001fae9", "arabic": "لا", "digit": "7"}


@pytest.mark.parametrize("reason", BLANK.values(), ids=BLANK)
async def test_a_rejection_takes_a_reason_that_can_be_read(funded, reason):
    withdrawal = await funded.withdraw()
    with pytest.raises(BlankReason):
        async with funded.teller(funded.manager) as teller:
            await teller.reject(withdrawal.id, reason)
    assert (await decided(funded, funded.manager, withdrawal)).status == "processing"


@pytest.mark.parametrize("reason", SIGNS.values(), ids=SIGNS)
async def test_a_reason_may_be_a_single_sign(funded, reason):
    withdrawal = await funded.withdraw()
    async with funded.teller(funded.manager) as teller:
        assert (await teller.reject(withdrawal.id, reason)).status == "rejected"


async def test_a_blank_reason_of_who_comes_too_late_is_told_what_was_decided(funded):
    withdrawal = await funded.withdraw()
    await decided(funded, funded.manager, withdrawal)
    with pytest.raises(NotPending):
        async with funded.teller(funded.owner) as teller:
            await teller.reject(withdrawal.id, " ")


async def test_the_maker_cancels_and_another_maker_does_not(funded):
    withdrawal = await funded.withdraw()
    second = await funded.person("Second cashier", "Cashier")
    with pytest.raises(MissingScope):
        await decided(funded, second, withdrawal, "cancel")
    with pytest.raises(MissingScope):
        await decided(funded, funded.customer, withdrawal, "cancel")
    assert (await decided(funded, funded.cashier, withdrawal, "cancel")).status == "canceled"


async def test_what_nobody_decided_expires(funded):
    withdrawal = await funded.withdraw()
    async with funded.work() as work:
        await decide.expire(work, withdrawal.id)  # too early
    funded.forward(hours=24)
    with pytest.raises(NotPending) as refused:
        await decided(funded, funded.manager, withdrawal)
    assert refused.value.status == "expired"
    for _ in range(2):
        async with funded.work() as work:
            await decide.expire(work, withdrawal.id)
    assert await funded.wallet() == ("10000.00", "0.00", "10000.00")
    assert (await funded.row(holds, withdrawal.id)).state == "expired"
    news = (await funded.news(funded.cashier))[-1]
    assert isinstance(news, WithdrawalClosed)
    assert news.withdrawal.status == "expired"


async def test_its_history_tells_who_did_what(funded):
    withdrawal = await funded.withdraw()
    await decided(funded, funded.manager, withdrawal)
    async with funded.behind() as work:
        history = sa.select(withdrawal_history).order_by(withdrawal_history.c.seq)
        rows = (await work.connection.execute(history)).all()
        told = sa.select(audit.c.actor, audit.c.action).where(audit.c.target == str(withdrawal.id))
        actions = (await work.connection.execute(told.order_by(audit.c.seq))).all()
    assert [(row.status, row.by_id) for row in rows] == [
        ("pending", funded.cashier),
        ("processing", funded.manager),
    ]
    assert [tuple(action) for action in actions] == [
        (str(funded.cashier), "withdrawal.requested"),
        (str(funded.manager), "withdrawal.approved"),
    ]


# --- what staff see


async def test_staff_see_what_their_scopes_show(funded):
    withdrawal = await funded.withdraw()
    async with funded.teller(funded.manager) as teller:
        assert str((await teller.balance()).available) == "9000.00"
        to_decide = withdrawal.model_copy(update={"named": withdrawal.destination})
        assert await teller.awaiting_approval() == (to_decide,)
        assert await teller.withdrawals() == (withdrawal,)
        assert await teller.withdrawal(withdrawal.id) == to_decide
    async with funded.teller(funded.customer) as teller:
        for verb in (teller.balance, teller.awaiting_approval, teller.withdrawals, teller.destinations):
            with pytest.raises(MissingScope):
                await verb()
        with pytest.raises(NotFound):
            await teller.withdrawal(withdrawal.id)


async def test_the_configured_destination_is_first_and_not_new(funded):
    async with funded.behind() as work:
        sealed = work.seal({"phone_number": "+254722999888"}, "tenants.payout", funded.tenant)
        await work.connection.execute(
            sa.update(tenants).values(payout_method_type="mpesa", payout_sealed=sealed)
        )
    paying_out = await funded.approved()
    await paying_out.sent()
    await paying_out.called(Succeeded("UKP1", kes("967")))
    async with funded.teller(funded.cashier) as teller:
        listed = await teller.destinations()
    assert [(each.label, each.configured) for each in listed] == [
        ("********9888", True),
        ("********0111", False),
    ]
    for each in listed:
        assert not (await funded.withdraw(to=each)).new_destination
    assert (await funded.withdraw(to=destination("0711000222"))).new_destination
    assert isinstance((await funded.news(funded.cashier))[0], WithdrawalApproved)
    assert isinstance((await funded.news(funded.cashier))[1], WithdrawalPaid)


async def test_a_rail_that_is_not_set_up_is_refused(funded):
    async with funded.teller(funded.cashier) as teller:
        for method_type in ("till", "bank_transfer", "pigeon"):
            with pytest.raises(ProviderNotConfigured):
                await teller.quote(kes("1000"), method_type)


# --- races


async def test_of_decisions_at_once_one_wins(funded):
    for _ in range(8):
        withdrawal = await funded.withdraw("100")
        expiring = copy.copy(funded)
        expiring.now = withdrawal.expires_at

        async def expire(withdrawal=withdrawal, expiring=expiring):
            async with expiring.work() as work:
                await decide.expire(work, withdrawal.id)

        results = await asyncio.gather(
            decided(funded, funded.manager, withdrawal),
            decided(funded, funded.owner, withdrawal),
            decided(funded, funded.manager, withdrawal, "reject"),
            decided(funded, funded.cashier, withdrawal, "cancel"),
            expire(),
            return_exceptions=True,
        )
        won = [result for result in results if isinstance(result, Withdrawal)]
        status = (await funded.row(withdrawals, withdrawal.id)).status
        assert all(isinstance(result, NotPending) for result in results if isinstance(result, Exception))
        assert [each.status for each in won] == ([] if status == "expired" else [status])


async def test_requests_at_once_never_overdraw(funded):
    results = await asyncio.gather(*(funded.withdraw("3000") for _ in range(6)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == (
        ["InsufficientBalance"] * 3 + ["Withdrawal"] * 3
    )
    assert await funded.wallet() == ("10000.00", "9000.00", "1000.00")


async def test_requests_at_once_keep_the_limit_of_the_day(funded):
    await funded.set(per_day=5_000_00)
    results = await asyncio.gather(*(funded.withdraw("2000") for _ in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["OverLimit"] * 2 + ["Withdrawal"] * 2


async def test_the_same_request_at_once_holds_once(funded):
    id_ = new_id()
    results = await asyncio.gather(*(funded.withdraw("1000", id=id_) for _ in range(5)))
    assert len({result.digest for result in results}) == 1
    assert await funded.wallet() == ("10000.00", "1000.00", "9000.00")


async def test_the_first_of_two_approvers_is_enough_and_the_second_hears_so(funded):
    withdrawal = await funded.withdraw()
    results = await asyncio.gather(
        decided(funded, funded.manager, withdrawal),
        decided(funded, funded.owner, withdrawal),
        return_exceptions=True,
    )
    (late,) = [result for result in results if isinstance(result, Refusal)]
    assert isinstance(late, NotPending)
    assert late.by in ("Otieno", "Njeri")


async def test_a_number_in_a_typed_reason_is_read_by_people_and_kept_masked(funded):
    withdrawal = await funded.withdraw()
    typed = "not to 0722 000 111, ask 0733000009"
    async with funded.teller(funded.manager) as teller:
        await teller.reject(withdrawal.id, typed)
    news = (await funded.news(funded.cashier))[-1]
    assert isinstance(news, WithdrawalClosed)
    assert news.reason == typed
    async with funded.behind() as work:
        kept = sa.select(withdrawal_history.c.reason).where(withdrawal_history.c.status == "rejected")
        facts = sa.select(audit.c.facts).where(audit.c.action == "withdrawal.rejected")
        masked = "not to ******0111, ask ******0009"
        assert await work.connection.scalar(kept) == masked
        assert await work.connection.scalar(facts) == {"reason": masked}


async def test_pages_of_requests_of_one_moment_have_each_of_them_once(business):
    await business.paid("9000")
    made = [(await business.withdraw("200")).id for _ in range(5)]
    seen, after = [], None
    async with business.work() as work:
        while found := await listing.page(work, None, after, 2):
            seen += [each.withdrawal.id for each in found]
            after = seen[-1]
        with pytest.raises(NotFound):
            await listing.page(work, None, new_id(), 2)
    assert seen == sorted(made, reverse=True)
