"""Facts: what a teller tells of the business, as frozen values that flows and services share."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news import PaymentMethod, Resting
from services.news.refunds import Refund
from services.people.access import SCOPES
from services.shop.facts import Line


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class Me(_Facts):
    """Who speaks. `phone` is the number of this chat in E.164, None where WhatsApp hides it."""

    person_id: UUID
    name: str | None
    language: str
    phone: str | None
    scopes: frozenset[str] = frozenset()

    @property
    def owns(self) -> bool:
        """Everything is granted to them, as to an owner."""
        return self.scopes >= frozenset(SCOPES)

    @property
    def is_staff(self) -> bool:
        """Whether anything is granted to them at all."""
        return bool(self.scopes)


class Shop(_Facts):
    """The tenant, as the person sees it."""

    name: str
    currency: str
    country: str
    timezone: str
    number: str | None = None  # on WhatsApp, in digits with the code of the country
    sells: bool = False  # it has products
    open: bool = True  # False: the tenant is switched off
    collects_by: tuple[str, ...] = ()  # the providers that customers can pay with now, e.g. ("mpesa",)
    smart_order: bool = True  # ways to pay are offered by what has worked before, and by what they cost
    slow: frozenset[str] = frozenset()  # of these providers, those that lately left calls unanswered
    pays_out_by: tuple[str, ...] = ()  # the ways that withdrawals can go now, e.g. ("mpesa",)
    payout_lacks: dict[str, tuple[str, ...]] = {}  # by way: the settings without which it cannot
    paybill: str | None = None  # where an order's number, typed as the account, pays that order
    forms: tuple[str, ...] = ()  # what may be filled in at once, e.g. ("bank",)


class Checkout(_Facts):
    """What is to be paid."""

    order_id: UUID  # else minted where the person is asked to agree, so that saying Pay twice pays once
    amount: Money
    number: str | None = None  # of an order that exists
    summary: str | None = None  # its lines in a few words
    note: str | None = None  # the person's own
    delivery: bool | None = None  # whether it is brought to the person; None where they were not asked

    @property
    def of_cart(self) -> bool:
        """Made of the person's cart, which is kept until it is paid."""
        return self.delivery is not None


class Standing(_Facts):
    """An order of the person's own, and where it stands. `asked`: the shop asked them to pay it."""

    checkout: Checkout
    status: str
    asked: bool
    receipt: str | None = None


class Try(_Facts):
    """One asking of one provider; `at` is when it was decided, else when it was asked."""

    method: PaymentMethod
    state: str
    receipt: str | None
    at: datetime


class OrderSeen(_Facts):
    """An order as the staff see it: the customer by name and by the number masked."""

    number: str
    customer: str
    amount: Money
    status: str
    summary: str | None
    created_at: datetime
    tries: tuple[Try, ...]
    asked: bool = False  # the staff asked the customer to pay it
    note: str | None = None  # beside the lines
    delivery: bool | None = None  # whether it is brought to the customer; None where they were not asked


class PaidOrder(_Facts):
    """An order that is paid, as in a list."""

    number: str
    amount: Money
    paid_at: datetime


class Receipt(_Facts):
    """A payment that has arrived, and what it was for. `code` is the provider's."""

    payment_id: UUID
    number: str
    amount: Money
    paid_at: datetime
    lines: tuple[Line, ...]
    note: str | None
    method: PaymentMethod
    code: str | None
    refunded: Money | None = None  # of the amount, where some has gone back
    delivery: bool = False  # where the note says where to


class Refundable(_Facts):
    """A payment of which `left` can still go back; `fee`: of the sale, which does not."""

    payment_id: UUID
    number: str
    customer: str
    paid: Money
    left: Money
    fee: Money


class RefundWish(_Facts):
    """A customer asks for their money."""

    id: UUID
    number: str
    amount: Money
    customer: str
    reason: str
    at: datetime


class PaidTwice(_Facts):
    """A second payment for an order that is paid, which lies in suspense since then."""

    attempt_id: UUID
    payment_id: UUID
    number: str
    amount: Money
    customer: str
    method: PaymentMethod
    receipt: str | None
    at: datetime


class RefundQueue(_Facts):
    """What waits for the staff about money that goes back, the oldest of each first."""

    refunds: tuple[Refund, ...]
    wishes: tuple[RefundWish, ...]
    twice: tuple[PaidTwice, ...]


class Handoff(_Facts):
    """A customer whom one of the staff answers, by name, else by the number masked; and what they wrote."""

    customer: str
    words: tuple[str, ...]


class Way(_Facts):
    """A way to pay. Saved: has an id. Else `phone` is the number to ask (E.164)."""

    method: PaymentMethod
    method_id: UUID | None = None
    phone: str | None = None
    slow: bool = False  # its provider lately left calls unanswered
    expired: bool = False  # a saved card that can be charged no more


class Started(_Facts):
    """A payment under way, and the order it is for."""

    payment_id: UUID
    order_id: UUID
    number: str


class Customer(_Facts):
    """Whom to ask to pay: someone who wrote lately, or a phone number that was typed (E.164)."""

    label: str  # the name, else the number masked
    conversation_id: UUID | None = None
    phone: str | None = None


class Asked(_Facts):
    """A payment that a customer is asked for. `reads_now`: WhatsApp lets us write to them at this time."""

    number: str
    reads_now: bool


class Notices(_Facts):
    """What of the shop's business one of the staff may be told of, and whether they are."""

    of: tuple[tuple[str, bool], ...]
    summary_at: str
    low_balance: Money | None
    at_any_time: bool = False  # by a template, where WhatsApp's window is closed

    def tells(self, notice: str) -> bool:
        return dict(self.of).get(notice, False)


class Destination(_Facts):
    """Where a withdrawal goes, in full; `label` is masked."""

    method_type: str
    details: dict[str, str]
    label: str
    configured: bool = False


class Quote(_Facts):
    """What a withdrawal of `gross` costs, and what arrives."""

    gross: Money
    fee: Money
    net: Money


class Balance(_Facts):
    """What the wallet has; `held` is asked for and not yet paid out."""

    posted: Money
    held: Money
    available: Money
    owed: Money  # what a provider took back beyond it, which the next sales pay
    at: datetime
    resting: tuple[Resting, ...] = ()  # by which ways nothing leaves now


class Member(_Facts):
    """Somebody on the staff, and what they may do."""

    id: UUID
    name: str
    role: str | None = None
    scopes: tuple[str, ...] = ()

    @property
    def rights(self) -> str:
        """As they are written in the tenant file."""
        return ", ".join([*([self.role] if self.role else []), *self.scopes])


class Stopped(_Facts):
    """Since when all payouts are stopped, and by whom of the staff; None: the operator."""

    by: str | None
    at: datetime
