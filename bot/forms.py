"""Forms: what a form in WhatsApp asks of us while somebody fills it in, and what we answer.

An exchange writes nothing. A form belongs to one asking: the person's place says whether that still
stands, as it does for a button, so what was sent once is not taken twice. What is filled in comes into the
chat as a message, and is checked there once more.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.away import AWAY, unavailable
from bot.webhooks import raw_body
from bot.whatsapp.forms import FormsKey, Malformed, WrongKey
from bot.whatsapp.signature import verify
from bot.whatsapp.struck import strike_out
from flows.form import GONE, Form
from flows.place import Place
from flows.reply import Reply, Tap
from flows.script import Script
from flows.text import Text, render
from services.people.tenants import TenantBook
from services.safety.vault import Unopenable, Vault
from services.store.database import Database
from services.store.schema import conversations, people

log = structlog.get_logger()

PATH = "/webhooks/whatsapp/forms"
MOST_BYTES = 64 * 1024
_PATIENCE_SECONDS = 8  # the phone waits ten
_WRONG_SIGNATURE, _WRONG_KEY, _INVALID_TOKEN = 432, 421, 427  # Meta's own
_LIVES = timedelta(hours=24)
_COLUMN = "forms.token"
_MOST_OF_A_VALUE = 200

Json = dict[str, Any]


class InvalidToken(Exception):
    """Not ours, too old, or of an asking that is over. `language`: of whoever filled it in."""

    def __init__(self, language: str = "en") -> None:
        super().__init__()
        self.language = language


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which asking of which conversation a form belongs to."""

    tenant_id: UUID
    conversation_id: UUID
    asking: Tap


class Tokens:
    """The token of a form is sealed: nobody but us can make one, or read it."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._vault, self._clock = vault, clock

    def make(self, tenant: UUID, conversation: UUID, reply: Reply) -> str:
        until = int((self._clock() + _LIVES).timestamp())
        asking = Tap(reply.thread, reply.step, reply.nonce, "").encode()
        plain = conversation.bytes + until.to_bytes(8) + asking.encode()
        return base64.urlsafe_b64encode(tenant.bytes + self._vault.seal(plain, tenant, _COLUMN, b"")).decode()

    def open(self, token: Any) -> Ticket:
        """Raises InvalidToken."""
        try:
            raw = base64.b64decode(token, b"-_", validate=True)
            tenant = UUID(bytes=raw[:16])
            plain = self._vault.open(raw[16:], tenant, _COLUMN, b"")
        except (TypeError, ValueError, binascii.Error, Unopenable):
            raise InvalidToken from None
        asking = Tap.decode(plain[24:].decode())
        if asking is None or int.from_bytes(plain[16:24]) < self._clock().timestamp():
            raise InvalidToken
        return Ticket(tenant, UUID(bytes=plain[:16]), asking)


@dataclass(frozen=True, slots=True)
class Open:
    """A form that somebody has before them."""

    form: Form
    language: str
    timezone: str

    def words(self, text: Text) -> str:
        return render(text, self.language, self.timezone)

    def screen(self, errors: Mapping[str, Text]) -> Json:
        """The form as it is shown, with what is wrong beside the fields."""
        shown = {name: self.words(text) for name, text in self.form.words.items()}
        options = {
            name: [{"id": id_, "title": self.words(title)} for id_, title in each.items()]
            for name, each in self.form.options.items()
        }
        wrong = {field: self.words(text) for field, text in errors.items()}
        return {"screen": self.form.name.upper(), "data": shown | options | {"error_messages": wrong}}


class FormDesk:
    """Answers what is asked of a form."""

    def __init__(
        self, script: Script, database: Database, vault: Vault, tenants: TenantBook, tokens: Tokens
    ) -> None:
        self._script, self._database, self._vault = script, database, vault
        self._tenants, self._tokens = tenants, tokens

    async def answer(self, asked: Json) -> Json:
        """Raises Malformed and InvalidToken."""
        action, data = asked.get("action"), asked.get("data")
        if action == "ping":
            return {"data": {"status": "active"}}
        if action not in ("INIT", "BACK", "data_exchange"):
            raise Malformed("no such action")
        if isinstance(data, dict) and data.keys() & {"error", "error_key"}:
            told = strike_out(str(data.get("error") or data.get("error_key")))[:200]
            log.warning("forms.error_told", error=told, action=action)
            return {"data": {"acknowledged": True}}
        open_ = await self._open(asked.get("flow_token"))
        if action != "data_exchange":
            return open_.screen({})
        if not isinstance(data, dict):
            raise Malformed("data is not an object")
        values = filled_in(data, open_.form.fields)
        if wrong := open_.form.check(values):
            return open_.screen(wrong)
        params = {"flow_token": asked["flow_token"], **values}
        return {"screen": "SUCCESS", "data": {"extension_message_response": {"params": params}}}

    async def _open(self, token: Any) -> Open:
        """Raises InvalidToken."""
        ticket = self._tokens.open(token)
        try:
            tenant = await self._tenants.by_id(ticket.tenant_id)
        except (KeyError, Unopenable):
            raise InvalidToken from None
        chat, person = conversations.c, people.c
        query = (
            sa.select(chat.place_sealed, person.language)
            .join(people, sa.and_(person.tenant_id == chat.tenant_id, person.id == chat.person_id))
            .where(chat.tenant_id == ticket.tenant_id, chat.id == ticket.conversation_id)
        )
        async with self._database.reading(ticket.tenant_id) as connection:
            row = (await connection.execute(query)).first()
        if row is None or row.place_sealed is None:
            raise InvalidToken(tenant.language)
        language = row.language or tenant.language
        column, name = "conversations.place", str(ticket.conversation_id)
        try:
            place = self._vault.open(row.place_sealed, ticket.tenant_id, column, name)
        except Unopenable:
            raise InvalidToken(language) from None
        stand = Place(place, self._script.steps).threads.get(ticket.asking.thread)
        form = stand.step.form() if stand is not None and stand.nonce == ticket.asking.nonce else None
        if form is None or not tenant.shop.open:
            raise InvalidToken(language)
        return Open(form, language, tenant.shop.timezone)


def filled_in(data: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    """What stands in these fields as text, as it would be kept."""
    given = {name: data.get(name, "") for name in fields}
    return {
        name: strike_out(value[:_MOST_OF_A_VALUE]) if isinstance(value, str) else ""
        for name, value in given.items()
    }


class FormsEndpoint:
    """Where phones ask: https://developers.facebook.com/docs/whatsapp/flows/reference/responsemsgwebhook"""

    def __init__(
        self,
        key: FormsKey,
        app_secrets: Sequence[bytes],
        desk: FormDesk,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._key, self._secrets, self._desk = key, app_secrets, desk
        self._patience = patience_seconds

    async def exchange(self, request: web.Request) -> web.Response:
        """413 above 64 KiB, 408 where it does not come, 432 for the signature, 400 for what is no exchange,
        421 where it is sealed for another key, 427 for a form that is over; else the sealed answer."""
        body = await raw_body(request, self._patience, MOST_BYTES)
        if not verify(body, request.headers.get("X-Hub-Signature-256"), self._secrets):
            return web.Response(status=_WRONG_SIGNATURE, text="The signature is missing or wrong.")
        try:
            exchange = self._key.open(body)
        except WrongKey:
            log.warning("forms.wrong_key")
            return web.Response(status=_WRONG_KEY, text="This is sealed for another key.")
        except Malformed as error:
            return _malformed(error)
        try:
            async with asyncio.timeout(self._patience):
                return web.Response(text=exchange.answer(await self._desk.answer(exchange.asked)))
        except Malformed as error:
            return _malformed(error)
        except InvalidToken as error:
            gone = {"error_msg": render(GONE, error.language)}
            return web.Response(status=_INVALID_TOKEN, text=exchange.answer(gone))
        except AWAY as error:
            return unavailable(error).response


def _malformed(error: Malformed) -> web.Response:
    return web.Response(status=400, text=f"Not an exchange of a form: {error}")
