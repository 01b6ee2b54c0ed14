"""Schedules: withdrawals that come by themselves, in memory."""

from datetime import timedelta

from services import errors
from services.errors.approval import TotpInvalid
from services.errors.schedules import InvalidSchedule
from services.news.schedules import (
    Run,
    Schedule,
    ScheduleAsked,
    ScheduleMoved,
    ScheduleRan,
    ScheduleSelfApprovalTried,
)
from services.readable import refuse_blank


class FakeSchedules:
    def __init__(self, business, me):
        self._business, self._me = business, me

    async def schedules(self):
        return tuple(
            each for each in self._business.schedules.values() if each.next_at or each.state != "canceled"
        )

    async def schedule(self, schedule_id):
        return self._business.schedules[schedule_id]

    async def ask(self, id, wanted):  # noqa: A002  the protocol's name
        b, rule = self._business, wanted.rule
        if b.bad_schedule:
            field, b.bad_schedule = b.bad_schedule, None
            raise InvalidSchedule(field, "")
        b.schedules[id] = schedule = Schedule(
            id=id,
            name=wanted.name,
            every=rule.every,
            days=rule.days,
            hour=rule.hour,
            keep=wanted.keep,
            most=wanted.most,
            last_day=wanted.last_day,
            method_type=wanted.destination.method_type,
            destination=wanted.destination.label,
            maker_id=self._me.person_id,
            maker=self._me.name,
            state="pending",
            because=None,
            digest="d",
            needed=1,
            created_at=b.now,
            expires_at=b.now + timedelta(days=3),
            next_at=None,
        )
        b.told += [
            (one, ScheduleAsked(schedule=schedule)) for one in b.approvers() if one != schedule.maker_id
        ]
        return schedule

    async def approve(self, schedule_id, digest, code=None):
        b, schedule = self._business, self._in(schedule_id, "pending")
        if b.totp_above and schedule.most > b.totp_above and code is None:
            raise errors.StepUpRequired(enrolled=self._me.name in b.enrolled)
        if code is not None and code != b.code:
            raise TotpInvalid
        return self._move(schedule, "active", b.now + timedelta(hours=6))

    async def reject(self, schedule_id, reason):
        schedule = self._in(schedule_id, "pending")
        refuse_blank(reason)
        return self._move(schedule, "rejected", reason=reason)

    async def stop(self, schedule_id):
        return self._move(self._in(schedule_id, "active"), "stopped")

    async def resume(self, schedule_id):
        next_at = self._business.now + timedelta(hours=6)
        return self._move(self._in(schedule_id, "stopped"), "active", next_at)

    async def cancel(self, schedule_id):
        return self._move(self._in(schedule_id, "pending", "active", "stopped", "resting"), "canceled")

    def _in(self, schedule_id, *states):
        schedule = self._business.schedules[schedule_id]
        if schedule.state not in states:
            raise errors.NotPending(schedule.state)
        return schedule

    def _move(self, schedule, state, next_at=None, because=None, reason=None):
        b = self._business
        changed = schedule.model_copy(update={"state": state, "next_at": next_at, "because": because})
        b.schedules[schedule.id] = changed
        me = self._me and self._me.person_id
        news = ScheduleMoved(schedule=changed, by=self._me and self._me.name, reason=reason)
        b.told += [(one, news) for one in dict.fromkeys([changed.maker_id, *b.approvers()]) if one != me]
        return changed

    def latest(self):
        return next(reversed(self._business.schedules.values()))

    def end(self, state, because=None):
        self._move(self.latest(), state, because=because)

    def decide_unheard(self):
        schedule = self.latest()
        self._business.schedules[schedule.id] = schedule.model_copy(update={"state": "rejected"})

    def run(self, because=None):
        b, schedule = self._business, self.latest()
        withdrawal = None if because else next(reversed(b.withdrawals.values()))
        run = Run(
            day=b.now.date(),
            outcome="skipped" if because else "made",
            because=because,
            withdrawal_id=withdrawal and withdrawal.id,
        )
        schedule = schedule.model_copy(update={"runs": (run, *schedule.runs)})
        b.schedules[schedule.id] = schedule
        news = ScheduleRan(schedule=schedule, withdrawal=withdrawal, because=because)
        b.told += [(one, news) for one in dict.fromkeys([schedule.maker_id, *b.approvers()])]

    def tried(self):
        b = self._business
        b.told += [(owner, ScheduleSelfApprovalTried(schedule=self.latest())) for owner in b.owners()]
