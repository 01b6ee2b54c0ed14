"""Changes from inside: attack A8, and what else may be tried with them."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import Changed, FourEyesViolation, InvalidMethodDetails, MissingScope, NotPending
from services.errors.settings import ChangesNothing, InvalidChange, LeavesNoTwo, OwnRights
from services.ids import new_id
from services.news.settings import ChangeAsked, ChangeMoved
from services.people import people
from services.people.access import APPROVE
from services.settings import changing, record, undone
from services.store.schema import staff, withdrawals
from tests.services.business import destination

EVIL = {"method_type": "mpesa", "method_details": {"phone_number": "0733000666"}}
OLD = {"method_type": "mpesa", "method_details": {"phone_number": "+254722000111"}}


@pytest.fixture
async def funded(business):
    await business.paid("50000")
    async with business.work() as work:
        sealed = work.seal(OLD["method_details"], "tenants.payout", business.tenant)
    await business.set(payout_method_type="mpesa", payout_sealed=sealed, approval_hours=12)
    return business


async def ask(business, kind, wanted, maker=None):
    async with business.work() as work:
        return await changing.ask(work, maker or business.owner, new_id(), kind, wanted)


async def approve(business, change, approver=None):
    async with business.work() as work:
        return await changing.approve(work, approver or business.manager, change.id, change.digest)


async def pass_a_day(business, change):
    business.forward(hours=24)
    async with business.work() as work:
        await changing.take_effect(work, change.id)
        return await record.shown(work, change.id)


async def tenant(business):
    async with business.work() as work:
        return await people.tenant_of(work)


async def told(business, person, kind):
    return [news for news in await business.news(person) if isinstance(news, kind)]


async def test_a8_a_destination_that_is_changed_first_waits_for_two_people_and_a_day(funded):
    other = await funded.person("Wambui", "Owner")
    change = await ask(funded, "destination", EVIL)
    assert change.after == {"method_type": "mpesa", "destination": "********0666"}
    with pytest.raises(FourEyesViolation):
        await approve(funded, change, funded.owner)
    assert "change_destination.self_approval" in await funded.alerts()
    assert (await funded.withdraw("100", to=destination("0733000666"))).new_destination
    change = await approve(funded, change)
    assert (change.state, change.due_at - funded.now) == ("cooling", timedelta(hours=24))
    assert (await funded.withdraw("100", to=destination("0733000666"))).new_destination
    assert [news.change.state for news in await told(funded, other, ChangeMoved)] == ["cooling"]
    assert len(await told(funded, other, ChangeAsked)) == 1
    async with funded.work() as work:  # an owner who asked for nothing takes it back
        change = await changing.take_back(work, other, change.id)
    assert change.state == "taken_back"
    assert (await pass_a_day(funded, change)).state == "taken_back"
    assert (await funded.withdraw("100", to=destination("0733000666"))).new_destination
    assert not (await funded.withdraw("100")).new_destination


async def test_a8_an_approver_who_is_added_first_waits_for_two_people_and_a_day(funded):
    puppet = {"action": "add", "name": "Puppet", "phone": "0733000777", "role": "Finance Admin"}
    change = await ask(funded, "staff", puppet)
    assert change.after == {"name": "Puppet", "phone": "********0777", "rights": "Finance Admin"}
    await approve(funded, change)
    async with funded.work() as work:
        assert await people.with_scope(work, APPROVE) == {funded.manager, funded.owner}
    assert (await pass_a_day(funded, change)).state == "done"
    async with funded.work() as work:
        assert len(await people.with_scope(work, APPROVE)) == 3


async def test_a8_who_would_gain_a_right_does_not_approve_it(funded):
    admin = await funded.person("Kamau", "Admin")
    wanted = {"action": "set", "staff_id": str(funded.manager), "role": "Owner"}
    change = await ask(funded, "staff", wanted, admin)
    with pytest.raises(OwnRights):
        await approve(funded, change)
    assert (await approve(funded, change, funded.owner)).state == "cooling"


async def test_a8_an_owner_is_not_made_at_once_nor_by_themselves_even_where_no_right_is_new(funded):
    """Owners take back, end and let go on what others may not."""
    admin = await funded.person("Baraka", "Admin")
    await funded.change(staff, staff.c.person_id == admin, scopes=[APPROVE])
    change = await ask(funded, "staff", {"action": "set", "staff_id": str(admin), "role": "Owner"})
    assert change.cools
    with pytest.raises(OwnRights):
        await approve(funded, change, admin)
    assert (await approve(funded, change)).state == "cooling"
    async with funded.work() as work:
        assert admin not in await people.owners(work)
    assert (await pass_a_day(funded, change)).state == "done"
    async with funded.work() as work:
        assert admin in await people.owners(work)
    again = {"action": "set", "staff_id": str(admin), "role": "Owner", "scopes": [APPROVE]}
    assert not (await ask(funded, "staff", again)).cools  # an owner already


async def test_a_day_later_it_holds_and_what_waited_for_the_old_destination_is_closed(funded):
    waiting = await funded.withdraw("100")
    change = await approve(funded, await ask(funded, "destination", EVIL))
    assert (await pass_a_day(funded, change)).state == "done"
    row = await funded.row(withdrawals, waiting.id)
    assert row.status == "canceled"
    with pytest.raises(NotPending):
        async with funded.teller(funded.manager) as teller:
            await teller.approve(waiting.id, waiting.digest)
    assert (await funded.withdraw("100")).new_destination
    assert not (await funded.withdraw("100", to=destination("0733000666"))).new_destination


async def test_what_only_makes_things_safer_holds_with_its_approval(funded):
    change = await ask(funded, "limits", {"per_day": "20000", "approvals": 1, "blocked_hours": "22:00-05:00"})
    assert not change.cools
    assert (await approve(funded, change)).state == "done"
    now = await tenant(funded)
    assert (now.per_day, now.blocked_hours) == (20_000_00, "22:00-05:00")
    for wanted in ({"per_day": "20001"}, {"per_day": None}, {"blocked_hours": None}, {"approval_hours": 20}):
        assert (await ask(funded, "limits", wanted)).cools


@pytest.mark.parametrize(
    ("kind", "wanted", "refused"),
    [
        ("limits", {"approvals": 0}, InvalidChange),
        ("limits", {"approvals": None}, InvalidChange),
        ("limits", {"approvals": 9}, LeavesNoTwo),
        ("limits", {"per_day": "lots"}, InvalidChange),
        ("limits", {"per_day": "1.234"}, InvalidChange),
        ("limits", {"fees": 0}, InvalidChange),
        ("limits", {}, InvalidChange),
        ("limits", {"approval_hours": 12}, ChangesNothing),
        ("destination", OLD, ChangesNothing),
        ("destination", {"method_type": "cash", "method_details": {}}, InvalidChange),
        (
            "destination",
            {"method_type": "till", "method_details": {"till_number": "x"}},
            InvalidMethodDetails,
        ),
        ("staff", {"action": "add", "name": "X", "phone": "12", "role": "Owner"}, InvalidChange),
        ("staff", {"action": "add", "name": "X", "phone": "0733000777", "role": "King"}, InvalidChange),
        ("staff", {"action": "add", "name": "Otieno", "phone": "0733000777", "role": "Owner"}, InvalidChange),
        ("staff", {"action": "remove", "staff_id": "nobody"}, InvalidChange),
        ("resume", {}, ChangesNothing),
    ],
    ids=str,
)
async def test_bad_input_is_refused_when_it_is_asked_for(funded, kind, wanted, refused):
    with pytest.raises(refused):
        await ask(funded, kind, wanted)


async def test_a_change_that_would_leave_no_two_people_is_refused(business):
    """The last owner stays, and so does a second person who may approve what the first asks for."""
    await business.change(staff, staff.c.person_id == business.owner, role="Owner")
    with pytest.raises(LeavesNoTwo):
        await ask(business, "staff", {"action": "remove", "staff_id": str(business.owner)})
    await ask(
        business, "staff", {"action": "remove", "staff_id": str(business.manager)}
    )  # the owner approves
    await business.change(staff, staff.c.person_id == business.cashier, active=False)
    with pytest.raises(LeavesNoTwo):
        await ask(business, "staff", {"action": "remove", "staff_id": str(business.manager)})


async def test_it_is_checked_again_when_it_takes_effect_whether_two_are_left(business):
    wanted = {"action": "set", "staff_id": str(business.cashier), "scopes": ["finance:view"]}
    change = await ask(business, "staff", wanted)
    second = await business.person("Kamau", "Admin")
    remove = await ask(business, "staff", {"action": "remove", "staff_id": str(business.manager)}, second)
    assert (await approve(business, change)).state == "done"
    await business.change(staff, staff.c.person_id == second, scopes=["users:manage"], role=None)
    change = await approve(business, remove, business.owner)
    assert (change.state, change.because) == ("void", "two_people")
    async with business.work() as work:
        assert business.manager in await people.active_staff(work)


async def test_a_proposer_who_lost_the_right_voids_the_change(funded):
    change = await approve(funded, await ask(funded, "limits", {"approval_hours": 20}))
    await funded.change(staff, staff.c.person_id == funded.owner, role="Cashier")
    assert (await pass_a_day(funded, change)).because == "maker"
    assert (await tenant(funded)).approval_hours == 12


async def test_an_approver_who_lost_the_right_voids_the_change(funded):
    change = await approve(funded, await ask(funded, "limits", {"approval_hours": 20}))
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    assert (await pass_a_day(funded, change)).because == "approver"


async def test_of_two_changes_of_the_same_the_second_is_void(funded):
    first = await approve(funded, await ask(funded, "limits", {"approval_hours": 20}))
    second = await approve(funded, await ask(funded, "limits", {"approval_hours": 24}))
    funded.forward(hours=24)

    async def take_effect(change):
        async with funded.work() as work:
            await changing.take_effect(work, change.id)

    await asyncio.gather(take_effect(first), take_effect(second))
    async with funded.work() as work:
        states = [(await record.shown(work, each.id)).state for each in (first, second)]
    assert sorted(states) == ["done", "void"]
    assert (await tenant(funded)).approval_hours in (20, 24)


async def test_rejected_expired_and_decided_changes_stay_so(funded):
    change = await ask(funded, "limits", {"approval_hours": 20})
    with pytest.raises(MissingScope):
        await approve(funded, change, funded.cashier)
    with pytest.raises(Changed):
        async with funded.work() as work:
            await changing.approve(work, funded.manager, change.id, "0" * 64)
    async with funded.work() as work:
        assert (await changing.reject(work, funded.manager, change.id, "too long")).state == "rejected"
    with pytest.raises(NotPending):
        await approve(funded, change)
    late = await ask(funded, "limits", {"approval_hours": 20})
    funded.forward(hours=24)
    async with funded.work() as work:
        await changing.expire(work, late.id)
        assert (await record.shown(work, late.id)).state == "expired"
    with pytest.raises(NotPending):
        async with funded.work() as work:
            await changing.take_back(work, funded.owner, late.id)


async def test_the_operator_hears_what_the_file_sets_back_once(funded):
    change = await approve(funded, await ask(funded, "limits", {"per_day": "20000"}))
    assert change.state == "done"
    async with funded.work() as work:
        assert await undone.warnings(work, ["limits.per_maker"]) == []
        (warning,) = await undone.warnings(work, ["limits.per_day", "fees"])
        assert warning.startswith("limits.per_day: the staff changed it on 2026-11-24 (asked by Njeri")
        assert await undone.warnings(work, ["limits.per_day"]) == []


async def test_the_audit_says_what_was_before_and_after(funded):
    await approve(funded, await ask(funded, "limits", {"per_day": "20000"}))
    async with funded.behind() as work:
        rows = (
            (await work.connection.execute(sa.text("SELECT action FROM audit ORDER BY seq"))).scalars().all()
        )
    actions = [each for each in rows if each.startswith("change_")]
    assert actions == ["change_limits.asked", "change_limits.approved", "change_limits.done"]
