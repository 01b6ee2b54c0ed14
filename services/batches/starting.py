"""Starting: an approved batch becomes withdrawals, all of them in the transaction of the last approval. From
here on each is a withdrawal like any other, and goes the same way."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, jobs, webhooks
from services.batches.record import BATCH, alone, move, moved
from services.facts import Destination, Quote
from services.ids import new_id
from services.ledger.together import hold_all
from services.money import Money
from services.points import point
from services.store.schema import jobs as jobs_table
from services.store.schema import payouts, withdrawal_history, withdrawals
from services.withdrawals import low_balance
from services.withdrawals.attempt import readied
from services.withdrawals.carriers import carrier_of
from services.withdrawals.record import WITHDRAWAL, facts, new_row
from services.work import Work


async def start(work: Work, batch: sa.Row[Any], lines: list[dict[str, Any]]) -> None:
    """Under the locks of the batch and the wallet. Raises InsufficientBalance, having written nothing."""
    rows = [_row(work, batch, line) for line in lines]
    amounts = {row["id"]: Money(row["amount"], batch.currency) for row in rows}
    await hold_all(work, amounts, batch.currency)
    point("batch.held")
    await low_balance.tell(work, Money(batch.amount, batch.currency))
    operation = await approval.locked(work, BATCH, batch.id)
    made = {row["id"]: facts(SimpleNamespace(**row)) for row in rows}
    await approval.pass_on(work, operation, BATCH, WITHDRAWAL, made)
    await work.connection.execute(sa.insert(withdrawals), rows)
    await work.connection.execute(sa.insert(withdrawal_history), _history(work, batch, operation, rows))
    by = {way: await carrier_of(work, way) for way in {row["method_type"] for row in rows}}
    sending = [readied(work, row["id"], row["method_type"], by[row["method_type"]], work.now) for row in rows]
    await work.connection.execute(sa.insert(payouts), sending)
    due = [_job(work, payout) for payout in sending]
    await work.connection.execute(sa.insert(jobs_table), due)
    await move(work, batch.id, "pending", "running", started_at=work.now)
    webhooks.tell(work, "withdrawal.requested", *made)
    webhooks.tell(work, "withdrawal.approved", *made)
    told = {"count": batch.count, "amount": batch.amount, "file": batch.file_digest}
    await audit.record(work, operation.decided_by, "batch.started", batch.id, told)
    point("batch.started")


async def finish(work: Work, batch_id: UUID) -> None:
    """A line has come to its end: where it was the last one, the batch is done."""
    # First, so that a line that ends at this moment, and makes it due again, is not overlooked.
    await jobs.finish(work, batch_id, "batch_done")
    row = await alone(work, batch_id)
    going_on = sa.select(sa.func.count()).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.batch_id == batch_id,
        withdrawals.c.status.in_(("pending", "processing")),
    )
    if row.state == "running" and not await work.connection.scalar(going_on):
        await move(work, batch_id, "running", "done", ended_at=work.now)
        await moved(work, batch_id)
        point("batch.done")


def _row(work: Work, batch: sa.Row[Any], line: dict[str, Any]) -> dict[str, Any]:
    gross, fee, net = (Money(line[key], batch.currency) for key in ("gross", "fee", "net"))
    to = Destination(method_type=line["method_type"], details=line["details"], label=line["label"])
    row = new_row(
        work,
        batch.maker_id,
        new_id(),
        Quote(gross=gross, fee=fee, net=net),
        to,
        new=line["new"],
        flags=line["flags"],
        notes=line["note"],
    )
    return row | {"status": "processing", "batch_id": batch.id, "batch_line": line["at"]}


def _history(
    work: Work, batch: sa.Row[Any], operation: sa.Row[Any], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    told = []
    for row in rows:
        one = {"tenant_id": work.tenant, "withdrawal_id": row["id"], "at": work.now}
        where = f"line {row['batch_line']} of the batch {batch.name}"
        told.append(one | {"status": "pending", "by_id": batch.maker_id, "reason": where})
        told.append(one | {"status": "processing", "by_id": operation.decided_by, "reason": where})
    return told


def _job(work: Work, payout: dict[str, Any]) -> dict[str, Any]:
    return {"tenant_id": work.tenant, "target_id": payout["id"], "kind": "payout", "due_at": work.now}
