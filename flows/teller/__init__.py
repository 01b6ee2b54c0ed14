"""Teller: all that a conversation may do with the business.

The flows own this protocol; `services/teller.py` satisfies it without importing it, and
`tests/fakes` has one in memory. What belongs to one domain has its own module here, and most of it a
name of its own, such as `teller.refunds`. A teller is made for one person in one turn. What it knows
without asking (`me`, `shop`, `now`) is free; every other verb may read or write the database.

Every verb may raise a Refusal of `services/errors`; the engine says it, and the person stays.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from flows.teller.domains import Domains
from flows.teller.handoff import Handoffs
from flows.teller.orders import Orders
from flows.teller.statement import Statements
from services.facts import (
    Asked,
    Balance,
    Checkout,
    Customer,
    Destination,
    Me,
    Member,
    Notices,
    OrderSeen,
    PaidOrder,
    PaidTwice,
    Quote,
    Receipt,
    Refundable,
    RefundQueue,
    RefundWish,
    Shop,
    Standing,
    Started,
    Try,
    Way,
)
from services.money import Money
from services.news import PageOpened, PaymentMethod, Withdrawal
from services.news.approval import Lending
from services.news.review import ReviewQueue, Settlement, Undecided
from services.news.settings import Change
from services.shop.facts import Cart, Line, Order, OrderRow, Product, Short, Wanted

__all__ = [
    "Asked",
    "Balance",
    "Cart",
    "Change",
    "Checkout",
    "Customer",
    "Destination",
    "Lending",
    "Line",
    "Me",
    "Member",
    "Notices",
    "Order",
    "OrderRow",
    "OrderSeen",
    "PaidOrder",
    "PaidTwice",
    "Product",
    "Quote",
    "Receipt",
    "RefundQueue",
    "RefundWish",
    "Refundable",
    "ReviewQueue",
    "Settlement",
    "Shop",
    "Short",
    "Standing",
    "Started",
    "Teller",
    "Try",
    "Undecided",
    "Wanted",
    "Way",
]


class Teller(Statements, Handoffs, Orders, Domains, Protocol):
    @property
    def me(self) -> Me: ...
    @property
    def shop(self) -> Shop: ...
    @property
    def now(self) -> datetime: ...

    # --- the customer shops

    async def products(self) -> tuple[Product, ...]:
        """All that the shop sells, by name, and what of it is left."""
        ...

    async def product(self, sku: str) -> Product:
        """Raises UnknownProduct."""
        ...

    async def cart_count(self) -> int:
        """How many pieces I have in my cart; nothing is looked up or changed."""
        ...

    async def cart(self) -> Cart:
        """My cart with the prices of now. What can no longer be bought is taken out, and named this once."""
        ...

    async def add(self, wanted: Sequence[Wanted], note: str | None = None) -> Cart:
        """Put more into my cart; what is short or not sold is named. Raises InvalidQuantity, TooManyLines,
        NoteTooLong."""
        ...

    async def change_quantity(self, sku: str, quantity: int) -> Cart:
        """So many from now on; none takes it out. Raises InvalidQuantity."""
        ...

    async def hand_over(self, note: str | None, *, delivery: bool) -> Cart:
        """Whether it is brought to me, and what the shop should know. Raises NoteTooLong, BlankNote."""
        ...

    async def empty_cart(self) -> None: ...

    async def check_out(self) -> Checkout:
        """An order of my cart, with its stock reserved; the same order while it is the same cart.

        Raises EmptyOrder, UnknownProduct, OutOfStock, and PaymentUnderWay.
        """
        ...

    async def my_orders(self) -> tuple[OrderRow, ...]:
        """The latest twenty, the latest first."""
        ...

    async def my_order(self, order_id: UUID) -> Order:
        """Raises NotFound, for another's too."""
        ...

    async def checkout_of(self, order_id: UUID) -> Checkout:
        """To pay an order of mine. Raises NotFound."""
        ...

    # --- the customer pays

    async def open_order(self) -> Checkout | None:
        """The latest order of mine that waits to be paid."""
        ...

    async def ways(self) -> tuple[Way, ...]:
        """My saved methods, the preferred one first."""
        ...

    async def ranked(self, amount: Money) -> tuple[str, ...]:
        """The providers that I can pay this amount with, the one first that has worked best."""
        ...

    async def pay(self, checkout: Checkout, way: Way) -> Started:
        """Ask the provider for it, after the commit. The same checkout again starts nothing new
        while an attempt is live (PaymentUnderWay) or once it is paid (AlreadyPaid).

        Raises also NotWholeShillings, BelowMinimum, OverLimit, InvalidPhone, ProviderNotConfigured.
        """
        ...

    async def open_page(self, order_id: UUID) -> PageOpened | None:
        """The page on which I can pay the order now; there is never a second one."""
        ...

    async def check_payment(self, payment_id: UUID) -> None:
        """Have the provider asked now; its word comes as PaymentSettled, PaymentFailed or PaymentOpen."""
        ...

    async def leave_payment(self, payment_id: UUID) -> None:
        """The person no longer waits. Money that still arrives is honoured and told."""
        ...

    async def drop_order(self, order_id: UUID) -> None:
        """The person will not pay it. An order of an amount of their own is closed; another one stays
        open. Money that still arrives is honoured and told.

        Raises AlreadyPaid, and PaymentUnderWay while an attempt is live.
        """
        ...

    async def decline_request(self, order_id: UUID) -> None:
        """The person does not pay what the shop asked for; who asked is told. Once it is declined, the
        same again says so once only. Raises NotFound, AlreadyPaid, and PaymentUnderWay."""
        ...

    async def standing(self, order_id: UUID) -> Standing:
        """Where an order of mine stands. Raises NotFound."""
        ...

    async def remind_no_more(self, order_id: UUID) -> None:
        """The person does not want to be reminded of an order of theirs. Raises NotFound."""
        ...

    async def save_method(self, payment_id: UUID) -> PaymentMethod:
        """Save what this payment was paid with, as the preferred method."""
        ...

    async def methods(self) -> tuple[Way, ...]:
        """All that I have saved, the preferred one first, even what cannot be paid with now."""
        ...

    async def offer_first(self, method_id: UUID) -> tuple[Way, ...]:
        """Prefer a saved method; all of them then. Raises NotFound."""
        ...

    async def remove_method(self, method_id: UUID) -> tuple[Way, ...]:
        """Forget a saved method; what is left then, the latest preferred where it was this one. Raises
        NotFound."""
        ...

    async def paid_orders(self) -> tuple[PaidOrder, ...]:
        """What I have paid, the latest first; as many as anybody scrolls through."""
        ...

    async def receipt(self, number: str) -> Receipt:
        """Of my order of this number, or of the provider's receipt code. Raises NotFound, for another's
        too, and NotPaid."""
        ...

    async def receipt_of(self, payment_id: UUID) -> Receipt:
        """Of a payment of mine. Raises NotFound, NotPaid."""
        ...

    async def use_language(self, language: str) -> None: ...

    async def stop_unasked(self) -> None:
        """I want nothing that I have not asked for, except what is about my money."""
        ...

    async def start_unasked(self) -> bool:
        """I want it again; False where I never said otherwise."""
        ...

    async def wish_erasure(self) -> None:
        """I want what is held of me erased: those who can see to it are told."""
        ...

    async def wishes(self, *, unasked: bool) -> None:
        """The same, told by the channel's own switch."""
        ...

    async def identity_changed(self, phone: str | None, user_id: str | None) -> None:
        """The channel's word: what was trusted because of who I was is trusted no more."""
        ...

    # --- staff

    async def balance(self) -> Balance:
        """Needs finance:view."""
        ...

    async def destinations(self) -> tuple[Destination, ...]:
        """The configured one first, then those paid to before. Needs finance:withdraw:initiate."""
        ...

    async def destination(self, method_type: str, details: dict[str, str]) -> Destination:
        """What was typed, as a destination. Raises InvalidPhone and InvalidDestination."""
        ...

    async def quote(self, amount: Money, method_type: str) -> Quote:
        """Gross, fee and net. Raises BelowMinimum, NotWholeShillings, OverLimit, InsufficientBalance,
        ProviderNotConfigured."""
        ...

    async def withdraw(self, id: UUID, quote: Quote, destination: Destination) -> Withdrawal:  # noqa: A002
        """Hold the gross and ask the approvers. The same id again returns the same withdrawal."""
        ...

    async def approve(self, withdrawal_id: UUID, digest: str, code: str | None = None) -> Withdrawal:
        """Approve exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed,
        StepUpRequired, TotpInvalid, ApproverCoolingDown, PayoutsFrozen, LimitLowered,
        DestinationCoolingDown."""
        ...

    async def reject(self, withdrawal_id: UUID, reason: str) -> Withdrawal: ...

    async def cancel_withdrawal(self, withdrawal_id: UUID) -> Withdrawal:
        """The maker, or who may approve, takes it back while it is pending."""
        ...

    async def withdrawal(self, withdrawal_id: UUID) -> Withdrawal: ...

    async def awaiting_approval(self) -> tuple[Withdrawal, ...]:
        """Pending ones, the oldest first. Needs finance:withdraw:approve or :initiate."""
        ...

    async def withdrawals(self) -> tuple[Withdrawal, ...]:
        """The latest twenty. Needs finance:view."""
        ...
