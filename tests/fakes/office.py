"""Office: what the staff do about the settings, and payouts as a whole."""

from datetime import timedelta
from uuid import UUID

from services import errors
from services.errors.settings import ChangesNothing
from services.facts import Me, Stopped
from services.news.settings import Change, ChangeAsked, ChangeMoved, StoppedByPerson
from services.people.access import APPROVE, INITIATE, RECONCILE
from services.readable import refuse_blank
from services.settings import destination
from services.withdrawals import destinations


class FakeOffice:
    def __init__(self, business, me):
        self._business, self._me = business, me

    async def changes(self):
        return tuple(each for each in self._business.changes.values() if each.state in ("pending", "cooling"))

    async def change(self, change_id):
        return self._business.changes[change_id]

    async def ask(self, id, kind, wanted):  # noqa: A002  the protocol's name
        b = self._business
        before, after = b.limits, wanted
        if kind == "destination":
            before = {}
            found = destinations.of(wanted["method_type"], wanted["method_details"])
            after = destination.masked({"method_type": found.method_type, "method_details": found.details})
        if kind == "resume" and b.halted is None:
            raise ChangesNothing
        change = Change(
            id=id,
            kind=kind,
            before={key: value for key, value in before.items() if key in after},
            after=after,
            maker_id=self._me.person_id,
            maker=self._me.name,
            cools=kind != "resume",
            state="pending",
            digest="d",
            created_at=b.now,
            expires_at=b.now + timedelta(hours=72),
        )
        b.changes[id] = change
        b.tell_of_change(ChangeAsked(change=change), self._me)
        return change

    async def approve(self, change_id, _digest):
        change = self._pending(change_id)
        if change.kind == "resume":
            self._business.let_go_on()
        until = self._business.now + timedelta(hours=24)
        moved = {"state": "cooling", "due_at": until} if change.cools else {"state": "done"}
        return self._move(change, **moved)

    async def reject(self, change_id, reason):
        change = self._pending(change_id)
        refuse_blank(reason)
        return self._move(change, reason, state="rejected")

    async def take_back(self, change_id):
        change = self._business.changes[change_id]
        if change.state == "cooling":
            return self._move(change, state="taken_back")
        return self._move(self._pending(change_id), state="canceled")

    async def stopped(self):
        return self._business.halted

    async def stop(self):
        b = self._business
        b.halted = Stopped(by=self._me.name, at=b.now)
        b.tell_concerned(StoppedByPerson(by=self._me.name, stopped=True), self._me)
        return b.halted

    def _pending(self, change_id):
        change = self._business.changes[change_id]
        if change.state != "pending":
            raise errors.NotPending(change.state)
        return change

    def _move(self, change, reason=None, **values):
        b = self._business
        b.changes[change.id] = moved = change.model_copy(update=values)
        b.tell_of_change(ChangeMoved(change=moved, by=self._me.name, reason=reason), self._me)
        return moved


class FakeSettings:
    """What of a business in memory is told of its settings."""

    people: dict[str, Me]
    told: list[tuple[UUID, object]]
    changes: dict[UUID, Change]

    def tell_of_change(self, news, but):
        for me in self.people.values():
            if me != but and (APPROVE in me.scopes or me.person_id == news.change.maker_id):
                self.told.append((me.person_id, news))

    def tell_concerned(self, news, but):
        for me in self.people.values():
            if me != but and me.scopes & {INITIATE, APPROVE, RECONCILE}:
                self.told.append((me.person_id, news))

    def let_go_on(self):
        self.halted = None
        self.tell_concerned(StoppedByPerson(by=None, stopped=False), None)

    def end_change(self, state, because):
        """The latest one takes effect, or does not."""
        change = next(reversed(self.changes.values()))
        self.changes[change.id] = moved = change.model_copy(update={"state": state, "because": because})
        self.tell_of_change(ChangeMoved(change=moved), None)
