"""What a file, changed rules and the order of many leave behind, as tests/records has it."""

import pytest

from services.news import Unpaid
from services.people import people
from services.people.access import APPROVE
from services.providers.base import Failed, Succeeded
from services.store.schema import staff
from services.withdrawals import decide, destinations
from services.withdrawals.again import hold_against_now
from tests.services.batches import test_batches as files
from tests.services.business import TO_BANK, TO_PHONE, TO_TILL, Business, PayingOut, kes
from tests.services.recording import Recorder, compare
from tests.services.test_recorded import approve


@pytest.fixture
async def business(business_on_sqlite: Business) -> Business:
    await business_on_sqlite.paid("9000")
    return business_on_sqlite


async def test_a_file_of_withdrawals(business):
    await business.set(approvals=2)
    record = await Recorder(business).begin()
    async with record.act("more than the wallet has"):
        await files.ask(business, files.HEADER + "phone,0712345678,9500,all\n")
    async with record.act("a file of two"):
        batch = await files.ask(business)
    async with record.act("the cashier approves it"):
        await files.approve(business, batch, business.cashier)
    async with record.act("the first of two approves it"):
        await files.approve(business, batch)
    async with record.act("the second does, and the wallet has less by now"):
        large = await business.withdraw("8000")
        await files.approve(business, batch, business.owner)
    async with record.act("there is enough again"):
        async with business.work() as work:
            await decide.cancel(work, business.cashier, large.id)
        await files.approve(business, batch, business.owner)
    phone, till = await files.lines(business, batch)
    async with record.act("one is paid"):
        await files.settle(business, phone, Succeeded("SJK1", kes("467")))
    async with record.act("the file is not done"):
        await files.finish(business, batch)
    async with record.act("one fails"):
        await files.settle(business, till, Failed(Unpaid.RECEIVER, "no such till"))
    async with record.act("the file is done"):
        await files.finish(business, batch)
    compare("file-of-withdrawals", record)


async def test_rules_that_change_while_requests_wait(business):
    await business.set(approvals=2)
    third = await business.person("Wambui", "Owner")
    record = await Recorder(business).begin()
    record.knows(third, "third")
    async with record.act("three are asked for, of which two are approved by one each"):
        first, second, untouched = [await business.withdraw(each) for each in ("1000", "500", "300")]
        await approve(business, business.manager, first)
        await approve(business, third, second)
    async with record.act("the manager is an approver no more"):
        async with business.work() as work:
            before = await people.with_scope(work, APPROVE)
        await business.change(staff, staff.c.person_id == business.manager, active=False)
        async with business.work() as work:
            await hold_against_now(work, before)
    async with record.act("it takes three by now"):
        await business.set(approvals=3)
        async with business.work() as work:
            await hold_against_now(work, before)
    async with record.act("what was shown before is approved"):
        await approve(business, business.owner, untouched)
    compare("rules-that-change", record)


async def test_where_money_may_go_again(business):
    """The latest first, each once; and of all withdrawals the latest twenty."""
    for n, to in enumerate([TO_PHONE, TO_TILL, TO_BANK, TO_TILL]):
        business.forward(minutes=1)
        withdrawal = await business.withdraw(f"{200 + n}", to=to)
        await approve(business, business.manager, withdrawal)
        out = PayingOut(business, withdrawal, await business.payout_of(withdrawal.id))
        await out.sent()
        await out.called(Succeeded(f"UKP{n}", withdrawal.net))
    for n in range(18):
        business.forward(minutes=1)
        await business.withdraw(f"{100 + n}")
    async with business.teller(business.manager) as teller:
        latest = await teller.withdrawals()
    async with business.work() as work:
        known = await destinations.known(work)
    assert [each.method_type for each in known] == ["till", "bank_transfer", "mpesa"]
    assert [each.amount for each in latest] == [kes(str(n)) for n in (*range(117, 99, -1), 203, 202)]
