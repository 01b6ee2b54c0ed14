"""Record: a withdrawal's row, what an approval approves of it, its history, and how it is shown."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import approval, banks, inbox, jobs, ledger, webhooks
from services.errors import NotFound
from services.facts import Destination, Quote
from services.money import Money
from services.news import Flag, News, Unsent, Withdrawal, WithdrawalClosed, WithdrawalRequested
from services.news.approval import WithdrawalAskedAgain
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.phones import without_numbers
from services.store.ending import at_the_end, wake
from services.store.hot import Hot, Named
from services.store.schema import operations, withdrawal_history, withdrawals
from services.store.scope import within
from services.withdrawals import destinations
from services.work import Work

WITHDRAWAL = approval.Kind("withdrawal", ask=INITIATE, approve=APPROVE)
_OF_OPERATION = ("round", "approvals_needed", "step_up", "digest", "expires_at")
_OF_ITSELF = (WithdrawalRequested, WithdrawalAskedAgain)
_ENDED = ("completed", "failed", "canceled", "rejected", "expired")
# To the tenant's systems; whoever approves it, or begins to send it, tells that.
_TOLD_AS = {"pending": "requested"} | {status: status for status in _ENDED}
_RELEASED_AS = {"expired": "expired"}  # the others are voided


def new_row(
    work: Work,
    maker: UUID,
    withdrawal_id: UUID,
    quoted: Quote,
    to: Destination,
    *,
    new: bool,
    flags: Sequence[Any],
    notes: str | None,
) -> dict[str, Any]:
    """As it is written first, pending; `flags` as they are kept, in JSON."""
    return {
        "tenant_id": work.tenant,
        "id": withdrawal_id,
        "maker_id": maker,
        "amount": quoted.gross.minor,
        "fee": quoted.fee.minor,
        "net": quoted.net.minor,
        "currency": quoted.gross.currency,
        "status": "pending",
        "method_type": to.method_type,
        "new_destination": new,
        "flags": flags,
        "notes": notes,
        "created_at": work.now,
        **destinations.seal(work, to, withdrawal_id),
    }


def facts(row: Any) -> dict[str, Any]:
    """Every fact that decides who gets how much: what an approval approves."""
    return {
        "amount": row.amount,
        "currency": row.currency,
        "fee": row.fee,
        "net": row.net,
        "method_type": row.method_type,
        "destination": row.details_index.hex(),
    }


_mine = sa.and_(operations.c.tenant_id == withdrawals.c.tenant_id, operations.c.id == withdrawals.c.id)
# Withdrawals, with what their operations say.
WHOLE = (
    sa.select(withdrawals, *(operations.c[name] for name in _OF_OPERATION))
    .join(operations, _mine)
    .where(withdrawals.c.tenant_id == sa.bindparam("tenant"))
)
_BY_ID = WHOLE.where(withdrawals.c.id == sa.bindparam("withdrawal"))
ONE = Named(_BY_ID)
_LOCKED = Named(_BY_ID, postgres=_BY_ID.with_for_update(key_share=True, of=withdrawals))


async def locked(work: Work, withdrawal_id: UUID) -> Any:
    """With its operation's digest, policy and time; the operation is locked first. Raises NotFound."""
    await approval.locked(work, WITHDRAWAL, withdrawal_id)
    rows = await _LOCKED(work.connection, tenant=work.tenant, withdrawal=withdrawal_id)
    if not rows:
        raise NotFound("withdrawal")
    return rows[0]


async def read(
    work: Work, *where: sa.ColumnElement[bool], latest: int | None = None, named: bool = False
) -> list[Withdrawal]:
    """As shown; the oldest first, or the latest so many, the newest first. `named`: with the holders' names,
    for who decides."""
    query = WHOLE.where(*where)
    if latest is None:
        query = query.order_by(withdrawals.c.created_at, withdrawals.c.id)
    else:
        query = query.order_by(withdrawals.c.created_at.desc(), withdrawals.c.id.desc()).limit(latest)
    rows = (await work.connection.execute(query, {"tenant": work.tenant})).all()
    return await as_shown(work, rows, named=named)


async def as_shown(work: Work, rows: Sequence[Any], *, named: bool = False) -> list[Withdrawal]:
    """Rows of `WHOLE`."""
    names = await people.names_of(work, {row.maker_id for row in rows})
    listed = [_shown(row, names.get(row.maker_id, "")) for row in rows]
    if not named:
        return listed
    return [
        each.model_copy(update={"named": _named(work, row)}) for each, row in zip(listed, rows, strict=True)
    ]


def _named(work: Work, row: Any) -> str:
    details = work.open(row.details_sealed, destinations.COLUMN, row.id)
    return banks.named(row.destination, details)


async def shown(
    work: Work, withdrawal_id: UUID, *, named: bool = False, carrier: str | None = None
) -> Withdrawal:
    """`carrier`: the provider by whom it was sent, where that is what is told. Raises NotFound."""
    rows = await ONE(work.connection, tenant=work.tenant, withdrawal=withdrawal_id)
    if not rows:
        raise NotFound("withdrawal")
    (found,) = await as_shown(work, rows, named=named)
    return found.model_copy(update={"carrier": carrier}) if carrier else found


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
        )
        .values(status=status, receipt=receipt)
        .returning(withdrawals.c.id)
    )
    if (await work.connection.execute(statement)).first() is None:
        return False
    if status in _TOLD_AS:
        webhooks.tell(work, f"withdrawal.{_TOLD_AS[status]}", row.id)
    await note(work, row.id, status, by, reason)
    if row.batch_id is not None and status in _ENDED:  # the last one ends the batch
        wake(work.connection, "jobs")
        at_the_end(work.connection, _end_batches, (work, row.batch_id))
    return True


async def _end_batches(connection: AsyncConnection, ended: Sequence[tuple[Work, UUID]]) -> None:
    """After the wallet is locked, which some do before a line has ended, and others afterwards."""
    for batch_id, work in sorted({batch_id: work for work, batch_id in ended}.items()):
        async with within(connection, work.tenant):
            await jobs.schedule(work, "batch_done", batch_id, work.now)


_LINE = ("tenant_id", "withdrawal_id", "status", "by_id", "reason", "at")
_NOTE = Hot(sa.insert(withdrawal_history).values({name: sa.bindparam(name) for name in _LINE}))


async def note(
    work: Work, withdrawal_id: UUID, status: str, by: UUID | None, reason: str | None = None
) -> None:
    """A line of its history."""
    line = {"withdrawal_id": withdrawal_id, "status": status, "by_id": by, "reason": reason, "at": work.now}
    await _NOTE(work.connection, tenant_id=work.tenant, **line)


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


async def tell(work: Work, person_ids: set[UUID], but: UUID | None, news: News) -> None:
    """Who did it has the answer on the screen. Of a line of a batch only its request is told by itself: the
    batch tells what became of them."""
    about = getattr(news, "withdrawal", None)
    if about is not None and about.batch_id is not None and not isinstance(news, _OF_ITSELF):
        return
    await inbox.tell_people(work, person_ids - {but}, news)


def _shown(row: Any, maker: str) -> Withdrawal:
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
        flags=tuple(Flag.model_validate(each) for each in row.flags),
        created_at=row.created_at,
        expires_at=row.expires_at,
        notes=row.notes,
        batch_id=row.batch_id,
    )
