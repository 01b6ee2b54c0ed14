"""A file of withdrawals is approved as one: all of it is made, or nothing is."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.batches import asking, deciding, record, results, starting
from services.batches.faults import BatchFaulty, Fault
from services.errors import (
    Changed,
    FourEyesViolation,
    InsufficientBalance,
    MissingScope,
    NotPending,
    StepUpRequired,
)
from services.errors.limits import DestinationCoolingDown, PayoutsStoppedBy
from services.ids import new_id
from services.news import Unpaid, WithdrawalPaid
from services.news.batches import BatchAsked, BatchMoved
from services.providers.base import Failed, Succeeded
from services.store.schema import approvals, batches, fees, lendings, operations, staff, withdrawals
from services.withdrawals import decide, sending, stop
from services.withdrawals.record import read
from tests.conftest import BOTH
from tests.services import reviewing
from tests.services.business import PUBLIC, PayingOut, kes

HEADER = "to,number,amount,note\n"
TWO = HEADER + "phone,0712345678,500,rice\ntill,123456,1200,rent\n"
WAYS = ("mpesa", "till")


@pytest.fixture
async def funded(business):
    await business.paid("100000")
    return business


async def ask(business, text=TWO, maker=None, ways=WAYS):
    async with business.work() as work:
        return await asking.ask_file(
            work, maker or business.cashier, new_id(), "pay.csv", text.encode(), ways
        )


async def approve(business, batch, by=None, code=None):
    async with business.work() as work:
        return await deciding.approve(work, by or business.manager, batch.id, batch.digest, WAYS, code)


async def lines(business, batch):
    async with business.work() as work:
        return await results.of_lines(work, batch.id)


async def finish(business, batch):
    async with business.work() as work:
        await starting.finish(work, batch.id)


async def begun(business, result):
    payout_id = await business.payout_of(result.withdrawal_id)
    async with business.work() as work:
        return await sending.begin_payout(work, payout_id, PUBLIC) is not None


async def settle(business, result, word):
    async with business.work() as work:
        (withdrawal,) = await read(work, withdrawals.c.id == result.withdrawal_id)
    one = PayingOut(business, withdrawal, await business.payout_of(result.withdrawal_id))
    await one.sent()
    await one.called(word)


async def test_with_its_approval_every_line_is_a_withdrawal_and_all_are_held(funded):
    batch = await ask(funded)
    assert (batch.count, batch.amount, batch.fee, batch.state) == (2, kes("1700"), kes("60"), "pending")
    assert await funded.wallet() == ("100000.00", "0.00", "100000.00")  # nothing is held before
    assert BatchAsked(batch=batch) in await funded.news(funded.manager)
    batch = await approve(funded, batch)
    assert batch.state == "running"
    assert await funded.wallet() == ("100000.00", "1700.00", "98300.00")
    phone, till = await lines(funded, batch)
    await settle(funded, phone, Succeeded("SJK1", kes("467")))
    await finish(funded, batch)
    assert (await shown(funded, batch)).state == "running"
    await settle(funded, till, Failed(Unpaid.RECEIVER, "no such till"))
    assert "batch_done" in await funded.jobs(batch.id)
    await finish(funded, batch)
    done = await shown(funded, batch)
    assert (done.state, [(each.of, each.count) for each in done.stands]) == (
        "done",
        [("completed", 1), ("failed", 1)],
    )
    assert [(each.status, each.receipt, each.reason) for each in await lines(funded, batch)] == [
        ("completed", "SJK1", None),
        ("failed", None, "receiver"),
    ]
    assert await funded.wallet() == ("99500.00", "0.00", "99500.00")
    told = await funded.news(funded.cashier)
    assert not any(isinstance(each, WithdrawalPaid) for each in told)  # each by itself would be a flood
    assert [each.batch.state for each in told if isinstance(each, BatchMoved)] == ["running", "done"]


async def shown(business, batch):
    async with business.work() as work:
        return await record.shown(work, batch.id)


async def test_each_line_bears_the_approvals_of_the_whole_and_loses_them_with_their_giver(funded):
    batch = await approve(funded, await ask(funded))
    first, second = await lines(funded, batch)
    assert await begun(funded, first)
    await funded.change(staff, staff.c.person_id == funded.manager, active=False)
    assert not await begun(funded, second)
    assert (await lines(funded, batch))[1].status == "pending"  # those who are left are asked


async def test_tills_of_one_file_that_go_one_by_one_do_not_outlive_their_approval(funded):
    text = HEADER + "".join(f"till,12345{at},1200,rent\n" for at in range(3))
    batch = await approve(funded, await ask(funded, text))
    for at, result in enumerate((await lines(funded, batch))[:2]):
        funded.forward(minutes=20)
        await settle(funded, result, Succeeded(f"SJK{at}", kes("1173")))
    funded.forward(minutes=31)  # nothing went for so long
    assert not await begun(funded, (await lines(funded, batch))[2])
    assert (await lines(funded, batch))[2].status == "pending"


async def test_a_till_s_time_counts_from_the_last_of_its_file_that_went(funded):
    text = HEADER + "".join(f"till,12345{at},1200,rent\n" for at in range(3))
    batch = await approve(funded, await ask(funded, text))
    for at, result in enumerate((await lines(funded, batch))[:2]):
        funded.forward(minutes=20)
        await settle(funded, result, Succeeded(f"SJK{at}", kes("1173")))
    funded.forward(minutes=29)  # 49 after the first one
    assert await begun(funded, (await lines(funded, batch))[2])


async def test_a_line_that_was_not_sent_in_time_is_asked_for_by_itself(funded):
    batch = await approve(funded, await ask(funded))
    first, _ = await lines(funded, batch)
    funded.forward(minutes=31)
    assert not await begun(funded, first)
    async with funded.teller(funded.manager) as teller:
        again = await teller.withdrawal(first.withdrawal_id)
        assert (again.status, again.batch_id) == ("pending", batch.id)
        assert (await teller.approve(again.id, again.digest)).status == "processing"


FAULTS = {
    HEADER + "phone,0712345678,33,\n": (Fault.FEE, 2),
    HEADER + "phone,0712345678,40,\n": (Fault.MINIMUM, 2),
    HEADER + "phone,0712345678,500,\nphone,0712345679,100.50,\n": (Fault.CENTS, 3),
    HEADER + "phone,0712345678,260000,\n": (Fault.LIMIT, 2),
    "to,number,bank,name,amount\nbank,1110099887,KCB,Mama Njeri,5000\n": (Fault.CLOSED, 2),
}


@pytest.mark.parametrize("text", FAULTS, ids=range(len(FAULTS)))
async def test_a_line_that_may_not_be_paid_starts_nothing(funded, text):
    with pytest.raises(BatchFaulty) as refused:
        await ask(funded, text)
    assert [(fault.because, fault.line) for fault in refused.value.faults] == [FAULTS[text]]
    async with funded.work() as work:
        assert await record.read(work) == []


async def test_a_line_below_the_least_that_the_tenant_pays_out_has_no_fee_to_tell(funded):
    """A table of fees that begins higher: the amount itself is too small, and not what is left of it."""
    higher = {
        "tenant_id": funded.tenant,
        "id": new_id(),
        "method_type": "mpesa",
        "from_amount": 500_00,
        "flat": 20_00,
    }
    async with funded.work() as work:
        await work.connection.execute(sa.insert(fees).values(to_amount=None, ppm=0, **higher))
    with pytest.raises(BatchFaulty) as refused:
        await ask(funded, HEADER + "phone,0712345678,400,\n")
    only = refused.value.faults[0]
    assert (only.because, only.limit, only.fee) == (Fault.MINIMUM, kes("500"), None)


async def test_faults_of_every_sort_are_told_at_once(funded):
    await funded.set(per_withdrawal=1_000_00, per_destination=1_500_00)
    text = TWO + "phone,071,5,\nphone,0712345678,900,\nphone,0712345678,900,\n"
    with pytest.raises(BatchFaulty) as refused:
        await ask(funded, text)
    assert [(fault.line, fault.because, fault.of) for fault in refused.value.faults] == [
        (3, Fault.LIMIT, "withdrawal"),
        (4, Fault.PHONE, None),
        (6, Fault.LIMIT, "destination"),
    ]


async def test_one_maker_has_as_much_in_a_file_as_in_single_requests(funded):
    await funded.set(per_maker=2_000_00)
    await funded.withdraw("400")
    await funded.withdraw("1500", maker=funded.owner)
    with pytest.raises(BatchFaulty) as refused:
        await ask(funded)
    (fault,) = refused.value.faults
    assert (fault.line, fault.because, fault.of, fault.left) == (3, Fault.LIMIT, "maker", kes("1100"))
    await funded.set(per_maker=2_100_00)
    assert (await ask(funded)).state == "pending"


async def test_what_takes_a_code_since_it_was_asked_for_is_approved_with_one(funded):
    batch = await ask(funded)
    await funded.set(totp_above=1_699_99)
    with pytest.raises(StepUpRequired):
        await approve(funded, batch)
    await funded.set(totp_above=1_700_00)
    assert (await approve(funded, batch)).state == "running"


async def test_a_sum_that_the_wallet_does_not_cover_is_refused_and_leaves_nothing(funded):
    with pytest.raises(InsufficientBalance):
        await ask(funded, HEADER + "phone,0712345678,60000,\nphone,0712345679,60000,\n")
    async with funded.work() as work:
        assert await record.read(work) == []


async def test_the_same_again_is_warned_of(funded):
    first = await ask(funded, TWO + "phone,0712345678,500,again\n")
    assert [(each.line, each.earlier) for each in first.repeated] == [(4, 2)]
    assert first.seen_at is None
    async with funded.work() as work:
        await deciding.cancel(work, funded.cashier, first.id)
    funded.forward(days=3)
    second = await ask(funded)
    assert second.seen_at is None
    third = await ask(funded)
    assert third.seen_at == funded.now


async def test_the_same_account_is_the_same_however_its_holder_is_written(funded):
    lines = (
        "bank,0123456789,KCB,Jane Doe,500\nbank,0123456789,KCB,J. Doe,500\nbank,0123456789,KCB,Jane Doe,600\n"
    )
    async with funded.work() as work:
        content = f"to,number,bank,name,amount\n{lines}".encode()
        found = await asking.look(work, funded.cashier, content, ("bank_transfer",))
    assert found.warnings["repeated"] == [[3, 2]]


async def test_splitting_a_sum_over_files_and_requests_does_not_evade_its_approvals(funded):
    await funded.set(approvals_above=[[2_000_00, 2]], totp_above=3_000_00, per_day=4_000_00)
    assert (await ask(funded)).needed == 1
    second = await ask(funded)  # the first waits, and counts
    assert second.needed == 2
    with pytest.raises(StepUpRequired):
        await approve(funded, second)
    with pytest.raises(BatchFaulty):
        await ask(funded)
    assert (await funded.withdraw("500")).status == "pending"


async def test_nobody_approves_their_own_nor_by_a_right_that_they_have_lent(funded):
    batch = await ask(funded, maker=funded.manager)
    with pytest.raises(FourEyesViolation):
        await approve(funded, batch)
    assert "batch.self_approval" in await funded.alerts()
    async with funded.behind() as work:
        lent = {"lender_id": funded.manager, "borrower_id": funded.cashier}
        times = {"begins_at": funded.now, "until": funded.now + timedelta(days=1)}
        operation = await work.connection.execute(sa.select(operations).limit(1))
        row = dict(operation.mappings().one()) | {"id": new_id(), "kind": "lending"}
        await work.connection.execute(sa.insert(operations).values(row))
        await work.connection.execute(
            sa.insert(lendings).values(tenant_id=funded.tenant, id=row["id"], **lent, **times)
        )
    with pytest.raises(FourEyesViolation):
        await approve(funded, batch, by=funded.cashier)
    with pytest.raises(MissingScope):
        await approve(funded, batch, by=funded.customer)
    assert (await approve(funded, batch, by=funded.owner)).state == "running"


async def test_what_was_altered_after_it_was_shown_is_not_approved(funded):
    batch = await ask(funded)
    with pytest.raises(Changed):
        await approve(funded, batch.model_copy(update={"digest": "0" * 64}))
    async with funded.behind() as work:
        row = await record.alone(work, batch.id)
        sealed = work.open(row.lines_sealed, record.COLUMN, batch.id)
        sealed["lines"][0]["details"]["phone_number"] = "+254733000999"
        values = {"lines_sealed": work.seal(sealed, record.COLUMN, batch.id)}
        await work.connection.execute(sa.update(batches).values(**values))
    with pytest.raises(Changed):
        await approve(funded, batch)
    assert await funded.wallet() == ("100000.00", "0.00", "100000.00")


async def test_limits_a_stop_and_a_new_destination_count_at_the_approval_too(funded):
    batch = await ask(funded)
    await funded.set(new_destination_hours=2)
    with pytest.raises(DestinationCoolingDown):
        await approve(funded, batch)
    funded.forward(hours=2)
    await funded.set(per_withdrawal=600_00)
    with pytest.raises(BatchFaulty):
        await approve(funded, batch)
    await funded.set(per_withdrawal=None)
    async with funded.work() as work:
        await stop.stop(work, funded.owner)
    with pytest.raises(PayoutsStoppedBy):
        await approve(funded, batch)
    assert (await shown(funded, batch)).state == "pending"


async def test_rejected_or_expired_it_leaves_nothing(funded):
    batch, late = await ask(funded), await ask(funded, TWO.replace("rice", "maize"))
    async with funded.work() as work:
        assert (await deciding.reject(work, funded.manager, batch.id, "not now")).state == "rejected"
    with pytest.raises(NotPending):
        await approve(funded, batch)
    funded.forward(hours=25)
    async with funded.work() as work:
        await deciding.expire(work, late.id)
    assert (await shown(funded, late)).state == "expired"
    assert await lines(funded, late) == []
    async with funded.behind() as work:
        assert not (await work.connection.execute(sa.select(withdrawals))).all()
        assert not (await work.connection.execute(sa.select(approvals))).all()
    assert await funded.wallet() == ("100000.00", "0.00", "100000.00")


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_of_approve_and_cancel_at_once_one_wins_and_all_lines_go_its_way(funded):
    async def cancel(batch):
        async with funded.work() as work:
            return await deciding.cancel(work, funded.cashier, batch.id)

    for n in range(6):
        batch = await ask(funded, TWO.replace("rice", f"rice {n}"))
        others = [approve(funded, batch, by=funded.owner)] if n % 2 else []
        acts = [approve(funded, batch), *others, cancel(batch)]
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert all(not isinstance(each, BaseException) or isinstance(each, NotPending) for each in outcomes)
        made = len(await lines(funded, batch))
        assert ((await shown(funded, batch)).state, made) in [("running", 2), ("canceled", 0)]
    async with funded.behind() as work:
        count = sa.select(sa.func.count()).select_from(withdrawals)
        running = [each for each in await record.read(work) if each.state == "running"]
        assert await work.connection.scalar(count) == 2 * len(running)


async def test_a_line_is_taken_back_by_nobody_once_it_is_on_its_way(funded):
    batch = await approve(funded, await ask(funded))
    first, _ = await lines(funded, batch)
    with pytest.raises(NotPending):
        async with funded.work() as work:
            await decide.cancel(work, funded.cashier, first.withdrawal_id)


async def test_saying_what_became_of_a_line_takes_what_sending_it_took(funded):
    """Where it was asked for again by itself, that."""
    third = await funded.person("Baraka", "Finance Admin")
    batch = await approve(funded, await ask(funded))
    line, _ = await lines(funded, batch)
    await funded.set(approvals=2)
    assert not await begun(funded, line)
    async with funded.work() as work:
        (withdrawal,) = await read(work, withdrawals.c.id == line.withdrawal_id)
    for person in (funded.manager, third):
        async with funded.teller(person) as teller:
            await teller.approve(withdrawal.id, withdrawal.digest)
    out = PayingOut(funded, withdrawal, await funded.payout_of(withdrawal.id))
    await out.sent()
    for _ in range(reviewing.LADDER):
        funded.forward(hours=6)
        assert await out.asked()
    settlement = await reviewing.propose(funded, out.payout, "not_paid")
    assert (await reviewing.approve(funded, settlement)).state == "pending"
    assert (await reviewing.approve(funded, settlement, third)).state == "done"
