"""Standing: where a payment and its order stand once money of them has gone back.

What is left of the payment decides: nothing, and the order is refunded. Its stock comes back as long as the
customer has not been given the goods; what they have been given is the shop's to ask for.
"""

import sqlalchemy as sa

from services.payments.record import SETTLED, Attempt, move_order, move_payment
from services.refunds.record import gone
from services.shop import stock
from services.shop.facts import read_lines
from services.store.schema import orders
from services.work import Work


async def settle_standing(work: Work, attempt: Attempt) -> None:
    """Of the attempt that paid for the order, under its lock."""
    whole = await gone(work, attempt.id, "completed") >= attempt.amount.minor
    status = "refunded" if whole else "partially_refunded"
    await move_payment(work, attempt, *SETTLED, status=status)
    if not whole:
        return
    if await move_order(work, attempt.order_id, "paid", to="refunded"):
        query = sa.select(orders.c.lines).where(
            orders.c.tenant_id == work.tenant, orders.c.id == attempt.order_id
        )
        lines = read_lines(await work.connection.scalar(query) or [], attempt.amount.currency)
        await stock.take_in(work, lines)
    else:
        await move_order(work, attempt.order_id, "fulfilled", to="refunded")
