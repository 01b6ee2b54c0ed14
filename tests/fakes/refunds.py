"""Refunds: what goes back in a FakeBusiness."""

from datetime import timedelta

from services import errors
from services.errors.refunds import AlreadyRefunded, MoreThanRemains, RefundAsked
from services.facts import Refundable, RefundQueue, RefundWish
from services.ids import new_id
from services.money import Money
from services.news.refunds import (
    PaymentKept,
    Refund,
    RefundDeclined,
    RefundRequested,
    RefundTold,
    Way,
)
from services.people.access import RECONCILE
from services.readable import refuse_blank

OPEN = ("pending", "processing")


class FakeRefunds:
    def __init__(self, teller):
        self._teller, self._business = teller, teller._business

    async def wish(self, payment_id, reason):
        refuse_blank(reason)
        b = self._business
        payment = b.payments[payment_id]
        number = payment.started.number
        if any(wish.number == number for wish in b.wishes.values()):
            raise RefundAsked(number)
        wish = RefundWish(
            id=new_id(),
            number=number,
            amount=payment.checkout.amount,
            customer=self._teller.me.name or "",
            reason=reason,
            at=b.now,
        )
        b.ask_for(payment_id, wish)
        return number

    async def refundable(self, number):
        b = self._business
        payment = next((p for p in b.payments.values() if p.started.number == number), None)
        if payment is None:
            raise errors.NotFound("order")
        left = payment.checkout.amount.minor - self._gone(payment.started.payment_id)
        if left <= 0:
            raise AlreadyRefunded(number)
        return Refundable(
            payment_id=payment.started.payment_id,
            number=number,
            customer=b.name_of(payment.payer),
            paid=payment.checkout.amount,
            left=Money(left, "KES"),
            fee=b.sale_fee,
        )

    def _gone(self, payment_id):
        return sum(
            each.amount.minor
            for each in self._business.refunds.values()
            if each.payment_id == payment_id and not each.twice and each.status in (*OPEN, "completed")
        )

    async def ask(self, id, payment_id, amount, reason):  # noqa: A002  the protocol's name
        refuse_blank(reason)
        b = self._business
        payment = b.payments[payment_id]
        of = await self.refundable(payment.started.number)
        if amount > of.left:
            raise MoreThanRemains(of.left, amount)
        if amount > b.posted - b.held:
            raise errors.InsufficientBalance(b.posted - b.held, amount)
        b.held += amount
        for wish in [wish for wish in b.wishes.values() if wish.number == of.number]:
            b.taken_up[of.number] = b.wishes.pop(wish.id)
        way = Way.REVERSAL if amount == of.paid else Way.PAYOUT
        return self._asked(id, payment, amount, reason, way)

    async def resolve_twice(self, id, attempt_id, reason, *, keep):  # noqa: A002  the protocol's name
        refuse_blank(reason)
        twice = self._business.twice.pop(attempt_id)
        payment = self._business.payments[twice.payment_id]
        way = Way.SALE if keep else Way.REVERSAL
        return self._asked(id, payment, twice.amount, reason, way, twice=True)

    def _asked(self, id_, payment, amount, reason, way, *, twice=False):
        b, me = self._business, self._teller.me
        refund = Refund(
            id=id_,
            payment_id=payment.started.payment_id,
            number=payment.started.number,
            customer=b.name_of(payment.payer),
            amount=amount,
            paid=payment.checkout.amount,
            fee=b.sale_fee,
            twice=twice,
            way=way,
            provider=payment.way.method.provider,
            label=payment.way.method.label,
            reason=reason,
            maker_id=me.person_id,
            maker=me.name or "",
            status="pending",
            digest="d",
            receipt=None,
            created_at=b.now,
            expires_at=b.now + timedelta(hours=24),
        )
        b.refunds[id_] = refund
        self._tell(RefundRequested(refund=refund))
        return refund

    async def queue(self):
        b = self._business
        return RefundQueue(
            refunds=tuple(each for each in b.refunds.values() if each.status == "pending"),
            wishes=tuple(b.wishes.values()),
            twice=tuple(b.twice.values()),
        )

    async def refund(self, refund_id):
        if refund_id not in self._business.refunds:
            raise errors.NotFound("refund")
        return self._business.refunds[refund_id]

    def _pending(self, refund_id):
        refund = self._business.refunds[refund_id]
        if refund.status != "pending":
            raise errors.NotPending(refund.status)
        return refund

    async def approve(self, refund_id, digest, code=None):
        refund = self._pending(refund_id)
        if refund.maker_id == self._teller.me.person_id:
            raise errors.FourEyesViolation
        above = self._business.totp_above
        if above is not None and refund.amount > above:
            self._teller.step_up(code)
        after = self._business.put_refund(refund, "completed" if refund.way == Way.SALE else "processing")
        if refund.way == Way.SALE:
            payer = self._business.payments[refund.payment_id].payer
            kept = PaymentKept(number=refund.number, amount=refund.amount, reason=refund.reason)
            self._business.told.append((payer, kept))
        self._tell(RefundTold(refund=after, by=self._teller.me.name))
        return after

    async def reject(self, refund_id, reason):
        refuse_blank(reason)
        return self._close(refund_id, "rejected", reason)

    async def cancel(self, refund_id):
        return self._close(refund_id, "canceled", None)

    def _close(self, refund_id, status, reason):
        b = self._business
        after = b.put_refund(self._pending(refund_id), status)
        if not after.twice:
            b.held -= after.amount
        self._tell(RefundTold(refund=after, by=self._teller.me.name, reason=reason))
        b.end_in_vain(after, reason)
        return after

    async def decline(self, wish_id, reason):
        refuse_blank(reason)
        wish = self._business.wishes.pop(wish_id, None)
        if wish is None:
            return False
        payer = next(p.payer for p in self._business.payments.values() if p.started.number == wish.number)
        self._business.told.append((payer, RefundDeclined(number=wish.number, reason=reason)))
        return True

    def _tell(self, news):
        for me in self._business.people.values():
            if RECONCILE in me.scopes and me != self._teller.me:
                self._business.told.append((me.person_id, news))
