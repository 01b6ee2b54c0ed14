"""Refusals: the expected noes of the business, each a typed fact.

A refusal carries what is true, not how to say it: chat words it in the person's language
(`flows/refusals.py`), REST as a problem with its `code`. Anything else that is raised is a bug: it
fails the turn, is logged with its trace and rolls back.

A service refuses before it writes; so a turn that hears a refusal may still commit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.money import Money


class Refusal(Exception):
    """An expected no. `code` is stable and public; the fields are its facts."""

    code: ClassVar[str] = "refused"


@dataclass(eq=False)
class InvalidAmount(Refusal):
    """Not a positive plain number with at most the currency's places. `too_low`: a number, but zero or
    below. `letters`: it would be one if its letters were the digits that they look like."""

    code: ClassVar[str] = "invalid_amount"
    given: str
    too_low: bool = False
    letters: bool = False


@dataclass(eq=False)
class InvalidPhone(Refusal):
    """Not a mobile number that the rail can reach. `unlike`: not written as any number of a phone is."""

    code: ClassVar[str] = "invalid_phone"
    given: str
    unlike: bool = False


@dataclass(eq=False)
class NotWholeShillings(Refusal):
    """M-Pesa moves whole shillings only."""

    code: ClassVar[str] = "not_whole_shillings"
    amount: Money


@dataclass(eq=False)
class BelowMinimum(Refusal):
    """Less than the rail takes. `net`: the amount is what would be left after the `fee`."""

    code: ClassVar[str] = "below_minimum"
    minimum: Money
    amount: Money
    net: bool = False
    fee: Money | None = None


@dataclass(eq=False)
class OverLimit(Refusal):
    """More than the rail allows, or the tenant: see `services/withdrawals/limits.py` for `of` and `left`."""

    code: ClassVar[str] = "over_limit"
    limit: Money
    amount: Money
    of: str = "withdrawal"
    left: Money | None = None


@dataclass(eq=False)
class InsufficientBalance(Refusal):
    """The wallet's available balance does not cover it."""

    code: ClassVar[str] = "insufficient_balance"
    available: Money
    required: Money


@dataclass(eq=False)
class ProviderNotConfigured(Refusal):
    """The tenant has no working settings for this provider or rail.

    `paying_out`: a withdrawal was asked for, by staff; `missing` names the settings that it lacks.
    """

    code: ClassVar[str] = "provider_not_configured"
    provider: str
    missing: tuple[str, ...] = ()
    paying_out: bool = False


@dataclass(eq=False)
class InvalidMethodDetails(Refusal):
    """What a way to pay or to be paid holds is not all there, or not as it must be; by name."""

    code: ClassVar[str] = "invalid_method_details"
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(eq=False)
class TwoCustomers(Refusal):
    """The phone and the user id that are told of one customer are two people's."""

    code: ClassVar[str] = "two_customers"


@dataclass(eq=False)
class MissingScope(Refusal):
    """The person does not hold the scope that this takes."""

    code: ClassVar[str] = "missing_scope"
    required_scope: str


@dataclass(eq=False)
class FourEyesViolation(Refusal):
    """The maker of a withdrawal may not approve it."""

    code: ClassVar[str] = "four_eyes_violation"


@dataclass(eq=False)
class NotFound(Refusal):
    """Nothing of this id, or it is another tenant's or person's."""

    code: ClassVar[str] = "not_found"
    what: str


@dataclass(eq=False)
class BlankReason(Refusal):
    """Nothing of the reason can be read: it is empty, or of signs that do not show."""

    code: ClassVar[str] = "blank_reason"


@dataclass(eq=False)
class NotPending(Refusal):
    """Somebody or something decided this before; `status` is what it is now."""

    code: ClassVar[str] = "not_pending"
    status: str
    by: str | None = None
    at: datetime | None = None


@dataclass(eq=False)
class Changed(Refusal):
    """The operation is no longer the one that was shown (its digest differs)."""

    code: ClassVar[str] = "operation_changed"


@dataclass(eq=False)
class StepUpRequired(Refusal):
    """Takes a one-time code. `enrolled`: the person has some, of the operator."""

    code: ClassVar[str] = "totp_required"
    enrolled: bool = True


@dataclass(eq=False)
class AlreadyPaid(Refusal):
    """The order is paid; nothing more is collected for it."""

    code: ClassVar[str] = "already_paid"
    number: str
    receipt: str | None


@dataclass(eq=False)
class NotPaid(Refusal):
    """There is no receipt, since nothing was paid for this order. `closed`: nor can it be."""

    code: ClassVar[str] = "not_paid"
    number: str
    closed: bool = False


@dataclass(eq=False)
class PaymentUnderWay(Refusal):
    """An earlier attempt for this order may still succeed, so no second one may start.

    For three minutes at most, by a page until it is closed, by a card that was charged for fifteen; `told`: a
    success was told of it, and is being confirmed. `by`: "phone", "page" or "card".
    """

    code: ClassVar[str] = "payment_under_way"
    number: str
    told: bool = False
    by: str = "phone"
    provider: str = "mpesa"


@dataclass(eq=False)
class OrderClosed(Refusal):
    """The order was closed unpaid: nothing is collected for it any more."""

    code: ClassVar[str] = "order_closed"
    number: str


@dataclass(eq=False)
class RequestsOpen(Refusal):
    """The customer has as many payment requests open as one may have."""

    code: ClassVar[str] = "requests_open"
    most: int


@dataclass(eq=False)
class WritesUnwanted(Refusal):
    """The customer asked that nobody writes to them unasked."""

    code: ClassVar[str] = "writes_unwanted"


@dataclass(eq=False)
class PayoutsFrozen(Refusal):
    """The tenant's payouts are stopped until an operator has looked: all, or those by this way."""

    code: ClassVar[str] = "payouts_frozen"
    way: str | None = None


@dataclass(eq=False)
class EmptyOrder(Refusal):
    """An order takes at least one line."""

    code: ClassVar[str] = "empty_order"


@dataclass(eq=False)
class TooManyLines(Refusal):
    """More lines than an order takes."""

    code: ClassVar[str] = "too_many_lines"
    most: int


@dataclass(eq=False)
class InvalidQuantity(Refusal):
    """Less than one, or more than an order takes of one thing."""

    code: ClassVar[str] = "invalid_quantity"
    quantity: int
    most: int


@dataclass(eq=False)
class NoteTooLong(Refusal):
    """More than a note to the merchant may have."""

    code: ClassVar[str] = "note_too_long"
    most: int


@dataclass(eq=False)
class BlankNote(Refusal):
    """Nothing of the note can be read."""

    code: ClassVar[str] = "blank_note"


@dataclass(eq=False)
class NothingForSale(Refusal):
    """The merchant has no products."""

    code: ClassVar[str] = "nothing_for_sale"


@dataclass(eq=False)
class EmptyCart(Refusal):
    """The person has chosen nothing yet."""

    code: ClassVar[str] = "empty_cart"


@dataclass(eq=False)
class UnknownProduct(Refusal):
    """The merchant sells nothing of this name."""

    code: ClassVar[str] = "unknown_product"
    sku: str


@dataclass(eq=False)
class OutOfStock(Refusal):
    """Less is left than was asked for."""

    code: ClassVar[str] = "out_of_stock"
    sku: str
    name: str
    left: int
