"""The settings of a teller, on the database: what they show, and lending from there."""

from datetime import timedelta

import pytest

from services.banks import InvalidDestination
from services.errors import FourEyesViolation, InvalidPhone, MissingScope, NotPending
from services.errors.approval import NotLendable
from services.ids import new_id
from services.news.approval import LendingAsked, LendingMoved, RightLent
from services.people import people
from services.people.access import APPROVE
from tests.services.approval.test_changes import told
from tests.services.approval.test_step_up import enrolled


async def do(business, person, act):
    async with business.teller(person) as teller:
        return await act(teller.settings)


async def test_what_is_so_now_is_shown_as_a_change_shows_it(business):
    await business.set(per_day=50_000_00, approvals_above=[[100_000_00, 2]])
    limits = await do(business, business.manager, lambda settings: settings.limits())
    assert (limits["per_day"], limits["per_withdrawal"], limits["approvals"]) == ("KES 50000.00", "-", "1")
    assert limits["approvals_above"] == [{"amount": "KES 100000.00", "approvals": "2"}]
    fees = await do(business, business.manager, lambda settings: settings.fees())
    assert {way: bands[0]["flat"] for way, bands in fees.items()} == {
        "mpesa": "KES 33.00",
        "bank_transfer": "KES 50.00",
        "till": "KES 27.00",
    }
    staff = await do(business, business.owner, lambda settings: settings.staff())
    assert [(each.name, each.rights) for each in staff] == [
        ("Njeri", "Owner"),
        ("Otieno", "Finance Admin"),
        ("Wanjiku", "Cashier"),
    ]
    for act in (
        lambda settings: settings.limits(),
        lambda settings: settings.staff(),
        lambda settings: settings.fees(),
    ):
        with pytest.raises(MissingScope):
            await do(business, business.cashier, act)


async def test_what_is_typed_is_read_or_refused(business):
    found = await do(
        business, business.owner, lambda settings: settings.destination("till", {"till_number": "522 533"})
    )
    assert (found.method_type, found.details) == ("till", {"till_number": "522533"})
    with pytest.raises(InvalidDestination):
        await do(
            business, business.owner, lambda settings: settings.destination("till", {"till_number": "1"})
        )
    assert (
        await do(business, business.owner, lambda settings: settings.phone("0733 000 777")) == "+254733000777"
    )
    with pytest.raises(InvalidPhone):
        await do(business, business.owner, lambda settings: settings.phone("12"))


async def test_a_change_is_approved_from_chat_with_a_code(business):
    await business.set(totp_above=1_000_00)
    wanted = {"method_type": "mpesa", "bands": [{"percent": "1.5"}]}
    change = await do(business, business.owner, lambda settings: settings.ask(new_id(), "fees", wanted))
    app = await enrolled(business, business.manager)
    after = await do(business, business.manager, lambda o: o.approve(change.id, change.digest, app()))
    assert (after.state, after.after["bands"][0]["percent"]) == ("cooling", "1.5")


async def test_a_right_is_lent_agreed_to_and_taken_back(business):
    third = await business.person("Kamau", "Finance Admin")
    borrowers = await do(business, third, lambda settings: settings.borrowers())
    assert [each.id for each in borrowers] == [business.cashier]
    with pytest.raises(MissingScope):
        await do(business, business.cashier, lambda settings: settings.borrowers())
    until = business.now + timedelta(days=2)
    too_late = business.now + timedelta(days=15)
    with pytest.raises(NotLendable):
        await do(business, third, lambda settings: settings.lend(new_id(), business.cashier, too_late))
    lent = await do(business, third, lambda settings: settings.lend(new_id(), business.cashier, until))
    assert (lent.lender, lent.borrower, lent.state) == ("Kamau", "Wanjiku", "pending")
    for person in (business.owner, business.manager):
        assert [news.lending for news in await told(business, person, LendingAsked)] == [lent]
    with pytest.raises(FourEyesViolation):
        await do(business, third, lambda settings: settings.agree(lent.id, lent.digest))
    agreed = await do(business, business.manager, lambda settings: settings.agree(lent.id, lent.digest))
    assert agreed.state == "lent"
    assert await do(business, business.owner, lambda settings: settings.lendings()) == (agreed,)
    assert len(await told(business, business.cashier, RightLent)) == 1
    async with business.work() as work:
        assert business.cashier in await people.with_scope(work, APPROVE)
    ended = await do(business, business.owner, lambda settings: settings.end(lent.id))
    assert (ended.state, await do(business, third, lambda settings: settings.lendings())) == ("over", ())
    for person in (third, business.cashier):
        assert [news.lending for news in await told(business, person, LendingMoved)] == [ended]
    async with business.work() as work:
        assert business.cashier not in await people.with_scope(work, APPROVE)


async def test_a_lending_that_is_rejected_is_told_to_the_lender_alone(business):
    third = await business.person("Kamau", "Finance Admin")
    until = business.now + timedelta(days=2)
    lent = await do(business, third, lambda settings: settings.lend(new_id(), business.cashier, until))
    refused = await do(
        business, business.manager, lambda settings: settings.refuse(lent.id, "who approves then?")
    )
    assert (refused.state, len(await told(business, third, LendingMoved))) == ("rejected", 1)
    assert await told(business, business.cashier, LendingMoved) == []
    with pytest.raises(NotPending):
        await do(business, business.owner, lambda settings: settings.agree(lent.id, lent.digest))
