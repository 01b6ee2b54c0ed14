"""Record: a settlement's row, what its approval approves, how it is shown, and who hears of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import inbox
from services.approval import Kind
from services.errors import NotFound
from services.money import Money
from services.news import Doubt
from services.news.review import Settlement, SettlementMoved, Undecided
from services.payments.record import SETTLED, read_told
from services.people import people
from services.people.access import RECONCILE
from services.store.schema import (
    attempts,
    jobs,
    operations,
    orders,
    payments,
    payouts,
    refund_attempts,
    refunds,
    settlements,
    transfers,
    withdrawals,
)
from services.transitions import transition
from services.work import Work

KIND = Kind("settlement", ask=RECONCILE, approve=RECONCILE, lendable=False)
EXPIRY = "settlement_expire"
OPEN = ("pending", "unknown")  # states in which the provider has it, or may have it
# In these a payment may still turn out as paid, and nobody is just sending it.
UNPAID = ("pending", "unknown", "expired", "failed")
_OF = {
    "payout": settlements.c.payout_id,
    "refund": settlements.c.refund_attempt_id,
    "payment": settlements.c.payment_attempt_id,
}
# While one of these is due, a payment is asked about, or closed, by itself.
_ASKED_BY = ("collect", "collect_check", "collect_expire", "page_close", "payment_check")
UNHEARD = timedelta(minutes=15)  # longer than a provider is asked about a payment


def of(kind: str) -> sa.Column[UUID]:
    """The column that names what it is about."""
    return _OF[kind]


def subject_of(row: Any) -> UUID:
    """What a settlement's row is about, whichever it is."""
    found: UUID = row.payout_id or row.refund_attempt_id or row.payment_attempt_id
    return found


def is_open(about: Undecided) -> bool:
    return about.state in (UNPAID if about.kind == "payment" else OPEN)


def facts(row: Any, about: Undecided) -> dict[str, Any]:
    """What an approval approves. Whether the provider has taken it or may have makes no difference: that
    may change while somebody looks. What it has told of a payment does."""
    told = [
        {
            "paid": each.paid,
            "amount": each.amount and str(each.amount),
            "currency": each.amount and each.amount.currency,
            "receipt": each.receipt,
            "by": each.by,
        }
        for each in about.told
    ]
    doubted = {"doubt": about.doubt, "told": told} if about.doubt is not None or told else {}
    return doubted | {
        "kind": about.kind,
        "of": str(about.id),
        "state": "undecided" if is_open(about) else about.state,
        "outcome": row.outcome,
        "reference": row.reference,
        "note": row.note,
        "amount": about.amount.minor,
        "currency": about.amount.currency,
        "provider": about.provider,
    }


async def found(work: Work, settlement_id: UUID) -> sa.Row[Any]:
    """Without a lock. Raises NotFound."""
    query = sa.select(settlements).where(
        settlements.c.tenant_id == work.tenant, settlements.c.id == settlement_id
    )
    row: sa.Row[Any] | None = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("settlement")
    return row


async def waiting(work: Work, kind: str, attempt_id: UUID, state: str = "pending") -> UUID | None:
    """The latest settlement of this in that state."""
    query = (
        sa.select(settlements.c.id)
        .where(settlements.c.tenant_id == work.tenant, of(kind) == attempt_id, settlements.c.state == state)
        .order_by(settlements.c.created_at.desc(), settlements.c.id.desc())
        .limit(1)
    )
    known: UUID | None = await work.connection.scalar(query)
    return known


async def move(work: Work, settlement_id: UUID, before: str, state: str, because: str | None = None) -> bool:
    """False where it stood in another state."""
    values = {"state": state, "because": because, "ended_at": work.now}
    return await transition(work, settlements.c.state, settlement_id, (before,), values)


async def read(work: Work, *where: sa.ColumnElement[bool], latest: int | None = None) -> list[Settlement]:
    """The latest first."""
    mine = sa.and_(operations.c.tenant_id == settlements.c.tenant_id, operations.c.id == settlements.c.id)
    query = (
        sa.select(settlements, operations.c.maker_id, operations.c.digest, operations.c.expires_at)
        .join(operations, mine)
        .where(settlements.c.tenant_id == work.tenant, *where)
        .order_by(settlements.c.created_at.desc(), settlements.c.id.desc())
        .limit(latest)
    )
    rows = (await work.connection.execute(query)).all()
    paid = await of_payouts(work, payouts.c.id.in_([row.payout_id for row in rows if row.payout_id]))
    back = [row.refund_attempt_id for row in rows if row.refund_attempt_id]
    refunded = await of_refunds(work, refund_attempts.c.id.in_(back))
    came = await of_payments(
        work, attempts.c.id.in_([row.payment_attempt_id for row in rows if row.payment_attempt_id])
    )
    about = {each.id: each for each in (*paid, *refunded, *came)}
    names = await people.names_of(work, {row.maker_id for row in rows})
    return [_shown(row, about[subject_of(row)], names.get(row.maker_id, "")) for row in rows]


async def shown(work: Work, settlement_id: UUID) -> Settlement:
    """Raises NotFound."""
    for each in await read(work, settlements.c.id == settlement_id):
        return each
    raise NotFound("settlement")


async def moved(
    work: Work, settlement_id: UUID, by: UUID | None = None, reason: str | None = None
) -> Settlement:
    """As it is now; the others whom it concerns are told."""
    settlement = await shown(work, settlement_id)
    news = SettlementMoved(settlement=settlement, by=await people.name_of(work, by), reason=reason)
    concerned = await people.reconcilers(work) | {settlement.maker_id}
    # Who did it in chat has the answer on the screen; a key may be in other hands.
    await inbox.tell_people(work, concerned - ({by} if work.via.channel != "api" else set()), news)
    return settlement


# --- what it is about -------------------------------------------------------------------------------


async def of_payouts(work: Work, *where: sa.ColumnElement[bool]) -> list[Undecided]:
    """Payouts as people see them, the oldest first."""
    mine = sa.and_(
        withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
    )
    query = (
        sa.select(
            payouts,
            withdrawals.c.id.label("of"),
            withdrawals.c.net.label("amount"),
            withdrawals.c.currency,
            withdrawals.c.method_type.label("way"),
            withdrawals.c.destination,
        )
        .join(withdrawals, mine)
        .where(payouts.c.tenant_id == work.tenant, *where)
        .order_by(payouts.c.created_at, payouts.c.id)
    )
    return [_undecided("payout", row, row.undecided_at) for row in await work.connection.execute(query)]


async def of_refunds(work: Work, *where: sa.ColumnElement[bool]) -> list[Undecided]:
    """Attempts of refunds as people see them, the oldest first."""
    table = refund_attempts
    query = (
        sa.select(
            table,
            refunds.c.id.label("of"),
            refunds.c.amount,
            refunds.c.currency,
            refunds.c.way,
            attempts.c.label.label("destination"),
        )
        .join(refunds, sa.and_(refunds.c.tenant_id == table.c.tenant_id, refunds.c.id == table.c.refund_id))
        .join(
            attempts,
            sa.and_(attempts.c.tenant_id == refunds.c.tenant_id, attempts.c.id == refunds.c.attempt_id),
        )
        .where(table.c.tenant_id == work.tenant, *where)
        .order_by(table.c.created_at, table.c.id)
    )
    return [_undecided("refund", row, row.undecided_at) for row in await work.connection.execute(query)]


async def of_payments(work: Work, *where: sa.ColumnElement[bool]) -> list[Undecided]:
    """Attempts of payments as people see them, the oldest first. `since`: when nobody asked any more."""
    asked = (
        sa.exists()
        .where(
            jobs.c.tenant_id == attempts.c.tenant_id,
            jobs.c.target_id == attempts.c.id,
            jobs.c.kind.in_(_ASKED_BY),
        )
        .label("asked_about")
    )
    query = (
        sa.select(
            attempts.c.id,
            attempts.c.provider,
            attempts.c.state,
            attempts.c.receipt.label("reference"),
            attempts.c.created_at,
            attempts.c.resolved_at,
            attempts.c.doubt,
            attempts.c.told,
            _paid_by_another().label("twice"),
            asked,
            payments.c.id.label("of"),
            payments.c.amount,
            payments.c.currency,
            orders.c.number.label("way"),
            attempts.c.label.label("destination"),
        )
        .join(
            payments,
            sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
        )
        .join(orders, sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id))
        .where(attempts.c.tenant_id == work.tenant, *where)
        .order_by(attempts.c.created_at, attempts.c.id)
    )
    return [
        _undecided("payment", row, _unheard_since(row, work.now)).model_copy(
            update={
                "doubt": Doubt(row.doubt) if row.doubt else None,
                "told": read_told(row.told),
                "twice": bool(row.twice),
            }
        )
        for row in await work.connection.execute(query)
    ]


def _paid_by_another() -> sa.ColumnElement[bool]:
    """Its order was paid before it: what it brings is in suspense, or would be."""
    sold = sa.exists().where(
        transfers.c.tenant_id == attempts.c.tenant_id,
        transfers.c.cause_id == attempts.c.id,
        transfers.c.reason == "sale",
    )
    return sa.and_(payments.c.status.in_(SETTLED), sa.not_(sold))


def _unheard_since(row: Any, now: datetime) -> datetime | None:
    """None while it is asked about, and where a plain no is all that was ever said."""
    if row.state not in UNPAID or row.asked_about or (row.state == "failed" and row.doubt is None):
        return None
    since: datetime = row.resolved_at or row.created_at + UNHEARD
    return since if since <= now else None


def _undecided(kind: Any, row: sa.Row[Any], since: datetime | None) -> Undecided:
    return Undecided(
        id=row.id,
        kind=kind,
        of=row.of,
        amount=Money(row.amount, row.currency),
        provider=row.provider,
        way=row.way,
        destination=row.destination,
        state=row.state,
        reference=row.reference,
        sent_at=row.created_at,
        since=since,
    )


def _shown(row: sa.Row[Any], about: Undecided, maker: str) -> Settlement:
    keys = ("id", "outcome", "reference", "note", "maker_id", "state", "because", "digest", "created_at")
    return Settlement(
        about=about, maker=maker, expires_at=row.expires_at, **{key: getattr(row, key) for key in keys}
    )
