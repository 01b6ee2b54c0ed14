"""A chat: what it takes to play one event of one conversation.

Opens the person's place, lets the flows hear the event, and seals what they leave: the new place, and
messages for the outbox, worded in the person's language and shaped for WhatsApp.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.whatsapp import heard, outgoing
from flows.conversation import Conversation, Script
from flows.reply import Heard, Reply
from flows.text import Text
from services.facts import Me, Shop
from services.news import read_news
from services.people.access import granted
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.database import padded
from services.store.schema import conversations, people, staff
from services.teller import Teller
from services.work import Work

if TYPE_CHECKING:
    from bot.claims import Waiting


class NeedsTransaction(Exception):
    """The turn asks something of the services: it is played again with a connection."""


class Aside:
    """A teller without a database: knows who speaks, and stops the turn at every other verb."""

    def __init__(self, me: Me, shop: Shop, now: datetime) -> None:
        self.me, self.shop, self.now = me, shop, now

    def __getattr__(self, verb: str) -> NoReturn:
        raise NeedsTransaction(verb)


@dataclass(frozen=True)
class Person:
    """A conversation's head: who speaks, and where they stand."""

    tenant_id: UUID
    conversation_id: UUID
    person_id: UUID
    name: str | None
    language: str | None
    scopes: frozenset[str]
    phone_sealed: bytes | None
    place_sealed: bytes | None
    heard_at: datetime | None


@dataclass(frozen=True)
class Played:
    person: Person
    place: dict[str, object] | None
    messages: list[dict[str, object]]


async def chats_of(connection: AsyncConnection, ids: Iterable[tuple[UUID, UUID]]) -> dict[UUID, Person]:
    listed = list(ids)
    if not listed:
        return {}
    chat = conversations.c
    query = (
        sa.select(
            chat.tenant_id,
            chat.id,
            chat.person_id,
            people.c.name,
            people.c.language,
            staff.c.role,
            staff.c.scopes,
            staff.c.active,
            chat.phone_sealed,
            chat.place_sealed,
            chat.heard_at,
        )
        .join(people, sa.and_(people.c.tenant_id == chat.tenant_id, people.c.id == chat.person_id))
        .outerjoin(staff, sa.and_(staff.c.tenant_id == chat.tenant_id, staff.c.person_id == chat.person_id))
        .where(
            chat.tenant_id.in_(padded({tenant for tenant, _ in listed})),
            chat.id.in_(padded([id_ for _, id_ in listed])),
        )
    )
    return {
        row[1]: Person(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            granted(row.role, row[6] or ()) if row.active else frozenset(),
            row.phone_sealed,
            row.place_sealed,
            row.heard_at,
        )
        for row in await connection.execute(query)
    }


class Chat:
    def __init__(
        self, script: Script, vault: Vault, tenants: TenantBook, clock: Callable[[], datetime]
    ) -> None:
        self._script, self._vault, self._tenants, self._clock = script, vault, tenants, clock

    async def play(self, person: Person, event: "Waiting", connection: AsyncConnection | None) -> Played:
        """One event. Without a connection raises NeedsTransaction at the first verb of the teller."""
        now = self._clock()
        what = self._hear(event)
        if what is None:  # a reaction, say: heard, and answered by silence
            return Played(person, None, [])
        tenant = await self._tenants.by_id(person.tenant_id)
        me, shop = self._me(person, tenant.language), tenant.shop
        if connection is None:
            teller = cast("Teller", Aside(me, shop, now))
        else:
            work = Work(connection, self._vault, person.tenant_id, now)
            teller = Teller(work, shop, me, person.conversation_id)
        conversation = Conversation(self._script, self._place(person), teller, lambda: secrets.token_hex(8))
        replies = await conversation.hear(what)
        after = replace(
            person,
            language=teller.me.language,
            place_sealed=self._vault.seal(
                conversation.place, person.tenant_id, "conversations.place", str(person.conversation_id)
            ),
            heard_at=now if event.kind == "message" else person.heard_at,
        )
        return Played(after, _place_row(after), self._messages(after, replies, tenant.shop, now))

    def apology(self, person: Any, now: datetime) -> list[dict[str, object]]:
        """What a person hears whose event was parked after it failed again and again."""
        words = Text(
            "Sorry, something went wrong on our side, and we have been told. Please try again later."
        )
        return self._messages(person, [Reply(text=words)], None, now)

    def _hear(self, event: "Waiting") -> Heard | None:
        body = self._vault.open(event.body_sealed, event.tenant_id, "inbox.body", event.row)
        return read_news.validate_json(body) if event.kind == "news" else heard.hear(body)

    def _me(self, person: Person, language: str) -> Me:
        phone = person.phone_sealed and self._vault.open(
            person.phone_sealed, person.tenant_id, "conversations.phone", str(person.conversation_id)
        )
        return Me(
            person_id=person.person_id,
            name=person.name,
            language=person.language or language,
            phone=phone.decode() if phone else None,
            scopes=person.scopes,
        )

    def _place(self, person: Person) -> bytes | None:
        return person.place_sealed and self._vault.open(
            person.place_sealed, person.tenant_id, "conversations.place", str(person.conversation_id)
        )

    def _messages(
        self, person: Person, replies: Iterable[Reply], shop: Shop | None, now: datetime
    ) -> list[dict[str, object]]:
        language = person.language or "en"
        timezone = shop.timezone if shop else "UTC"
        return [
            {
                "tenant_id": person.tenant_id,
                "conversation_id": person.conversation_id,
                "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
                "state": "waiting",
                "due_at": now,
                "created_at": now,
            }
            for reply in replies
            for body in outgoing.bodies(reply, language, timezone)
        ]


def _place_row(person: Person) -> dict[str, object]:
    return {
        "b_tenant": person.tenant_id,
        "b_id": person.conversation_id,
        "place_sealed": person.place_sealed,
        "heard_at": person.heard_at,
    }
