"""Record: a batch's row, its lines, what an approval approves of it, how it is shown, and who hears of it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox
from services.errors import NotFound
from services.money import Money
from services.news import News
from services.news.batches import Batch, BatchMoved, Repeated, Sum
from services.news.withdrawals import Flag
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.store.schema import batches, operations, withdrawals
from services.transitions import transition
from services.work import Work, canonical

BATCH = approval.Kind("batch", ask=INITIATE, approve=APPROVE)
COLUMN = "batches.lines"
_SEEN_FOR = timedelta(days=30)
_ASKED = ("pending", "running", "done")


def facts(work: Work, row: Any) -> dict[str, Any]:
    """Every line with all of it. They are sealed with salt, or a phone could be found out by trying."""
    sealed = work.open(row.lines_sealed, COLUMN, row.id)
    return {
        "lines": hashlib.sha256(canonical(sealed).encode()).hexdigest(),
        "count": row.count,
        "amount": row.amount,
        "fee": row.fee,
        "currency": row.currency,
    }


def lines_of(work: Work, row: Any) -> list[dict[str, Any]]:
    """As `checking` has left them."""
    found: list[dict[str, Any]] = work.open(row.lines_sealed, COLUMN, row.id)["lines"]
    return found


async def alone(work: Work, batch_id: UUID) -> sa.Row[Any]:
    """The row, locked; where it waits for approval or was decided, its operation is to be locked first.
    Raises NotFound."""
    mine = (batches.c.tenant_id == work.tenant, batches.c.id == batch_id)
    row = (await work.connection.execute(sa.select(batches).where(*mine).with_for_update())).first()
    if row is None:
        raise NotFound("batch")
    return row


async def locked(work: Work, batch_id: UUID) -> sa.Row[Any]:
    """The operation first, then the row. Raises NotFound."""
    await approval.locked(work, BATCH, batch_id)
    return await alone(work, batch_id)


async def move(work: Work, batch_id: UUID, before: str, state: str, **values: Any) -> bool:
    """False where it stood in another state."""
    return await transition(work, batches.c.state, batch_id, (before,), {"state": state, **values})


async def shown(work: Work, batch_id: UUID) -> Batch:
    """Raises NotFound."""
    for found in await read(work, batches.c.id == batch_id):
        return found
    raise NotFound("batch")


async def read(work: Work, *where: sa.ColumnElement[bool], latest: int | None = None) -> list[Batch]:
    """The latest first."""
    mine = sa.and_(operations.c.tenant_id == batches.c.tenant_id, operations.c.id == batches.c.id)
    query = (
        sa.select(batches, operations.c.digest, operations.c.expires_at, operations.c.approvals_needed)
        .outerjoin(operations, mine)
        .where(batches.c.tenant_id == work.tenant, *where)
        .order_by(batches.c.created_at.desc(), batches.c.id.desc())
        .limit(latest)
    )
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {row.maker_id for row in rows})
    seen, stands = await _seen(work, rows), await _stands(work, rows)
    return [
        _shown(row, names.get(row.maker_id) or "", _seen_at(row, seen[row.file_digest]), stands[row.id])
        for row in rows
    ]


async def tell(work: Work, news: News, maker: UUID, by: UUID | None) -> None:
    """The maker and the approvers. Who has done it in chat has the answer on the screen."""
    known = by if work.via.channel != "api" else None
    await inbox.tell_people(work, (await people.with_scope(work, APPROVE) | {maker}) - {known}, news)


async def moved(work: Work, batch_id: UUID, by: UUID | None = None, reason: str | None = None) -> Batch:
    """As it is now; those whom it concerns are told."""
    batch = await shown(work, batch_id)
    news = BatchMoved(batch=batch, by=await people.name_of(work, by), reason=reason)
    await tell(work, news, batch.maker_id, by)
    return batch


def _shown(row: sa.Row[Any], maker: str, seen_at: datetime | None, stands: Sequence[Sum]) -> Batch:
    currency = row.currency
    return Batch(
        id=row.id,
        name=row.name,
        count=row.count,
        amount=Money(row.amount, currency),
        fee=Money(row.fee, currency),
        net=Money(row.amount - row.fee, currency),
        sums=tuple(Sum(of=of, count=n, amount=Money(amount, currency)) for of, n, amount in row.sums),
        flags=tuple(Flag.model_validate(each) for each in row.warnings.get("flags", ())),
        repeated=tuple(Repeated(line=at, earlier=of) for at, of in row.warnings.get("repeated", ())),
        seen_at=seen_at,
        new_destinations=row.new_destinations,
        maker_id=row.maker_id,
        maker=maker,
        state=row.state,
        stands=tuple(stands),
        digest=row.digest or "",
        needed=row.approvals_needed or 0,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


async def _seen(work: Work, rows: Sequence[sa.Row[Any]]) -> dict[Any, list[Any]]:
    """What was asked for of the same files, by what names a file's content."""
    found: dict[Any, list[Any]] = defaultdict(list)
    if digests := {row.file_digest for row in rows if row.file_digest is not None}:
        query = sa.select(batches.c.id, batches.c.file_digest, batches.c.created_at).where(
            batches.c.tenant_id == work.tenant,
            batches.c.file_digest.in_(digests),
            batches.c.state.in_(_ASKED),
            batches.c.created_at > min(row.created_at for row in rows) - _SEEN_FOR,
        )
        for each in await work.connection.execute(query):
            found[each.file_digest].append(each)
    return found


def _seen_at(row: sa.Row[Any], same: Iterable[Any]) -> datetime | None:
    """When the same file was asked for last before."""
    since = row.created_at - _SEEN_FOR
    before = (
        each.created_at for each in same if each.id != row.id and since < each.created_at <= row.created_at
    )
    return max(before, default=None)


async def _stands(work: Work, rows: Sequence[sa.Row[Any]]) -> dict[UUID, list[Sum]]:
    """What has become of the lines of those that were begun."""
    found: dict[UUID, list[Sum]] = defaultdict(list)
    begun = {row.id: row.currency for row in rows if row.state in ("running", "done")}
    if begun:
        total = sa.cast(sa.func.sum(withdrawals.c.amount), sa.BigInteger).label("total")
        number = sa.func.count().label("number")
        query = (
            sa.select(withdrawals.c.batch_id, withdrawals.c.status, number, total)
            .where(withdrawals.c.tenant_id == work.tenant, withdrawals.c.batch_id.in_(begun))
            .group_by(withdrawals.c.batch_id, withdrawals.c.status)
            .order_by(withdrawals.c.status)
        )
        for each in await work.connection.execute(query):
            amount = Money(each.total, begun[each.batch_id])
            found[each.batch_id].append(Sum(of=each.status, count=each.number, amount=amount))
    return found
