"""Checkout: a cart becomes an order with its stock reserved, and the same order while it is the same cart.

Locks are taken in one order: that of the earlier order, as by whoever has it paid, then the cart's, then
those of all products at once.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import EmptyOrder
from services.facts import Checkout
from services.payments import start, waiting
from services.payments.record import lock_order
from services.shop import carts, orders, stock
from services.shop.facts import Line, Order, Wanted
from services.store import schema
from services.work import Work


async def check_out(work: Work, person_id: UUID, conversation_id: UUID) -> Checkout:
    """Raises EmptyOrder, UnknownProduct, OutOfStock and, where an earlier order of another cart may still
    be paid on the phone, PaymentUnderWay."""
    await _lock_earlier(work, person_id)
    row = await carts.locked(work, person_id)
    if row is None:
        raise EmptyOrder
    order = await _as_it_was(work, person_id, row)
    if order is None:
        wanted = [Wanted(sku=line["sku"], quantity=line["quantity"]) for line in row.lines]
        order = await orders.place(work, person_id, conversation_id, wanted, row.note, delivery=row.delivery)
        made = sa.update(schema.carts).where(*_mine(work, person_id)).values(order_id=order.id)
        await work.connection.execute(made)
    return await start.checkout(work, order.id)


async def _lock_earlier(work: Work, person_id: UUID) -> None:
    made = sa.select(schema.carts.c.order_id).where(*_mine(work, person_id)).scalar_subquery()
    await lock_order(work, schema.orders.c.id == made)


async def _as_it_was(work: Work, person_id: UUID, row: sa.Row[Any]) -> Order | None:
    """The order that this cart was made before; one of another cart is closed."""
    if row.order_id is None:
        return None
    order = await orders.read(work, row.order_id)
    if not order.unpaid:
        return None
    cart = await carts.look(work, row, row.lines)
    if _same(order.lines, cart.lines) and (order.note, order.delivery) == (cart.note, cart.delivery):
        return order
    chosen = {line["sku"] for line in row.lines}
    await stock.locked(work, chosen | {line.sku for line in order.lines if line.sku})
    await waiting.drop_order(work, person_id, order.id)
    return None


def _same(some: tuple[Line, ...], others: tuple[Line, ...]) -> bool:
    return sorted(some, key=_key) == sorted(others, key=_key)


def _key(line: Line) -> str:
    return line.sku or ""


def _mine(work: Work, person_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return schema.carts.c.tenant_id == work.tenant, schema.carts.c.person_id == person_id
