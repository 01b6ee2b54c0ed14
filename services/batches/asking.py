"""Asking: a file is read and checked, and then others are asked to approve the whole of it.

From a chat in two steps: `came` leaves a draft that its sender looks at, `ask` sends it on. A program does
both at once (`ask_file`).
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, jobs, ledger
from services.batches import sheet
from services.batches.checking import Checked, check
from services.batches.faults import BatchFaulty, Faulty
from services.batches.record import BATCH, COLUMN, alone, facts, lines_of, move, shown, tell
from services.errors import Changed, InsufficientBalance, NotFound, NotPending, Refusal
from services.facts import Destination
from services.money import Money
from services.news.batches import Batch, BatchAsked
from services.people import people
from services.people.access import INITIATE
from services.phones import without_numbers
from services.points import point
from services.store.schema import batches
from services.withdrawals import limits
from services.work import Work

EXPIRES = "batch_expire"
_DRAFT_FOR = timedelta(hours=24)
_MOST_NAME = 80


async def ask_file(
    work: Work, maker: UUID, batch_id: UUID, name: str, content: bytes, ways: Collection[str]
) -> Batch:
    """Raises BatchFaulty with every fault, MissingScope, MoneyOwed, InsufficientBalance."""
    await people.require(work, maker, INITIATE)
    await work.connection.execute(sa.insert(batches).values(await _row(work, maker, batch_id, name)))
    try:
        await check_file(work, maker, batch_id, content, ways)
    except Refusal:
        mine = (batches.c.tenant_id == work.tenant, batches.c.id == batch_id)
        await work.connection.execute(sa.delete(batches).where(*mine))
        raise
    return await ask(work, maker, batch_id, ways)


async def look(work: Work, maker: UUID, content: bytes, ways: Collection[str]) -> Checked:
    """What a file would come to; nothing is kept. Raises as `ask_file` does."""
    await people.require(work, maker, INITIATE)
    currency = (await people.tenant_of(work)).currency
    return await _checked(work, maker, sheet.read(content, currency), ways, currency)


async def take(
    work: Work, maker: UUID, conversation_id: UUID, batch_id: UUID, name: str, media: str
) -> Batch:
    """A file was sent in a chat: it is fetched after the commit. Raises MissingScope."""
    await people.require(work, maker, INITIATE)
    row = await _row(work, maker, batch_id, name)
    row |= {"conversation_id": conversation_id, "media_id": media}
    await work.connection.execute(sa.insert(batches).values(row))
    await jobs.schedule(work, "batch_fetch", batch_id, work.now)
    return await shown(work, batch_id)


async def check_file(work: Work, maker: UUID, batch_id: UUID, content: bytes, ways: Collection[str]) -> None:
    """Of a row that is taken makes a draft. Raises BatchFaulty, MoneyOwed, InsufficientBalance."""
    currency = (await people.tenant_of(work)).currency
    checked = await _checked(work, maker, sheet.read(content, currency), ways, currency)
    salted = {"salt": secrets.token_hex(16), "lines": checked.lines}
    digest = hashlib.sha256(content).hexdigest()
    await move(
        work,
        batch_id,
        "taken",
        "draft",
        media_id=None,
        file_digest=digest,
        lines_sealed=work.seal(salted, COLUMN, batch_id),
        count=len(checked.lines),
        amount=checked.amount,
        fee=checked.fee,
        sums=checked.sums,
        warnings=checked.warnings,
        new_destinations=checked.new_destinations,
    )
    await jobs.schedule(work, EXPIRES, batch_id, work.now + _DRAFT_FOR)


async def ask(work: Work, maker: UUID, batch_id: UUID, ways: Collection[str]) -> Batch:
    """Of the maker's own draft; the same again returns what was asked for. Nothing is held before others
    have approved it.

    Raises MissingScope, NotFound, NotPending, Changed where a fee is another one by now, and what a check
    of the file raises.
    """
    await people.require(work, maker, INITIATE)
    row = await alone(work, batch_id)
    if row.maker_id != maker:
        raise NotFound("batch")
    if row.state == "pending":
        return await shown(work, batch_id)
    if row.state != "draft":
        raise NotPending(row.state)
    # With the wallet locked, nobody asks between the sums read here and the batch written here.
    await ledger.lock_wallet(work, row.currency)
    await refuse_changed(work, row, ways)
    tenant = await people.tenant_of(work)
    policy = await limits.policy(work, tenant, Money(row.amount, row.currency))
    expires_at = work.now + timedelta(hours=tenant.approval_hours)
    digest = await approval.ask(
        work,
        BATCH,
        batch_id,
        maker,
        facts(work, row),
        needed=policy.approvals,
        expires_at=expires_at,
        step_up=policy.step_up,
    )
    await move(work, batch_id, "draft", "pending", created_at=work.now)
    await jobs.schedule(work, EXPIRES, batch_id, expires_at)
    told = {"count": row.count, "amount": row.amount, "file": row.file_digest, "digest": digest}
    await audit.record(work, maker, "batch.asked", batch_id, told)
    batch = await shown(work, batch_id)
    await tell(work, BatchAsked(batch=batch), maker, maker)
    point("batch.asked")
    return batch


async def refuse_changed(work: Work, row: Any, ways: Collection[str]) -> None:
    """Every line as it would be made now. Raises Changed where one costs another fee, BatchFaulty,
    MoneyOwed and InsufficientBalance."""
    kept = lines_of(work, row)
    lines = [read_back(each, row.currency) for each in kept]
    now = await check(work, row.maker_id, ways, lines, row.currency)
    if now.faults:
        raise BatchFaulty(now.faults)
    if [line["fee"] for line in now.lines] != [line["fee"] for line in kept]:
        raise Changed


def read_back(kept: dict[str, Any], currency: str) -> sheet.Line:
    to = Destination(method_type=kept["method_type"], details=kept["details"], label=kept["label"])
    return sheet.Line(kept["at"], to, Money(kept["gross"], currency), kept["note"])


async def drop(work: Work, maker: UUID, batch_id: UUID) -> Batch:
    """The maker's own, which nobody was asked to approve yet. Raises NotFound, NotPending."""
    row = await alone(work, batch_id)
    if row.maker_id != maker:
        raise NotFound("batch")
    if not await move(work, batch_id, "draft", "canceled", ended_at=work.now, lines_sealed=None):
        raise NotPending(row.state)
    await jobs.finish(work, batch_id, EXPIRES)
    return await shown(work, batch_id)


async def _checked(
    work: Work, maker: UUID, read: sheet.Sheet, ways: Collection[str], currency: str
) -> Checked:
    """What cannot be read and what may not be paid, together."""
    found = await check(work, maker, ways, read.lines, currency) if not read.faults else None
    if found is not None and not found.faults:
        return found
    faults = list(read.faults)
    if found is not None:
        faults += found.faults
    elif read.lines:
        faults += await _of_the_others(work, maker, read, ways, currency)
    raise BatchFaulty(tuple(sorted(faults, key=lambda fault: fault.line)))


async def _of_the_others(
    work: Work, maker: UUID, read: sheet.Sheet, ways: Collection[str], currency: str
) -> tuple[Faulty, ...]:
    """Of the lines that can be read, so that all faults are told at once."""
    try:
        return (await check(work, maker, ways, read.lines, currency)).faults
    except InsufficientBalance:
        return ()


async def _row(work: Work, maker: UUID, batch_id: UUID, name: str) -> dict[str, Any]:
    visible = "".join(sign for sign in name if sign.isprintable()).strip()
    return {
        "tenant_id": work.tenant,
        "id": batch_id,
        "maker_id": maker,
        "name": without_numbers(visible)[:_MOST_NAME] or "-",
        "currency": (await people.tenant_of(work)).currency,
        "count": 0,
        "amount": 0,
        "fee": 0,
        "sums": [],
        "warnings": {},
        "new_destinations": False,
        "state": "taken",
        "created_at": work.now,
    }
