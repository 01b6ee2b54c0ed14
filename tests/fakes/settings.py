"""Settings: what the staff do about the settings, and payouts as a whole."""

from datetime import timedelta
from uuid import UUID

from services import errors, phones
from services.errors.approval import NotLendable, TotpInvalid
from services.errors.settings import ChangesNothing
from services.facts import Me, Member, Stopped
from services.news.approval import Lending, LendingAsked, LendingMoved, RightLent
from services.news.settings import Change, ChangeAsked, ChangeMoved, StoppedByPerson
from services.people.access import APPROVE, INITIATE, RECONCILE, ROLES
from services.readable import refuse_blank
from services.settings import destination, fees, limits, staffing
from services.withdrawals import destinations


class FakeSettings:
    def __init__(self, business, me):
        self._business, self._me = business, me

    async def changes(self):
        return tuple(each for each in self._business.changes.values() if each.state in ("pending", "cooling"))

    async def change(self, change_id):
        return self._business.changes[change_id]

    async def limits(self):
        return dict(self._business.limits)

    async def fees(self):
        return dict(self._business.fees)

    async def staff(self):
        staff = [me for me in self._business.people.values() if me.scopes]
        return tuple(Member(id=me.person_id, name=me.name, role=_role(me)) for me in staff)

    async def destination(self, method_type, details):
        return destinations.entered(method_type, details)

    async def phone(self, typed):
        return phones.normalize(typed, "KE")

    async def ask(self, id, kind, wanted):  # noqa: A002  the protocol's name
        b = self._business
        if kind == "resume" and b.halted is None:
            raise ChangesNothing
        before, after = await getattr(self, f"_{kind}")(wanted)
        change = Change(
            id=id,
            kind=kind,
            before=before,
            after=after,
            needed=b.needed,
            maker_id=self._me.person_id,
            maker=self._me.name,
            cools=kind != "resume",
            state="pending",
            digest="d",
            created_at=b.now,
            expires_at=b.now + timedelta(hours=24),
        )
        b.changes[id] = change
        b.tell_of_change(ChangeAsked(change=change), self._me)
        return change

    async def _resume(self, wanted):
        return {}, wanted

    async def _destination(self, wanted):
        found = destinations.of(wanted["method_type"], wanted["method_details"])
        told = {"method_type": found.method_type, "method_details": found.details}
        return {}, destination.masked(told)

    async def _limits(self, wanted):
        b = self._business
        facts = limits.read(wanted, b.shop.currency)
        return {key: b.limits.get(key, "-") for key in wanted}, limits.masked(facts)

    async def _fees(self, wanted):
        facts = fees.read(wanted, self._business.shop.currency, self._business.shop.timezone)
        way = wanted["method_type"]
        return {"method_type": way, "bands": self._business.fees[way]}, fees.masked(facts)

    async def _staff(self, wanted):
        if wanted["action"] == "add":
            return {}, staffing.masked(wanted | staffing.rights(wanted, wanted["name"]))
        me = next(me for me in self._business.people.values() if str(me.person_id) == wanted["staff_id"])
        before = {"name": me.name, "rights": _role(me)}
        if wanted["action"] == "remove":
            return before, {"name": me.name, "rights": "-"}
        return before, staffing.masked({"name": me.name} | staffing.rights(wanted, me.name))

    async def approve(self, change_id, _digest, code=None):
        b, change = self._business, self._pending(change_id)
        if b.totp_above is not None:
            self._step_up(code)
        approved = change.approved_by | {self._me.person_id: self._me.name}
        if len(approved) < change.needed:
            return self._move(change, approved_by=approved)
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

    # --- the right to approve is lent

    async def lendings(self):
        return tuple(each for each in self._business.lendings.values() if each.state in ("pending", "lent"))

    async def lending(self, lending_id):
        return self._business.lendings[lending_id]

    async def borrowers(self):
        return tuple(each for each in await self.staff() if APPROVE not in ROLES[each.role])

    async def lend(self, id, borrower, until):  # noqa: A002  the protocol's name
        b = self._business
        if not b.now < until <= b.now + timedelta(days=14):
            raise NotLendable("too long")
        name = next(me.name for me in b.people.values() if me.person_id == borrower)
        lender = {"lender_id": self._me.person_id, "lender": self._me.name}
        told = lender | {"borrower_id": borrower, "borrower": name}
        b.lendings[id] = lending = Lending(id=id, **told, until=until, state="pending", digest="d")
        b.tell_approvers(LendingAsked(lending=lending), self._me)
        return lending

    async def agree(self, lending_id, _digest, code=None):
        lending = self._pending_lending(lending_id)
        if self._business.totp_above is not None:
            self._step_up(code)
        b = self._business
        b.lendings[lending_id] = lent = lending.model_copy(update={"state": "lent"})
        names = {"lender": lent.lender, "borrower": lent.borrower}
        b.told.append((lent.lender_id, RightLent(**names, until=lent.until)))
        return lent

    async def refuse(self, lending_id, reason):
        refuse_blank(reason)
        return self._end_lending(self._pending_lending(lending_id), "rejected")

    async def end(self, lending_id):
        lending = self._business.lendings[lending_id]
        return self._end_lending(lending, "canceled" if lending.state == "pending" else "over")

    def _pending_lending(self, lending_id):
        lending = self._business.lendings[lending_id]
        if lending.state != "pending":
            raise errors.NotPending(lending.state)
        return lending

    def _end_lending(self, lending, state):
        b = self._business
        b.lendings[lending.id] = ended = lending.model_copy(update={"state": state})
        concerned = [ended.lender_id] + [ended.borrower_id] * (state == "over")
        news = LendingMoved(lending=ended)
        b.told += [(person, news) for person in concerned if person != self._me.person_id]
        return ended

    async def stopped(self):
        return self._business.halted

    async def stop(self):
        b = self._business
        b.halted = Stopped(by=self._me.name, at=b.now)
        b.tell_concerned(StoppedByPerson(by=self._me.name, stopped=True), self._me)
        return b.halted

    def _step_up(self, code):
        b = self._business
        if code is None:
            raise errors.StepUpRequired(enrolled=self._me.name in b.enrolled)
        if code != b.code:
            raise TotpInvalid

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


def _role(me):
    return next(role for role, scopes in ROLES.items() if scopes == me.scopes)


class BusinessSettings:
    """What of a business in memory is told of its settings."""

    people: dict[str, Me]
    told: list[tuple[UUID, object]]
    changes: dict[UUID, Change]

    def tell_of_change(self, news, but):
        for me in self.people.values():
            if me != but and (APPROVE in me.scopes or me.person_id == news.change.maker_id):
                self.told.append((me.person_id, news))

    def tell_approvers(self, news, but):
        for me in self.people.values():
            if me != but and APPROVE in me.scopes:
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
