"""Request news: what is told of a payment that the staff asked a customer for."""

from typing import Literal
from uuid import UUID

from services.money import Money
from services.news.base import BaseNews


class PaymentRequested(BaseNews):
    """To the customer: the shop asks them to pay an order that it made for them."""

    kind: Literal["payment_requested"] = "payment_requested"
    order_id: UUID
    number: str
    amount: Money
    reason: str
    method_id: UUID | None = None  # the saved method that the shop proposes


class PaymentReminder(BaseNews):
    """To the customer: an order of theirs is still to be paid. What of it, is read when it is told."""

    kind: Literal["payment_reminder"] = "payment_reminder"
    order_id: UUID


class RequestPaid(BaseNews):
    """To who asked for it: the customer has paid."""

    kind: Literal["request_paid"] = "request_paid"
    number: str
    amount: Money
    customer: str
    receipt: str | None


class RequestClosed(BaseNews):
    """To the customer: the shop has taken it back, or nobody paid it in time. They pay nothing."""

    kind: Literal["request_closed"] = "request_closed"
    order_id: UUID
    number: str
    amount: Money
    expired: bool


class RequestUnpaid(BaseNews):
    """To who asked for it: it is closed unpaid. `by`: who of the staff took it back; else nobody paid it in
    time."""

    kind: Literal["request_unpaid"] = "request_unpaid"
    number: str
    amount: Money
    customer: str
    by: str | None


class RequestDeclined(BaseNews):
    """To who asked for it: the customer does not pay it now, and the order is closed."""

    kind: Literal["request_declined"] = "request_declined"
    number: str
    amount: Money
    customer: str
