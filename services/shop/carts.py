"""Carts: what a person has chosen at a merchant's and not paid yet, kept until it is paid or emptied.

The lock of the cart's row is the referee of two changes at once. A cart reserves nothing: that is done by
the order that it is checked out as. What that order holds is still there for this cart.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import BlankNote, InvalidQuantity, NoteTooLong, TooManyLines
from services.people import people
from services.readable import is_blank
from services.shop.catalogue import product_of
from services.shop.facts import (
    MOST_LINES,
    MOST_NOTE,
    MOST_OF_ONE,
    UNPAID,
    Cart,
    Line,
    Product,
    Short,
    Wanted,
    read_lines,
)
from services.store.schema import carts, orders, products
from services.work import Work


async def count(work: Work, person_id: UUID) -> int:
    """How many pieces are in it; nothing is looked up or changed."""
    query = sa.select(carts.c.lines).where(*_mine(work, person_id))
    return sum(line["quantity"] for line in await work.connection.scalar(query) or [])


async def read(work: Work, person_id: UUID) -> Cart:
    """With the prices of now. What can no longer be bought is taken out, and named this once."""
    row = await locked(work, person_id)
    return Cart() if row is None else await _kept(work, person_id, row, row.lines)


async def add(work: Work, person_id: UUID, wanted: Sequence[Wanted], note: str | None = None) -> Cart:
    """Put more into it; what is short or not sold at all is named. Raises InvalidQuantity, TooManyLines
    and NoteTooLong, and changes nothing then."""
    row = await _opened(work, person_id)
    chosen = {line["sku"]: dict(line) for line in row.lines}
    for each in wanted:
        line = chosen.setdefault(each.sku, {"sku": each.sku, "name": each.sku, "quantity": 0})
        _refuse_beyond(each.quantity)
        line["quantity"] += each.quantity
        _refuse_beyond(line["quantity"])
    if len(chosen) > MOST_LINES:
        raise TooManyLines(MOST_LINES)
    return await _kept(work, person_id, row, list(chosen.values()), note=readable(note) or row.note)


async def change(work: Work, person_id: UUID, sku: str, quantity: int) -> Cart:
    """So many of a product from now on; none takes it out. Raises InvalidQuantity."""
    if quantity:
        _refuse_beyond(quantity)
    row = await locked(work, person_id)
    if row is None:
        return Cart()
    lines = [dict(line) for line in row.lines]
    for line in lines:
        if line["sku"] == sku:
            line["quantity"] = quantity
    return await _kept(work, person_id, row, [line for line in lines if line["quantity"]])


async def hand_over(work: Work, person_id: UUID, note: str | None, *, delivery: bool) -> Cart:
    """How the person gets it, and what they say about it. Raises NoteTooLong and BlankNote."""
    if note is not None and is_blank(note):
        raise BlankNote
    note = readable(note)
    row = await locked(work, person_id)
    if row is None:
        return Cart()
    return await _kept(work, person_id, row, row.lines, note=note, delivery=delivery)


async def empty(work: Work, person_id: UUID) -> None:
    await work.connection.execute(sa.delete(carts).where(*_mine(work, person_id)))


async def bought(work: Work, order_id: UUID, lines: Sequence[Line]) -> None:
    """The order is paid: what it held leaves the cart that it was made of; what was put in since stays."""
    of_order = (carts.c.tenant_id == work.tenant, carts.c.order_id == order_id)
    query = sa.select(carts).where(*of_order).with_for_update(key_share=True)
    row = (await work.connection.execute(query)).first()
    if row is None:
        return
    paid: Counter[str | None] = Counter()
    for line in lines:
        paid[line.sku] += line.quantity
    left = [line | {"quantity": line["quantity"] - paid[line["sku"]]} for line in row.lines]
    left = [line for line in left if line["quantity"] > 0]
    if left:
        values = {"lines": left, "order_id": None, "changed_at": work.now}
        await work.connection.execute(sa.update(carts).where(*of_order).values(**values))
    else:
        await empty(work, row.person_id)


async def look(work: Work, row: sa.Row[Any], lines: Sequence[dict[str, Any]]) -> Cart:
    """What of these lines can be bought now, of the cart in this row."""
    cart = _priced(lines, await _products(work, row, lines))
    return cart.model_copy(update={"note": row.note, "delivery": row.delivery})


async def locked(work: Work, person_id: UUID) -> sa.Row[Any] | None:
    """The cart's row while this transaction lasts; None where there is none."""
    query = sa.select(carts).where(*_mine(work, person_id)).with_for_update(key_share=True)
    return (await work.connection.execute(query)).first()


def readable(note: str | None) -> str | None:
    """On one line, so that nobody writes lines of their own into what the staff read; None where nothing of
    it can be read. Raises NoteTooLong."""
    words = " ".join((note or "").split())
    if len(words) > MOST_NOTE:
        raise NoteTooLong(MOST_NOTE)
    return None if is_blank(words) else words


async def _opened(work: Work, person_id: UUID) -> sa.Row[Any]:
    new = work.insert(carts).values(
        tenant_id=work.tenant, person_id=person_id, lines=[], delivery=False, changed_at=work.now
    )
    await work.connection.execute(new.on_conflict_do_nothing())
    row = await locked(work, person_id)
    if row is None:
        raise LookupError("the cart that was just made")
    return row


async def _kept(
    work: Work, person_id: UUID, row: sa.Row[Any], lines: Sequence[dict[str, Any]], **values: Any
) -> Cart:
    """Write what of these lines can be bought now, where it is another cart than before."""
    cart = (await look(work, row, lines)).model_copy(update=values)
    stored = [{"sku": line.sku, "name": line.name, "quantity": line.quantity} for line in cart.lines]
    if not stored:
        await empty(work, person_id)
    elif stored != row.lines or cart.note != row.note or cart.delivery != row.delivery:
        changed = {"lines": stored, "note": cart.note, "delivery": cart.delivery, "changed_at": work.now}
        await work.connection.execute(sa.update(carts).where(*_mine(work, person_id)).values(**changed))
    return cart


def _priced(lines: Sequence[dict[str, Any]], known: dict[str, Product]) -> Cart:
    found: list[Line] = []
    short: list[Short] = []
    for line in lines:
        product = known.get(line["sku"])
        if product is None:
            short.append(Short(name=line["name"], left=0))
            continue
        quantity = line["quantity"]
        if product.left is not None and product.left < quantity:
            short.append(Short(name=product.name, left=product.left))
            quantity = product.left
        if quantity:
            found.append(Line(sku=product.sku, name=product.name, price=product.price, quantity=quantity))
    return Cart(lines=tuple(found), short=tuple(short))


async def _products(work: Work, row: sa.Row[Any], lines: Sequence[dict[str, Any]]) -> dict[str, Product]:
    """What is known of these now; what the cart's own unpaid order holds counts as left."""
    skus = [line["sku"] for line in lines]
    query = sa.select(products).where(products.c.tenant_id == work.tenant, products.c.sku.in_(skus))
    rows = (await work.connection.execute(query)).all()
    currency = (await people.tenant_of(work)).currency
    known = {each.sku: product_of(each, currency) for each in rows}
    for line in await _reserved(work, row.order_id):
        product = known.get(line.sku or "")
        if product is not None and product.left is not None:
            known[product.sku] = product.model_copy(update={"left": product.left + line.quantity})
    return known


async def _reserved(work: Work, order_id: UUID | None) -> tuple[Line, ...]:
    if order_id is None:
        return ()
    query = sa.select(orders.c.lines, orders.c.currency).where(
        orders.c.tenant_id == work.tenant, orders.c.id == order_id, orders.c.status.in_(UNPAID)
    )
    row = (await work.connection.execute(query)).first()
    return () if row is None else read_lines(row.lines, row.currency)


def _refuse_beyond(quantity: int) -> None:
    if not 1 <= quantity <= MOST_OF_ONE:
        raise InvalidQuantity(quantity, MOST_OF_ONE)


def _mine(work: Work, person_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return carts.c.tenant_id == work.tenant, carts.c.person_id == person_id
