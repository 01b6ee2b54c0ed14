"""Orders that a shop's own programs make, how they are paid, and what became of it. The customer is asked in
chat, and may pay there."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Discriminator, Field, Tag

from bot.api.answers import NOT_SET, Answer, OneOf, Sum, Time
from bot.api.bodies import ALTERNATIVE, Amount, Body, Legible, Told, money
from bot.api.customers import Provider
from bot.api.problems import Problem
from bot.api.routes import Call, Reply, Routes, id_of
from services.money import Money
from services.payments import lookup, ordered
from services.payments.seen import AttemptSeen
from services.people.access import EDIT_ORDERS, VIEW_FINANCE, VIEW_ORDERS
from services.providers import PROVIDERS
from services.refunds import queue
from services.shop import facts
from services.shop import orders as shop_orders
from services.shop.facts import Priced, Wanted

routes = Routes("Orders and payments")

PaymentStatus = Annotated[
    str,
    OneOf(
        "awaiting_customer",
        "pending",
        "succeeded",
        "failed",
        "expired",
        "canceled",
        "partially_refunded",
        "refunded",
    ),
]
_PRODUCT, _OTHER = f"{ALTERNATIVE}product", f"{ALTERNATIVE}other"


class ProductLine(Body):
    """At our price."""

    sku: str = Field(max_length=120)
    quantity: int


class OtherLine(Body):
    """What is not in the catalogue."""

    name: Annotated[Legible, Field(min_length=1, max_length=200)]
    price: Amount
    quantity: int


def _kind(line: Any) -> str:
    return _PRODUCT if isinstance(line, dict) and "sku" in line else _OTHER


AnyLine = Annotated[
    Annotated[ProductLine, Tag(_PRODUCT)] | Annotated[OtherLine, Tag(_OTHER)], Discriminator(_kind)
]


class NewOrder(Body):
    customer_id: str
    lines: list[AnyLine]
    note: Told | None = Field(default=None, max_length=500)


class Checkout(Body):
    """Either `provider` or `method_id`, a saved method of the customer's."""

    provider: Literal[tuple(PROVIDERS)] | None = None  # type: ignore[valid-type]
    method_id: str | None = None


class OrderLine(Answer):
    sku: str | None
    name: str
    price: Sum
    quantity: int
    total: Sum


class Order(Answer):
    id: UUID
    number: str
    status: Annotated[str, OneOf("open", "awaiting_payment", "paid", "fulfilled", "canceled", "refunded")]
    total: Sum
    currency: str
    lines: list[OrderLine]
    note: str | None
    customer_id: UUID
    payment_id: UUID | None
    created_at: Time


class CheckoutStarted(Answer):
    """`checkout_url`: where it is paid on a page."""

    payment_id: UUID
    status: PaymentStatus
    provider: Provider
    checkout_url: str = NOT_SET


class Attempt(Answer):
    """One asking of one provider. `because`: why it has failed."""

    id: UUID
    provider: Provider
    method: str  # masked
    status: Annotated[
        str, OneOf("created", "submitting", "pending", "unknown", "succeeded", "failed", "expired")
    ]
    because: str | None
    receipt: str | None
    created_at: Time
    resolved_at: Time | None


class Payment(Answer):
    """`provider` is the one that has paid, else the latest tried."""

    id: UUID
    order_id: UUID
    status: PaymentStatus
    amount: Sum
    currency: str
    provider: Provider | None
    receipt: str | None
    refunded: Sum
    attempts: list[Attempt]


@routes.post("/orders", EDIT_ORDERS, body=NewOrder, success=201, answer=Order)
async def make(call: Call) -> Reply[Order]:
    """Make an order; the customer is asked in chat to pay it."""
    asked: NewOrder = call.body
    wanted = [_wanted(line, call.currency) for line in asked.lines]
    customer = id_of(asked.customer_id, "customer")
    made = await ordered.order(call.work, call.person, customer, wanted, asked.note)
    return Reply(await _described(call, made))


@routes.get("/orders/{id}", VIEW_ORDERS, answer=Order)
async def one(call: Call) -> Reply[Order]:
    """One order."""
    return Reply(await _described(call, await shop_orders.read(call.work, call.id("order"))))


@routes.post("/orders/{id}/checkout", EDIT_ORDERS, body=Checkout, success=201, answer=CheckoutStarted)
async def checkout(call: Call) -> Reply[CheckoutStarted]:
    """Ask a customer to pay an order, by a provider or with a saved method.

    M-Pesa prompts the phone, a page gives its link, a saved card sends the one-tap message."""
    asked: Checkout = call.body
    if (asked.provider is None) == (asked.method_id is None):
        detail = "Either provider or method_id is needed."
        raise Problem(400, "malformed_body", "Malformed body", detail=detail)
    order_id = call.id("order")
    way = asked.provider or id_of(asked.method_id or "", "payment_method")
    started, method = await ordered.checkout(call.work, call.person, call.tenant.shop, order_id, way)
    payment = await lookup.payment(call.work, started.payment_id)
    page = await ordered.page_of(call.work, call.where.public_url, started, method)
    return Reply(
        CheckoutStarted(
            payment_id=payment.id,
            status=payment.status,
            provider=method.provider,
            **({"checkout_url": page} if page else {}),
        )
    )


@routes.get("/payments/{id}", VIEW_FINANCE, answer=Payment)
async def payment(call: Call) -> Reply[Payment]:
    """One payment, with all that was tried."""
    seen = await lookup.payment(call.work, call.id("payment"))
    nothing = Money(0, seen.amount.currency)
    return Reply(
        Payment(
            id=seen.id,
            order_id=seen.order_id,
            status=seen.status,
            amount=str(seen.amount),
            currency=seen.amount.currency,
            provider=seen.provider,
            receipt=seen.receipt,
            refunded=str(await queue.refunded_of(call.work, seen.id) or nothing),
            attempts=[_attempt(each) for each in seen.attempts],
        )
    )


def _wanted(line: ProductLine | OtherLine, currency: str) -> Wanted | Priced:
    """Raises InvalidAmount."""
    match line:
        case ProductLine():
            return Wanted(sku=line.sku, quantity=line.quantity)
        case OtherLine():
            price = money(line.price, currency)
            return Priced(name=line.name, price=price, quantity=line.quantity)


async def _described(call: Call, order: facts.Order) -> Order:
    return Order(
        id=order.id,
        number=order.number,
        status=order.status,
        total=str(order.total),
        currency=order.total.currency,
        lines=[_line(line) for line in order.lines],
        note=order.note,
        customer_id=order.person_id,
        payment_id=await ordered.payment_of(call.work, order.id),
        created_at=order.created_at,
    )


def _line(line: facts.Line) -> OrderLine:
    return OrderLine(
        sku=line.sku,
        name=line.name,
        price=str(line.price),
        quantity=line.quantity,
        total=str(line.total),
    )


def _attempt(attempt: AttemptSeen) -> Attempt:
    return Attempt(
        id=attempt.id,
        provider=attempt.method.provider,
        method=attempt.method.label,
        status=attempt.state,
        because=attempt.because,
        receipt=attempt.receipt,
        created_at=attempt.created_at,
        resolved_at=attempt.resolved_at,
    )
