"""Intake: every event that WhatsApp tells, stored once before the 200.

Concurrent requests share a commit. Each sender is resolved to a conversation here, so that a person
known by phone, by business-scoped user id or by both has one queue of events.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.whatsapp.incoming import Event
from services.ids import new_id
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database, padded
from services.store.grouping import GroupCommit
from services.store.schema import NOBODY, conversations, inbox, people

log = structlog.get_logger()

_TURNS = ("message",)
_STATUSES = ("status", "payment_status")


class Intake:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        bell: Bell,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._bell, self._clock = bell, clock
        self._last = clock()
        self._group = GroupCommit(self._write)

    async def store(self, events: Sequence[Event]) -> None:
        """Returns when all are committed."""
        if events:
            await self._group.put([(self._arrival(), event) for event in events])

    def _arrival(self) -> datetime:
        """Rising, so that events keep the order in which they came, whatever order they are written in."""
        self._last = max(self._clock(), self._last + timedelta(microseconds=1))
        return self._last

    async def _write(self, arrivals: Sequence[tuple[datetime, Event]]) -> None:
        tenants = {
            number: await self._tenants.id_of_number(number)
            for number in {event.phone_number_id for _, event in arrivals}
        }
        # In sorted order: two batches that insert the same ids in opposite order would deadlock.
        arrivals = sorted(arrivals, key=lambda a: (a[1].kind, a[1].external_id, a[1].status))
        async with self._database.transaction() as connection:
            senders = Senders(connection, self._vault, self._clock())
            chats = await senders.resolve(
                {
                    (tenant, event.phone, event.user_id, event.name)
                    for _, event in arrivals
                    if event.kind in _TURNS
                    and (tenant := tenants[event.phone_number_id]) is not None
                    and (event.phone or event.user_id)
                }
            )
            rows = [self._row(at, event, tenants[event.phone_number_id], chats) for at, event in arrivals]
            insert = postgresql.insert if self._database.is_postgres else sqlite.insert
            await connection.execute(insert(inbox).on_conflict_do_nothing(), rows)
        self._bell.ring("turns")
        if any(event.kind in _STATUSES for _, event in arrivals):
            self._bell.ring("statuses")

    def _row(
        self,
        at: datetime,
        event: Event,
        tenant: UUID | None,
        chats: "dict[tuple[UUID, str | None, str | None], UUID]",
    ) -> dict[str, object]:
        chat = chats.get((tenant, event.phone, event.user_id)) if tenant and event.kind in _TURNS else None
        waits = chat is not None or (tenant is not None and event.kind in _STATUSES)
        error = None if tenant else "no tenant has this phone_number_id"
        if error:
            log.warning("intake.unknown_number", phone_number_id=event.phone_number_id, kind=event.kind)
        owner = tenant or NOBODY
        row = f"{event.kind}|{event.external_id}|{event.status}"
        return {
            "tenant_id": owner,
            "kind": event.kind,
            "external_id": event.external_id,
            "status": event.status,
            "conversation_id": chat,
            "state": "waiting" if waits else "kept",
            "due_at": at,
            "received_at": at,
            "body_sealed": self._vault.seal(event.body, owner, "inbox.body", row),
            "error": error,
        }


class Senders:
    """Finds or makes the conversation of each sender, within one transaction."""

    def __init__(self, connection: AsyncConnection, vault: Vault, now: datetime) -> None:
        self._connection, self._vault, self._now = connection, vault, now

    async def resolve(
        self, senders: "set[tuple[UUID, str | None, str | None, str | None]]"
    ) -> "dict[tuple[UUID, str | None, str | None], UUID]":
        """(tenant, phone, user id, name) -> {(tenant, phone, user id): conversation id}."""
        if not senders:
            return {}
        found = await self._find(senders)
        chats = {}
        for tenant, phone, user_id, name in sorted(senders, key=str):
            by_phone = found.get((tenant, self._index(tenant, "phone", phone)))
            by_user = found.get((tenant, self._index(tenant, "user_id", user_id)))
            chat = by_phone or by_user or await self._make(tenant, phone, user_id, name)
            if by_phone != by_user and chat in (by_phone, by_user):
                await self._link(tenant, chat, phone, user_id, by_user)
            chats[tenant, phone, user_id] = chat
            for column, value in (("phone", phone), ("user_id", user_id)):
                if value:
                    found[tenant, self._index(tenant, column, value)] = chat
        return chats

    async def _find(
        self, senders: "set[tuple[UUID, str | None, str | None, str | None]]"
    ) -> "dict[tuple[UUID, bytes | None], UUID]":
        phones = [i for t, p, _, _ in senders for i in self._indexes(t, "phone", p)]
        users = [i for t, _, u, _ in senders for i in self._indexes(t, "user_id", u)]
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
            await self._connection.execute(
                sa.update(conversations)
                .where(table.tenant_id == tenant, table.id == by_user)
                .values(user_id_sealed=None, user_id_index=None)
            )
        values = self._identity(tenant, chat, phone, user_id)
        if values:
            await self._connection.execute(
                sa.update(conversations).where(table.tenant_id == tenant, table.id == chat).values(**values)
            )
