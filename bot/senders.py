"""Senders: the conversation of each, found or made, and whether somebody else may be behind it now."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.whatsapp.incoming import Event
from services.ids import new_id
from services.people.changes import distrust
from services.safety.vault import Vault
from services.store.database import padded
from services.store.schema import conversations, people
from services.store.scope import within
from services.work import Via, Work

# Tenant, phone, business-scoped user id, and the hash of the account's keys.
Sender = tuple[UUID, str | None, str | None, str | None]
_KEY = "conversations.key"
# What was begun in a chat is shown to nobody else.
_NOWHERE: dict[str, object] = {"place_sealed": None}


class Senders:
    """Finds or makes the conversation of each sender, within one transaction."""

    def __init__(self, connection: AsyncConnection, vault: Vault, now: datetime) -> None:
        self._connection, self._vault, self._now = connection, vault, now
        self.moved = False  # a user id has gone from one conversation to another

    async def resolve(self, people: Mapping[Sender, Event]) -> dict[Sender, UUID]:
        """{sender: an event of theirs} -> {sender: conversation id}."""
        if not people:
            return {}
        found = await self._find(people)
        chats = {}
        for sender in sorted(people, key=str):
            tenant, phone, user_id, _ = sender
            by_phone = self._known(found, tenant, "phone", phone)
            by_user = self._known(found, tenant, "user_id", user_id)
            chat = by_phone or by_user or await self._make(tenant, phone, user_id, people[sender].name)
            if by_phone != by_user and chat in (by_phone, by_user):
                await self._link(tenant, chat, phone, user_id, by_user)
            await self._know_key(tenant, chat, people[sender])
            chats[sender] = chat
            for column, value in (("phone", phone), ("user_id", user_id)):
                if value:
                    found[tenant, self._index(tenant, column, value)] = chat
        return chats

    async def _find(self, senders: Iterable[Sender]) -> dict[tuple[UUID, bytes | None], UUID]:
        phones = [i for t, p, *_ in senders for i in self._indexes(t, "phone", p)]
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
        values = self._identity(tenant, chat, phone, user_id)
        if await self._distrust_if_another(tenant, chat, phone, user_id):
            values |= _NOWHERE
        if values:
            await self._connection.execute(
                sa.update(conversations).where(table.tenant_id == tenant, table.id == chat).values(**values)
            )

    async def _distrust_if_another(
        self, tenant: UUID, chat: UUID, phone: str | None, user_id: str | None
    ) -> bool:
        """A known phone with another user id, or the reverse: somebody else may have it now."""
        table = conversations.c
        query = (
            sa.select(table.person_id, table.phone_index, table.user_id_index)
            .where(table.tenant_id == tenant, table.id == chat)
            .with_for_update(key_share=True)  # before anything of theirs, as a turn does
        )
        known = (await self._connection.execute(query)).one()
        told = ((known.phone_index, "phone", phone), (known.user_id_index, "user_id", user_id))
        another = any(
            index and value and index not in self._indexes(tenant, name, value) for index, name, value in told
        )
        if another:
            await self._distrust(tenant, chat, known.person_id)
        return another

    async def _distrust(self, tenant: UUID, chat: UUID, person: UUID) -> None:
        async with within(self._connection, tenant):
            await distrust(
                Work(self._connection, self._vault, tenant, self._now, Via("chat", str(chat))), person
            )

    async def _know_key(self, tenant: UUID, chat: UUID, event: Event) -> None:
        """Another key than before is of another phone, and perhaps of another person. One that an older
        message tells, which comes late, is of before."""
        if event.key is None:
            return
        table, told_at = conversations.c, min(event.happened_at or self._now, self._now)
        one = (table.tenant_id == tenant, table.id == chat)
        query = sa.select(table.person_id, table.key_index, table.key_told_at).where(*one)
        known = (await self._connection.execute(query)).one()
        mark, same = self._vault.mark(event.key, tenant, _KEY), False
        if known.key_index is not None:
            same = self._vault.is_marked(known.key_index, event.key, tenant, _KEY)
        if same and known.key_index == mark:
            return
        if known.key_told_at is not None and told_at < known.key_told_at:
            return
        another = known.key_index is not None and not same
        values = {"key_index": mark, "key_told_at": told_at}
        knowing = (
            sa.update(conversations)
            .where(*one, table.key_index.is_not_distinct_from(known.key_index))
            .values(values | (_NOWHERE if another else {}))
        )
        told = (await self._connection.execute(knowing)).rowcount == 1  # else by another process
        if told and another:
            await self._distrust(tenant, chat, known.person_id)
