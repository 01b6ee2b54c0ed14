"""A business in memory: enough of it to hold conversations with, and what it tells them."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services import errors, handoff_errors, phones
from services.facts import (
    Asked,
    Balance,
    Checkout,
    Customer,
    Destination,
    Handoff,
    Me,
    Notices,
    OrderSeen,
    PaidOrder,
    Quote,
    Receipt,
    Shop,
    Standing,
    Started,
    Try,
    Way,
)
from services.handoff_news import CustomerGone, CustomerWrote, Ended, PersonGone, PersonWanted, PersonWrote
from services.ids import new_id
from services.money import Money
from services.news import (
    Doubt,
    IdentityChanged,
    OrderInDoubt,
    OrderPaidTwice,
    PaidTwice,
    PaymentFailed,
    PaymentInDoubt,
    PaymentMethod,
    PaymentOpen,
    PaymentSettled,
    PayoutUndecided,
    SelfApprovalTried,
    StaffSuspended,
    TenantChanged,
    Unpaid,
    Unsent,
    Withdrawal,
    WithdrawalApproved,
    WithdrawalClosed,
    WithdrawalHeldBack,
    WithdrawalPaid,
    WithdrawalRequested,
)
from services.order_news import OrderCanceled, OrderFulfilled
from services.payments.requests import MOST_OPEN
from services.people.access import (
    APPROVE,
    EDIT_ORDERS,
    HAND_OFF,
    INITIATE,
    NOTICES,
    RECONCILE,
    ROLES,
    VIEW_FINANCE,
    VIEW_ORDERS,
)
from services.request_news import (
    PaymentReminder,
    PaymentRequested,
    RequestClosed,
    RequestDeclined,
    RequestPaid,
    RequestUnpaid,
)
from services.shop.facts import Line
from services.staff_news import BalanceLow, DaySummed, SaleMade
from services.withdrawals import destinations
from services.withdrawals.reason import refuse_blank
from tests.fake_shop import FakeShop, ShopTeller, checkout_of

TEN_THOUSAND, NOTHING, FEE = Money(10_000_00, "KES"), Money(0, "KES"), Money(33_00, "KES")
MINIMUM = Money(10_00, "KES")


@dataclasses.dataclass
class Payment:
    started: Started
    checkout: Checkout
    way: Way
    payer: UUID
    state: str = "pending"


@dataclasses.dataclass
class Handed:
    """A customer who asked for a person."""

    customer: Me
    state: str = "waiting"
    by: Me | None = None
    words: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class FakeBusiness:
    """One shop. `told` are the news that wait for each person."""

    shop: Shop = dataclasses.field(
        default_factory=lambda: Shop(
            name="Mama Njeri",
            currency="KES",
            country="KE",
            timezone="Africa/Nairobi",
            number="254711000100",
            collects_by=("mpesa",),
            pays_out_by=("mpesa",),
        )
    )
    now: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    posted: Money = TEN_THOUSAND
    held: Money = NOTHING
    fee: Money = FEE
    people: dict[str, Me] = dataclasses.field(default_factory=dict)
    saved: dict[UUID, list[Way]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    payments: dict[UUID, Payment] = dataclasses.field(default_factory=dict)
    withdrawals: dict[UUID, Withdrawal] = dataclasses.field(default_factory=dict)
    # By whom, if anybody, it was asked of whom; else a program made it, or they ordered it themselves.
    requests: dict[UUID, tuple[Me | None, Me, Checkout]] = dataclasses.field(default_factory=dict)
    away: set[str] = dataclasses.field(default_factory=set)  # have not written for a day
    wanted: dict[UUID, set[str]] = dataclasses.field(default_factory=lambda: defaultdict(set))
    low_balance: Money | None = None
    unreminded: set[UUID] = dataclasses.field(default_factory=set)
    closed: set[UUID] = dataclasses.field(default_factory=set)
    lines: tuple[Line, ...] = ()  # of whatever is paid
    recent: list[Customer] = dataclasses.field(default_factory=list)
    goods: FakeShop = dataclasses.field(default_factory=FakeShop)
    handed: dict[UUID, Handed] = dataclasses.field(default_factory=dict)
    window_closed: bool = False
    known: list[Destination] = dataclasses.field(default_factory=list)
    ended: dict[str, str] = dataclasses.field(default_factory=dict)  # orders by number: how
    stopped: set[str] = dataclasses.field(default_factory=set)  # who want nothing unasked
    told: list[tuple[UUID, object]] = dataclasses.field(default_factory=list)

    def person(self, name: str, phone: str | None, *scopes: str) -> Me:
        me = Me(person_id=new_id(), name=name, language="en", phone=phone, scopes=frozenset(scopes))
        self.people[name] = me
        return me

    # --- what the provider does

    def latest(self) -> Payment:
        return next(reversed(self.payments.values()))

    def settle(self, *, late: bool = False, receipt: str | None = "SJK7ABC123") -> None:
        payment = self.latest()
        if payment.state == "succeeded":
            self._tell(payment, PaidTwice, receipt="SJK9TWICE9")
            self.tell_reconcilers(
                OrderPaidTwice,
                number=payment.started.number,
                amount=payment.checkout.amount,
                receipt="SJK9TWICE9",
            )
            return
        payment.state = "succeeded"
        self.goods.bought(payment.checkout.order_id)
        self._answer_request(payment.checkout.order_id, RequestPaid, receipt=receipt)
        saved = any(way.method == payment.way.method for way in self.saved[payment.payer])
        facts = {"receipt": receipt, "paid_at": self.now, "method": payment.way.method, "late": late}
        self._tell_sale(payment)
        self._tell(payment, PaymentSettled, can_save=not saved, **facts)

    def _tell_sale(self, payment) -> None:
        me = next(me for me in self.people.values() if me.person_id == payment.payer)
        news = SaleMade(
            number=payment.started.number,
            amount=payment.checkout.amount,
            customer=me.name or "",
            provider=payment.way.method.provider,
            method=payment.way.method.label,
        )
        self.tell_wanting("sale", news, but=payment.payer)

    def tell_wanting(self, notice: str, news, but: UUID | None = None) -> None:
        self.told += [
            (person, news) for person, wanted in self.wanted.items() if notice in wanted and person != but
        ]

    def end_day(self) -> None:
        sold = [p.checkout.amount for p in self.payments.values() if p.state == "succeeded"]
        news = DaySummed(
            until=self.now,
            sales=len(sold),
            sold=sum(sold, NOTHING),
            withdrawals=1,
            paid_out=TEN_THOUSAND,
            fees=self.fee,
            available=self.posted - self.held,
        )
        self.tell_wanting("summary", news)

    def fail(self, because: Unpaid) -> None:
        self.latest().state = "failed"
        self._tell(self.latest(), PaymentFailed, because=because)

    def doubt(self, because: Doubt, told: Money | None = None) -> None:
        """Another amount is told to the staff at once, and to the payer in the end, like the others."""
        payment = self.latest()
        payment.state = "failed"
        facts = {"number": payment.started.number, "amount": payment.checkout.amount}
        self.tell_reconcilers(OrderInDoubt, **facts, receipt="SJK7ABC123", because=because, told=told)
        self._tell(payment, PaymentInDoubt)

    def hold_back(self) -> None:
        """The latest withdrawal is approved, and payouts are stopped."""
        withdrawal = next(reversed(self.withdrawals.values()))
        for person in dict.fromkeys([withdrawal.maker_id, *self.approvers()]):
            self.told.append((person, WithdrawalHeldBack(withdrawal=withdrawal)))

    def leave_undecided(self) -> None:
        self.tell_reconcilers(PayoutUndecided, withdrawal=next(reversed(self.withdrawals.values())))

    def tell_reconcilers(self, kind, **facts) -> None:
        for me in self.people.values():
            if RECONCILE in me.scopes:
                self.told.append((me.person_id, kind(**facts)))

    def keep_open(self) -> None:
        self._tell(self.latest(), PaymentOpen)

    def pay_out(self) -> None:
        self._close_payout("completed", WithdrawalPaid, receipt="SJK8OUT456")

    def fail_payout(self, because: Unsent) -> None:
        self._close_payout("failed", WithdrawalClosed, because=because)

    def expire(self) -> None:
        self._close_payout("expired", WithdrawalClosed)

    def change(self, settings: Sequence[str]) -> None:
        for owner in self.owners():
            self.told.append((owner, TenantChanged(changed=tuple(settings))))

    def _close_payout(self, status, news, **facts):
        withdrawal = self.put(next(reversed(self.withdrawals.values())), status)
        self.held -= withdrawal.amount
        if status == "completed":
            self.posted -= withdrawal.amount
        for person in dict.fromkeys([withdrawal.maker_id, *self.approvers()]):
            self.told.append((person, news(withdrawal=withdrawal, **facts)))

    def _tell(self, payment, kind, **facts):
        started = payment.started
        news = kind(
            payment_id=started.payment_id,
            order_id=started.order_id,
            number=started.number,
            amount=payment.checkout.amount,
            **facts,
        )
        self.told.append((payment.payer, news))

    def _answer_request(self, order_id, kind, **facts):
        if order_id not in self.requests:
            return
        asker, customer, checkout = self.requests[order_id]
        if asker is None:
            return
        told = {"number": checkout.number, "amount": checkout.amount, "customer": customer.name}
        self.told.append((asker.person_id, kind(**told, **facts)))

    def order_for(self, name: str, amount: Money, reason: str) -> None:
        """By the shop's own program."""
        customer, number = self.people[name], f"K7Q4X{len(self.requests)}"
        checkout = Checkout(order_id=new_id(), amount=amount, number=number, summary=reason)
        self.requests[checkout.order_id] = None, customer, checkout
        news = PaymentRequested(order_id=checkout.order_id, number=number, amount=amount, reason=reason)
        self.told.append((customer.person_id, news))

    def is_paid(self, order_id) -> bool:
        paid = (p for p in self.payments.values() if p.state == "succeeded")
        return any(p.checkout.order_id == order_id for p in paid)

    def is_open(self, order_id) -> bool:
        return order_id not in self.closed and not self.is_paid(order_id)

    def decline(self, order_id) -> None:
        if self.is_paid(order_id):
            raise errors.AlreadyPaid(self.requests[order_id][2].number or "", "SJK7ABC123")
        self._answer_request(order_id, RequestDeclined)
        self.closed.add(order_id)

    def order(self, customer: Me, checkout: Checkout) -> None:
        self.requests[checkout.order_id] = None, customer, checkout

    def remind(self) -> None:
        """Of the latest that was ordered or asked for."""
        order_id, (_, customer, _) = next(reversed(self.requests.items()))
        self.told.append((customer.person_id, PaymentReminder(order_id=order_id)))

    def close_request(self, order_id: UUID | None = None, by: Me | None = None) -> None:
        """One ends unpaid: the latest's time is over, or one of the staff takes it back."""
        order_id = order_id or next(reversed(self.requests))
        asker, customer, checkout = self.requests[order_id]
        self.closed.add(order_id)
        facts = {"number": checkout.number, "amount": checkout.amount}
        news = RequestClosed(order_id=order_id, expired=by is None, **facts)
        self.told.append((customer.person_id, news))
        if asker is not None and asker != by:
            told = {"customer": customer.name, "by": by and by.name}
            self.told.append((asker.person_id, RequestUnpaid(**facts, **told)))

    def end_handoff(self, because: Ended, handoff_id: UUID | None = None) -> None:
        """Of the latest, where none is named."""
        handoff_id = handoff_id or next(reversed(self.handed))
        one = self.handed[handoff_id]
        one.state = "done"
        if because not in (Ended.CUSTOMER, Ended.IDENTITY):
            self.told.append((one.customer.person_id, PersonGone(handoff_id=handoff_id, because=because)))
        if because is not Ended.STAFF and one.by is not None:
            gone = CustomerGone(handoff_id=handoff_id, customer=one.customer.name or "", because=because)
            self.told.append((one.by.person_id, gone))

    def approvers(self) -> list[UUID]:
        return [me.person_id for me in self.people.values() if APPROVE in me.scopes]

    def owners(self) -> list[UUID]:
        return [me.person_id for me in self.people.values() if ROLES["Owner"] <= me.scopes]

    def others(self, me: Me, withdrawal: Withdrawal) -> list[UUID]:
        people = dict.fromkeys([withdrawal.maker_id, *self.approvers()])
        return [person for person in people if person != me.person_id]

    def put(self, withdrawal: Withdrawal, status: str) -> Withdrawal:
        changed = withdrawal.model_copy(update={"status": status})
        self.withdrawals[withdrawal.id] = changed
        return changed


class FakeTeller(ShopTeller):
    """The Teller of one person of a FakeBusiness."""

    def __init__(self, business: FakeBusiness, name: str) -> None:
        super().__init__(business, name)
        self._business: FakeBusiness = business

    @property
    def me(self) -> Me:
        return self._business.people[self._name]

    @property
    def shop(self) -> Shop:
        return self._business.shop

    @property
    def now(self) -> datetime:
        return self._business.now

    def _need(self, scope):
        if scope not in self.me.scopes:
            raise errors.MissingScope(scope)

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
            raise errors.PaymentUnderWay(payment.started.number, told=payment.state == "doubted")
        payment.state = "dropped"
        if order_id in self._business.goods.orders:
            self._business.goods.drop(order_id)

    async def decline_request(self, order_id):
        self._business.decline(order_id)

    async def standing(self, order_id):
        if order_id not in self._business.requests:
            raise errors.NotFound("order")
        asker, _, checkout = self._business.requests[order_id]
        under_way = any(
            p.checkout.order_id == order_id and p.state == "pending" for p in self._business.payments.values()
        )
        status = "awaiting_payment" if under_way else "open"
        if order_id in self._business.closed:
            status = "canceled"
        if self._business.is_paid(order_id):
            status = "paid"
        receipt = "SJK7ABC123" if status == "paid" else None
        return Standing(checkout=checkout, status=status, asked=asker is not None, receipt=receipt)

    async def remind_no_more(self, order_id):
        self._business.unreminded.add(order_id)

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
            note=p.checkout.summary,
            method=p.way.method,
            code="SJK7ABC123",
        )

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

    async def use_language(self, language):
        self._business.people[self._name] = self.me.model_copy(update={"language": language})

    async def stop_unasked(self):
        self._business.stopped.add(self._name)

    async def start_unasked(self):
        stopped = self._name in self._business.stopped
        self._business.stopped.discard(self._name)
        return stopped

    async def wishes(self, *, unasked):
        await (self.start_unasked() if unasked else self.stop_unasked())

    async def identity_changed(self, phone, user_id):
        forgotten = bool(self._business.saved.pop(self.me.person_id, []))
        self._business.told.append(
            (self.me.person_id, IdentityChanged(methods=forgotten, rights=self.me.is_staff))
        )
        if self.me.is_staff:
            self._business.tell_reconcilers(StaffSuspended, name=self.me.name)

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

    async def balance(self):
        self._need(VIEW_FINANCE)
        b = self._business
        return Balance(posted=b.posted, held=b.held, available=b.posted - b.held, at=b.now)

    async def destinations(self):
        self._need(INITIATE)
        return tuple(self._business.known)

    async def destination(self, method_type, details):
        self._need(INITIATE)
        return destinations.entered(method_type, details)

    async def quote(self, amount, method_type):
        self._need(INITIATE)
        if not amount.whole:
            raise errors.NotWholeShillings(amount)
        available = (await self.balance()).available
        net = amount - self._business.fee
        if net < MINIMUM:
            raise errors.BelowMinimum(MINIMUM, net, net=True)
        if amount > available:
            raise errors.InsufficientBalance(available, amount)
        return Quote(gross=amount, fee=self._business.fee, net=net)

    async def withdraw(self, id, quote, destination):  # noqa: A002  the protocol's name
        self._need(INITIATE)
        b = self._business
        if quote.fee != b.fee:
            raise errors.Changed
        withdrawal = Withdrawal(
            id=id,
            amount=quote.gross,
            fee=quote.fee,
            net=quote.net,
            method_type=destination.method_type,
            destination=destination.label,
            new_destination=not destination.configured,
            maker_id=self.me.person_id,
            maker=self.me.name or "",
            status="pending",
            digest="d",
            created_at=b.now,
            expires_at=b.now + timedelta(hours=24),
        )
        b.withdrawals[id] = withdrawal
        b.held += quote.gross
        available = b.posted - b.held
        if b.low_balance is not None and available < b.low_balance <= available + quote.gross:
            b.tell_wanting("low_balance", BalanceLow(available=available, limit=b.low_balance))
        for person in b.approvers():
            if person != self.me.person_id:
                b.told.append((person, WithdrawalRequested(withdrawal=withdrawal)))
        return withdrawal

    def _pending(self, withdrawal_id):
        withdrawal = self._business.withdrawals[withdrawal_id]
        if withdrawal.status != "pending":
            raise errors.NotPending(withdrawal.status)
        return withdrawal

    async def approve(self, withdrawal_id, digest):
        b, withdrawal = self._business, self._pending(withdrawal_id)
        if withdrawal.maker_id == self.me.person_id:
            for owner in b.owners():
                b.told.append((owner, SelfApprovalTried(withdrawal=withdrawal)))
            raise errors.FourEyesViolation
        self._need(APPROVE)
        approved = b.put(withdrawal, "processing")
        for person in b.others(self.me, approved):
            b.told.append((person, WithdrawalApproved(withdrawal=approved, by=self.me.name or "")))
        return approved

    async def reject(self, withdrawal_id, reason):
        self._need(APPROVE)
        withdrawal = self._pending(withdrawal_id)
        refuse_blank(reason)
        return self._release(withdrawal, "rejected", reason)

    async def cancel_withdrawal(self, withdrawal_id):
        return self._release(self._pending(withdrawal_id), "canceled", None)

    def _release(self, withdrawal, status, reason):
        b = self._business
        closed = b.put(withdrawal, status)
        b.held -= closed.amount
        for person in b.others(self.me, closed):
            b.told.append((person, WithdrawalClosed(withdrawal=closed, by=self.me.name, reason=reason)))
        return closed

    async def withdrawal(self, withdrawal_id):
        if withdrawal_id not in self._business.withdrawals or not self.me.scopes:
            raise errors.NotFound("withdrawal")
        return self._business.withdrawals[withdrawal_id]

    async def awaiting_approval(self):
        return tuple(w for w in self._business.withdrawals.values() if w.status == "pending")

    async def withdrawals(self):
        self._need(VIEW_FINANCE)
        return tuple(reversed(self._business.withdrawals.values()))


def mpesa(phone: str) -> PaymentMethod:
    return PaymentMethod(provider="mpesa", label=phones.masked(phone))
