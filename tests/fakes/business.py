"""Business: enough of one, in memory, to hold conversations with, and what it tells them."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services import errors, phones
from services.batches.faults import Faulty
from services.facts import Checkout, Customer, Destination, Me, RefundWish, Shop, Started, Stopped, Way
from services.facts import PaidTwice as FactPaidTwice
from services.ids import new_id
from services.money import Money
from services.news import (
    Doubt,
    Flag,
    Held,
    OrderInDoubt,
    OrderPaidTwice,
    PageOpened,
    PaidTwice,
    PaymentFailed,
    PaymentInDoubt,
    PaymentMethod,
    PaymentOpen,
    PaymentSettled,
    PayoutUndecided,
    Resting,
    TenantChanged,
    Unpaid,
    Unsent,
    Withdrawal,
    WithdrawalClosed,
    WithdrawalHeldBack,
    WithdrawalPaid,
    WithdrawalPaidLate,
    WithdrawalRequested,
)
from services.news.approval import Lending, WithdrawalAskedAgain
from services.news.batches import Batch
from services.news.handoff import CustomerGone, Ended, PersonGone
from services.news.refunds import (
    Refund,
    RefundDeclined,
    RefundMade,
    RefundTold,
    RefundUndone,
    RefundWanted,
    Unrefunded,
)
from services.news.requests import (
    PaymentReminder,
    PaymentRequested,
    RequestClosed,
    RequestDeclined,
    RequestPaid,
    RequestUnpaid,
)
from services.news.review import Settlement, Undecided
from services.news.schedules import Schedule
from services.news.settings import Change
from services.news.staff import DaySummed, SaleMade
from services.people.access import APPROVE, RECONCILE, ROLES
from services.rails import RAILS, opens_page
from services.reconciliation.seen import Seen
from services.shop.facts import Line
from tests.fakes.refunds import OPEN
from tests.fakes.review import BusinessReview
from tests.fakes.settings import BusinessSettings
from tests.fakes.shop import FakeShop

TEN_THOUSAND, NOTHING, FEE = Money(10_000_00, "KES"), Money(0, "KES"), Money(33_00, "KES")
LIMITS = {
    "per_withdrawal": "KES 70000.00",
    "approvals": "1",
    "approvals_above": [],
    "approval_hours": "24",
    "new_destination_hours": "0",
}
USUAL_FEE = {"flat": "KES 33.00", "percent": "0", "usual": True}
MINIMUM = Money(10_00, "KES")


@dataclasses.dataclass
class Payment:
    started: Started
    checkout: Checkout
    way: Way
    payer: UUID
    state: str = "pending"
    page: PageOpened | None = None


@dataclasses.dataclass
class Handed:
    """A customer who asked for a person."""

    customer: Me
    state: str = "waiting"
    by: Me | None = None
    words: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class FakeBusiness(BusinessSettings, BusinessReview):
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
    owed: Money = NOTHING
    sales: int = 3  # that made up what is posted
    fee: Money = FEE
    people: dict[str, Me] = dataclasses.field(default_factory=dict)
    saved: dict[UUID, list[Way]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    ranked: tuple[str, ...] = ()  # the providers by what has worked best, where that is not their own order
    payments: dict[UUID, Payment] = dataclasses.field(default_factory=dict)
    withdrawals: dict[UUID, Withdrawal] = dataclasses.field(default_factory=dict)
    destinations: dict[UUID, Destination] = dataclasses.field(default_factory=dict)  # of withdrawals
    # By whom, if anybody, it was asked of whom; else a program made it, or they ordered it themselves.
    requests: dict[UUID, tuple[Me | None, Me, Checkout]] = dataclasses.field(default_factory=dict)
    away: set[str] = dataclasses.field(default_factory=set)  # have not written for a day
    wanted: dict[UUID, set[str]] = dataclasses.field(default_factory=lambda: defaultdict(set))
    low_balance: Money | None = None
    totp_above: Money | None = None
    enrolled: set[str] = dataclasses.field(default_factory=set)
    code: str | None = None  # of the approver's app
    used: set[str] = dataclasses.field(default_factory=set)
    flags: tuple[Flag, ...] = ()  # of the next withdrawal
    blocked_until: datetime | None = None
    limits: dict[str, object] = dataclasses.field(default_factory=lambda: dict(LIMITS))  # as they are told
    fees: dict[str, list[object]] = dataclasses.field(
        default_factory=lambda: {each: [USUAL_FEE] for each in RAILS}
    )
    needed: int = 1  # approvals of the next change
    lendings: dict[UUID, Lending] = dataclasses.field(default_factory=dict)
    changes: dict[UUID, Change] = dataclasses.field(default_factory=dict)
    halted: Stopped | None = None  # payouts, by a person
    undecided: dict[UUID, Undecided] = dataclasses.field(default_factory=dict)
    settlements: dict[UUID, Settlement] = dataclasses.field(default_factory=dict)
    asking: int = 0  # about payments in doubt
    receipts_used: set[str] = dataclasses.field(default_factory=set)
    resting: list[Resting] = dataclasses.field(default_factory=list)
    over: errors.Refusal | None = None  # what the next withdrawal is refused for
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
    sale_fee: Money = NOTHING
    refunds: dict[UUID, Refund] = dataclasses.field(default_factory=dict)
    breaks: dict[UUID, Seen] = dataclasses.field(default_factory=dict)
    who_may_close: tuple[str, ...] | None = None  # where it is about what is asked here
    wishes: dict[UUID, RefundWish] = dataclasses.field(default_factory=dict)
    taken_up: dict[str, RefundWish] = dataclasses.field(default_factory=dict)  # by the order's number
    twice: dict[UUID, FactPaidTwice] = dataclasses.field(default_factory=dict)
    schedules: dict[UUID, Schedule] = dataclasses.field(default_factory=dict)
    bad_schedule: str | None = None  # what of the next one cannot be
    batches: dict[UUID, Batch] = dataclasses.field(default_factory=dict)
    of_file: dict[str, object] = dataclasses.field(default_factory=dict)  # what is to be warned of
    file_faults: list[Faulty] = dataclasses.field(default_factory=list)  # that only the business knows
    over_file: Faulty | None = None  # what the next file that is asked for is refused for
    told: list[tuple[UUID, object]] = dataclasses.field(default_factory=list)

    def person(self, name: str, phone: str | None, *scopes: str) -> Me:
        me = Me(person_id=new_id(), name=name, language="en", phone=phone, scopes=frozenset(scopes))
        self.people[name] = me
        return me

    def reject_batch(self) -> None:
        last = next(reversed(self.batches.values()))
        self.batches[last.id] = last.model_copy(update={"state": "rejected"})

    def faults_of(self, lines) -> tuple[Faulty, ...]:
        found, self.file_faults = tuple(self.file_faults), []
        return found

    # --- what the provider does

    def latest(self) -> Payment:
        return next(reversed(self.payments.values()))

    def settle(self, *, late: bool = False, receipt: str | None = "SJK7ABC123") -> None:
        payment = self.latest()
        if payment.state == "succeeded":
            self._tell(payment, PaidTwice, receipt="SJK9TWICE9")
            self._lie_apart(payment)
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
        payment.page = None
        known = (way.method == payment.way.method for way in self.saved[payment.payer])
        by_phone = payment.way.phone is not None and opens_page(payment.way.method.provider)
        saved = any(known) or by_phone or not payment.way.method.label
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
        payment = self.latest()
        payment.state, payment.page = "failed", None
        self._tell(payment, PaymentFailed, because=because, provider=payment.way.method.provider)

    def propose(self, customer: Me) -> None:
        """A program of the shop's has the latest order paid by the card that was saved last."""
        order_id, (_, _, checkout) = next(reversed(self.requests.items()))
        card = self.saved[customer.person_id][-1]
        news = PaymentRequested(
            order_id=order_id,
            number=checkout.number or "",
            amount=checkout.amount,
            reason=checkout.summary or "",
            method_id=card.method_id,
        )
        self.told.append((customer.person_id, news))

    def ask_by_page(self) -> None:
        """A program of the shop's has the latest order paid by one."""
        order_id, (_, customer, checkout) = next(reversed(self.requests.items()))
        started = Started(payment_id=new_id(), order_id=order_id, number=checkout.number or "")
        way = Way(method=PaymentMethod(provider="stripe", label=""))
        self.payments[started.payment_id] = Payment(started, checkout, way, customer.person_id)
        self.open_page()

    def open_page(self) -> None:
        payment = self.latest()
        payment.state = "pending"
        until, url = self.now + timedelta(minutes=30), "https://pay.example/c/1"
        self._tell(payment, PageOpened, method=payment.way.method, url=url, until=until)
        payment.page = self.told[-1][1]  # type: ignore[assignment]

    def pay_by_card(self) -> None:
        """On the page, by one that may be charged again."""
        payment = self.latest()
        method = PaymentMethod(provider=payment.way.method.provider, label="Visa ****4242")
        payment.way = Way(method=method)
        self.settle()

    def doubt(self, because: Doubt, told: Money | None = None) -> None:
        """Another amount is told to the staff at once, and to the payer in the end, like the others."""
        payment = self.latest()
        payment.state = "failed"
        by = payment.way.method.provider
        facts = {"number": payment.started.number, "amount": payment.checkout.amount, "provider": by}
        self.tell_reconcilers(OrderInDoubt, **facts, receipt="SJK7ABC123", because=because, told=told)
        self._tell(payment, PaymentInDoubt, provider=by)

    def hold_back(self, until: datetime | None = None, because: Held = Held.STOPPED) -> None:
        """The latest withdrawal is approved, and waits."""
        withdrawal = next(reversed(self.withdrawals.values()))
        for person in dict.fromkeys([withdrawal.maker_id, *self.approvers()]):
            news = WithdrawalHeldBack(withdrawal=withdrawal, until=until, because=because)
            self.told.append((person, news))

    def ask_again(self, because: Unsent = Unsent.TOO_LATE) -> None:
        """The latest withdrawal was approved, and not sent in time, or by too few for the rules of now."""
        withdrawal = self.put(next(reversed(self.withdrawals.values())), "pending")
        again = withdrawal.model_copy(update={"digest": withdrawal.digest + "2"})
        self.withdrawals[again.id] = again
        for person in self.approvers():
            if person != again.maker_id:
                self.told.append((person, WithdrawalRequested(withdrawal=again)))
        self.told.append((again.maker_id, WithdrawalAskedAgain(withdrawal=again, because=because)))

    def leave_undecided(self, reference: str | None = None) -> None:
        withdrawal = next(reversed(self.withdrawals.values()))
        self.put_undecided("payout", withdrawal.id, withdrawal.net, withdrawal.destination, reference)
        self.tell_reconcilers(PayoutUndecided, withdrawal=withdrawal)

    def tell_reconcilers(self, kind, **facts) -> None:
        for me in self.people.values():
            if RECONCILE in me.scopes:
                self.told.append((me.person_id, kind(**facts)))

    def _lie_apart(self, payment: Payment) -> None:
        twice = FactPaidTwice(
            attempt_id=new_id(),
            payment_id=payment.started.payment_id,
            number=payment.started.number,
            amount=payment.checkout.amount,
            customer=self.name_of(payment.payer),
            method=payment.way.method,
            receipt="SJK9TWICE9",
            at=self.now,
        )
        self.twice[twice.attempt_id] = twice

    def name_of(self, person_id: UUID) -> str:
        return next(me.name or "" for me in self.people.values() if me.person_id == person_id)

    def put_refund(self, refund: Refund, status: str) -> Refund:
        changed = refund.model_copy(update={"status": status})
        self.refunds[refund.id] = changed
        return changed

    def give_back(self, because: str | None = None, *, undecided: bool = False) -> None:
        """The provider's word on the latest refund."""
        refund = next(reversed(self.refunds.values()))
        if undecided:
            self.put_undecided("refund", refund.id, refund.amount, refund.label, "71840-27539181-1")
            self.tell_reconcilers(RefundTold, refund=refund, undecided=True)
            return
        failed = {"status": "failed"} if because else {"status": "completed", "receipt": "SJR7ABC123"}
        refund = refund.model_copy(update=failed)
        self.refunds[refund.id] = refund
        payer = self.payments[refund.payment_id].payer
        if not refund.twice:
            self.held -= refund.amount
        if not because:
            self.taken_up.pop(refund.number, None)
            self.posted -= refund.amount if not refund.twice else NOTHING
            news = RefundMade(
                number=refund.number,
                amount=refund.amount,
                provider=refund.provider,
                label=refund.label,
                receipt=refund.receipt,
                twice=refund.twice,
            )
            self.told.append((payer, news))
        self.tell_reconcilers(RefundTold, refund=refund, because=because)
        if because:
            self.end_in_vain(refund)

    def ask_for(self, payment_id: UUID, wish: RefundWish) -> None:
        """A customer, of those who may give it back."""
        self.wishes[wish.id] = wish
        self.tell_reconcilers(
            RefundWanted,
            wish_id=wish.id,
            payment_id=payment_id,
            number=wish.number,
            amount=wish.amount,
            customer=wish.customer,
            reason=wish.reason,
        )

    def end_in_vain(self, refund: Refund, rejected: str | None = None) -> None:
        """Whoever wished for it is answered, or waits for the staff again."""
        if any(each.number == refund.number and each.status in OPEN for each in self.refunds.values()):
            return
        if (wish := self.taken_up.pop(refund.number, None)) is None:
            return
        if rejected:
            declined = RefundDeclined(number=refund.number, reason=rejected)
            self.told.append((self.payments[refund.payment_id].payer, declined))
        else:
            self.ask_for(refund.payment_id, wish)

    def undo_refund(self, because: Unrefunded) -> None:
        """The provider's word on the latest one that was made."""
        refund = self.put_refund(next(reversed(self.refunds.values())), "failed")
        self.posted += refund.amount if not refund.twice else NOTHING
        news = RefundUndone(
            number=refund.number,
            amount=refund.amount,
            provider=refund.provider,
            label=refund.label,
            twice=refund.twice,
        )
        self.told.append((self.payments[refund.payment_id].payer, news))
        self.tell_reconcilers(RefundTold, refund=refund, because=because)

    def keep_open(self) -> None:
        self._tell(self.latest(), PaymentOpen)

    def pay_out(self) -> None:
        self._close_payout("completed", WithdrawalPaid, receipt="SJK8OUT456")

    def fail_payout(self, because: Unsent) -> None:
        self._close_payout("failed", WithdrawalClosed, because=because)

    def undo_payout(self, because: Unsent) -> None:
        withdrawal = self.put(next(reversed(self.withdrawals.values())), "failed")
        self.posted += withdrawal.amount
        for person in dict.fromkeys([withdrawal.maker_id, *self.approvers()]):
            self.told.append((person, WithdrawalClosed(withdrawal=withdrawal, because=because)))

    def pay_late(self, owed: Money) -> None:
        withdrawal = next(reversed(self.withdrawals.values()))
        self.posted -= withdrawal.net - owed
        news = WithdrawalPaidLate(withdrawal=withdrawal, owed=owed, receipt="SJK8OUT456")
        for person in dict.fromkeys([withdrawal.maker_id, *self.approvers()]):
            self.told.append((person, news))

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


def mpesa(phone: str) -> PaymentMethod:
    return PaymentMethod(provider="mpesa", label=phones.masked(phone))
