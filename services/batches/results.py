"""Results: what has become of each line of a batch."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.batches.record import lines_of
from services.errors import NotFound
from services.money import Money
from services.store.schema import batches, withdrawal_history, withdrawals
from services.work import Work


@dataclass(frozen=True)
class Result:
    """`status` is that of its withdrawal, None before there is one; `reason` why it has failed."""

    line: int
    method_type: str
    destination: str
    amount: Money
    fee: Money
    net: Money
    note: str | None
    new: bool
    flags: tuple[str, ...]
    status: str | None = None
    reason: str | None = None
    receipt: str | None = None
    withdrawal_id: UUID | None = None


async def of_lines(work: Work, batch_id: UUID) -> list[Result]:
    """In the order of the file; none where the batch ended before it was approved. Raises NotFound."""
    mine = (batches.c.tenant_id == work.tenant, batches.c.id == batch_id)
    row = (await work.connection.execute(sa.select(batches).where(*mine))).first()
    if row is None:
        raise NotFound("batch")
    if row.lines_sealed is None:
        return []
    made = await _made(work, batch_id)
    return [_result(line, row.currency, made.get(line["at"])) for line in lines_of(work, row)]


async def _made(work: Work, batch_id: UUID) -> dict[int, sa.Row[Any]]:
    """By line, with the reason of the latest entry of the history where it has ended badly."""
    history = withdrawal_history.c
    ours = sa.select(withdrawals.c.id).where(
        withdrawals.c.tenant_id == work.tenant, withdrawals.c.batch_id == batch_id
    )
    latest = (
        sa.select(history.withdrawal_id, sa.func.max(history.seq).label("seq"))
        .where(history.tenant_id == work.tenant, history.withdrawal_id.in_(ours))
        .group_by(history.withdrawal_id)
        .subquery()
    )
    table = withdrawals.c
    query = (
        sa.select(table.id, table.batch_line, table.status, table.receipt, history.reason)
        .join(latest, latest.c.withdrawal_id == table.id)
        .join(
            withdrawal_history,
            sa.and_(history.tenant_id == table.tenant_id, history.seq == latest.c.seq),
        )
        .where(table.tenant_id == work.tenant, table.batch_id == batch_id)
    )
    rows: Any = (await work.connection.execute(query)).all()
    return {row.batch_line: row for row in rows}


def _result(line: dict[str, Any], currency: str, made: sa.Row[Any] | None) -> Result:
    ended = made is not None and made.status not in ("pending", "processing", "completed")
    return Result(
        line=line["at"],
        method_type=line["method_type"],
        destination=line["label"],
        amount=Money(line["gross"], currency),
        fee=Money(line["fee"], currency),
        net=Money(line["net"], currency),
        note=line["note"],
        new=line["new"],
        flags=tuple(flag["because"] for flag in line["flags"]),
        status=made.status if made else None,
        reason=made.reason if made is not None and ended else None,
        receipt=made.receipt if made else None,
        withdrawal_id=made.id if made else None,
    )
