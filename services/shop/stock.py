"""Stock: reserved when an order is placed, then sold or given back. The lock of a product's row is the
referee; rows are locked in the order of their keys, so that two orders never wait for each other."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from services.shop.facts import Line
from services.store.schema import products
from services.work import Work


async def locked(work: Work, skus: Collection[str]) -> dict[str, sa.Row[Any]]:
    """The products of these that exist, as they are while this transaction lasts."""
    if not skus:
        return {}
    query = (
        sa.select(products)
        .where(products.c.tenant_id == work.tenant, products.c.sku.in_(skus))
        .order_by(products.c.sku)
        .with_for_update(key_share=True)
    )
    return {row.sku: row for row in (await work.connection.execute(query)).all()}


async def reserve(work: Work, lines: Sequence[Line]) -> None:
    """Whoever calls has locked the products, and seen that there are enough."""
    for sku, quantity in _counted(lines).items():
        await _change(work, sku, reserved=products.c.reserved + quantity)


async def give_back(work: Work, lines: Sequence[Line]) -> None:
    """The order is canceled."""
    counted = _counted(lines)
    await locked(work, counted)
    for sku, quantity in counted.items():
        await _change(work, sku, reserved=_less(quantity))


async def sell(work: Work, lines: Sequence[Line], *, reserved: bool) -> None:
    """The order is paid. Not reserved: it was canceled before its money came, and is honoured all the
    same."""
    counted = _counted(lines)
    await locked(work, counted)
    for sku, quantity in counted.items():
        rest = {"reserved": _less(quantity)} if reserved else {}
        await _change(work, sku, sold=products.c.sold + quantity, **rest)


async def take_in(work: Work, lines: Sequence[Line]) -> None:
    """A paid order is refunded, and its goods were not given out."""
    counted = _counted(lines)
    await locked(work, counted)
    for sku, quantity in counted.items():
        less = sa.case((products.c.sold > quantity, products.c.sold - quantity), else_=0)
        await _change(work, sku, sold=less)


def _less(quantity: int) -> sa.ColumnElement[int]:
    """Never below zero: the product may have left the file since, and come back."""
    return sa.case((products.c.reserved > quantity, products.c.reserved - quantity), else_=0)


def _counted(lines: Sequence[Line]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for line in lines:
        if line.sku is not None:
            counted[line.sku] += line.quantity
    return counted


async def _change(work: Work, sku: str, **values: Any) -> None:
    await work.connection.execute(
        sa.update(products).where(products.c.tenant_id == work.tenant, products.c.sku == sku).values(**values)
    )
