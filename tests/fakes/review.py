"""Review: what is undecided in a FakeBusiness, and what people say of it."""

from datetime import datetime, timedelta
from uuid import UUID

from services import errors
from services.errors.review import AmountNeeded, InvalidReference, NotUndecided, ReceiptUsed
from services.facts import Me
from services.ids import new_id
from services.money import Money
from services.news.review import (
    ReviewQueue,
    Settlement,
    SettlementAsked,
    SettlementMoved,
    Told,
    Undecided,
)
from services.people.access import RECONCILE
from services.readable import refuse_blank


class FakeReview:
    def __init__(self, teller):
        self._teller, self._business = teller, teller._business

    async def queue(self):
        b = self._business
        waits = tuple(each for each in b.settlements.values() if each.state == "pending")
        left = tuple(each for each in b.undecided.values() if each.kind != "payment" or each.told)
        return ReviewQueue(undecided=left, settlements=waits, asking=b.asking)

    async def of_order(self, number):
        b = self._business
        states = {each.started.number: each.state for each in b.payments.values()}
        if number not in states:
            raise errors.NotFound("order")
        left = tuple(each for each in b.undecided.values() if each.way == number)
        said = [each for each in b.settlements.values() if each.about.way == number]
        waits = tuple(each for each in said if each.state == "pending")
        if not left and not waits:
            raise NotUndecided(states[number])
        return ReviewQueue(undecided=left, settlements=waits)

    async def undecided(self, attempt_id):
        if attempt_id not in self._business.undecided:
            raise errors.NotFound("undecided_payout")
        return self._business.undecided[attempt_id]

    async def receipt(self, attempt_id, typed):
        if attempt_id not in self._business.undecided:
            raise NotUndecided("succeeded")
        if len(typed) != 10:
            raise InvalidReference(typed)
        if typed in self._business.receipts_used:
            raise ReceiptUsed(typed)
        return typed.upper()

    async def propose(self, id, attempt_id, outcome, reference, note, amount=None):  # noqa: A002  the protocol's name
        refuse_blank(note)
        about = self._business.undecided[attempt_id]
        if outcome == "paid" and about.differs and amount is None:
            raise AmountNeeded(about.amount, None)
        b, me = self._business, self._teller.me
        settlement = Settlement(
            id=id,
            about=b.undecided[attempt_id],
            outcome=outcome,
            reference=reference,
            note=note,
            maker_id=me.person_id,
            maker=me.name or "",
            state="pending",
            because=None,
            digest="d",
            created_at=b.now,
            expires_at=b.now + timedelta(hours=24),
        )
        b.settlements[id] = settlement
        b.tell_of_settlement(SettlementAsked(settlement=settlement), me)
        return settlement

    async def settlement(self, settlement_id):
        return self._business.settlements[settlement_id]

    async def approve(self, settlement_id, _digest, code=None):
        settlement = self._pending(settlement_id)
        above = self._business.totp_above
        if above is not None and settlement.about.amount > above:
            self._teller.step_up(code)
        self._business.undecided.pop(settlement.about.id)
        return self._move(settlement, "done")

    async def reject(self, settlement_id, reason):
        settlement = self._pending(settlement_id)
        refuse_blank(reason)
        return self._move(settlement, "rejected", reason)

    async def cancel(self, settlement_id):
        return self._move(self._pending(settlement_id), "canceled")

    def _pending(self, settlement_id):
        settlement = self._business.settlements[settlement_id]
        if settlement.state != "pending":
            raise errors.NotPending(settlement.state)
        return settlement

    def _move(self, settlement, state, reason=None):
        return self._business.move_settlement(settlement, state, self._teller.me, reason)


class BusinessReview:
    """What of a business in memory is undecided."""

    now: datetime
    people: dict[str, Me]
    told: list[tuple[UUID, object]]
    undecided: dict[UUID, Undecided]
    asking: int
    settlements: dict[UUID, Settlement]

    def put_undecided(self, kind, of, amount, destination, reference):
        about = Undecided(
            id=new_id(),
            kind=kind,
            of=of,
            amount=amount,
            provider="mpesa",
            way="mpesa" if kind == "payout" else "payout",
            destination=destination,
            state="pending" if reference else "unknown",
            reference=reference,
            sent_at=self.now - timedelta(hours=8),
            since=self.now,
        )
        self.undecided[about.id] = about

    def leave_in_review(self, payment, because=None, told=(), by="callback"):
        """What was told of it, or its end is merely not known."""
        payment.state = "failed"
        amounts = [Money.parse(each, "KES") for each in told]
        words = [
            Told(paid=True, amount=each, receipt="SJK7ABC123", at=self.now - timedelta(hours=2), by=by)
            for each in amounts
        ]
        about = Undecided(
            id=new_id(),
            kind="payment",
            of=payment.started.payment_id,
            amount=payment.checkout.amount,
            provider=payment.way.method.provider,
            way=payment.started.number,
            destination=payment.way.method.label,
            state="expired",
            reference=None,
            sent_at=self.now - timedelta(hours=2),
            since=self.now - timedelta(hours=1),
            doubt=because,
            told=tuple(words),
        )
        self.undecided[about.id] = about

    def end_settlement(self, state, because=None):
        """The provider says something of the latest one, or its time is over."""
        settlement = next(reversed(self.settlements.values()))
        self.undecided.pop(settlement.about.id, None)
        said = "succeeded" if because == "paid" else "failed"
        about = settlement.about.model_copy(update={"state": said})
        reason = because if because in ("guessed", "told") else "decided"
        moved = settlement.model_copy(update={"state": state, "about": about, "because": reason})
        self.settlements[settlement.id] = moved
        self.tell_of_settlement(SettlementMoved(settlement=moved), None)

    def move_settlement(self, settlement, state, by, reason=None):
        moved = settlement.model_copy(update={"state": state})
        self.settlements[settlement.id] = moved
        self.tell_of_settlement(SettlementMoved(settlement=moved, by=by.name, reason=reason), by)
        return moved

    def tell_of_settlement(self, news, but):
        for me in self.people.values():
            if me != but and RECONCILE in me.scopes:
                self.told.append((me.person_id, news))
