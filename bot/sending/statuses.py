"""Statuses: what became of sent messages. They only ever move forward."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.jsons import loads
from bot.log import redacted
from bot.sending.held import shut
from bot.stopping import unbroken
from bot.whatsapp.errors import WINDOW_CLOSED
from bot.whatsapp.prices import CATEGORIES, TYPES, Price, price_of
from bot.whatsapp.statuses import advance
from services.costs import messages
from services.safety.vault import Unopenable, Vault
from services.store.bell import Bell
from services.store.bulk import BulkUpdate
from services.store.database import Database
from services.store.hot import Hot, among
from services.store.schema import inbox, outbox, waits_aside
from services.store.scope import PLATFORM

log = structlog.get_logger()

_BATCH = 200
_POLL_SECONDS = 2.0
_MOST_TRIES = 12
_OPEN = ("waiting", "sending", "unknown")
_MOST_DIGITS = 18  # of a 64-bit number
_told = outbox.alias("told")
_WAITING = (
    sa.select(inbox)
    .where(waits_aside(inbox), inbox.c.kind.in_(("status", "payment_status")))
    .order_by(inbox.c.kind, inbox.c.seq)
    .limit(_BATCH)
)
# Two walks along an index each: by an OR of them PostgreSQL would read the whole outbox.
_told_of = sa.union(
    sa.select(_told.c.seq).where(among(_told.c.wamid, "wamids")),
    sa.select(_told.c.seq).where(among(_told.c.seq, "seqs")),
)
_TOLD = (
    sa.select(
        outbox.c.seq,
        outbox.c.tenant_id,
        outbox.c.wamid,
        outbox.c.state,
        outbox.c.error,
        outbox.c.price_category,
        outbox.c.price_type,
        outbox.c.price_country,
        outbox.c.tries,
        outbox.c.conversation_id,
        outbox.c.due_at,
        sa.func.length(outbox.c.body_sealed) == 0,
    )
    .where(outbox.c.seq.in_(_told_of))
    .order_by(outbox.c.seq)
)
_MESSAGES = Hot(_TOLD, postgres=_TOLD.with_for_update(of=outbox))
_DONE = Hot(sa.update(inbox).where(among(inbox.c.seq, "seqs")).values(state="done"))
_PARKED = BulkUpdate(inbox, ["seq"], ["state", "error"])
_ADVANCED = BulkUpdate(
    outbox, ["seq"], ["state", "wamid", "error", "price_category", "price_type", "price_country"]
)


@dataclass(frozen=True, slots=True)
class Status:
    """`ours`: the number of the message in our outbox; `reason`: of a failure. `closed`: the failure is that
    the person has not written for a day, so that it passes another way. `price`: what it is charged as."""

    tenant_id: UUID
    wamid: str
    word: str
    ours: int | None
    reason: str | None
    closed: bool
    price: Price | None


@dataclass(slots=True)
class _Told:
    """A message of ours, as it is after the statuses that were heard; in the order of its columns."""

    seq: int
    tenant_id: UUID
    wamid: str | None
    state: str
    error: str | None
    price_category: str | None
    price_type: str | None
    price_country: str | None
    tries: int
    conversation_id: UUID
    due_at: datetime  # where it was accepted: when
    forgotten: bool  # what it was and whom it was for is erased
    closed: bool = False  # it passes another way, or is held until the person writes

    def hear(self, status: Status) -> bool:
        """Whether it changed. The price is what was told first, whatever became of the message."""
        if self.wamid == status.wamid and self.state in _OPEN:
            return False  # of a try that is over: the window was closed
        # The id of a message has the number of its recipient inside.
        state = None if self.forgotten else advance(self.state, status.word)
        if state is not None:
            self.closed = state == "failed" and status.closed and self.tries < _MOST_TRIES
            self.state, self.wamid, self.error = state, status.wamid, status.reason
            if self.closed:
                self.state = "waiting"
        priced = status.price is not None and self.price_category is None
        if status.price is not None and priced:
            self.price_category, self.price_type, self.price_country = status.price
        return priced or state is not None

    @property
    def price(self) -> Price | None:
        if self.price_category is None:
            return None
        return Price(self.price_category, self.price_type or "", self.price_country or "")


class Statuses:
    def __init__(self, database: Database, vault: Vault, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._bell, self._clock = database, vault, bell, clock

    async def run(self) -> None:
        while True:
            try:
                busy = await unbroken(self.once())
            except Exception:  # the edge: a worker outlives its database
                log.exception("statuses.failed")
                busy = False
            if not busy:
                await asyncio.sleep(0.05)  # they come in threes: take them together
                await self._bell.wait("statuses", _POLL_SECONDS)

    async def once(self) -> bool:
        async with self._database.reading(PLATFORM) as connection:  # which keeps no writer waiting
            if (await connection.execute(_WAITING.limit(1))).first() is None:
                return False
        async with self._database.transaction(PLATFORM) as connection:
            locked = _WAITING.with_for_update(skip_locked=True) if self._database.is_postgres else _WAITING
            rows = (await connection.execute(locked)).all()
            if not rows:
                return False
            heard, unreadable = self._read_all(rows)
            priced = await _advance(connection, heard, self._clock())
            rates = await messages.rates(connection) if priced else []
            await _DONE(connection, seqs=[row.seq for row in rows])
            await _PARKED(connection, unreadable)
        _count(priced, rates, self._clock())
        self._bell.ring("outbox")  # an unknown send may be settled
        return True

    def _read_all(self, rows: Sequence[Any]) -> tuple[list[Status], list[tuple[Any, ...]]]:
        """One that cannot be read is parked, and costs none of the others."""
        heard, unreadable = [], []
        for row in rows:
            try:
                status = self._read(row)
            except (Unopenable, ValueError) as error:
                log.exception("status.parked", seq=row.seq)
                unreadable.append((row.seq, "parked", f"unreadable: {type(error).__name__}"))
            else:
                heard += [status] if status is not None and row.kind == "status" else []
        return heard, unreadable

    def _read(self, row: Any) -> Status | None:
        name = f"{row.kind}|{row.external_id}|{row.status}"
        body = loads(self._vault.open(row.body_sealed, row.tenant_id, "inbox.body", name))
        status = body.get("status")
        if not isinstance(status, dict):
            return None
        opaque = str(status.get("biz_opaque_callback_data", ""))
        numbered = opaque.isascii() and opaque.isdigit() and len(opaque) <= _MOST_DIGITS
        errors = status.get("errors")
        closed = _code(errors) == WINDOW_CLOSED
        reason = redacted(json.dumps(errors))[:2000] if errors else None
        if closed:
            reason = f"{WINDOW_CLOSED}: {reason}"
        ours = int(opaque) if numbered else None
        return Status(row.tenant_id, row.external_id, row.status, ours, reason, closed, price_of(status))


def _code(errors: Any) -> int | None:
    match errors:
        case [{"code": int(code)}, *_]:
            return code
    return None


async def _advance(
    connection: AsyncConnection, heard: Sequence[Status], now: datetime
) -> list[tuple[UUID, Price]]:
    """The prices that were told for the first time, each with the tenant."""
    if not heard:
        return []
    rows = await _MESSAGES(
        connection,
        wamids=[status.wamid for status in heard],
        seqs=[status.ours for status in heard if status.ours],
    )
    told = {row[0]: _Told(*row) for row in rows}
    unpriced = {seq for seq, message in told.items() if message.price is None}
    by_wamid = {(message.tenant_id, message.wamid): message for message in told.values()}
    by_seq = {(message.tenant_id, seq): message for seq, message in told.items()}
    changed = set()
    for status in heard:
        message = by_wamid.get((status.tenant_id, status.wamid)) or by_seq.get(
            (status.tenant_id, status.ours or 0)
        )
        if message is not None and message.hear(status):
            changed.add(message.seq)
    rows_changed = [told[seq] for seq in sorted(changed)]
    await _ADVANCED(
        connection,
        [
            (m.seq, m.state, m.wamid, m.error, m.price_category, m.price_type, m.price_country)
            for m in rows_changed
        ],
    )
    for message in rows_changed:
        if message.closed:
            await shut(connection, message.tenant_id, message.conversation_id, message.due_at, now)
    return [(m.tenant_id, m.price) for m in rows_changed if m.seq in unpriced and m.price is not None]


def _count(priced: Sequence[tuple[UUID, Price]], rates: Sequence[messages.Rate], at: datetime) -> None:
    for tenant, (category, type_, country) in priced:
        known = category if category in CATEGORIES else "other"
        metrics.priced.labels(known, type_ if type_ in TYPES else "other").inc()
        cost = messages.cost(rates, tenant, category, type_, country, at)
        if cost is None:
            metrics.messages_without_cost.labels(known).inc()
        elif cost.millionths:
            metrics.message_costs.labels(known, cost.currency).inc(cost.millionths / 1_000_000)
