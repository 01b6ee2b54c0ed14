"""What becomes of withdrawals, files and schedules of them, and of the ways out."""

from datetime import timedelta

from services.batches.faults import Fault, Faulty
from services.errors import OverLimit
from services.errors.limits import TooManyWithdrawals
from services.facts import Stopped
from services.money import Money
from services.news import (
    FloatShort,
    Frozen,
    Held,
    PayoutsResumed,
    PayoutsStopped,
    Resting,
    SettingsWrong,
    Unsent,
)
from services.news.batches import BatchSelfApprovalTried
from services.news.settings import StoppedByPerson
from tests.fakes.batches import FakeBatches
from tests.fakes.schedules import FakeSchedules
from tests.flows.words import event


@event
def approved(business, *facts):
    match facts:
        case ("unheard",):
            business.put(next(reversed(business.withdrawals.values())), "processing")
        case _:
            raise ValueError(facts)


@event
def paid_out(business):
    business.pay_out()


@event
def payout_returned(business):
    business.undo_payout(Unsent.RETURNED)


@event
def payout_denied(business):
    business.undo_payout(Unsent.DENIED)


@event
def payout_failed(business, because):
    business.fail_payout(Unsent(because))


@event
def batch(business, state, *many):
    """The latest one comes to its end."""
    FakeBatches(business, None).end(state, int(many[0]) if many else 0)


@event
def batch_rejected(business, *facts):
    match facts:
        case ("unheard",):  # by another; the news is still on its way
            business.reject_batch()
        case _:
            raise ValueError(facts)


@event
def batch_tried(business):
    """By a program, with the maker's key."""
    batch = next(reversed(business.batches.values()))
    business.told += [(owner, BatchSelfApprovalTried(batch=batch)) for owner in business.owners()]


@event
def schedule(business, *facts):
    match facts:
        case ("runs", *why):
            FakeSchedules(business, None).run(why[0] if why else None)
        case ("tried",):  # by a program, with the maker's key
            FakeSchedules(business, None).tried()
        case ("unheard",):  # rejected by another; the news is still on its way
            FakeSchedules(business, None).decide_unheard()
        case (state, *why):
            FakeSchedules(business, None).end(state, why[0] if why else None)
        case _:
            raise ValueError(facts)


@event
def schedule_bad(business, field):
    business.bad_schedule = field


@event
def file_over(business):
    business.over_file = Faulty(line=2, because=Fault.LIMIT, limit=Money(100_00, "KES"))


@event
def held_back(business, *facts):
    match facts:
        case ():
            business.hold_back()
        case ("blocked",):
            business.hold_back(until=business.now + timedelta(hours=8), because=Held.HOURS)
        case (because,):
            business.hold_back(because=Held(because))
        case _:
            raise ValueError(facts)


@event
def blocked(business, state):
    business.blocked_until = business.now + timedelta(hours=8) if state == "on" else None


@event
def over(business, of, shillings, left):
    limit = Money.parse(shillings, "KES")
    business.over = OverLimit(limit, limit, of, Money.parse(left, "KES"))


@event
def too_many(business, of, count):
    business.over = TooManyWithdrawals(int(count), of)


@event
def asked_again(business, *facts):
    match facts:
        case ():
            business.ask_again()
        case ("rules",):
            business.ask_again(Unsent.APPROVER)
        case _:
            raise ValueError(facts)


@event
def halted(business, *by):
    """By the operator, where nobody is named; "-": by one who has no name."""
    name = by[0].strip("-") if by else None
    business.halted = Stopped(by=name, at=business.now)
    business.tell_concerned(StoppedByPerson(by=name, stopped=True), None)


@event
def stopped(business, *facts):
    match facts:
        case (way, because):  # that one alone
            business.resting.append(Resting(way=way, because=Frozen(because), since=business.now))
            provider = "paystack" if way == "bank_transfer" else "mpesa"
            cause = Frozen(because)
            business.tell_reconcilers(PayoutsStopped, because=cause, provider=provider, rail=way)
        case (because,):
            business.tell_reconcilers(PayoutsStopped, because=Frozen(because))
        case _:
            raise ValueError(facts)


@event
def resumed(business, *facts):
    match facts:
        case (way,):
            business.resting.clear()
            business.tell_reconcilers(PayoutsResumed, rail=way)
        case ():
            business.tell_reconcilers(PayoutsResumed)
        case _:
            raise ValueError(facts)


@event
def float_short(business, way):
    provider = "paystack" if way == "bank_transfer" else "mpesa"
    sums = {"funds": Money(120_00, "KES"), "needed": Money(467_00, "KES")}
    business.tell_reconcilers(FloatShort, rail=way, provider=provider, **sums)


@event
def settings_wrong(business):
    business.tell_reconcilers(SettingsWrong, provider="mpesa")
