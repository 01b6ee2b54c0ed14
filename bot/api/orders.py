"""Orders that a shop's own programs make, how they are paid, and what became of it. The customer is asked in
chat, and may pay there."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from bot.api.bodies import ALTERNATIVE, Amount, Body, Legible, money
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes, id_of
from services.facts import AttemptSeen
from services.money import Money
from services.payments import lookup, ordered
from services.people.access import EDIT_ORDERS, VIEW_FINANCE, VIEW_ORDERS
from services.refunds import queue
from services.shop import orders as shop_orders
from services.shop.facts import Line, Order, Priced, Wanted

routes = Routes()

_PRODUCT, _OTHER = f"{ALTERNATIVE}product", f"{ALTERNATIVE}other"


class Product(Body):
    """At our price."""

    sku: str = Field(max_length=120)
    quantity: int


class Other(Body):
    """What is not in the catalogue."""

    name: Annotated[Legible, Field(min_length=1, max_length=200)]
    price: Amount
    quantity: int


def _kind(line: Any) -> str:
    return _PRODUCT if isinstance(line, dict) and "sku" in line else _OTHER


AnyLine = Annotated[Annotated[Product, Tag(_PRODUCT)] | Annotated[Other, Tag(_OTHER)], Discriminator(_kind)]


class Made(Body):
    customer_id: str
    lines: list[AnyLine]
    note: str | None = Field(default=None, max_length=500)


class CheckedOut(Body):
    provider: Literal["mpesa", "paystack", "pesapal", "stripe"] | None = None
    method_id: str | None = None


@routes.post("/orders", EDIT_ORDERS, body=Made, success=201)
async def make(call: Call) -> Reply:
    asked: Made = call.body
    wanted = [_wanted(line, call.currency) for line in asked.lines]
    customer = id_of(asked.customer_id, "customer")
    made = await ordered.order(call.work, call.person, customer, wanted, asked.note)
    return Reply(await _described(call, made))


@routes.get("/orders/{id}", VIEW_ORDERS)
async def one(call: Call) -> Reply:
    return Reply(await _described(call, await shop_orders.read(call.work, call.id("order"))))


@routes.post("/orders/{id}/checkout", EDIT_ORDERS, body=CheckedOut, success=201)
async def checkout(call: Call) -> Reply:
    """By a provider's name or with a saved method of the customer's."""
    asked: CheckedOut = call.body
    if (asked.provider is None) == (asked.method_id is None):
        detail = "Either provider or method_id is needed."
        raise Problem(400, "malformed_body", "Malformed body", detail=detail)
    order_id = call.id("order")
    way = asked.provider or id_of(asked.method_id or "", "payment_method")
    started, method = await ordered.checkout(call.work, call.person, call.tenant.shop, order_id, way)
    payment = await lookup.payment(call.work, started.payment_id)
    told: Json = {"payment_id": str(payment.id), "status": payment.status, "provider": method.provider}
    if page := await ordered.page_of(call.work, call.public_url, started, method):
        told["checkout_url"] = page
    return Reply(told)


@routes.get("/payments/{id}", VIEW_FINANCE)
async def payment(call: Call) -> Reply:
    seen = await lookup.payment(call.work, call.id("payment"))
    return Reply(
        {
            "id": str(seen.id),
            "order_id": str(seen.order_id),
            "status": seen.status,
            "amount": str(seen.amount),
            "currency": seen.amount.currency,
            "provider": seen.provider,
            "receipt": seen.receipt,
            "refunded": str(await queue.refunded_of(call.work, seen.id) or Money(0, seen.amount.currency)),
            "attempts": [_attempt(each) for each in seen.attempts],
        }
    )


def _wanted(line: Product | Other, currency: str) -> Wanted | Priced:
    """Raises InvalidAmount."""
    match line:
        case Product():
            return Wanted(sku=line.sku, quantity=line.quantity)
        case Other():
            price = money(line.price, currency)
            return Priced(name=line.name, price=price, quantity=line.quantity)


async def _described(call: Call, order: Order) -> Json:
    payment_id = await ordered.payment_of(call.work, order.id)
    return {
        "id": str(order.id),
        "number": order.number,
        "status": order.status,
        "total": str(order.total),
        "currency": order.total.currency,
        "lines": [_line(line) for line in order.lines],
        "note": order.note,
        "customer_id": str(order.person_id),
        "payment_id": str(payment_id) if payment_id else None,
        "created_at": plain(order.created_at),
    }


def _line(line: Line) -> Json:
    return {
        "sku": line.sku,
        "name": line.name,
        "price": str(line.price),
        "quantity": line.quantity,
        "total": str(line.total),
    }


def _attempt(attempt: AttemptSeen) -> Json:
    return {
        "id": str(attempt.id),
        "provider": attempt.method.provider,
        "method": attempt.method.label,
        "status": attempt.state,
        "because": attempt.because,
        "receipt": attempt.receipt,
        "created_at": plain(attempt.created_at),
        "resolved_at": plain(attempt.resolved_at),
    }
