"""Intake: every event that WhatsApp tells, stored once before the 200.

Concurrent requests share a commit. Each sender is resolved to a conversation here, so that a person
known by phone, by business-scoped user id or by both has one queue of events.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bot import metrics
from bot.flood import Flood
from bot.pace import Pace
from bot.senders import Sender, Senders
from bot.whatsapp.incoming import Event
from services.people.tenants import TenantBook
from services.points import point
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.bulk import BulkInsert, Row
from services.store.database import Database
from services.store.grouping import GroupCommit
from services.store.schema import NOBODY, inbox
from services.store.scope import PLATFORM

log = structlog.get_logger()

_TURNS = ("message", "preference")
_STATUSES = ("status", "payment_status")
_COUNTED = frozenset((*_TURNS, *_STATUSES, "group_message", "errors", "unknown"))
_MOST_KNOWN = 20_000
_MOST_TOGETHER = 200  # events of several requests in one commit
_MICROSECOND = timedelta(microseconds=1)
_PATIENCE_SECONDS = 10.0  # then Meta is told to send it again
_INSERT = BulkInsert(
    inbox,
    "tenant_id",
    "kind",
    "external_id",
    "status",
    "conversation_id",
    "state",
    "due_at",
    "received_at",
    "body_sealed",
    "error",
    unless_there=True,
)


class Intake:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        bell: Bell,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        flood: Flood | None = None,
    ) -> None:
        self._flood = flood
        self._database, self._vault, self._tenants = database, vault, tenants
        self._bell, self._clock = bell, clock
        self._last = clock()
        self._known: dict[Sender, UUID] = {}  # conversations, the latest to be found last
        self._versions: dict[UUID, int | None] = {}  # of their tenants, as they were found
        self._group = GroupCommit(
            self._write,
            gather=not database.is_postgres,
            pace=None if pace is None else pace.keep,
            most=_MOST_TOGETHER,
        )

    async def store(self, events: Sequence[Event]) -> None:
        """Returns when all are committed; raises TimeoutError, or what the database raised."""
        if events:
            await self.submit(events)

    def submit(self, events: Sequence[Event]) -> "asyncio.Future[None]":
        """Done when all are committed."""
        return self._group.submit([(self._arrival(), event) for event in events])

    def _arrival(self) -> datetime:
        """Rising, so that events keep the order in which they came, whatever order they are written in."""
        self._last = max(self._clock(), self._last + _MICROSECOND)
        return self._last

    async def _write(self, arrivals: Sequence[tuple[datetime, Event]]) -> None:
        """Raises TimeoutError after a while, whatever the database's host does: a commit that hangs is left
        to itself, since even breaking it off may hang."""
        # In sorted order: two batches that insert the same ids in opposite order would deadlock.
        arrivals = sorted(arrivals, key=lambda a: (a[1].kind, a[1].external_id, a[1].status))
        commit = asyncio.create_task(self._commit(arrivals))
        await asyncio.wait({commit}, timeout=_PATIENCE_SECONDS)
        if not commit.done():
            commit.cancel()
            raise TimeoutError
        commit.result()
        point("intake.stored")
        first = min(at for at, _ in arrivals)
        metrics.intake_seconds.observe(max(0.0, (self._clock() - first).total_seconds()))
        self._ring(arrivals)

    async def _commit(self, arrivals: Sequence[tuple[datetime, Event]]) -> None:
        """In one statement where every conversation is known."""
        numbers = {event.phone_number_id for _, event in arrivals}
        tenants = {number: await self._tenants.id_of_number(number) for number in numbers}
        self._forget_changed({tenant for tenant in tenants.values() if tenant is not None})
        senders = [_sender(event, tenants) for _, event in arrivals]
        marks = [
            await self._marked(event, sender) for (_, event), sender in zip(arrivals, senders, strict=True)
        ]
        first = {sender: event for sender, (_, event) in zip(senders, arrivals, strict=True) if sender}
        if first.keys() <= self._known.keys():
            async with self._database.driver() as driver:
                await _INSERT.alone(driver, self._rows(arrivals, senders, marks, tenants, self._known))
            return
        async with self._database.transaction(PLATFORM) as connection:
            resolving = Senders(connection, self._vault, self._clock())
            chats = await resolving.resolve(first)
            await _INSERT(connection, self._rows(arrivals, senders, marks, tenants, chats))
        self._remember(chats, anew=resolving.moved)

    def _rows(
        self,
        arrivals: Sequence[tuple[datetime, Event]],
        senders: Sequence[Sender | None],
        marks: Sequence[str | None],
        tenants: Mapping[str | None, UUID | None],
        chats: Mapping[Sender, UUID],
    ) -> list[Row]:
        return [
            self._row(at, event, tenants[event.phone_number_id], sender and chats[sender], mark)
            for sender, mark, (at, event) in zip(senders, marks, arrivals, strict=True)
        ]

    async def _marked(self, event: Event, sender: Sender | None) -> str | None:
        """Of a message that comes too fast; outside any transaction, since others may have to be asked."""
        if self._flood is None or sender is None or event.kind != "message":
            return None
        return await self._flood.mark(sender)

    def _row(
        self, at: datetime, event: Event, tenant: UUID | None, chat: UUID | None, mark: str | None
    ) -> Row:
        waits = chat is not None or (tenant is not None and event.kind in _STATUSES)
        error = mark if tenant else "no tenant has this phone_number_id"
        if tenant is None:
            log.warning("intake.unknown_number", phone_number_id=event.phone_number_id, kind=event.kind)
        owner = tenant or NOBODY
        name = f"{event.kind}|{event.external_id}|{event.status}"
        sealed = self._vault.seal(event.body, owner, "inbox.body", name)
        state = "waiting" if waits else "kept"
        return owner, event.kind, event.external_id, event.status, chat, state, at, at, sealed, error

    def _forget_changed(self, tenants: Iterable[UUID]) -> None:
        """Who was erased there is nobody's conversation any more (see services/privacy/detach.py)."""
        for tenant in tenants:
            version = self._tenants.version_of(tenant)
            if self._versions.get(tenant) != version:
                self._known = {sender: chat for sender, chat in self._known.items() if sender[0] != tenant}
                self._versions[tenant] = version

    def _remember(self, chats: Mapping[Sender, UUID], *, anew: bool) -> None:
        """Where another process has moved a user id since, the old conversation still reaches its person,
        so an entry of before does no harm."""
        if anew:
            self._known.clear()
        self._known.update(chats)
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _ring(self, arrivals: Sequence[tuple[datetime, Event]]) -> None:
        self._bell.ring("turns")
        if any(event.kind in _STATUSES for _, event in arrivals):
            self._bell.ring("statuses")
        for kind, many in Counter(event.kind for _, event in arrivals).items():
            metrics.events.labels(kind if kind in _COUNTED else "other").inc(many)


def _sender(event: Event, tenants: Mapping[str | None, UUID | None]) -> Sender | None:
    """Who wants a turn; None for what is only stored."""
    tenant = tenants[event.phone_number_id]
    if tenant is None or event.kind not in _TURNS or not (event.phone or event.user_id):
        return None
    return tenant, event.phone, event.user_id, event.key
