"""Orders: what the staff do about orders, requests and customers who want a person."""

from services import errors
from services.errors import handoff as handoff_errors
from services.facts import Asked, Handoff, Notices, OrderSeen, Try
from services.news.handoff import Ended, PersonWrote
from services.news.orders import OrderCanceled, OrderFulfilled
from services.news.requests import PaymentRequested
from services.payments.requests import MOST_OPEN
from services.people.access import EDIT_ORDERS, HAND_OFF, NOTICES, VIEW_ORDERS
from services.readable import refuse_blank
from tests.fakes.person import PersonTeller


class OrdersTeller(PersonTeller):
    async def take_back_request(self, number):
        self._need(EDIT_ORDERS)
        for order_id, (_, _, checkout) in self._business.requests.items():
            if checkout.number == number:
                stands = await self.standing(order_id)
                if stands.status == "paid":
                    raise errors.AlreadyPaid(number, stands.receipt)
                if stands.status == "canceled":
                    raise errors.OrderClosed(number)
                if stands.status == "awaiting_payment":
                    raise errors.PaymentUnderWay(number)
                self._business.close_request(order_id, by=self.me)

    async def find_order(self, number):
        self._need(VIEW_ORDERS)
        for payment in self._business.payments.values():
            if payment.started.number == number:
                return self._seen(payment)
        for _, customer, checkout in self._business.requests.values():
            if checkout.number == number:
                return OrderSeen(
                    number=number,
                    customer=customer.name,
                    amount=checkout.amount,
                    status="canceled" if checkout.order_id in self._business.closed else "open",
                    summary=checkout.summary,
                    created_at=self.now,
                    tries=(),
                    asked=True,
                )
        raise errors.NotFound("order")

    def _seen(self, payment):
        paid = payment.state == "succeeded"
        tried = Try(
            method=payment.way.method,
            state=payment.state,
            receipt="SJK7ABC123" if paid else None,
            at=self.now,
        )
        return OrderSeen(
            number=payment.started.number,
            customer=next(me.name for me in self._business.people.values() if me.person_id == payment.payer),
            amount=payment.checkout.amount,
            status=self._business.ended.get(payment.started.number, "paid" if paid else "awaiting_payment"),
            summary=payment.checkout.summary,
            note=payment.checkout.note,
            delivery=payment.checkout.delivery,
            created_at=self.now,
            tries=(tried,),
        )

    async def fulfil_order(self, number):
        self._need(EDIT_ORDERS)
        payer = next(p.payer for p in self._business.payments.values() if p.started.number == number)
        return self._end(number, "fulfilled", payer, OrderFulfilled(number=number))

    async def cancel_order(self, number, reason):
        self._need(EDIT_ORDERS)
        refuse_blank(reason)
        p = next(p for p in self._business.payments.values() if p.started.number == number)
        if p.state in ("pending", "doubted"):
            raise errors.PaymentUnderWay(number, told=p.state == "doubted")
        news = OrderCanceled(number=number, amount=p.checkout.amount, reason=reason)
        return p.state != "succeeded" and self._end(number, "canceled", p.payer, news)

    def _end(self, number, how, customer, news):
        if number in self._business.ended:
            return False
        self._business.ended[number] = how
        self._business.told.append((customer, news))
        return True

    async def recent_customers(self):
        self._need(EDIT_ORDERS)
        return tuple(self._business.recent)

    async def request_payment(self, customer, checkout):
        self._need(EDIT_ORDERS)
        b = self._business
        known = {me.name: me for me in b.people.values()} | {me.phone: me for me in b.people.values()}
        asked = known[customer.phone or customer.label]
        of_them = [
            each.order_id for _, whom, each in b.requests.values() if whom.person_id == asked.person_id
        ]
        if asked.name in b.stopped:
            raise errors.WritesUnwanted
        if sum(b.is_open(order_id) for order_id in of_them) >= MOST_OPEN:
            raise errors.RequestsOpen(MOST_OPEN)
        number = f"K7Q3X{len(b.requests)}"
        b.requests[checkout.order_id] = self.me, asked, checkout.model_copy(update={"number": number})
        facts = {"amount": checkout.amount, "reason": checkout.summary}
        b.told.append((asked.person_id, PaymentRequested(order_id=checkout.order_id, number=number, **facts)))
        return Asked(number=number, reads_now=asked.name not in b.away)

    def _handed(self, handoff_id, *states):
        self._need(HAND_OFF)
        one = self._business.handed[handoff_id]
        if one.by is not None and one.by.person_id != self.me.person_id and one.state != "done":
            raise handoff_errors.AnsweredBy(one.by.name or "")
        if one.state not in states:
            raise handoff_errors.HandoffOver
        return one

    async def take_customer(self, handoff_id):
        one = self._handed(handoff_id, "waiting", "taken")
        one.state, one.by = "taken", self.me
        return Handoff(customer=one.customer.name or "", words=tuple(one.words[-5:]))

    async def answer_customer(self, handoff_id, words):
        one = self._handed(handoff_id, "taken")
        if self._business.window_closed:
            raise handoff_errors.OutsideWindow
        news = PersonWrote(handoff_id=handoff_id, words=words)
        self._business.told.append((one.customer.person_id, news))

    async def close_customer(self, handoff_id):
        self._need(HAND_OFF)
        if self._business.handed[handoff_id].state != "done":
            self._handed(handoff_id, "taken")
            self._business.end_handoff(Ended.STAFF, handoff_id)

    async def notices(self):
        b, may = self._business, [each for each, takes in NOTICES.items() if takes & self.me.scopes]
        return Notices(
            of=tuple((each, each in b.wanted[self.me.person_id]) for each in may),
            summary_at="20:00",
            low_balance=b.low_balance,
        )

    async def switch_notice(self, notice, *, on):
        wanted = self._business.wanted[self.me.person_id]
        if on:
            wanted.add(notice)
        else:
            wanted.discard(notice)
        return await self.notices()
