"""Wishes: a customer asks for their money. One of the staff takes it up by asking for a refund, and is its
maker; the customer decides nothing. Or one of them declines, and says why."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound, NotPaid
from services.errors.refunds import AlreadyRefunded, RefundAsked
from services.ids import new_id
from services.money import Money
from services.news.refunds import RefundDeclined, RefundWanted
from services.payments.asked import called
from services.payments.record import SETTLED, lock_order
from services.people import people
from services.people.access import RECONCILE
from services.phones import without_numbers
from services.readable import refuse_blank
from services.store.schema import orders, payments, refund_wishes
from services.work import Work

_MOST = 300


async def wish(work: Work, person_id: UUID, payment_id: UUID, reason: str) -> str:
    """Ask for a payment of one's own; the order's number.

    Raises BlankReason, NotFound, NotPaid, AlreadyRefunded, RefundAsked.
    """
    refuse_blank(reason)
    row = await _mine(work, person_id, payment_id)
    if row.status not in SETTLED:
        raise NotPaid(row.number)
    if row.status == "refunded":
        raise AlreadyRefunded(row.number)
    typed = " ".join(reason.split())[:_MOST]
    wish_id = new_id()
    values = {
        "tenant_id": work.tenant,
        "id": wish_id,
        "payment_id": payment_id,
        "person_id": person_id,
        "reason": without_numbers(typed),
        "state": "open",
        "created_at": work.now,
    }
    made = work.insert(refund_wishes).values(values).on_conflict_do_nothing().returning(refund_wishes.c.id)
    if (await work.connection.execute(made)).first() is None:
        raise RefundAsked(row.number)
    news = RefundWanted(
        wish_id=wish_id,
        payment_id=payment_id,
        number=row.number,
        amount=Money(row.amount, row.currency),
        customer=await called(work, person_id),
        reason=typed,
    )
    await inbox.tell_people(work, await people.reconcilers(work), news)
    await audit.record(work, person_id, "refund.wished", payment_id, {"order": row.number})
    number: str = row.number
    return number


async def taken(work: Work, by: UUID, payment_id: UUID) -> None:
    """One of the staff has asked for a refund of it."""
    await work.connection.execute(
        sa.update(refund_wishes)
        .where(
            refund_wishes.c.tenant_id == work.tenant,
            refund_wishes.c.payment_id == payment_id,
            refund_wishes.c.state == "open",
        )
        .values(state="taken", done_by=by, done_at=work.now)
    )


async def decline(work: Work, by: UUID, wish_id: UUID, reason: str) -> bool:
    """The customer is told why. False where somebody was first.

    Raises MissingScope, BlankReason, NotFound.
    """
    await people.require(work, by, RECONCILE)
    refuse_blank(reason)
    mine = (refund_wishes.c.tenant_id == work.tenant, refund_wishes.c.id == wish_id)
    row = (await work.connection.execute(sa.select(refund_wishes).where(*mine))).first()
    if row is None:
        raise NotFound("refund_wish")
    payment = await _mine(work, row.person_id, row.payment_id)  # the order's lock first, as everywhere
    done = (
        sa.update(refund_wishes)
        .where(*mine, refund_wishes.c.state == "open")
        .values(state="declined", done_by=by, done_at=work.now)
        .returning(refund_wishes.c.id)
    )
    if (await work.connection.execute(done)).first() is None:
        return False
    news = RefundDeclined(number=payment.number, reason=" ".join(reason.split())[:_MOST])
    await inbox.tell_people(work, [row.person_id], news)
    private = audit.Private(row.person_id, {"reason": without_numbers(reason)[:_MOST]})
    facts = {"order": payment.number}
    await audit.record(work, by, "refund.declined", row.payment_id, facts, private=private)
    return True


async def _mine(work: Work, person_id: UUID, payment_id: UUID) -> sa.Row[Any]:
    """Under the order's lock. Raises NotFound, for another's too."""
    of = sa.select(payments.c.order_id).where(
        payments.c.tenant_id == work.tenant,
        payments.c.id == payment_id,
        payments.c.person_id == person_id,
    )
    if await lock_order(work, orders.c.id == of.scalar_subquery()) is None:
        raise NotFound("payment")
    query = (
        sa.select(payments, orders.c.number)
        .join(orders, sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id))
        .where(payments.c.tenant_id == work.tenant, payments.c.id == payment_id)
    )
    return (await work.connection.execute(query)).one()
