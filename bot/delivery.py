"""Delivery: the outbox, sent to WhatsApp in each person's order.

A message is marked as sending in a commit before its first byte leaves. Only the oldest open message of
a conversation is ever on its way. A send of unknown outcome waits for a status that carries our number
back (`biz_opaque_callback_data`), and is sent again when none has come.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from bot.whatsapp import outgoing
from bot.whatsapp.client import NotSent, Refused, Sent, WhatsApp
from bot.whatsapp.errors import Verdict
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database, padded
from services.store.grouping import GroupCommit
from services.store.schema import OPEN_OUTBOX, conversations, outbox

log = structlog.get_logger()

_BATCH = 100
_POLL_SECONDS = 1.0
_LEASE = timedelta(seconds=45)  # longer than a send may take
_UNKNOWN_WAITS = timedelta(seconds=30)
_MOST_TRIES = 8
_WINDOW_CLOSED = "131047"


@dataclass(frozen=True)
class Message:
    seq: int
    tenant_id: UUID
    conversation_id: UUID
    body: str
    tries: int
    phone_sealed: bytes | None
    user_id_sealed: bytes | None


class Delivery:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        whatsapp: WhatsApp,
        bell: Bell,
        clock: Callable[[], datetime],
        *,
        abreast: int = 100,
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._whatsapp, self._bell, self._clock = whatsapp, bell, clock
        self._abreast = asyncio.Semaphore(abreast)
        self._marks = GroupCommit(self._mark)
        self._sending: set[asyncio.Task[None]] = set()
        self._paused: dict[UUID, datetime] = {}  # tenants whose number must rest

    async def run(self) -> None:
        while True:
            try:
                claimed = await self.claim()
            except Exception:  # the edge: a worker outlives its database
                log.exception("delivery.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            for message in claimed:
                await self._abreast.acquire()
                task = asyncio.create_task(self._send(message))
                self._sending.add(task)
                task.add_done_callback(self._sent)
            if not claimed and not await self._reopen():
                await self._bell.wait("outbox", _POLL_SECONDS)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._abreast.release()
        self._sending.discard(task)

    async def drain(self) -> None:
        """What was claimed is finished."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _reopen(self) -> bool:
        """What was held for a closed window goes out once the person has written again."""
        spoke = sa.exists().where(
            conversations.c.tenant_id == outbox.c.tenant_id,
            conversations.c.id == outbox.c.conversation_id,
            conversations.c.heard_at > outbox.c.due_at,
        )
        held = (outbox.c.state == "held", outbox.c.error.startswith(_WINDOW_CLOSED))
        async with self._database.reading() as connection:
            found = await connection.scalar(sa.select(outbox.c.seq).where(*held, spoke).limit(1))
        if found is None:
            return False
        async with self._database.transaction() as connection:
            await connection.execute(
                sa.update(outbox).where(*held, spoke).values(state="waiting", due_at=self._clock())
            )
        return True

    async def claim(self) -> list[Message]:
        """The due heads of the conversations, marked as sending."""
        now = self._clock()
        resting = [tenant for tenant, until in self._paused.items() if until > now]
        one = outbox.alias("one")
        before = outbox.alias("before")
        head = ~sa.exists().where(
            before.c.conversation_id == one.c.conversation_id,
            before.c.seq < one.c.seq,
            before.c.state.in_(("waiting", "sending", "unknown")),
        )
        due = (
            sa.select(one.c.seq)
            .where(one.c.state.in_(("waiting", "sending", "unknown")), one.c.due_at <= now, head)
            .order_by(one.c.seq)
            .limit(_BATCH)
        )
        if resting:
            due = due.where(one.c.tenant_id.not_in(padded(resting)))
        if self._database.is_postgres:
            due = due.with_for_update(of=one, skip_locked=True)
        mark = (
            sa.update(outbox)
            .where(outbox.c.seq.in_(due.scalar_subquery()), OPEN_OUTBOX)
            .values(state="sending", tries=outbox.c.tries + 1, due_at=now + _LEASE)
            .returning(
                outbox.c.seq,
                outbox.c.tenant_id,
                outbox.c.conversation_id,
                outbox.c.body,
                outbox.c.tries,
            )
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(mark)).all()
            if not rows:
                return []
            chat = conversations.c
            who = await connection.execute(
                sa.select(chat.id, chat.phone_sealed, chat.user_id_sealed).where(
                    chat.tenant_id.in_(padded({row[1] for row in rows})),
                    chat.id.in_(padded([row[2] for row in rows])),
                )
            )
            addresses = {row[0]: (row[1], row[2]) for row in who}
        return [
            Message(row[0], row[1], row[2], row[3], row[4], *addresses[row[2]])
            for row in sorted(rows, key=lambda row: row[0])
        ]

    async def _send(self, message: Message) -> None:
        tenant = await self._tenants.by_id(message.tenant_id)
        if tenant.phone_number_id is None or tenant.access_token is None:
            await self._put(message, state="held", error="the tenant has no WhatsApp number or token")
            return
        where = (message.tenant_id, str(message.conversation_id))
        body = outgoing.addressed(
            json.loads(message.body),
            self._opened(message.phone_sealed, "conversations.phone", *where),
            self._opened(message.user_id_sealed, "conversations.user_id", *where),
            str(message.seq),
        )
        answer = await self._whatsapp.send(tenant.phone_number_id, tenant.access_token, body)
        match answer:
            case Sent(wamid=wamid):
                await self._put(message, state="sent", wamid=wamid)
            case NotSent(reason=reason):
                await self._again(message, reason)
            case Refused():
                await self._refused(message, answer)
            case _:
                # Perhaps sent: a status with our number settles it, else it is sent again.
                await self._put(message, state="unknown", error=answer.reason, wait=_UNKNOWN_WAITS)
        self._bell.ring("outbox")

    def _opened(self, sealed: bytes | None, column: str, tenant: UUID, row: str) -> str | None:
        return self._vault.open(sealed, tenant, column, row).decode() if sealed else None

    async def _refused(self, message: Message, answer: Refused) -> None:
        reason = f"{answer.code}: {answer.reason}"
        match answer.verdict:
            case Verdict.RETRY:
                await self._again(message, reason)
            case Verdict.PAUSE_PAIR:
                # Meta's own schedule for this recipient: 4^n seconds.
                await self._put(
                    message, state="waiting", error=reason, wait=timedelta(seconds=4 ** min(message.tries, 6))
                )
            case Verdict.PAUSE_NUMBER:
                self._paused[message.tenant_id] = self._clock() + timedelta(seconds=5)
                await self._put(message, state="waiting", error=reason, wait=timedelta(seconds=5))
            case Verdict.STOP_AND_ALERT:
                log.error("delivery.stopped", tenant_id=str(message.tenant_id), reason=reason)
                self._paused[message.tenant_id] = self._clock() + timedelta(minutes=1)
                await self._put(message, state="waiting", error=reason, wait=timedelta(minutes=1))
            case Verdict.WINDOW_CLOSED:
                log.warning("delivery.window_closed", seq=message.seq)
                await self._put(message, state="held", error=reason)
            case _:
                log.warning("delivery.given_up", seq=message.seq, reason=reason)
                await self._put(message, state="failed", error=reason)

    async def _again(self, message: Message, reason: str) -> None:
        if message.tries >= _MOST_TRIES:
            log.error("delivery.given_up", seq=message.seq, reason=reason)
            await self._put(message, state="failed", error=reason)
            return
        await self._put(message, state="waiting", error=reason, wait=timedelta(seconds=2**message.tries))

    async def _put(
        self,
        message: Message,
        *,
        state: str,
        wamid: str | None = None,
        error: str | None = None,
        wait: timedelta = timedelta(0),
    ) -> None:
        row = {
            "b_seq": message.seq,
            "state": state,
            "wamid": wamid,
            "error": error,
            "due_at": self._clock() + wait,
        }
        await self._marks.put([row])

    async def _mark(self, rows: Sequence[dict[str, object]]) -> None:
        """Only what is still sending: a status may have come before the answer."""
        async with self._database.transaction() as connection:
            await connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq == sa.bindparam("b_seq"), outbox.c.state == "sending")
                .values(
                    state=sa.bindparam("state"),
                    wamid=sa.func.coalesce(sa.bindparam("wamid", type_=sa.Text), outbox.c.wamid),
                    error=sa.bindparam("error"),
                    due_at=sa.bindparam("due_at"),
                ),
                sorted(rows, key=lambda row: row["b_seq"]),  # type: ignore[arg-type,return-value]
            )
