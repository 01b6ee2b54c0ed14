"""What the tenant allows of withdrawals, when they may leave, and what is unusual of them."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services import hours
from services.batches import deciding
from services.batches.faults import BatchFaulty, Fault
from services.batches.room import Room
from services.errors import OverLimit
from services.errors.limits import LimitLowered, PayoutsBlocked, TooManyWithdrawals
from services.money import Money
from services.news import Unpaid, Unusual, WithdrawalHeldBack
from services.people import people
from services.providers.base import Failed, Succeeded
from services.store.hot import run
from services.store.schema import audit, conversations, operations
from services.withdrawals import destinations, limits
from tests.services.batches import test_batches as files
from tests.services.business import TO_BANK, TO_PHONE, PayingOut, destination, kes

ELSEWHERE = destination("0733000222")


@pytest.fixture
async def funded(business):
    await business.paid("100000")
    return business


async def approve(business, withdrawal):
    async with business.teller(business.manager) as teller:
        return await teller.approve(withdrawal.id, withdrawal.digest)


async def cancel(business, withdrawal):
    async with business.teller(business.manager) as teller:
        await teller.cancel_withdrawal(withdrawal.id)


async def arrived(business, paying_out):
    await paying_out.sent()
    await paying_out.called(Succeeded(next(business.receipts), paying_out.sending.amount))


async def takes(business, what):
    row = await business.row(operations, what.id)
    return row.approvals_needed, bool(row.step_up)


async def test_a_limit_that_is_passed_already_leaves_nothing_and_one_that_is_met_is_kept(funded):
    await funded.set(per_day=1000_00)
    await funded.withdraw("1000")
    for per_day in (1000_00, 900_00):
        await funded.set(per_day=per_day)
        with pytest.raises(OverLimit) as refused:
            await funded.withdraw("100")
        assert (refused.value.left, refused.value.amount) == (Money(0, "KES"), kes("1100"))


async def test_what_waits_since_the_limit_of_one_was_higher_is_not_approved(funded):
    await funded.set(per_withdrawal=2000_00)
    waits, less = await funded.withdraw("2000"), await funded.withdraw("1500")
    await funded.set(per_withdrawal=1500_00)
    with pytest.raises(LimitLowered) as refused:
        await approve(funded, waits)
    assert (refused.value.limit, refused.value.amount) == (kes("1500"), kes("2000"))
    assert (await approve(funded, less)).status == "processing"
    await funded.set(per_withdrawal=None)
    assert (await approve(funded, waits)).status == "processing"


def because(withdrawal):
    return [flag.because for flag in withdrawal.flags]


async def test_one_destination_takes_so_much_in_24_hours_however_it_is_split(funded):
    await funded.set(per_destination=3_000_00)
    first = await funded.withdraw("2000")
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("1001", maker=funded.owner)
    assert (refused.value.of, refused.value.left) == ("destination", kes("1000"))
    await funded.withdraw("3000", to=ELSEWHERE)
    await funded.withdraw("1000")
    await cancel(funded, first)
    last = await funded.withdraw("2000")  # what was canceled counts no more
    await cancel(funded, last)
    await arrived(funded, await funded.approved("2000"))
    funded.forward(hours=24)
    await funded.withdraw("2000")


EVERY = {
    "day": {"per_day": 50_000_00},
    "maker": {"per_maker": 50_000_00},
    "destination": {"per_destination": 50_000_00},
}


@pytest.mark.parametrize("of", EVERY)
async def test_what_is_approved_at_the_end_of_a_day_and_what_is_asked_for_after_it_are_one_sum(funded, of):
    """Each of them may leave within seconds of the other."""
    await funded.set(**EVERY[of])
    first = await funded.withdraw("40000")
    funded.forward(hours=23, minutes=59, seconds=59)
    assert (await approve(funded, first)).status == "processing"
    funded.forward(seconds=2)
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("40000")
    assert (refused.value.of, refused.value.left) == (of, kes("10000"))


async def test_and_together_they_take_the_approvals_and_the_code_of_their_sum(funded):
    await funded.set(approvals_above=[[50_000_00, 2]], totp_above=50_000_00)
    first = await funded.withdraw("40000")
    assert await takes(funded, first) == (1, False)
    funded.forward(hours=23, minutes=59, seconds=59)
    await approve(funded, first)
    funded.forward(seconds=2)
    assert await takes(funded, await funded.withdraw("40000")) == (2, True)


async def test_what_was_long_under_way_counts_for_a_day_from_when_it_has_arrived(funded):
    await funded.set(per_day=50_000_00, count_per_day=1)
    paying_out = await funded.approved("40000")
    await paying_out.sent()
    funded.forward(hours=23)
    await paying_out.called(Succeeded(next(funded.receipts), paying_out.sending.amount))
    funded.forward(hours=23, minutes=59)
    with pytest.raises(OverLimit):
        await funded.withdraw("10001")
    with pytest.raises(TooManyWithdrawals):
        await funded.withdraw("100")
    funded.forward(minutes=1)
    await funded.withdraw("50000")


async def test_what_was_sent_twice_counts_once_and_what_came_back_no_more(funded):
    await funded.set(per_day=50_000_00)
    first = await funded.approved("40000")
    await first.sent()
    await first.called(Failed(Unpaid.SHOP, "The initiator information is invalid.", ours=True))
    await funded.go_on()
    again = PayingOut(funded, first.withdrawal, await funded.payout_of(first.withdrawal.id))
    await arrived(funded, again)
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("40000")
    assert refused.value.left == kes("10000")
    await again.called(Failed(Unpaid.PROVIDER, "Reversed", returned=again.sending.amount))
    await funded.withdraw("50000")


async def test_a_day_is_read_by_its_indexes(funded):
    async with funded.work() as work:
        day = limits._of_a_day(work, "KES", ())
        query = sa.select(sa.func.sum(day.c.amount)).compile(
            dialect=work.connection.dialect, compile_kwargs={"literal_binds": True}
        )
        word = "EXPLAIN" if funded.database.is_postgres else "EXPLAIN QUERY PLAN"
        told = str([row[-1] for row in await run(work.connection, f"{word} {query}", [])])
    assert "Seq Scan" not in told
    assert "SCAN withdrawals" not in told
    assert funded.database.is_postgres or "ix_payouts_tenant_id_resolved_at" in told  # it knows the sizes


async def test_a_file_of_withdrawals_counts_as_long_as_it_waits(funded):
    await funded.set(per_day=50_000_00)
    batch = await files.ask(funded, files.HEADER + "phone,0722000111,40000,\n")
    funded.forward(hours=24, seconds=1)
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("40000")
    assert refused.value.left == kes("10000")
    async with funded.work() as work:
        await deciding.expire(work, batch.id)
    await funded.withdraw("40000")


async def test_a_file_counts_what_is_open_and_what_has_arrived_to_the_same_destination(funded):
    await funded.set(per_destination=50_000_00)
    paying_out = await funded.approved("20000")
    await arrived(funded, paying_out)
    await funded.withdraw("20000")
    funded.forward(hours=23)
    with pytest.raises(BatchFaulty) as refused:
        await files.ask(funded, files.HEADER + "phone,0722000111,10001,\n")
    assert [each.because for each in refused.value.faults] == [Fault.LIMIT]
    funded.forward(hours=1)
    await files.ask(funded, files.HEADER + "phone,0722000111,10001,\n")


async def test_one_destination_takes_so_many_in_24_hours(funded):
    await funded.set(count_per_destination=2)
    for _ in range(2):
        await funded.withdraw("100")
    with pytest.raises(TooManyWithdrawals) as refused:
        await funded.withdraw("100", maker=funded.owner)
    assert (refused.value.of, refused.value.limit) == ("destination", 2)
    await funded.withdraw("100", to=ELSEWHERE)


async def test_one_maker_asks_for_so_much_in_24_hours_and_another_for_more(funded):
    await funded.set(per_maker=3_000_00)
    await funded.withdraw("2000")
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("1500", to=ELSEWHERE)
    assert refused.value.of == "maker"
    await funded.withdraw("1500", maker=funded.owner)


async def test_a_day_takes_so_many_of_whoever_asks(funded):
    await funded.set(count_per_day=2)
    await funded.withdraw("100")
    await funded.withdraw("100", to=ELSEWHERE, maker=funded.owner)
    with pytest.raises(TooManyWithdrawals) as refused:
        await funded.withdraw("200", to=TO_BANK)
    assert refused.value.of == "day"
    assert await funded.wallet() == ("100000.00", "200.00", "99800.00")


async def test_in_blocked_hours_it_may_be_asked_for_and_is_approved_afterwards(funded):
    await funded.set(blocked_hours="22:00-05:00")
    funded.forward(hours=11)  # 23:00 in Nairobi
    withdrawal = await funded.withdraw("1000")
    with pytest.raises(PayoutsBlocked) as refused:
        await approve(funded, withdrawal)
    assert refused.value.until == datetime(2026, 11, 25, 2, tzinfo=UTC)
    funded.forward(hours=6)
    assert (await approve(funded, withdrawal)).status == "processing"


async def test_what_was_approved_before_them_waits_until_they_are_over(funded):
    await funded.set(blocked_hours="22:00-05:00")
    funded.forward(hours=9, minutes=50)
    paying_out = await funded.approved()
    funded.forward(minutes=20)  # 22:10 in Nairobi
    assert not await paying_out.begun()
    assert await funded.jobs(paying_out.payout) == {"payout": timedelta(hours=6, minutes=50)}
    told = [news for news in await funded.news(funded.cashier) if isinstance(news, WithdrawalHeldBack)]
    assert [news.until for news in told] == [datetime(2026, 11, 25, 2, tzinfo=UTC)]
    funded.forward(hours=7, minutes=20)  # the time that an approval is good for begins when they are over
    assert await PayingOut(funded, paying_out.withdrawal, paying_out.payout).begun()


@pytest.mark.parametrize(
    ("written", "at", "until"),
    [
        ("22:00-05:00", "21:59", None),
        ("22:00-05:00", "22:00", "05:00"),
        ("22:00-05:00", "04:59", "05:00"),
        ("22:00-05:00", "05:00", None),
        ("09:30-10:15", "10:14", "10:15"),
        ("09:30-10:15", "10:15", None),
        ("09:30-10:15", "09:29", None),
    ],
)
def test_hours_over_midnight_and_within_a_day(written, at, until):
    hour, minute = at.split(":")
    now = datetime(2026, 11, 24, int(hour), int(minute), tzinfo=UTC)
    found = hours.ends(written, now, "UTC")
    assert (found and found.strftime("%H:%M")) == until
    assert found is None or timedelta(0) < found - now <= hours.length(written)


def test_hours_end_after_now_where_the_clocks_show_an_hour_twice():
    """In Cairo midnight comes at 21:00, and for an hour it is 23 o'clock again."""
    first, second = datetime(2026, 10, 29, 20, 15, tzinfo=UTC), datetime(2026, 10, 29, 21, 15, tzinfo=UTC)
    for now in (first, second):
        assert hours.ends("22:00-23:30", now, "Africa/Cairo") == now + timedelta(minutes=15)


async def test_the_first_withdrawal_of_a_shop_is_unusual_only_for_being_large(funded):
    assert because(await funded.withdraw("1000")) == []
    assert because(await funded.withdraw("60000", to=ELSEWHERE)) == [Unusual.NEW_AND_LARGE]


async def test_much_more_than_usual_is_said_with_what_is_usual(funded):
    for _ in range(3):
        await (await funded.approved("1000")).sent()
    assert because(await funded.withdraw("3000", to=TO_PHONE)) == [Unusual.NEW_AND_LARGE, Unusual.MANY]
    funded.forward(hours=2)
    await funded.set(payout_method_type=None)
    withdrawal = await funded.withdraw("3001")
    assert because(withdrawal) == [Unusual.NEW_AND_LARGE]


async def test_a_known_destination_is_measured_by_the_usual_amount(funded):
    for _ in range(3):
        await funded.withdraw("1000")
    async with funded.work() as work:
        sealed = work.seal(TO_PHONE.details, "tenants.payout", funded.tenant)
    await funded.set(payout_method_type="mpesa", payout_sealed=sealed)
    funded.forward(hours=2)
    assert because(await funded.withdraw("3000")) == []
    (flag,) = (await funded.withdraw("3001")).flags
    assert (flag.because, flag.usual) == (Unusual.LARGE, kes("1000"))


async def test_a_maker_who_never_asks_an_odd_hour_and_many_at_once(funded):
    await funded.withdraw("100")
    assert because(await funded.withdraw("100", maker=funded.owner)) == [Unusual.FIRST_BY_MAKER]
    assert because(await funded.withdraw("100", maker=funded.owner)) == []
    (flag,) = (await funded.withdraw("100")).flags
    assert (flag.because, flag.count) == (Unusual.MANY, 4)
    funded.forward(hours=12)  # midnight in Nairobi
    assert because(await funded.withdraw("100")) == [Unusual.HOUR]


async def test_with_a_history_the_hours_are_its_own(funded):
    for _ in range(10):
        await funded.withdraw("100")
        funded.forward(days=1)
    assert because(await funded.withdraw("100")) == []
    funded.forward(hours=4)  # 16:00 in Nairobi: by day, and never before
    assert because(await funded.withdraw("100")) == [Unusual.HOUR]


async def test_the_phone_of_the_maker_and_what_was_rejected_before(funded):
    async with funded.work() as work:
        index = work.vault.index("+254733000222", funded.tenant, "conversations.phone")
    await funded.change(conversations, conversations.c.person_id == funded.cashier, phone_index=index)
    withdrawal = await funded.withdraw("100", to=ELSEWHERE)
    assert because(withdrawal) == [Unusual.OWN_PHONE]
    async with funded.teller(funded.manager) as teller:
        await teller.reject(withdrawal.id, "whose is it?")
    again = await funded.withdraw("100", to=ELSEWHERE)
    assert because(again) == [Unusual.OWN_PHONE, Unusual.REJECTED_BEFORE]


async def test_flags_stop_nothing_and_are_told_and_recorded(funded):
    withdrawal = await funded.withdraw("60000")
    (news,) = [each for each in await funded.news(funded.manager) if each.kind == "withdrawal_requested"]
    assert because(news.withdrawal) == [Unusual.NEW_AND_LARGE]
    assert await funded.alerts() == ["withdrawal.unusual"]
    row = [each for each in await rows(funded) if each.action == "withdrawal.unusual"]
    assert [each.facts for each in row] == [{"flags": ["new_destination_and_large"]}]
    assert (await approve(funded, withdrawal)).status == "processing"


async def rows(business):
    async with business.behind() as work:
        return (await work.connection.execute(audit.select().order_by(audit.c.seq))).all()


ALSO_TO_BANK = destinations.of("bank_transfer", dict(TO_BANK.details) | {"account_name": "MAMA NJERI DUKA"})


async def test_a9_the_holders_name_makes_no_other_destination_of_an_account(funded):
    await funded.set(per_destination=3_000_00, count_per_destination=2)
    await funded.withdraw("2000", to=TO_BANK)
    with pytest.raises(OverLimit) as refused:
        await funded.withdraw("1001", to=ALSO_TO_BANK)
    assert refused.value.of == "destination"
    await funded.withdraw("200", to=ALSO_TO_BANK)
    with pytest.raises(TooManyWithdrawals):
        await funded.withdraw("200", to=TO_BANK)


async def test_a9_nor_a_file_of_withdrawals_nor_a_new_one_of_an_account_that_was_paid(funded):
    await funded.set(per_destination=3_000_00)
    async with funded.work() as work:
        assert await destinations.new_of(work, [TO_BANK, ALSO_TO_BANK]) == [True, True]
        tenant = await people.tenant_of(work)
        room = await Room.of(work, tenant, funded.cashier, [TO_BANK, ALSO_TO_BANK], "KES")
        room.take(kes("2000"), TO_BANK)
        with pytest.raises(OverLimit):
            room.take(kes("1001"), ALSO_TO_BANK)
    paying_out = await funded.approved("2000", to=TO_BANK)
    await paying_out.sent()
    await paying_out.called(Succeeded("SJK1", kes("1950")))
    async with funded.work() as work:
        assert await destinations.new_of(work, [TO_BANK, ALSO_TO_BANK]) == [False, False]
        room = await Room.of(work, tenant, funded.cashier, [ALSO_TO_BANK], "KES")
        with pytest.raises(OverLimit):
            room.take(kes("1001"), ALSO_TO_BANK)
