"""Whatever waits for approvers is told to them by e-mail, and to nobody whom it does not ask."""

import importlib
import pkgutil
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

import services
from bot.mail import asked
from bot.mail.posting import operator_id
from services import approval, audit
from services.approval import lending
from services.batches import asking as batches
from services.batches import deciding
from services.ids import new_id
from services.providers.base import Succeeded
from services.schedules import asking as schedules
from services.schedules.calendar import Rule
from services.settings import changing
from services.settings.kinds import SETTINGS
from services.store.schema import mails, people, staff
from tests.bot.mail.conftest import OPERATOR
from tests.services import refunding, reviewing
from tests.services.business import TO_PHONE, kes
from tests.services.test_payments_in_doubt import OTHER, gone_up_the_ladder

OWNER, MANAGER, CASHIER = "njeri@shop.example", "kamau@shop.example", "achieng@shop.example"
FILE = b"to,number,amount,note\nphone,0712345678,500,rice\ntill,123456,1200,rent\n"
LIMITS = {"per_day": "20000"}


async def a_file(business):
    async with business.work() as work:
        return await batches.ask_file(work, business.cashier, new_id(), "pay.csv", FILE, ("mpesa", "till"))


async def a_refund(business):
    return await refunding.ask(business, await business.paid("500"), maker=business.manager)


async def a_schedule(business):
    wanted = schedules.Wanted(
        "Evening", Rule("day", (), 18), kes("1000"), kes("5000"), date(2027, 3, 1), TO_PHONE
    )
    async with business.work() as work:
        return await schedules.ask(work, business.cashier, new_id(), wanted)


async def a_change(business):
    async with business.work() as work:
        return await changing.ask(work, business.manager, new_id(), "limits", LIMITS)


async def a_lending(business):
    async with business.work() as work:
        until = business.now + timedelta(days=2)
        return await lending.lend(work, business.manager, business.cashier, until)


async def a_settlement(business):
    undecided = await reviewing.left_undecided(business)
    return await reviewing.propose(business, undecided.payout)


async def a_payment(business):
    """Of 500, of which another amount was told."""
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(OTHER)
    await gone_up_the_ladder(paying, Succeeded())
    return await reviewing.propose(business, paying.attempt, reference="SJK7ABC777", amount=kes("500"))


CASES = {
    "file": (a_file, {OWNER, MANAGER}, ("pay.csv", "KES 1,700.00")),
    "refund": (a_refund, {OWNER}, ("KES 500.00",)),
    "schedule": (a_schedule, {OWNER, MANAGER}, ("Evening", "KES 5,000.00")),
    "change": (a_change, {OWNER}, ("20,000",)),
    "lending": (a_lending, {OWNER}, ("right to approve", "Wanjiku")),
    "settlement": (a_settlement, {OWNER}, ("SJK7ABC123", "KES 967.00")),
    "payment": (
        a_payment,
        {OWNER},
        (
            "a callback that nobody signs: KES 5.00. Receipt: UKO9000001.",
            "KES 5.00 was told and KES 500.00 was asked for: that is KES 495.00 too little.",
            "another receipt than M-Pesa has told",
            "own records have KES 500.00. Receipt: SJK7ABC777.",
        ),
    ),
}


@pytest.fixture
async def reading(office):
    """All of the staff read e-mail, and the operator does not."""
    office.calls = office.worker(operators=())
    await office.business.paid("50000")
    await office.minute()
    await office.write_to(owner=OWNER, manager=MANAGER, cashier=CASHIER)
    return office


def about(office):
    """Of what is asked; alerts of the same minutes are other letters."""
    letters = zip(office.server.to, office.server.taken, strict=True)
    return {to: one for to, one in letters if "for your decision" in str(one["Subject"])}


@pytest.mark.parametrize("case", CASES)
async def test_each_who_may_decide_is_written_to(reading, case):
    ask, approvers, says = CASES[case]
    what = await ask(reading.business)
    await reading.minute()
    told = about(reading)
    assert set(told) == approvers
    text = told[OWNER].get_content()
    async with reading.business.behind() as work:
        maker = what.lender_id if case == "lending" else what.maker_id
        name = await work.connection.scalar(sa.select(people.c.name).where(people.c.id == maker))
    assert f"{name} asks for your decision before " in text
    assert all(each in text for each in says), text
    assert "Nothing is decided by an answer" in " ".join(text.split())
    assert "712345678" not in text
    await reading.minute(30)
    assert len([one for one in reading.server.taken if "decision" in str(one["Subject"])]) == len(approvers)


async def test_who_has_approved_it_already_is_not_asked(reading):
    await reading.business.set(approvals=2)
    batch = await a_file(reading.business)
    await reading.watching.once()
    async with reading.business.work() as work:
        await deciding.approve(work, reading.business.manager, batch.id, batch.digest, ("mpesa", "till"))
    await reading.minute()
    assert set(about(reading)) == {OWNER}


async def test_who_may_decide_no_more_is_not_asked(reading):
    await a_file(reading.business)
    await reading.watching.once()
    await reading.business.change(staff, staff.c.person_id == reading.business.owner, active=False)
    await reading.minute()
    assert set(about(reading)) == {MANAGER}


async def test_what_is_asked_for_and_an_alert_too_is_told_once_to_each(reading):
    """The operator, whose income it is, has the alert; who is asked has the request alone."""
    reading.calls = reading.worker()
    async with reading.business.work() as work:
        maker = reading.business.manager
        await audit.record(work, maker, "change_fees.asked", new_id(), {}, alert=True)
    await reading.watching.once()
    async with reading.business.behind() as work:
        rows = (await work.connection.execute(sa.select(mails.c.recipient_id, mails.c.kind))).all()
    assert set(rows) == {(operator_id(OPERATOR), "alert"), (reading.business.owner, "approval")}
    await reading.minute()
    assert about(reading) == {}  # there is no such operation
    assert await reading.waiting() == 0


async def test_what_was_rejected_meanwhile_is_not_told(reading):
    batch = await a_file(reading.business)
    async with reading.business.work() as work:
        await deciding.reject(work, reading.business.manager, batch.id, "too early")
    await reading.minute()
    assert about(reading) == {}


def test_no_kind_of_request_is_left_out():
    kinds: set[str] = set()
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if ".migrations" not in module.name:
            found = vars(importlib.import_module(module.name)).values()
            kinds |= {each.name for each in found if isinstance(each, approval.Kind)}
    assert len(kinds) > 1
    assert kinds | {each.kind.name for each in SETTINGS.values()} == set(asked.WAYS)
