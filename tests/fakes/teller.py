"""Teller: all that a conversation may do with a FakeBusiness, for one person."""

from services import errors
from services.errors import handoff as handoff_errors
from services.facts import PaidOrder, Receipt, Started, Way
from services.ids import new_id
from services.money import Money
from services.news import IdentityChanged, StaffSuspended
from services.news.handoff import CustomerWrote, Ended, PersonWanted
from services.news.privacy import ErasureWanted
from services.people.access import HAND_OFF
from services.rails import charges
from tests.fakes.business import Handed, Payment
from tests.fakes.orders import OrdersTeller
from tests.fakes.shop import checkout_of
from tests.fakes.wallet import WalletTeller


class FakeTeller(OrdersTeller, WalletTeller):
    """What customers do is here."""

    async def open_order(self):
        for _, customer, checkout in self._business.requests.values():
            if customer.person_id == self.me.person_id and self._business.is_open(checkout.order_id):
                return checkout
        for order in reversed(self._business.goods.orders.values()):
            if order.person_id == self.me.person_id and order.unpaid:
                return checkout_of(order)
        for payment in reversed(self._business.payments.values()):
            if payment.payer == self.me.person_id and payment.state not in ("succeeded", "dropped"):
                return payment.checkout.model_copy(update={"number": payment.started.number})
        return None

    async def ways(self):
        return tuple(self._business.saved[self.me.person_id])

    async def ranked(self, amount):
        return self._business.ranked or self.shop.collects_by

    async def pay(self, checkout, way):
        known = next(
            (p for p in self._business.payments.values() if p.checkout.order_id == checkout.order_id), None
        )
        if checkout.order_id in self._business.closed:
            raise errors.OrderClosed(checkout.number or "")
        if known and known.state == "succeeded":
            raise errors.AlreadyPaid(known.started.number, "SJK7ABC123")
        if known and known.state in ("pending", "doubted"):
            raise errors.PaymentUnderWay(known.started.number, told=known.state == "doubted")
        number = known.started.number if known else checkout.number or f"K7Q2X{len(self._business.payments)}"
        payment_id = known.started.payment_id if known else new_id()
        started = Started(payment_id=payment_id, order_id=checkout.order_id, number=number)
        self._business.payments[payment_id] = Payment(started, checkout, way, self.me.person_id)
        return started

    async def open_page(self, order_id):
        open_ones = (p for p in self._business.payments.values() if p.checkout.order_id == order_id)
        return next((p.page for p in open_ones if p.state == "pending"), None)

    async def check_payment(self, payment_id):
        payment = self._business.payments[payment_id]
        if payment.state == "succeeded":
            raise errors.AlreadyPaid(payment.started.number, "SJK7ABC123")

    async def leave_payment(self, payment_id):
        self._business.payments[payment_id].state = "left"

    async def drop_order(self, order_id):
        payment = next((p for p in self._business.payments.values() if p.checkout.order_id == order_id), None)
        if payment is None:
            self._business.goods.drop(order_id)
            return
        if payment.state == "succeeded":
            raise errors.AlreadyPaid(payment.started.number, "SJK7ABC123")
        if payment.state in ("pending", "left", "doubted"):
            by = "card" if payment.way.method_id and charges(payment.way.method.provider) else "phone"
            raise errors.PaymentUnderWay(payment.started.number, told=payment.state == "doubted", by=by)
        payment.state = "dropped"
        if order_id in self._business.goods.orders:
            self._business.goods.drop(order_id)

    async def decline_request(self, order_id):
        self._business.decline(order_id)

    async def remind_no_more(self, order_id):
        self._business.unreminded.add(order_id)

    async def save_method(self, payment_id):
        way = self._business.payments[payment_id].way
        saved = Way(method=way.method, method_id=new_id())
        self._business.saved[self.me.person_id].insert(0, saved)
        return saved.method

    async def methods(self):
        return await self.ways()

    async def offer_first(self, method_id):
        saved = self._business.saved[self.me.person_id]
        saved.sort(key=lambda way: way.method_id != method_id)
        return tuple(saved)

    async def remove_method(self, method_id):
        saved = self._business.saved[self.me.person_id]
        if not any(way.method_id == method_id for way in saved):
            raise errors.NotFound("payment_method")
        saved[:] = [way for way in saved if way.method_id != method_id]
        return tuple(saved)

    def _paid(self):
        mine = (p for p in self._business.payments.values() if p.payer == self.me.person_id)
        return [p for p in reversed(list(mine)) if p.state == "succeeded"]

    async def paid_orders(self):
        return tuple(
            PaidOrder(number=p.started.number, amount=p.checkout.amount, paid_at=self.now)
            for p in self._paid()
        )

    async def receipt(self, number):
        for p in self._business.payments.values():
            if p.started.number == number and p.payer == self.me.person_id:
                if p.state != "succeeded":
                    raise errors.NotPaid(number, closed=self._business.ended.get(number) == "canceled")
                return self._receipt(p)
        raise errors.NotFound("receipt")

    async def receipt_of(self, payment_id):
        p = self._business.payments.get(payment_id)
        if p is None:
            raise errors.NotFound("receipt")
        return await self.receipt(p.started.number)

    def _receipt(self, p):
        return Receipt(
            payment_id=p.started.payment_id,
            number=p.started.number,
            amount=p.checkout.amount,
            paid_at=self.now,
            lines=self._business.lines,
            note=p.checkout.note if p.checkout.delivery else p.checkout.summary,
            delivery=bool(p.checkout.delivery),
            method=p.way.method,
            code="SJK7ABC123",
            refunded=self._refunded(p),
        )

    def _refunded(self, p):
        back = [
            each.amount.minor
            for each in self._business.refunds.values()
            if each.payment_id == p.started.payment_id and each.status == "completed" and not each.twice
        ]
        return Money(sum(back), "KES") if back else None

    async def ask_person(self, words):
        b = self._business
        answering = [me for me in b.people.values() if HAND_OFF in me.scopes]
        if self.me in answering:
            raise handoff_errors.AnswersCustomers
        if not answering:
            raise handoff_errors.NobodyAnswers
        for handoff_id, one in b.handed.items():
            if one.customer.person_id == self.me.person_id and one.state != "done":
                return handoff_id
        handoff_id, said = new_id(), "\n".join(words)
        b.handed[handoff_id] = Handed(self.me, words=[said] if said else [])
        for me in answering:
            news = PersonWanted(handoff_id=handoff_id, customer=self.me.name or "", words=said)
            b.told.append((me.person_id, news))
        return handoff_id

    async def tell_person(self, handoff_id, words):
        one = self._business.handed[handoff_id]
        if one.state == "done":
            return False
        one.words.append(words)
        if one.by is not None:
            news = CustomerWrote(handoff_id=handoff_id, customer=self.me.name or "", words=words)
            self._business.told.append((one.by.person_id, news))
        return True

    async def leave_person(self, handoff_id):
        if self._business.handed[handoff_id].state != "done":
            self._business.end_handoff(Ended.CUSTOMER, handoff_id)

    async def use_language(self, language):
        self._business.people[self._name] = self.me.model_copy(update={"language": language})

    async def stop_unasked(self):
        self._business.stopped.add(self._name)

    async def start_unasked(self):
        stopped = self._name in self._business.stopped
        self._business.stopped.discard(self._name)
        return stopped

    async def wish_erasure(self):
        self._business.tell_reconcilers(ErasureWanted, customer=self.me.name)

    async def wishes(self, *, unasked):
        await (self.start_unasked() if unasked else self.stop_unasked())

    async def identity_changed(self, phone, user_id):
        forgotten = bool(self._business.saved.pop(self.me.person_id, []))
        self._business.told.append(
            (self.me.person_id, IdentityChanged(methods=forgotten, rights=self.me.is_staff))
        )
        if self.me.is_staff:
            self._business.tell_reconcilers(StaffSuspended, name=self.me.name)
