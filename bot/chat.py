"""A chat: what it takes to play one event of one conversation.

Opens the person's place, lets the flows hear the event, and seals what they leave: the new place, and
messages for the outbox, worded in the person's language and shaped for WhatsApp.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import tracing
from bot.flood import BEGINS, GOES_ON
from bot.forms import InvalidToken, Tokens
from bot.jsons import dumps
from bot.talk import Outgoing, Person, Waiting
from bot.whatsapp import heard, outgoing, templates
from flows.conversation import Conversation, Script
from flows.reply import Filled, Heard, NewIdentity, Reply, Said, Tap
from flows.text import Text
from services.facts import Me, Shop
from services.news import read_news
from services.people.tenants import Tenant, TenantBook
from services.people.window import opened_at
from services.safety.vault import Vault
from services.store.schema import inbox
from services.teller import Teller
from services.work import Via, Work

_NO_ASKING = Tap("", "", "", "")
_OF_ONE_THING = ("w", "r")  # threads of a withdrawal, of a request


class NeedsTransaction(Exception):
    """The turn asks something of the services: it is played again with a connection."""

    expected = True  # a trace of it shows no failure


class Aside:
    """A teller without a database: knows who speaks, and stops the turn at every other verb."""

    def __init__(self, me: Me, shop: Shop, now: datetime) -> None:
        self.me, self.shop, self.now = me, shop, now

    def __getattr__(self, verb: str) -> NoReturn:
        raise NeedsTransaction(verb)


@dataclass(frozen=True)
class Played:
    """What a turn left: the person at the new place, and what is said. `moved`: the place is to be kept.
    `anew`: who they are, and what they may do, is to be read again before anything else is played.
    `unheard`: why it was not heard at all; an operator can have it played again."""

    person: Person
    messages: list[Outgoing]
    moved: bool = True
    anew: bool = False
    unheard: str | None = None


class Chat:
    def __init__(
        self,
        script: Script,
        vault: Vault,
        tenants: TenantBook,
        clock: Callable[[], datetime],
        forms: Tokens | None = None,
    ) -> None:
        """Without `forms` everything is asked in the chat."""
        self._script, self._vault, self._tenants, self._clock = script, vault, tenants, clock
        self._forms = forms

    async def play(
        self, person: Person, event: Waiting, connection: AsyncConnection | None, *, followed: bool = False
    ) -> Played:
        """One event; `followed` by more of the person's. Without a connection raises NeedsTransaction at the
        first verb of the teller."""
        about = event.about
        with structlog.contextvars.bound_contextvars(**about), tracing.span("turn", kind=event.kind, **about):
            return await self._played(person, event, connection, followed=followed)

    async def _played(
        self, person: Person, event: Waiting, connection: AsyncConnection | None, *, followed: bool
    ) -> Played:
        now = self._clock()
        what, written = self._hear(event)
        if what is None:  # a reaction, say: heard, and answered by silence
            return Played(person, [], moved=False)
        if event.flood in (BEGINS, GOES_ON) and not self._matters(what):
            told = await self._slow_down(person) if event.flood == BEGINS else []
            return Played(person, told, moved=False, unheard=event.flood)
        if isinstance(what, Filled):
            what = self._answering(what, person)
        tenant = await self._tenants.by_id(person.tenant_id)
        me, shop = self._me(person, tenant.language), tenant.shop
        if self._forms is None:
            shop = shop.model_copy(update={"forms": ()})
        if connection is None:
            teller = cast("Teller", Aside(me, shop, now))
        else:
            via = Via("chat", str(person.conversation_id))
            work = Work(connection, self._vault, person.tenant_id, now, via)
            teller = Teller(work, shop, me, person.conversation_id)
        conversation = Conversation(
            self._script, self._place(person), teller, lambda: secrets.token_hex(16), followed=followed
        )
        replies = await conversation.hear(what)
        if conversation.secret and connection is not None:
            await self._strike(connection, event)
        heard_at = person.heard_at
        if event.kind == "message" and not isinstance(what, NewIdentity):
            heard_at = opened_at(written, event.received_at, now, heard_at)
        after = replace(
            person,
            language=teller.me.language,
            place_sealed=self._vault.seal(
                conversation.place, person.tenant_id, "conversations.place", str(person.conversation_id)
            ),
            heard_at=heard_at,
        )
        messages = (
            self._told(after, replies, tenant, what)
            if event.kind == "news"
            else self._messages(after, replies, tenant, answering=event.kind == "message")
        )
        if event.kind == "message" and replies and replies[-1].waits:
            messages[-1] = replace(messages[-1], reads=event.external_id)
        return Played(after, messages, anew=isinstance(what, NewIdentity))

    async def _strike(self, connection: AsyncConnection, event: Waiting) -> None:
        """What was typed was a code: it has been used, and the stored message keeps nothing of it."""
        body = dumps({"message": {"type": "text", "text": {"body": "[code]"}}})
        sealed = self._vault.seal(body, event.tenant_id, "inbox.body", event.row)
        await connection.execute(
            sa.update(inbox)
            .where(inbox.c.tenant_id == event.tenant_id, inbox.c.seq == event.seq)
            .values(body_sealed=sealed)
        )

    def _matters(self, what: Heard) -> bool:
        """What is heard however fast it comes: that they want no more, or may be somebody else."""
        return isinstance(what, NewIdentity) or (
            isinstance(what, Said) and self._script.comes_first(what.text)
        )

    async def _slow_down(self, person: Person) -> list[Outgoing]:
        """What a person hears, once, who writes faster than any person does."""
        words = Text(
            "You are writing faster than I can answer. Please wait a minute, then write again: what you "
            "write until then I do not read, except *stop*."
        )
        tenant = await self._tenants.by_id(person.tenant_id)
        return self._messages(person, [Reply(text=words)], tenant)

    async def apology(self, person: Person) -> list[Outgoing]:
        """What a person hears whose event was parked after it failed again and again."""
        words = Text(
            "Sorry, something went wrong on our side, and we have been told. Please try again later."
        )
        tenant = await self._tenants.by_id(person.tenant_id)
        return self._messages(person, [Reply(text=words)], tenant)

    def _hear(self, event: Waiting) -> tuple[Heard | None, datetime | None]:
        """What, and when it was written."""
        body = self._vault.open(event.body_sealed, event.tenant_id, "inbox.body", event.row)
        if event.kind == "news":
            return read_news.validate_json(body), None
        return heard.hear(body), heard.written_at(body)

    def _answering(self, filled: Filled, person: Person) -> Filled:
        """Which asking it answers. One of another chat, or too old, is of none that stands."""
        if filled.token is None or self._forms is None:
            return filled
        try:
            ticket = self._forms.open(filled.token)
        except InvalidToken:
            return replace(filled, asking=_NO_ASKING)
        ours = (ticket.tenant_id, ticket.conversation_id) == (person.tenant_id, person.conversation_id)
        return replace(filled, asking=ticket.asking if ours else _NO_ASKING)

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

    def _told(self, person: Person, replies: Sequence[Reply], tenant: Tenant, news: Any) -> list[Outgoing]:
        """With what they need where WhatsApp's window is closed."""
        messages = self._messages(person, replies, tenant)
        if not replies:
            return messages
        last, language = replies[-1], person.language or tenant.language
        about = last.thread if last.thread.startswith(_OF_ONE_THING) else None
        purpose = templates.TOLD[type(news)].purpose
        told = [replace(message, purpose=purpose, about=about) for message in messages]
        filling = templates.filling(news, last, language, tenant.shop.timezone)
        return [*told[:-1], replace(told[-1], filling=filling)]

    def _messages(
        self, person: Person, replies: Iterable[Reply], tenant: Tenant, *, answering: bool = False
    ) -> list[Outgoing]:
        language = person.language or tenant.language
        return [
            Outgoing(person, dumps(body), answers=reply if answering else None)
            for reply in replies
            for body in outgoing.bodies(
                reply, language, tenant.shop.timezone, self._form(person, reply, tenant)
            )
        ]

    def _form(self, person: Person, reply: Reply, tenant: Tenant) -> outgoing.FormAt | None:
        flow_id = tenant.forms.get(reply.form.name) if reply.form else None
        if flow_id is None or self._forms is None:
            return None
        token = self._forms.make(person.tenant_id, person.conversation_id, reply)
        return outgoing.FormAt(flow_id, token)
