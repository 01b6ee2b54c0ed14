"""News of payments, to the customers who make them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.money import Money
from services.news.base import BaseNews
from services.reasons import Unpaid


class PaymentMethod(BaseModel):
    """A way to pay as shown: the provider and what tells it apart, masked ("********5678")."""

    model_config = ConfigDict(frozen=True)

    provider: str
    label: str


class PaymentSettled(BaseNews):
    """The provider said yes. `late`: after we had told the person that it failed."""

    kind: Literal["payment_settled"] = "payment_settled"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    receipt: str | None
    paid_at: datetime
    method: PaymentMethod
    can_save: bool  # the method is not saved yet
    late: bool = False


class PaymentFailed(BaseNews):
    """The provider said no."""

    kind: Literal["payment_failed"] = "payment_failed"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    because: Unpaid
    provider: str = "mpesa"


class PaymentOpen(BaseNews):
    """The person asked; the provider has not decided yet."""

    kind: Literal["payment_open"] = "payment_open"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    provider: str = "mpesa"


class PageOpened(BaseNews):
    """There is a page on which the person can pay, once, until then."""

    kind: Literal["page_opened"] = "page_opened"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    method: PaymentMethod
    url: str = Field(repr=False)
    until: datetime


class MethodAdded(BaseNews):
    """To a customer: the shop has saved a way to pay for them."""

    kind: Literal["method_added"] = "method_added"
    method: PaymentMethod


class PaidTwice(BaseNews):
    """A second success for an order already paid: kept apart, to be given back."""

    kind: Literal["paid_twice"] = "paid_twice"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    receipt: str | None


class PaymentInDoubt(BaseNews):
    """What the provider told does not fit together, and it will not be asked again."""

    kind: Literal["payment_in_doubt"] = "payment_in_doubt"
    payment_id: UUID
    order_id: UUID
    number: str
    amount: Money
    provider: str = "mpesa"
