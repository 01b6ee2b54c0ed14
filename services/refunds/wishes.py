"""Wishes: a customer asks for their money. One of the staff takes it up by asking for a refund, and is its
maker; the customer decides nothing. Or one of them declines, and says why.

Each gets one answer. Where a refund that took it up comes to nothing, whoever rejected it has answered; else
the wish waits for the staff again.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound, NotPaid
from services.errors.refunds import AlreadyRefunded, RefundAsked
from services.ids import new_id
from services.ledger import WALLET
from services.money import Money
from services.news.refunds import RefundDeclined, RefundWanted, Way
from services.payments.asked import called
from services.payments.record import SETTLED, lock_order
from services.people import people
from services.people.access import RECONCILE
from services.phones import without_numbers
from services.readable import refuse_blank
from services.refunds.record import OPEN, Refunding
from services.store.schema import orders, payments, refund_wishes, refunds
from services.transitions import transition
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
    values = {
        "tenant_id": work.tenant,
        "id": new_id(),
        "payment_id": payment_id,
        "person_id": person_id,
        "reason": without_numbers(typed),
        "state": "open",
        "created_at": work.now,
    }
    made = work.insert(refund_wishes).values(values).on_conflict_do_nothing().returning(refund_wishes)
    if (wished := (await work.connection.execute(made)).first()) is None:
        raise RefundAsked(row.number)
    await _ask(work, wished, row.number, Money(row.amount, row.currency), typed)
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
    return await _decline(work, by, row, "open", payment.number, reason)


async def in_vain(work: Work, one: Refunding, by: UUID | None, rejected: str | None) -> None:
    """A refund has ended, and nothing goes back by it: who wished for it hears why it was `rejected`, else
    the staff are asked again. Of what was paid twice nobody has said no: it lies in suspense still."""
    wish = await _taken_up_by(work, one.row)
    if wish is None:
        return
    if by is not None and rejected is not None and one.row.source == WALLET:
        await _decline(work, by, wish, "taken", one.attempt.number, rejected)
    elif await _move(work, wish, "taken", "open", None):
        attempt = one.attempt
        await _ask(work, wish, attempt.number, attempt.amount, wish.reason)
        facts = {"order": attempt.number, "refund": str(one.row.id)}
        await audit.record(work, by or audit.CLOCK, "refund.wished_again", wish.payment_id, facts)


async def _taken_up_by(work: Work, refund: sa.Row[Any]) -> sa.Row[Any] | None:
    """The wish that this refund alone was to answer. None where another one still may, or has since, and
    where the customer has asked again: then that is answered."""
    of_payment = (refund_wishes.c.tenant_id == work.tenant, refund_wishes.c.payment_id == refund.payment_id)
    latest = sa.select(refund_wishes).where(*of_payment).order_by(refund_wishes.c.id.desc()).limit(1)
    wish = (await work.connection.execute(latest)).first()
    if wish is None or wish.state != "taken" or wish.done_at > refund.created_at:
        return None
    done_since = sa.and_(refunds.c.status == "completed", refunds.c.done_at >= wish.done_at)
    answering = sa.select(refunds.c.id).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.payment_id == refund.payment_id,
        refunds.c.way != Way.SALE,
        sa.or_(refunds.c.status.in_(OPEN), done_since),
    )
    return wish if (await work.connection.execute(answering.limit(1))).first() is None else None


async def _ask(work: Work, wish: sa.Row[Any], number: str, amount: Money, reason: str) -> None:
    """Those who may give it back."""
    news = RefundWanted(
        wish_id=wish.id,
        payment_id=wish.payment_id,
        number=number,
        amount=amount,
        customer=await called(work, wish.person_id),
        reason=reason,
    )
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def _decline(work: Work, by: UUID, wish: sa.Row[Any], before: str, number: str, reason: str) -> bool:
    """The customer is told why. False where somebody was first."""
    if not await _move(work, wish, before, "declined", by):
        return False
    news = RefundDeclined(number=number, reason=" ".join(reason.split())[:_MOST])
    await inbox.tell_people(work, [wish.person_id], news)
    private = audit.Private(wish.person_id, {"reason": without_numbers(reason)[:_MOST]})
    await audit.record(work, by, "refund.declined", wish.payment_id, {"order": number}, private=private)
    return True


async def _move(work: Work, wish: sa.Row[Any], before: str, state: str, by: UUID | None) -> bool:
    """False where it stands otherwise by now."""
    done = {"state": state, "done_by": by, "done_at": work.now if by else None}
    return await transition(work, refund_wishes.c.state, wish.id, (before,), done)


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
