"""Standing: where a payment and its order stand once money of them has gone back.

What is left of the payment decides: nothing, and the order is refunded. Its stock comes back as long as the
customer has not been given the goods; what they have been given is the shop's to ask for. Where money that
had gone is there again, all of that is undone.
"""

import sqlalchemy as sa

from services.payments.record import SETTLED, Attempt, move_order, move_payment
from services.refunds.record import gone
from services.shop import stock
from services.shop.facts import Line, read_lines
from services.store.schema import orders
from services.work import Work


async def settle_standing(work: Work, attempt: Attempt) -> None:
    """Of the attempt that paid for the order, under its lock."""
    back = await gone(work, attempt.id, "completed")
    whole = back >= attempt.amount.minor
    status = "refunded" if whole else "partially_refunded" if back else "succeeded"
    await move_payment(work, attempt, *SETTLED, status=status)
    if not whole:
        await _undo(work, attempt)
    elif await move_order(work, attempt.order_id, "paid", to="refunded"):
        await stock.take_in(work, await _lines(work, attempt))
    else:
        await move_order(work, attempt.order_id, "fulfilled", to="refunded")


async def _undo(work: Work, attempt: Attempt) -> None:
    """The order is what it was before it was refunded, where it was. Its goods are sold again, though others
    may have bought them meanwhile."""
    query = sa.select(orders.c.fulfilled_at).where(
        orders.c.tenant_id == work.tenant, orders.c.id == attempt.order_id
    )
    if await work.connection.scalar(query) is not None:
        await move_order(work, attempt.order_id, "refunded", to="fulfilled")
    elif await move_order(work, attempt.order_id, "refunded", to="paid"):
        await stock.sell(work, await _lines(work, attempt), reserved=False)


async def _lines(work: Work, attempt: Attempt) -> tuple[Line, ...]:
    query = sa.select(orders.c.lines).where(
        orders.c.tenant_id == work.tenant, orders.c.id == attempt.order_id
    )
    return read_lines(await work.connection.scalar(query) or [], attempt.amount.currency)
