"""Record: an attempt with the payment and the order it belongs to, read under the order's lock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound, PaymentUnderWay
from services.money import Money
from services.news import Doubt, News, PaymentFailed, PaymentMethod, PaymentOpen, Unpaid
from services.news.review import Told
from services.rails import charges
from services.store.schema import attempts, jobs, orders, payments
from services.transitions import transition
from services.work import Work

LIVE = ("created", "submitting", "pending", "unknown")
NOT_SUCCEEDED = (*LIVE, "failed", "expired")
SETTLED = ("succeeded", "partially_refunded", "refunded")


@dataclass(frozen=True)
class Attempt:
    """One asking of one provider."""

    id: UUID
    state: str
    provider: str
    label: str
    details: dict[str, str]  # empty once they are erased
    reference: str | None
    receipt: str | None
    method_id: UUID | None
    page: str | None = field(repr=False)
    page_until: datetime | None
    asked: bool
    doubt: Doubt | None
    told: tuple[Told, ...]
    created_at: datetime
    payment_id: UUID
    payment_status: str
    order_id: UUID
    number: str
    person_id: UUID
    conversation_id: UUID | None
    amount: Money
    asked_by: UUID | None

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def paid(self) -> bool:
        """By whichever attempt."""
        return self.payment_status in SETTLED

    @property
    def method(self) -> PaymentMethod:
        return PaymentMethod(provider=self.provider, label=self.label)


async def locked(work: Work, attempt_id: UUID) -> Attempt:
    """Lock the order, then read: whatever is decided about an order is decided one after the other.

    Raises NotFound.
    """
    order_id = (
        sa.select(payments.c.order_id)
        .join(attempts, _joined(attempts.c.tenant_id == payments.c.tenant_id))
        .where(attempts.c.tenant_id == work.tenant, attempts.c.id == attempt_id)
        .scalar_subquery()
    )
    if await lock_order(work, orders.c.id == order_id) is None:
        raise NotFound("attempt")
    return await _read(work, attempt_id)


async def lock_order(work: Work, *which: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    """An order of the tenant's, as it stands while this transaction lasts; None where there is none."""
    query = sa.select(orders).where(orders.c.tenant_id == work.tenant, *which).with_for_update(key_share=True)
    return (await work.connection.execute(query)).first()


async def _read(work: Work, attempt_id: UUID) -> Attempt:
    """In a statement of its own: one that waited for a lock still sees what was before it."""
    query = (
        sa.select(
            attempts,
            payments.c.status.label("payment_status"),
            payments.c.order_id,
            payments.c.person_id,
            payments.c.conversation_id,
            payments.c.amount,
            payments.c.currency,
            orders.c.number,
            orders.c.asked_by,
        )
        .join(payments, _joined(attempts.c.tenant_id == payments.c.tenant_id))
        .join(orders, sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id))
        .where(attempts.c.tenant_id == work.tenant, attempts.c.id == attempt_id)
    )
    row = (await work.connection.execute(query)).one()
    sealed = row.reference_sealed
    return Attempt(
        id=row.id,
        state=row.state,
        provider=row.provider,
        label=row.label,
        details=work.open(row.details_sealed, "attempts.details", row.id) if row.details_sealed else {},
        reference=work.open(sealed, "attempts.reference", row.id) if sealed else None,
        receipt=row.receipt,
        method_id=row.method_id,
        page=work.open(row.page_sealed, "attempts.page", row.id) if row.page_sealed else None,
        page_until=row.page_until,
        asked=row.asked,
        doubt=Doubt(row.doubt) if row.doubt else None,
        told=read_told(row.told),
        created_at=row.created_at,
        payment_id=row.payment_id,
        payment_status=row.payment_status,
        order_id=row.order_id,
        number=row.number,
        person_id=row.person_id,
        conversation_id=row.conversation_id,
        amount=Money(row.amount, row.currency),
        asked_by=row.asked_by,
    )


def read_told(column: Any) -> tuple[Told, ...]:
    """What the column `told` has, the oldest first."""
    return tuple(Told.model_validate(each) for each in column or ())


def _joined(same_tenant: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(same_tenant, attempts.c.payment_id == payments.c.id)


async def in_the_way(work: Work, payment_id: UUID) -> Sequence[Any]:
    """The attempts beside which no other one may start: that may still be paid, or of
    which a success was told, while the provider is asked about it."""
    asked_about = sa.exists().where(
        jobs.c.tenant_id == attempts.c.tenant_id,
        jobs.c.target_id == attempts.c.id,
        jobs.c.kind == "collect_check",
    )
    query = sa.select(attempts).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.payment_id == payment_id,
        sa.or_(attempts.c.state.in_(LIVE), sa.and_(attempts.c.doubt.is_not(None), asked_about)),
    )
    return (await work.connection.execute(query)).all()


async def under_way(work: Work, order_id: UUID) -> Sequence[Any]:
    """The same of an order; nothing where nobody tried to pay it."""
    query = sa.select(payments.c.id).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order_id
    )
    payment_id = await work.connection.scalar(query)
    return await in_the_way(work, payment_id) if payment_id is not None else ()


async def refuse_being_paid(work: Work, order_id: UUID, number: str) -> None:
    """Raises PaymentUnderWay while an attempt may still succeed."""
    if earlier := await under_way(work, order_id):
        raise still_under_way(number, earlier)


def still_under_way(number: str, earlier: Sequence[Any]) -> PaymentUnderWay:
    """By the attempts that are in the way."""
    each = earlier[-1]
    charged = each.method_id is not None and charges(each.provider)
    by = "page" if each.page_until is not None else "card" if charged else "phone"
    return PaymentUnderWay(number, any(each.doubt for each in earlier), by, each.provider)


async def move(work: Work, attempt: Attempt, *states: str, **values: Any) -> bool:
    """From one of these states, with these values; False where it stands in another."""
    return await transition(work, attempts.c.state, attempt.id, states, values)


async def move_payment(work: Work, attempt: Attempt, *statuses: str, **values: Any) -> bool:
    """The same of its payment, by status."""
    return await transition(work, payments.c.status, attempt.payment_id, statuses, values)


async def move_order(work: Work, order_id: UUID, *statuses: str, to: str) -> bool:
    """The same of an order."""
    return await transition(work, orders.c.status, order_id, statuses, {"status": to})


async def tell(work: Work, attempt: Attempt, news: News) -> None:
    """The conversation that pays; where none did, every one of the person's."""
    if attempt.conversation_id is not None:
        await inbox.tell(work, attempt.conversation_id, news)
    else:
        await inbox.tell_people(work, [attempt.person_id], news)


def still_open(attempt: Attempt) -> PaymentOpen:
    """News: nothing is known yet."""
    return PaymentOpen(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        provider=attempt.provider,
    )


def unpaid(attempt: Attempt, because: Unpaid) -> PaymentFailed:
    """News: it has failed."""
    return PaymentFailed(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        because=because,
        provider=attempt.provider,
    )


async def alert(work: Work, attempt: Attempt, action: str, **facts: str | None) -> None:
    """Nothing moved; somebody should look."""
    known = {"payment_id": str(attempt.payment_id), "order": attempt.number, "amount": str(attempt.amount)}
    await audit.record(work, audit.PROVIDER, action, attempt.id, known | facts, alert=True)
