"""Statuses: what became of sent messages. They only ever move forward."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.whatsapp.statuses import advance
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database, padded
from services.store.schema import inbox, outbox

log = structlog.get_logger()

_BATCH = 200
_POLL_SECONDS = 2.0


class Statuses:
    def __init__(self, database: Database, vault: Vault, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._bell, self._clock = database, vault, bell, clock

    async def run(self) -> None:
        while True:
            try:
                busy = await self.once()
            except Exception:  # the edge: a worker outlives its database
                log.exception("statuses.failed")
                busy = False
            if not busy:
                await asyncio.sleep(0.05)  # they come in threes: take them together
                await self._bell.wait("statuses", _POLL_SECONDS)

    async def once(self) -> bool:
        query = (
            sa.select(inbox)
            .where(
                inbox.c.state == "waiting",
                inbox.c.conversation_id.is_(None),
                inbox.c.kind.in_(("status", "payment_status")),
            )
            .order_by(inbox.c.kind, inbox.c.seq)
            .limit(_BATCH)
        )
        if self._database.is_postgres:
            query = query.with_for_update(skip_locked=True)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(query)).all()
            if not rows:
                return False
            messages = [self._read(row) for row in rows if row.kind == "status"]
            await self._advance(connection, [message for message in messages if message is not None])
            await connection.execute(
                sa.update(inbox)
                .where(inbox.c.seq.in_(padded([row.seq for row in rows])))
                .values(state="done")
            )
        self._bell.ring("outbox")  # an unknown send may be settled
        return True

    def _read(self, row: Any) -> tuple[UUID, str, str, int | None, str | None] | None:
        """(tenant, wamid, status, our number, reason of a failure)."""
        name = f"{row.kind}|{row.external_id}|{row.status}"
        status = json.loads(self._vault.open(row.body_sealed, row.tenant_id, "inbox.body", name)).get(
            "status"
        )
        if not isinstance(status, dict):
            return None
        opaque = str(status.get("biz_opaque_callback_data", ""))
        errors = status.get("errors")
        reason = json.dumps(errors)[:2000] if errors else None
        ours = int(opaque) if opaque.isascii() and opaque.isdigit() and len(opaque) < 19 else None  # noqa: PLR2004  a 64-bit number
        return row.tenant_id, row.external_id, row.status, ours, reason

    async def _advance(
        self, connection: AsyncConnection, heard: list[tuple[UUID, str, str, int | None, str | None]]
    ) -> None:
        if not heard:
            return
        query = sa.select(outbox.c.seq, outbox.c.tenant_id, outbox.c.wamid, outbox.c.state).where(
            sa.or_(
                outbox.c.wamid.in_(padded([wamid for _, wamid, *_ in heard])),
                outbox.c.seq.in_(padded([ours for *_, ours, _ in heard if ours] or [0])),
            )
        )
        if self._database.is_postgres:
            query = query.order_by(outbox.c.seq).with_for_update()
        rows = (await connection.execute(query)).all()
        by_wamid = {(row.tenant_id, row.wamid): row.seq for row in rows}
        by_seq = {(row.tenant_id, row.seq): row.seq for row in rows}
        states = {row.seq: row.state for row in rows}
        changed: dict[int, dict[str, object]] = {}
        for tenant, wamid, status, ours, reason in heard:
            seq = by_wamid.get((tenant, wamid)) or by_seq.get((tenant, ours or 0))
            if seq is None:
                continue
            state = advance(states[seq], status)
            if state is not None:
                states[seq] = state
                changed[seq] = {"b_seq": seq, "state": state, "wamid": wamid, "error": reason}
        if changed:
            await connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq == sa.bindparam("b_seq"))
                .values(
                    state=sa.bindparam("state"), wamid=sa.bindparam("wamid"), error=sa.bindparam("error")
                ),
                [changed[seq] for seq in sorted(changed)],
            )
