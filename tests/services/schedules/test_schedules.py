"""Withdrawals come by themselves, each day once, as long as what was approved holds."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from services.errors import FourEyesViolation, MissingScope, NotPending, StepUpRequired
from services.errors.schedules import InvalidSchedule
from services.ids import new_id
from services.news.schedules import ScheduleMoved, ScheduleRan
from services.providers.base import Succeeded
from services.schedules import asking, deciding, record, running
from services.schedules.asking import Wanted
from services.schedules.calendar import Rule
from services.store.schema import jobs, schedules, staff, withdrawals
from services.withdrawals import decide, listing, stop
from tests.conftest import BOTH
from tests.services.business import TO_PHONE, PayingOut, kes

NAIROBI = ZoneInfo("Africa/Nairobi")
DAILY = Rule("day", (), 18)
EVENING = datetime(2026, 11, 24, 15, tzinfo=UTC)  # 18:00 in Nairobi


@pytest.fixture
async def funded(business):
    await business.paid("50000")
    return business


async def ask(
    business, maker=None, rule=DAILY, keep="1000", most="5000", until=date(2027, 3, 1), to=TO_PHONE
):
    wanted = Wanted("Evening", rule, kes(keep), kes(most), until, to)
    async with business.work() as work:
        return await asking.ask(work, maker or business.cashier, new_id(), wanted)


async def approve(business, schedule, by=None):
    async with business.work() as work:
        return await deciding.approve(work, by or business.manager, schedule.id, schedule.digest)


async def run(business, schedule, at=None):
    business.now = at or business.now
    async with business.work() as work:
        await running.run(work, schedule.id)
        return await record.shown(work, schedule.id)


async def made(business):
    async with business.behind() as work:
        query = sa.select(withdrawals).order_by(withdrawals.c.created_at, withdrawals.c.id)
        return (await work.connection.execute(query)).all()


async def arrived(business, schedule, seconds=5):
    """What the latest run has made."""
    business.forward(seconds=seconds)
    async with business.work() as work:
        found = await listing.one(work, schedule.runs[0].withdrawal_id)
    one = PayingOut(business, found.withdrawal, await business.payout_of(found.withdrawal.id))
    await one.sent()
    await one.called(Succeeded(next(business.receipts), one.sending.amount))


async def test_approved_once_it_pays_every_evening_what_is_above_the_kept_sum(funded):
    schedule = await approve(funded, await ask(funded, keep="47000.50"))
    assert (schedule.state, schedule.next_at) == ("active", EVENING)
    schedule = await run(funded, schedule, EVENING)
    (row,) = await made(funded)
    assert (row.amount, row.status, schedule.runs[0].withdrawal_id) == (2_999_00, "processing", row.id)
    assert schedule.next_at == EVENING + timedelta(days=1)
    async with funded.work() as work:
        told = await listing.one(work, row.id)
    assert told.approved_by == (funded.manager,)
    assert [line.reason for line in told.history] == ["by the schedule Evening, approved by Otieno"] * 2
    one = PayingOut(funded, told.withdrawal, await funded.payout_of(row.id))
    assert await one.begun()
    assert any(isinstance(each, ScheduleRan) for each in await funded.news(funded.owner))


async def test_a_day_comes_once_and_what_was_missed_comes_once(funded):
    schedule = await approve(funded, await ask(funded))
    schedule = await run(funded, schedule, EVENING)
    await run(funded, schedule, EVENING + timedelta(hours=1))
    assert len(await made(funded)) == 1
    later = EVENING + timedelta(days=4, hours=3)  # nobody ran it for four days
    schedule = await run(funded, schedule, later)
    await run(funded, schedule, later)
    assert [each.day for each in schedule.runs] == [date(2026, 11, 28), date(2026, 11, 24)]
    assert len(await made(funded)) == 2


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_of_two_workers_at_once_one_runs_it(funded):
    schedule = await approve(funded, await ask(funded))
    funded.now = EVENING
    await asyncio.gather(*(run(funded, schedule) for _ in range(4)))
    assert len(await made(funded)) == 1


@pytest.mark.parametrize("who", ["manager", "cashier"])
async def test_without_its_approver_or_its_maker_it_rests_and_the_owners_are_told(funded, who):
    schedule = await approve(funded, await ask(funded))
    await funded.change(staff, staff.c.person_id == getattr(funded, who), active=False)
    schedule = await run(funded, schedule, EVENING)
    assert (schedule.state, schedule.because) == ("resting", "approver" if who == "manager" else "maker")
    assert await made(funded) == []
    moved = [each for each in await funded.news(funded.owner) if isinstance(each, ScheduleMoved)]
    assert moved[-1].schedule.state == "resting"
    with pytest.raises(NotPending):
        async with funded.work() as work:
            await deciding.resume(work, funded.owner, schedule.id)


async def test_it_rests_where_payouts_usually_go_elsewhere_by_now(funded):
    async with funded.work() as work:
        details = dict(TO_PHONE.details)
        sealed = work.seal(details, "tenants.payout", funded.tenant)
    await funded.set(payout_method_type="mpesa", payout_sealed=sealed)
    schedule = await approve(funded, await ask(funded))
    await funded.set(payout_method_type=None)
    assert (await run(funded, schedule, EVENING)).because == "destination"
    assert await made(funded) == []


async def test_what_cannot_be_paid_is_skipped_told_once_and_not_made_up_for(funded):
    schedule = await approve(funded, await ask(funded, keep="49970"))
    for day in range(3):
        schedule = await run(funded, schedule, EVENING + timedelta(days=day))
    assert [each.because for each in schedule.runs] == ["nothing"] * 3
    told = [each for each in await funded.news(funded.owner) if isinstance(each, ScheduleRan)]
    assert [each.because for each in told] == ["nothing"]
    async with funded.work() as work:
        await stop.stop(work, funded.owner)
    schedule = await run(funded, schedule, EVENING + timedelta(days=3))
    assert schedule.runs[0].because == "stopped"
    assert await made(funded) == []


async def test_the_limits_of_the_tenant_cut_it_and_a_limit_that_is_used_up_skips_it(funded):
    await funded.set(per_day=3_000_00)
    schedule = await approve(funded, await ask(funded))
    await funded.withdraw("500")
    schedule = await run(funded, schedule, EVENING)
    assert [row.amount for row in await made(funded)] == [500_00, 2_500_00]
    await arrived(funded, schedule)
    await funded.set(per_day=2_000_00)
    schedule = await run(funded, schedule, EVENING + timedelta(days=1))
    assert [row.amount for row in await made(funded)] == [500_00, 2_500_00, 1_500_00]
    schedule = await run(funded, schedule, EVENING + timedelta(days=2))  # the last one is still under way
    assert (schedule.runs[0].outcome, schedule.runs[0].because) == ("skipped", "limit")


async def test_each_limit_that_is_not_used_up_cuts_it(funded):
    schedule = await approve(funded, await ask(funded))
    await funded.withdraw("500")  # of the same maker, to the same destination
    for day, limit in enumerate(("per_day", "per_maker", "per_destination")):
        await funded.set(**{limit: 1_500_00 + day * 1_000_00})
        schedule = await run(funded, schedule, EVENING + timedelta(days=day))
        await funded.set(**{limit: None})
    assert [row.amount for row in await made(funded)] == [500_00] + 3 * [1_000_00]


EVERY: dict[str, dict[str, Any]] = {
    "per_day": {"per_day": 5_000_00},
    "count": {"count_per_day": 1, "count_per_destination": 1},
    "per_maker": {"per_maker": 5_000_00},
    "per_destination": {"per_destination": 5_000_00},
    "approvals": {"approvals_above": [[6_000_00, 2]]},
    "codes": {"totp_above": 6_000_00},
}
DAYS = [("made", None)] * 3


@pytest.mark.parametrize("limit", EVERY)
@pytest.mark.parametrize("seconds", [(2, 1, 0), (0, 1, 2), (30, 0, 30)])
async def test_a_run_a_day_is_a_day_between_however_the_clocks_jitter(funded, limit, seconds):
    await funded.set(**EVERY[limit])
    schedule = await approve(funded, await ask(funded))
    for day, late in enumerate(seconds):
        schedule = await run(funded, schedule, EVENING + timedelta(days=day, seconds=late))
        await arrived(funded, schedule)
    assert [(each.outcome, each.because) for each in schedule.runs] == DAYS
    assert [row.amount for row in await made(funded)] == [5_000_00] * 3


async def test_two_of_the_same_hour_do_not_stand_in_each_others_way_the_day_after(funded):
    await funded.set(per_day=10_000_00)
    first, second = [await approve(funded, await ask(funded)) for _ in range(2)]
    for day, order in enumerate(([first, second], [second, first])):
        for late, schedule in enumerate(order):
            ran = await run(funded, schedule, EVENING + timedelta(days=day, seconds=10 * late))
            assert ran.runs[0].outcome == "made"
            await arrived(funded, ran)


async def test_one_of_another_hour_does_until_its_day_is_over(funded):
    await funded.set(per_day=6_000_00)
    evening = await approve(funded, await ask(funded))
    before = await approve(funded, await ask(funded, rule=Rule("day", (), 17)))
    await arrived(funded, await run(funded, evening, EVENING))
    await run(funded, before, EVENING + timedelta(hours=23))
    assert [row.amount for row in await made(funded)] == [5_000_00, 1_000_00]


async def test_what_came_late_or_is_still_under_way_stands_in_the_way_of_the_next(funded):
    await funded.set(per_day=6_000_00)
    schedule = await approve(funded, await ask(funded))
    schedule = await run(funded, schedule, EVENING + timedelta(hours=20))  # nobody ran it before
    await arrived(funded, schedule)
    schedule = await run(funded, schedule, EVENING + timedelta(days=1))
    await run(funded, schedule, EVENING + timedelta(days=2))
    await run(funded, schedule, EVENING + timedelta(days=3))
    assert [row.amount for row in await made(funded)] == [5_000_00, 1_000_00, 5_000_00]


async def test_a_withdrawal_by_hand_counts_for_the_whole_of_its_day(funded):
    await funded.set(per_day=5_000_00)
    schedule = await approve(funded, await ask(funded))
    funded.now = EVENING + timedelta(seconds=2)
    one = await funded.approved("5000")
    await one.sent()
    await one.called(Succeeded(next(funded.receipts), one.sending.amount))
    schedule = await run(funded, schedule, EVENING + timedelta(days=1, seconds=1))
    assert (schedule.runs[0].outcome, schedule.runs[0].because) == ("skipped", "limit")


async def test_stricter_rules_and_a_day_that_takes_more_approvals_skip_it(funded):
    schedule = await approve(funded, await ask(funded, most="2000"))
    await funded.set(approvals_above=[[3_000_00, 2]])
    await funded.withdraw("2000")
    schedule = await run(funded, schedule, EVENING)
    assert schedule.runs[0].because == "approvals"
    await funded.set(approvals_above=[], totp_above=1_000_00)
    schedule = await run(funded, schedule, EVENING + timedelta(days=1))
    assert schedule.runs[0].because == "approvals"
    assert len(await made(funded)) == 1


async def test_many_small_schedules_take_the_approvals_of_a_large_one(funded):
    await funded.set(approvals_above=[[6_000_00, 2]], totp_above=9_000_00)
    assert (await ask(funded)).needed == 1
    second = await ask(funded)
    assert second.needed == 2
    with pytest.raises(StepUpRequired):
        await approve(funded, second)


async def test_nobody_approves_their_own_and_owners_stop_resume_and_end_it(funded):
    schedule = await ask(funded, maker=funded.manager)
    with pytest.raises(FourEyesViolation):
        await approve(funded, schedule)
    schedule = await approve(funded, schedule, by=funded.owner)
    for act in (deciding.stop, deciding.cancel):
        with pytest.raises(MissingScope):
            async with funded.work() as work:
                await act(work, funded.cashier, schedule.id)
    async with funded.work() as work:
        assert (await deciding.stop(work, funded.owner, schedule.id)).next_at is None
    assert (await run(funded, schedule, EVENING)).runs == ()
    funded.forward(hours=5)
    async with funded.work() as work:
        schedule = await deciding.resume(work, funded.owner, schedule.id)
    assert schedule.next_at == EVENING + timedelta(days=1)  # what would have come does not
    async with funded.behind() as work:
        assert (await deciding.cancel(work, funded.owner, schedule.id)).state == "canceled"
        rows = await work.connection.execute(sa.select(jobs).where(jobs.c.target_id == schedule.id))
        assert not rows.all()


async def test_its_withdrawal_that_was_not_sent_in_time_is_asked_for(funded):
    schedule = await run(funded, await approve(funded, await ask(funded)), EVENING)
    withdrawal_id = schedule.runs[0].withdrawal_id
    funded.forward(minutes=31)
    async with funded.work() as work:
        withdrawal = (await listing.one(work, withdrawal_id)).withdrawal
    one = PayingOut(funded, withdrawal, await funded.payout_of(withdrawal_id))
    assert not await one.begun()
    async with funded.work() as work:
        again = (await listing.one(work, withdrawal_id)).withdrawal
        assert again.status == "pending"
        await decide.approve(work, funded.manager, again.id, again.digest)


async def test_after_its_last_day_it_is_over_and_altered_it_rests(funded):
    schedule = await approve(funded, await ask(funded, until=date(2026, 11, 25)))
    schedule = await run(funded, schedule, EVENING)
    schedule = await run(funded, schedule, EVENING + timedelta(days=1))
    assert (schedule.state, len(await made(funded))) == ("ended", 2)
    other = await approve(funded, await ask(funded))
    await funded.change(schedules, schedules.c.id == other.id, most=9_000_00)
    other = await run(funded, other, EVENING + timedelta(days=2))
    assert (other.state, other.because) == ("resting", "approver")


WRONG: dict[str, dict[str, Any]] = {
    "days": {"rule": Rule("week", (0,), 9)},
    "hour": {"rule": Rule("day", (), 24)},
    "every": {"rule": Rule("year", (), 9)},
    "until": {"until": date(2028, 1, 1)},
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_cannot_be_is_refused_and_says_why(funded, field):
    with pytest.raises(InvalidSchedule) as refused:
        await ask(funded, **WRONG[field])
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("rule", "now", "days"),
    [
        (Rule("month", (31,), 9), date(2027, 1, 31), ["2027-02-28", "2027-03-31", "2027-04-30"]),
        (Rule("month", (29, 30), 9), date(2028, 2, 1), ["2028-02-29", "2028-03-29", "2028-03-30"]),
        (Rule("month", (30, 31), 9), date(2027, 2, 1), ["2027-02-28", "2027-03-30", "2027-03-31"]),
        (Rule("week", (1, 5), 9), date(2026, 11, 24), ["2026-11-27", "2026-11-30", "2026-12-04"]),
    ],
)
def test_a_day_that_a_month_does_not_have_is_its_last(rule, now, days):
    at, found = datetime.combine(now, datetime.min.time(), NAIROBI) + timedelta(hours=10), []
    for _ in days:
        day, at = rule.after(at, NAIROBI)
        assert rule.before(at, NAIROBI) == (day, at)
        assert at.astimezone(NAIROBI).hour == 9
        found.append(day.isoformat())
    assert found == days


def test_clocks_that_are_put_forward_or_back_leave_no_day_out_and_none_twice():
    berlin = ZoneInfo("Europe/Berlin")
    for first in (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)):
        at, days = first, []
        for _ in range(3):
            day, at = Rule("day", (), 2).after(at, berlin)
            days.append(day)
        assert days == [first.date() + timedelta(days=n) for n in (1, 2, 3)]
