"""Record: a withdrawal's row, its digest, its history, and how it is shown."""

import hashlib
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import inbox, jobs, ledger
from services.errors import NotFound, NotPending
from services.money import Money
from services.news import News, Unsent, Withdrawal, WithdrawalClosed
from services.people import people
from services.people.access import APPROVE
from services.phones import without_numbers
from services.store.schema import approvals, staff, withdrawal_history, withdrawals
from services.work import Work, canonical

_RELEASED_AS = {"expired": "expired"}  # the others are voided


def digest(row: Any, tenant: UUID) -> str:
    """What an approval approves: every fact that decides who gets how much."""
    facts = {
        "id": str(row.id),
        "tenant": str(tenant),
        "amount": row.amount,
        "currency": row.currency,
        "fee": row.fee,
        "net": row.net,
        "method_type": row.method_type,
        "details_index": row.details_index.hex(),
        "maker": str(row.maker_id),
        "approvals_needed": row.approvals_needed,
    }
    return hashlib.sha256(canonical(facts).encode()).hexdigest()


async def locked(work: Work, withdrawal_id: UUID) -> sa.Row[Any]:
    """Raises NotFound."""
    query = (
        sa.select(withdrawals)
        .where(withdrawals.c.tenant_id == work.tenant, withdrawals.c.id == withdrawal_id)
        .with_for_update(key_share=True)
    )
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("withdrawal")
    return row


async def read(work: Work, *where: sa.ColumnElement[bool], latest: int | None = None) -> list[Withdrawal]:
    """As shown; the oldest first, or the latest so many, the newest first."""
    query = sa.select(withdrawals).where(withdrawals.c.tenant_id == work.tenant, *where)
    if latest is None:
        query = query.order_by(withdrawals.c.created_at, withdrawals.c.id)
    else:
        query = query.order_by(withdrawals.c.created_at.desc(), withdrawals.c.id.desc()).limit(latest)
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {row.maker_id for row in rows})
    return [_shown(row, names.get(row.maker_id, "")) for row in rows]


async def shown(work: Work, withdrawal_id: UUID) -> Withdrawal:
    """Raises NotFound."""
    found = await read(work, withdrawals.c.id == withdrawal_id)
    if not found:
        raise NotFound("withdrawal")
    return found[0]


async def advance(
    work: Work,
    row: sa.Row[Any],
    before: str,
    status: str,
    by: UUID | None,
    reason: str | None = None,
    receipt: str | None = None,
) -> bool:
    """From one status to another, with its line of history; False where it was no longer there."""
    statement = (
        sa.update(withdrawals)
        .where(
            withdrawals.c.tenant_id == work.tenant,
            withdrawals.c.id == row.id,
            withdrawals.c.status == before,
            withdrawals.c.digest == row.digest,
        )
        .values(status=status, receipt=receipt)
        .returning(withdrawals.c.id)
    )
    if (await work.connection.execute(statement)).first() is None:
        return False
    await note(work, row.id, status, by, reason)
    return True


async def note(
    work: Work, withdrawal_id: UUID, status: str, by: UUID | None, reason: str | None = None
) -> None:
    """A line of its history."""
    await work.connection.execute(
        sa.insert(withdrawal_history).values(
            tenant_id=work.tenant,
            withdrawal_id=withdrawal_id,
            status=status,
            by_id=by,
            reason=reason,
            at=work.now,
        )
    )


async def close(
    work: Work,
    row: sa.Row[Any],
    before: str,
    status: str,
    by: UUID | None,
    reason: str | None = None,
    because: Unsent | None = None,
) -> bool:
    """End it without a payout: the hold is released, the maker and the approvers are told.

    `reason` is what a person typed: those who are told read it as it is, what is kept is masked.
    `because` is ours.
    """
    kept = without_numbers(reason) if reason else because
    if not await advance(work, row, before, status, by, kept):
        return False
    await ledger.release(work, row.id, _RELEASED_AS.get(status, "voided"), row.currency)
    await jobs.finish(work, row.id, "withdrawal_expire")
    news = WithdrawalClosed(
        withdrawal=await shown(work, row.id),
        by=await people.name_of(work, by),
        reason=reason,
        because=because,
    )
    await tell(work, {row.maker_id} | await people.with_scope(work, APPROVE), by, news)
    return True


async def refuse_decided(work: Work, row: sa.Row[Any]) -> None:
    """Raises NotPending, naming who decided and when; a request out of time counts as expired."""
    if row.status == "pending" and row.expires_at > work.now:
        return
    if row.status == "pending":
        raise NotPending("expired", None, row.expires_at)
    query = (
        sa.select(withdrawal_history)
        .where(
            withdrawal_history.c.tenant_id == work.tenant,
            withdrawal_history.c.withdrawal_id == row.id,
            withdrawal_history.c.by_id.is_not(None),
            withdrawal_history.c.status != "pending",
        )
        .order_by(withdrawal_history.c.seq.desc())
        .limit(1)
    )
    line = (await work.connection.execute(query)).first()
    name = await people.name_of(work, line.by_id) if line else None
    raise NotPending(row.status, name, line.at if line else None)


async def tell(work: Work, person_ids: set[UUID], but: UUID | None, news: News) -> None:
    """Who did it has the answer on the screen."""
    await inbox.tell_people(work, person_ids - {but}, news)


async def eligible_approvals(work: Work, row: sa.Row[Any]) -> set[UUID]:
    """Who approved exactly this, and may still: others than the maker, active, holding the scope."""
    query = (
        sa.select(approvals.c.approver_id)
        .join(
            staff,
            sa.and_(
                staff.c.tenant_id == approvals.c.tenant_id,
                staff.c.person_id == approvals.c.approver_id,
                staff.c.active,
            ),
        )
        .where(
            approvals.c.tenant_id == work.tenant,
            approvals.c.withdrawal_id == row.id,
            approvals.c.approver_id != row.maker_id,
            approvals.c.digest == digest(row, work.tenant),
        )
    )
    approved = set((await work.connection.execute(query)).scalars())
    return approved & await people.with_scope(work, APPROVE)


def _shown(row: sa.Row[Any], maker: str) -> Withdrawal:
    return Withdrawal(
        id=row.id,
        amount=Money(row.amount, row.currency),
        fee=Money(row.fee, row.currency),
        net=Money(row.net, row.currency),
        method_type=row.method_type,
        destination=row.destination,
        new_destination=row.new_destination,
        maker_id=row.maker_id,
        maker=maker,
        status=row.status,
        digest=row.digest,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
