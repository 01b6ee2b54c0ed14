"""Start: an order, its payment and an attempt at it, to be sent after the commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import jobs
from services.errors import (
    AlreadyPaid,
    Changed,
    InvalidPhone,
    NotFound,
    OrderClosed,
)
from services.facts import Checkout, Started, Way
from services.ids import new_id
from services.money import Money
from services.news import PaymentMethod
from services.payments import methods
from services.payments.details import by_phone, is_of_phone
from services.payments.record import in_the_way, lock_order, still_under_way
from services.payments.settle import replace
from services.phones import mpesa_number
from services.points import point
from services.rails import charges, opens_page, refuse_uncollectable
from services.shop.facts import read_lines, summary
from services.shop.numbers import number_of
from services.store.schema import attempts, orders, payments
from services.work import Work

# A prompt is sent within two minutes of its asking, and lives for about one.
_ANSWERED_WITHIN = timedelta(minutes=3)
# One that is asked in the name of another provider lives for three.
_ASKED_IN_OTHERS_NAME = timedelta(minutes=5)
# What was charged is told at once, unless its answer was lost: then by a callback alone.
CHARGED_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Payer:
    """Who pays, and the conversation that hears of it."""

    person_id: UUID
    conversation_id: UUID | None


async def start(work: Work, payer: Payer, checkout: Checkout, way: Way) -> Started:
    """Prepare an attempt and have it sent after the commit.

    The checkout's id makes the order, so that the same again is the same order.
    Raises ProviderNotConfigured, NotWholeShillings, BelowMinimum, OverLimit, InvalidPhone, NotFound,
    OrderClosed, AlreadyPaid, PaymentUnderWay, and Changed where the order has another total than was shown.
    """
    method, details = await _details(work, payer.person_id, way)
    refuse_uncollectable(method.provider, checkout.amount, phone=is_of_phone(details))
    order = await _order(work, payer, checkout)
    payment = await _payment(work, payer, order)
    await _end_earlier(work, payment.id, order.number)
    await _attempt(work, payment.id, method, details, way.method_id)
    await _await(work, payer, payment.id, order.id)
    return Started(payment_id=payment.id, order_id=order.id, number=order.number)


async def offer(work: Work, payer: Payer, checkout: Checkout, method: PaymentMethod) -> Started:
    """The payment waits for the customer's tap, who is shown it with this method. Raises as `start`."""
    refuse_uncollectable(method.provider, checkout.amount)
    order = await _order(work, payer, checkout)
    payment = await _payment(work, payer, order)
    await _end_earlier(work, payment.id, order.number)
    mine = (payments.c.tenant_id == work.tenant, payments.c.id == payment.id)
    await work.connection.execute(sa.update(payments).where(*mine).values(status="awaiting_customer"))
    return Started(payment_id=payment.id, order_id=order.id, number=order.number)


async def open_order(work: Work, person_id: UUID) -> Checkout | None:
    """The latest order of the person that waits to be paid."""
    query = (
        sa.select(orders)
        .where(
            orders.c.tenant_id == work.tenant,
            orders.c.person_id == person_id,
            orders.c.status.in_(["open", "awaiting_payment"]),
        )
        .order_by(orders.c.created_at.desc(), orders.c.id.desc())
        .limit(1)
    )
    row = (await work.connection.execute(query)).first()
    return checkout_of(row) if row else None


async def checkout(work: Work, order_id: UUID) -> Checkout:
    """Of an order that there is. Raises NotFound."""
    query = sa.select(orders).where(orders.c.tenant_id == work.tenant, orders.c.id == order_id)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("order")
    return checkout_of(row)


def checkout_of(row: sa.Row[Any]) -> Checkout:
    """Of an order that exists."""
    lines = summary(read_lines(row.lines, row.currency))
    return Checkout(
        order_id=row.id,
        amount=Money(row.total, row.currency),
        number=row.number,
        summary=lines or row.note,
        note=row.note if lines else None,
        delivery=row.delivery,
    )


async def _details(work: Work, person_id: UUID, way: Way) -> tuple[PaymentMethod, dict[str, str]]:
    if way.method_id is not None:
        return await methods.details_of(work, person_id, way.method_id)
    if opens_page(way.method.provider) and way.phone is None:
        return PaymentMethod(provider=way.method.provider, label=""), {}
    if way.phone is None:
        raise InvalidPhone("")
    phone = mpesa_number(way.phone)
    return by_phone(way.method.provider, phone), {"phone_number": phone}


async def made(work: Work, payer: Payer, checkout: Checkout, asked_by: UUID | None = None) -> sa.Row[Any]:
    """The order of this checkout, locked; made where it is new."""
    row = await lock_order(work, orders.c.id == checkout.order_id)
    attempt = 0
    while row is None:
        await _insert(work, payer, checkout, attempt, asked_by)
        row = await lock_order(work, orders.c.id == checkout.order_id)
        attempt += 1
    return row


async def _order(work: Work, payer: Payer, checkout: Checkout) -> sa.Row[Any]:
    """The order of this checkout, locked, where it can be paid."""
    row = await made(work, payer, checkout)
    if row.person_id != payer.person_id:
        raise NotFound("order")
    if row.status == "canceled":
        raise OrderClosed(row.number)
    if row.status in ("paid", "fulfilled", "refunded"):
        raise AlreadyPaid(row.number, await _receipt(work, row.id))
    if Money(row.total, row.currency) != checkout.amount:
        raise Changed
    return row


async def _insert(work: Work, payer: Payer, checkout: Checkout, attempt: int, asked_by: UUID | None) -> None:
    """Writes nothing where the id or the number is taken: then the next attempt has another number."""
    row = {
        "tenant_id": work.tenant,
        "id": checkout.order_id,
        "number": number_of(checkout.order_id, attempt),
        "person_id": payer.person_id,
        "conversation_id": payer.conversation_id,
        "status": "open",
        "total": checkout.amount.minor,
        "currency": checkout.amount.currency,
        "lines": [],
        "note": checkout.summary,
        "asked_by": asked_by,
        "created_at": work.now,
    }
    await work.connection.execute(work.insert(orders).values(row).on_conflict_do_nothing())


async def _receipt(work: Work, order_id: UUID) -> str | None:
    query = sa.select(payments.c.receipt).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order_id
    )
    return await work.connection.scalar(query)


async def _payment(work: Work, payer: Payer, order: sa.Row[Any]) -> sa.Row[Any]:
    """The order's one payment; made where it is new. The order is locked."""
    query = sa.select(payments).where(payments.c.tenant_id == work.tenant, payments.c.order_id == order.id)
    row = (await work.connection.execute(query)).first()
    if row is not None:
        return row
    new = sa.insert(payments).values(
        tenant_id=work.tenant,
        id=new_id(),
        order_id=order.id,
        person_id=payer.person_id,
        conversation_id=payer.conversation_id,
        status="pending",
        amount=order.total,
        currency=order.currency,
        created_at=work.now,
    )
    await work.connection.execute(new)
    return (await work.connection.execute(query)).one()


async def _end_earlier(work: Work, payment_id: UUID, number: str) -> None:
    """Raises PaymentUnderWay. What can no longer be answered on the phone makes room."""
    for each in await refuse_under_way(work, payment_id, number):
        await replace(work, each.id)


async def refuse_under_way(work: Work, payment_id: UUID, number: str) -> Sequence[Any]:
    """The attempts that can no longer be answered on the phone or paid on a page. Raises PaymentUnderWay
    where one can."""
    earlier = await in_the_way(work, payment_id)
    told = any(each.doubt for each in earlier)
    if told or any(work.now < _may_be_paid_until(each) for each in earlier):
        raise still_under_way(number, earlier)
    return earlier


def _may_be_paid_until(attempt: Any) -> datetime:
    if attempt.page_until is not None:
        return attempt.page_until  # type: ignore[no-any-return]
    charged = attempt.method_id is not None and charges(attempt.provider)
    prompted = _ASKED_IN_OTHERS_NAME if opens_page(attempt.provider) else _ANSWERED_WITHIN
    return attempt.created_at + (CHARGED_WITHIN if charged else prompted)  # type: ignore[no-any-return]


async def _attempt(
    work: Work, payment_id: UUID, method: PaymentMethod, details: dict[str, str], method_id: UUID | None
) -> None:
    attempt_id = new_id()
    await work.connection.execute(
        sa.insert(attempts).values(
            tenant_id=work.tenant,
            id=attempt_id,
            payment_id=payment_id,
            provider=method.provider,
            method_id=method_id,
            details_sealed=work.seal(details, "attempts.details", attempt_id),
            label=method.label,
            state="created",
            created_at=work.now,
        )
    )
    await jobs.schedule(work, "collect", attempt_id, work.now)
    point("attempt.created")


async def _await(work: Work, payer: Payer, payment_id: UUID, order_id: UUID) -> None:
    """The news goes to the conversation that pays now."""
    await work.connection.execute(
        sa.update(payments)
        .where(payments.c.tenant_id == work.tenant, payments.c.id == payment_id)
        .values(status="pending", conversation_id=payer.conversation_id)
    )
    await work.connection.execute(
        sa.update(orders)
        .where(orders.c.tenant_id == work.tenant, orders.c.id == order_id)
        .values(status="awaiting_payment")
    )
