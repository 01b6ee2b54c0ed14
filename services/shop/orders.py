"""Orders: placed at our prices, with their stock reserved until they are paid or closed."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import jobs
from services.errors import (
    BelowMinimum,
    EmptyOrder,
    InvalidAmount,
    InvalidQuantity,
    NotFound,
    OutOfStock,
    TooManyLines,
    UnknownProduct,
)
from services.ids import new_id
from services.money import Money
from services.payments import reminders
from services.payments.record import lock_order, under_way
from services.people import people
from services.shop import stock
from services.shop.catalogue import product_of
from services.shop.facts import (
    MOST_LINES,
    MOST_OF_ONE,
    UNPAID,
    Line,
    Order,
    OrderRow,
    Priced,
    Product,
    Wanted,
    read_lines,
)
from services.shop.numbers import number_of
from services.store.schema import orders
from services.transitions import transition
from services.work import Work

RESERVED_FOR = timedelta(hours=24)  # as long as WhatsApp lets us write to who has ordered
_LATEST = 20
_LATER = timedelta(minutes=10)


async def place(
    work: Work,
    person_id: UUID,
    conversation_id: UUID | None,
    wanted: Sequence[Wanted | Priced],
    note: str | None = None,
    *,
    delivery: bool | None = None,
) -> Order:
    """An open order with its stock reserved; without a conversation it was made by the merchant's staff.

    Raises EmptyOrder, TooManyLines, InvalidQuantity, InvalidAmount, UnknownProduct, OutOfStock, and
    BelowMinimum where there is nothing to pay: what costs nothing goes along with what costs something.
    """
    lines = await _lines(work, wanted)
    total = Money(sum(line.total.minor for line in lines), lines[0].price.currency)
    if not total:
        raise BelowMinimum(Money(1, total.currency), total)
    row = {
        "tenant_id": work.tenant,
        "id": new_id(),
        "person_id": person_id,
        "conversation_id": conversation_id,
        "status": "open",
        "total": total.minor,
        "currency": total.currency,
        "lines": [line.stored() for line in lines],
        "note": note or None,
        "delivery": delivery,
        "created_at": work.now,
    }
    order = await _insert(work, row)
    await stock.reserve(work, lines)
    if any(line.sku for line in lines):
        await jobs.schedule(work, "order_expire", order.id, work.now + RESERVED_FOR)
    if conversation_id is not None:
        await reminders.begin(work, order.id)
    return order


async def read(work: Work, order_id: UUID) -> Order:
    """Raises NotFound."""
    query = sa.select(orders).where(orders.c.tenant_id == work.tenant, orders.c.id == order_id)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("order")
    return _order_of(row)


async def read_own(work: Work, person_id: UUID, order_id: UUID) -> Order:
    """Raises NotFound, for another person's too."""
    order = await read(work, order_id)
    if order.person_id != person_id:
        raise NotFound("order")
    return order


async def latest(work: Work, person_id: UUID) -> tuple[OrderRow, ...]:
    """The person's own, the latest first."""
    query = (
        sa.select(orders)
        .where(orders.c.tenant_id == work.tenant, orders.c.person_id == person_id)
        .order_by(orders.c.created_at.desc(), orders.c.id.desc())
        .limit(_LATEST)
    )
    return tuple(
        OrderRow(
            id=row.id,
            number=row.number,
            status=row.status,
            total=Money(row.total, row.currency),
            created_at=row.created_at,
        )
        for row in (await work.connection.execute(query)).all()
    )


async def cancel(work: Work, order_id: UUID) -> bool:
    """Close what is not paid and give its stock back; False where it is closed or paid already. Whoever
    calls has seen that no payment is under way."""
    if not await transition(work, orders.c.status, order_id, UNPAID, {"status": "canceled"}):
        return False
    await stock.give_back(work, (await read(work, order_id)).lines)
    await jobs.finish(work, order_id, "order_expire", "remind")
    return True


async def fulfil(work: Work, order_id: UUID) -> bool:
    """The customer has what they paid for; False where it is not paid, or done already."""
    return await transition(
        work, orders.c.status, order_id, ["paid"], {"status": "fulfilled", "fulfilled_at": work.now}
    )


async def drop(work: Work, person_id: UUID, order_id: UUID) -> None:
    """The person will not pay what they ordered in chat: it is closed, unless a payment may still succeed.
    An order by the merchant's staff stays, and so does one that reserves nothing."""
    if await _may_be_paid(work, order_id):
        return
    query = sa.select(orders.c.lines).where(
        orders.c.tenant_id == work.tenant,
        orders.c.id == order_id,
        orders.c.person_id == person_id,
        orders.c.conversation_id.is_not(None),
    )
    if any(line.get("sku") for line in await work.connection.scalar(query) or []):
        await cancel(work, order_id)


async def expire(work: Work, order_id: UUID) -> None:
    """Nobody paid it in time. While a payment may still succeed, it waits."""
    if await _may_be_paid(work, order_id):
        await jobs.schedule(work, "order_expire", order_id, work.now + _LATER)
    elif not await cancel(work, order_id):
        await jobs.finish(work, order_id, "order_expire")


async def _may_be_paid(work: Work, order_id: UUID) -> bool:
    """Whether a payment may still succeed. Locks the order, so that nobody starts one meanwhile."""
    await lock_order(work, orders.c.id == order_id)
    return bool(await under_way(work, order_id))


async def _lines(work: Work, wanted: Sequence[Wanted | Priced]) -> list[Line]:
    """Refuses before anything is written. The products stay locked."""
    _refuse_beyond(wanted)
    currency = (await people.tenant_of(work)).currency
    skus = {each.sku for each in wanted if isinstance(each, Wanted)}
    rows = await stock.locked(work, skus)
    known = {sku: product_of(row, currency) for sku, row in rows.items()}
    lines = [_line(each, known, currency) for each in wanted]
    _refuse_short(lines, known)
    return lines


def _refuse_beyond(wanted: Sequence[Wanted | Priced]) -> None:
    if not wanted:
        raise EmptyOrder
    if len(wanted) > MOST_LINES:
        raise TooManyLines(MOST_LINES)
    for each in wanted:
        if not 1 <= each.quantity <= MOST_OF_ONE:
            raise InvalidQuantity(each.quantity, MOST_OF_ONE)


def _line(each: Wanted | Priced, known: dict[str, Product], currency: str) -> Line:
    if isinstance(each, Priced):
        if each.price.currency != currency or each.price.minor <= 0:
            raise InvalidAmount(str(each.price), too_low=each.price.minor <= 0)
        return Line(sku=None, name=each.name, price=each.price, quantity=each.quantity)
    if each.sku not in known:
        raise UnknownProduct(each.sku)
    product = known[each.sku]
    return Line(sku=product.sku, name=product.name, price=product.price, quantity=each.quantity)


def _refuse_short(lines: Sequence[Line], known: dict[str, Product]) -> None:
    """Of all lines of a product together."""
    counted: Counter[str] = Counter()
    for line in lines:
        if line.sku is not None:
            counted[line.sku] += line.quantity
    for sku, quantity in counted.items():
        left = known[sku].left
        if left is not None and left < quantity:
            raise OutOfStock(sku, known[sku].name, left)


async def _insert(work: Work, row: dict[str, Any]) -> Order:
    """Writes nothing where the number is taken: then the next attempt has another one."""
    attempt = 0
    while True:
        numbered = row | {"number": number_of(row["id"], attempt)}
        statement = work.insert(orders).values(numbered).on_conflict_do_nothing().returning(orders)
        if (written := (await work.connection.execute(statement)).first()) is not None:
            return _order_of(written)
        attempt += 1


def _order_of(row: sa.Row[Any]) -> Order:
    return Order(
        id=row.id,
        number=row.number,
        status=row.status,
        total=Money(row.total, row.currency),
        lines=read_lines(row.lines, row.currency),
        note=row.note,
        person_id=row.person_id,
        created_at=row.created_at,
        delivery=row.delivery,
        by_person=row.conversation_id is not None and row.asked_by is None,
    )
