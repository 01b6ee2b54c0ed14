"""Weighty changes: fees and the approvals themselves, and how many people and codes a change takes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.approval import lending
from services.errors import Changed, FourEyesViolation, MissingScope, StepUpRequired
from services.errors.approval import TotpInvalid
from services.errors.settings import ChangesNothing, InvalidChange, LeavesNoTwo, OwnRights
from services.news.approval import LendingMoved
from services.news.settings import ChangeMoved
from services.people import changes
from services.settings import changing, record
from services.store.schema import approvals, audit, fees, operations
from tests.services.approval.test_changes import approve, ask, pass_a_day, tenant, told
from tests.services.approval.test_step_up import enrolled, other
from tests.services.test_fees import band, quoted

FORTY = {"method_type": "mpesa", "bands": [{"flat": "40"}]}
BY_AMOUNT = {
    "method_type": "mpesa",
    "bands": [{"to": "1000", "flat": "20"}, {"from": "1000.01", "percent": "1.5"}],
}


@pytest.fixture
async def funded(business):
    await business.paid("50000")
    return business


async def code_approve(business, change, approver, code=None):
    async with business.work() as work:
        return await changing.approve(work, approver, change.id, change.digest, code)


async def test_fees_hold_a_day_after_another_person_approved_them(funded):
    change = await ask(funded, "fees", BY_AMOUNT)
    assert "change_fees.asked" in await funded.alerts()  # in time to say no
    assert change.before == {
        "method_type": "mpesa",
        "bands": [{"flat": "KES 33.00", "percent": "0", "usual": True}],
    }
    assert change.after["bands"][1] == {"from": "KES 1000.01", "flat": "KES 0.00", "percent": "1.5"}
    with pytest.raises(FourEyesViolation):
        await approve(funded, change, funded.owner)
    assert "change_fees.self_approval" in await funded.alerts()
    with pytest.raises(MissingScope):
        await approve(funded, change, funded.cashier)
    assert (await approve(funded, change)).state == "cooling"
    assert await quoted(funded, "1000") == ("33.00", "967.00")
    funded.forward(hours=12)
    before = await funded.withdraw("1000")
    funded.forward(hours=-12)
    assert (await pass_a_day(funded, change)).state == "done"
    assert "change_fees.done" in await funded.alerts()
    assert await quoted(funded, "1000") == ("20.00", "980.00")
    assert await quoted(funded, "2000") == ("30.00", "1970.00")
    assert await quoted(funded, "1000", "till") == ("27.00", "973.00")
    async with funded.teller(funded.manager) as teller:  # what was asked for before keeps its fee
        kept = await teller.approve(before.id, before.digest)
    assert (str(kept.fee), kept.status) == ("33.00", "processing")
    usual = await ask(funded, "fees", {"method_type": "mpesa", "bands": []})
    await approve(funded, usual)
    assert (await pass_a_day(funded, usual)).state == "done"
    assert await quoted(funded, "1000") == ("33.00", "967.00")


@pytest.mark.parametrize(
    ("bands", "because"),
    [
        ([{"to": "100"}, {"from": "100"}], "overlaps the band of number 1"),
        ([{"to": "100"}, {"from": "102"}], "leaves a gap"),
        ([{"from": "100", "to": "50"}], "is below from"),
        ([{"flat": "1.234"}], "more places than KES"),
        ([{"percent": "101"}], "not a percentage"),
        ([{"flat": 1.5}], "not an amount"),
        ([{"valid_from": "2026-13-01"}], "a time that is none"),
        ([{"valid_from": "2026-12-02", "valid_until": "2026-12-01"}], "is not after valid_from"),
        ([{"valid_until": "2026-12-01"}, {"valid_from": "2026-12-02"}], "leaves a gap"),
        ([{"method_type": "till"}], "is no band"),
        (["40"], "is no band"),
        ([{}] * 51, "is a list of 50"),
        (None, "is a list of 50"),
    ],
    ids=str,
)
async def test_bands_that_leave_doubts_are_refused_as_in_the_file(business, bands, because):
    with pytest.raises(InvalidChange) as refused:
        await ask(business, "fees", {"method_type": "mpesa", "bands": bands})
    assert because in refused.value.because


async def test_fees_that_the_operator_has_fixed_are_the_operators(business):
    change = await approve(business, await ask(business, "fees", FORTY))
    await business.set(fixed_fees=True)
    with pytest.raises(InvalidChange):
        await ask(business, "fees", FORTY)
    assert (await pass_a_day(business, change)).because == "changed"
    assert await quoted(business, "1000") == ("33.00", "967.00")


async def test_a4_fees_are_approved_as_they_were_shown_upon_what_was_shown(business):
    shown, another = await ask(business, "fees", FORTY), await ask(business, "fees", BY_AMOUNT)
    with pytest.raises(Changed):
        async with business.work() as work:
            await changing.approve(work, business.manager, another.id, shown.digest)
    await approve(business, shown)
    await band(business, 0, None, flat=15_00)  # the operator's file, meanwhile
    assert (await pass_a_day(business, shown)).because == "changed"
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(fees.c.flat)) == 15_00


async def test_a4_a_change_whose_facts_were_altered_is_not_approved(business):
    change = await ask(business, "fees", FORTY)
    facts = {"after": {"method_type": "mpesa", "currency": "KES", "bands": []}, "upon": "0" * 64}
    async with business.behind() as work:
        sealed = work.seal(facts, record.COLUMN, change.id)
        statement = sa.text("UPDATE changes SET facts_sealed = :sealed")
        await work.connection.execute(statement, {"sealed": sealed})
    with pytest.raises(Changed):
        await approve(business, change)


async def test_it_takes_as_many_as_the_largest_withdrawal_would(business):
    await business.set(approvals_above=[[100_000_00, 2], [500_000_00, 3]])
    wanted = {"per_day": "20000"}
    assert (await ask(business, "limits", wanted)).needed == 1  # of one other
    assert (await ask(business, "limits", wanted, business.manager)).needed == 1
    people = [await business.person(name, "Finance Admin") for name in ("Kamau", "Wambui", "Baraka")]
    change = await ask(business, "limits", wanted)
    assert change.needed == 3
    first = await approve(business, change)
    assert (first.state, list(first.approved_by)) == ("pending", [business.manager])
    assert (await approve(business, change)).state == "pending"  # the same person again adds nothing
    assert len(await told(business, people[1], ChangeMoved)) == 1
    assert (await approve(business, change, people[0])).state == "pending"
    assert (await approve(business, change, people[1])).state == "done"
    assert (await tenant(business)).per_day == 20_000_00


async def test_who_would_gain_a_right_is_not_counted_among_the_others(business):
    await business.set(approvals=2)
    admin = await business.person("Kamau", "Admin")
    wanted = {"action": "set", "staff_id": str(business.manager), "role": "Owner"}
    change = await ask(business, "staff", wanted, admin)
    assert change.needed == 1
    with pytest.raises(OwnRights):
        await approve(business, change)
    assert (await approve(business, change, business.owner)).state == "cooling"


async def test_a_lent_right_is_one_approval_of_several(business):
    await business.set(approvals_above=[[100_000_00, 2]])
    third = await business.person("Kamau", "Finance Admin")
    async with business.work() as work:
        lent = await lending.lend(work, third, business.cashier, business.now + timedelta(days=2))
        await lending.agree(work, business.manager, lent.id, lent.digest)
    change = await ask(business, "limits", {"per_day": "20000"})
    assert change.needed == 2
    for person in (business.cashier, third):  # one right
        assert (await approve(business, change, person)).state == "pending"
    assert (await approve(business, change)).state == "done"


async def test_where_codes_are_in_use_every_change_takes_one(business):
    change = await ask(business, "limits", {"per_day": "20000"})
    await business.set(totp_above=1_000_000_00)  # after it was asked for
    with pytest.raises(StepUpRequired):
        await approve(business, change)
    app = await enrolled(business, business.manager)
    with pytest.raises(TotpInvalid):
        await code_approve(business, change, business.manager, other(app()))
    assert (await code_approve(business, change, business.manager, app())).state == "done"
    off = await ask(business, "limits", {"totp_above": None})
    with pytest.raises(StepUpRequired):
        await approve(business, off)
    with pytest.raises(TotpInvalid):  # used
        await code_approve(business, off, business.manager, app())
    business.forward(seconds=60)
    assert (await code_approve(business, off, business.manager, app())).state == "cooling"


async def test_a9_a_limit_is_not_raised_in_small_steps_any_faster(business):
    await business.set(per_day=10_000_00)
    asked = [await ask(business, "limits", {"per_day": amount}) for amount in ("10100", "10200")]
    steps = [await approve(business, change) for change in asked]
    assert all(step.cools for step in steps)
    assert [(await pass_a_day(business, step)).state for step in steps] == ["done", "void"]
    assert (await tenant(business)).per_day == 10_100_00


async def test_no_approver_leaves_whom_the_largest_withdrawal_takes(business):
    """Or it could never be approved, and fewer people would do to take the rule down."""
    x = await business.person("Kamau", "Finance Admin")
    await business.set(approvals_above=[[100_000_00, 3]])
    for wanted in (
        {"action": "remove", "staff_id": str(x)},
        {"action": "set", "staff_id": str(x), "role": "Cashier", "scopes": []},
    ):
        with pytest.raises(LeavesNoTwo):
            await ask(business, "staff", wanted)
    new = await business.person("Wambui", "Finance Admin")
    await ask(business, "staff", {"action": "remove", "staff_id": str(new)})
    await ask(business, "staff", {"action": "add", "name": "Y", "phone": "0733000778", "role": "Analyst"})


async def test_a_lent_right_is_no_second_person(business):
    """It is one with the lender's, and ends."""
    await business.person("Kamau", "Cashier")
    async with business.work() as work:
        until = business.now + timedelta(days=3)
        asked = await lending.lend(work, business.manager, business.cashier, until)
        await lending.agree(work, business.owner, asked.id, asked.digest)
    with pytest.raises(LeavesNoTwo):
        await ask(business, "limits", {"approvals": 3})


async def test_only_who_may_approve_by_an_own_right_ends_one_that_is_lent(business):
    async with business.work() as work:
        asked = await lending.lend(work, business.manager, business.cashier, business.now + timedelta(days=3))
        await lending.agree(work, business.owner, asked.id, asked.digest)
    moved = (await business.row(operations, asked.id)).decided_by
    assert moved == business.owner
    with pytest.raises(MissingScope):
        async with business.work() as work:
            await lending.end(work, business.cashier, asked.id)
    async with business.work() as work:
        ended = await lending.end(work, business.owner, asked.id)
    assert ended.state == "over"
    assert isinstance((await business.news(business.manager))[-1], LendingMoved)


async def test_of_one_whose_chat_was_another_s_the_lent_approvals_go_too(business):
    """What the borrower approved by their right counts no more, and what others approved stands."""
    third = await business.person("Kamau", "Finance Admin")
    await business.paid("5000")
    await business.set(approvals=3)
    async with business.work() as work:
        asked = await lending.lend(work, business.manager, business.cashier, business.now + timedelta(days=3))
        await lending.agree(work, business.owner, asked.id, asked.digest)
    withdrawal = await business.withdraw("1000", maker=third)
    for person in (business.cashier, business.owner):
        async with business.teller(person) as teller:
            await teller.approve(withdrawal.id, withdrawal.digest)
    used = (await business.news(business.manager))[-1]
    assert (used.kind, used.borrower) == ("right_used", "Wanjiku")
    async with business.work() as work:
        await changes.distrust(work, business.manager)
    async with business.behind() as work:
        left = await work.connection.execute(
            sa.select(approvals.c.approver_id).where(approvals.c.operation_id == withdrawal.id)
        )
        assert list(left.scalars()) == [business.owner]


async def test_steps_of_approvals_cool_where_any_amount_would_take_fewer(business):
    others = [await business.person(name, "Finance Admin") for name in ("Kamau", "Wambui")]
    await business.set(approvals_above=[[100_000_00, 2]])

    async def cools(*steps):
        wanted = {"approvals_above": [{"amount": amount, "approvals": n} for amount, n in steps]}
        return (await ask(business, "limits", wanted)).cools

    assert not await cools(("100000", 3))
    assert not await cools(("50000", 2))
    assert not await cools(("50000", 2), ("100000", 1))  # the larger one counts
    assert await cools()
    assert await cools(("100000", 1))
    assert await cools(("100001", 3))
    with pytest.raises(ChangesNothing):
        await cools(("100000", 2))
    with pytest.raises(LeavesNoTwo):
        await cools(("100000", 5))
    change = await ask(business, "limits", {"approvals_above": [{"amount": "7", "approvals": 2}]})
    assert change.before["approvals_above"] == [{"amount": "KES 100000.00", "approvals": "2"}]
    await approve(business, change)
    assert (await approve(business, change, others[0])).state == "done"
    assert (await tenant(business)).approvals_above == [[7_00, 2]]


async def test_an_approval_is_given_within_a_day(business):
    with pytest.raises(InvalidChange):
        await ask(business, "limits", {"approval_hours": 25})
    change = await ask(business, "limits", {"per_day": "20000"})
    assert change.expires_at - business.now == timedelta(hours=24)


async def test_the_audit_has_before_after_and_what_it_took(business):
    await approve(business, await ask(business, "fees", FORTY))
    async with business.behind() as work:
        query = sa.select(audit).where(audit.c.action == "change_fees.asked")
        row = (await work.connection.execute(query)).one()
    assert row.before["bands"] == [{"flat": "KES 33.00", "percent": "0", "usual": True}]
    assert row.after["bands"] == [{"from": "KES 0.00", "flat": "KES 40.00", "percent": "0"}]
    assert (row.facts["approvals"], row.facts["step_up"]) == (1, False)


async def test_a15_a_right_that_is_lent_gives_nothing_to_whose_it_is(funded):
    helper = await funded.person("Helper", "Cashier")
    async with funded.work() as work:
        lent = await lending.lend(work, funded.manager, helper, funded.now + timedelta(days=3))
        await lending.agree(work, funded.owner, lent.id, lent.digest)
    more = {"action": "set", "staff_id": str(funded.manager), "role": "Owner"}
    change = await ask(funded, "staff", more)
    with pytest.raises(OwnRights):
        await approve(funded, change, helper)
    assert "change_staff.self_approval" in await funded.alerts()
    async with funded.work() as work:
        assert (await record.shown(work, change.id)).approved_by == {}
