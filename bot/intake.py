"""Intake: every event that WhatsApp tells, stored once before the 200.

Concurrent requests share a commit. Each sender is resolved to a conversation here, so that a person
known by phone, by business-scoped user id or by both has one queue of events.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.pace import Pace
from bot.whatsapp.incoming import Event
from services.ids import new_id
from services.people.changes import distrust
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.bulk import BulkInsert, Row
from services.store.database import Database, padded
from services.store.grouping import GroupCommit
from services.store.schema import NOBODY, conversations, inbox, people
from services.work import Work

log = structlog.get_logger()

Sender = tuple[UUID, str | None, str | None]  # tenant, phone, business-scoped user id

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
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._bell, self._clock = bell, clock
        self._last = clock()
        self._known: dict[Sender, UUID] = {}  # conversations, the latest to be found last
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
        self._ring(arrivals)

    async def _commit(self, arrivals: Sequence[tuple[datetime, Event]]) -> None:
        """In one statement where every conversation is known."""
        numbers = {event.phone_number_id for _, event in arrivals}
        tenants = {number: await self._tenants.id_of_number(number) for number in numbers}
        senders = [_sender(event, tenants) for _, event in arrivals]
        names = {sender: event.name for sender, (_, event) in zip(senders, arrivals, strict=True) if sender}
        if names.keys() <= self._known.keys():
            async with self._database.driver() as driver:
                await _INSERT.alone(driver, self._rows(arrivals, senders, tenants, self._known))
            return
        async with self._database.transaction() as connection:
            resolving = Senders(connection, self._vault, self._clock())
            chats = await resolving.resolve(names)
            await _INSERT(connection, self._rows(arrivals, senders, tenants, chats))
        self._remember(chats, anew=resolving.moved)

    def _rows(
        self,
        arrivals: Sequence[tuple[datetime, Event]],
        senders: Sequence[Sender | None],
        tenants: Mapping[str | None, UUID | None],
        chats: Mapping[Sender, UUID],
    ) -> list[Row]:
        return [
            self._row(at, event, tenants[event.phone_number_id], None if sender is None else chats[sender])
            for sender, (at, event) in zip(senders, arrivals, strict=True)
        ]

    def _row(self, at: datetime, event: Event, tenant: UUID | None, chat: UUID | None) -> Row:
        waits = chat is not None or (tenant is not None and event.kind in _STATUSES)
        error = None if tenant else "no tenant has this phone_number_id"
        if error:
            log.warning("intake.unknown_number", phone_number_id=event.phone_number_id, kind=event.kind)
        owner = tenant or NOBODY
        name = f"{event.kind}|{event.external_id}|{event.status}"
        sealed = self._vault.seal(event.body, owner, "inbox.body", name)
        state = "waiting" if waits else "kept"
        return owner, event.kind, event.external_id, event.status, chat, state, at, at, sealed, error

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
    return tenant, event.phone, event.user_id


class Senders:
    """Finds or makes the conversation of each sender, within one transaction."""

    def __init__(self, connection: AsyncConnection, vault: Vault, now: datetime) -> None:
        self._connection, self._vault, self._now = connection, vault, now
        self.moved = False  # a user id has gone from one conversation to another

    async def resolve(self, people: Mapping[Sender, str | None]) -> dict[Sender, UUID]:
        """{(tenant, phone, user id): name} -> {(tenant, phone, user id): conversation id}."""
        if not people:
            return {}
        found = await self._find(people)
        chats = {}
        for (tenant, phone, user_id), name in sorted(people.items(), key=str):
            by_phone = self._known(found, tenant, "phone", phone)
            by_user = self._known(found, tenant, "user_id", user_id)
            chat = by_phone or by_user or await self._make(tenant, phone, user_id, name)
            if by_phone != by_user and chat in (by_phone, by_user):
                await self._link(tenant, chat, phone, user_id, by_user)
            chats[tenant, phone, user_id] = chat
            for column, value in (("phone", phone), ("user_id", user_id)):
                if value:
                    found[tenant, self._index(tenant, column, value)] = chat
        return chats

    async def _find(self, senders: Iterable[Sender]) -> dict[tuple[UUID, bytes | None], UUID]:
        phones = [i for t, p, _ in senders for i in self._indexes(t, "phone", p)]
        users = [i for t, _, u in senders for i in self._indexes(t, "user_id", u)]
        tenants = {tenant for tenant, *_ in senders}
        table = conversations.c
        query = sa.union_all(
            *(
                sa.select(table.tenant_id, column, table.id).where(
                    table.tenant_id.in_(padded(tenants)), column.in_(padded(values))
                )
                for column, values in ((table.phone_index, phones), (table.user_id_index, users))
                if values
            )
        )
        return {(row[0], row[1]): row[2] for row in await self._connection.execute(query)}

    def _known(
        self, found: Mapping[tuple[UUID, bytes | None], UUID], tenant: UUID, column: str, value: str | None
    ) -> UUID | None:
        """Whichever key it was indexed under: an older one, until all is under the first."""
        chats = (found.get((tenant, index)) for index in self._indexes(tenant, column, value))
        return next((chat for chat in chats if chat is not None), None)

    def _indexes(self, tenant: UUID, column: str, value: str | None) -> list[bytes]:
        return self._vault.indexes(value, tenant, f"conversations.{column}") if value else []

    def _index(self, tenant: UUID, column: str, value: str | None) -> bytes | None:
        return self._vault.index(value, tenant, f"conversations.{column}") if value else None

    def _identity(
        self, tenant: UUID, chat: UUID, phone: str | None, user_id: str | None
    ) -> dict[str, object]:
        values: dict[str, object] = {}
        for column, value in (("phone", phone), ("user_id", user_id)):
            if value:
                name = f"conversations.{column}"
                values[f"{column}_sealed"] = self._vault.seal(value.encode(), tenant, name, str(chat))
                values[f"{column}_index"] = self._vault.index(value, tenant, name)
        return values

    async def _make(self, tenant: UUID, phone: str | None, user_id: str | None, name: str | None) -> UUID:
        person, chat = new_id(), new_id()
        await self._connection.execute(
            sa.insert(people).values(tenant_id=tenant, id=person, name=name, created_at=self._now)
        )
        await self._connection.execute(
            sa.insert(conversations).values(
                tenant_id=tenant,
                id=chat,
                person_id=person,
                created_at=self._now,
                **self._identity(tenant, chat, phone, user_id),
            )
        )
        return chat

    async def _link(
        self, tenant: UUID, chat: UUID, phone: str | None, user_id: str | None, by_user: UUID | None
    ) -> None:
        """WhatsApp now tells both: the phone's conversation takes the user id over."""
        table = conversations.c
        if by_user not in (None, chat):
            self.moved = True
            await self._connection.execute(
                sa.update(conversations)
                .where(table.tenant_id == tenant, table.id == by_user)
                .values(user_id_index=None)  # its address stays: it may have a message to answer yet
            )
        await self._distrust_if_another(tenant, chat, phone, user_id)
        values = self._identity(tenant, chat, phone, user_id)
        if values:
            await self._connection.execute(
                sa.update(conversations).where(table.tenant_id == tenant, table.id == chat).values(**values)
            )

    async def _distrust_if_another(
        self, tenant: UUID, chat: UUID, phone: str | None, user_id: str | None
    ) -> None:
        """A known phone with another user id, or the reverse: somebody else may have it now."""
        table = conversations.c
        query = sa.select(table.person_id, table.phone_index, table.user_id_index).where(
            table.tenant_id == tenant, table.id == chat
        )
        known = (await self._connection.execute(query)).one()
        told = ((known.phone_index, "phone", phone), (known.user_id_index, "user_id", user_id))
        if any(
            index and value and index not in self._indexes(tenant, name, value) for index, name, value in told
        ):
            await distrust(Work(self._connection, self._vault, tenant, self._now), known.person_id)
