"""Request news: what is told of a payment that the staff asked a customer for. Part of `services/news.py`."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money


class _News(BaseModel):
    model_config = ConfigDict(frozen=True)


class PaymentRequested(_News):
    """To the customer: the shop asks them to pay an order that it made for them."""

    kind: Literal["payment_requested"] = "payment_requested"
    order_id: UUID
    number: str
    amount: Money
    reason: str


class PaymentReminder(_News):
    """To the customer: an order of theirs is still to be paid. What of it, is read when it is told."""

    kind: Literal["payment_reminder"] = "payment_reminder"
    order_id: UUID


class RequestPaid(_News):
    """To who asked for it: the customer has paid."""

    kind: Literal["request_paid"] = "request_paid"
    number: str
    amount: Money
    customer: str
    receipt: str | None


class RequestClosed(_News):
    """To the customer: the shop has taken it back, or nobody paid it in time. They pay nothing."""

    kind: Literal["request_closed"] = "request_closed"
    order_id: UUID
    number: str
    amount: Money
    expired: bool


class RequestUnpaid(_News):
    """To who asked for it: it is closed unpaid. `by`: who of the staff took it back; else nobody paid it in
    time."""

    kind: Literal["request_unpaid"] = "request_unpaid"
    number: str
    amount: Money
    customer: str
    by: str | None


class RequestDeclined(_News):
    """To who asked for it: the customer does not pay it now, and the order is closed."""

    kind: Literal["request_declined"] = "request_declined"
    number: str
    amount: Money
    customer: str
