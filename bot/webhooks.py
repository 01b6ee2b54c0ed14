"""Webhooks: what Meta and the providers call. Verify over the raw bytes, store, answer 200."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from aiohttp import web
from sqlalchemy.dialects import postgresql, sqlite

from bot import metrics, tracing
from bot.answers import Answer
from bot.away import AWAY, unavailable
from bot.caller import Network, client
from bot.guesses import Guesses
from bot.intake import Intake
from bot.whatsapp.incoming import NotAnObject, read
from bot.whatsapp.signature import verify
from services.hooks import PAGE, RETURN, provider_of_lasting
from services.ids import new_id
from services.points import point
from services.providers import PROVIDERS
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import hooks, inbox
from services.store.scope import PLATFORM

log = structlog.get_logger()

MOST_BYTES = 4 * 1024 * 1024
_TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
PATIENCE_SECONDS = 15  # whoever calls waits no longer either, and sends again


class MetaWebhook:
    """GET is Meta's handshake, POST its updates.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    """

    def __init__(
        self,
        intake: Intake,
        app_secrets: Sequence[bytes],
        verify_token: str,
        patience_seconds: float = PATIENCE_SECONDS,
        *,
        proxies: Sequence[Network] = (),
        guesses: Guesses | None = None,
    ) -> None:
        self._intake, self._secrets, self._patience = intake, app_secrets, patience_seconds
        self._proxies, self._guesses = proxies, guesses
        self._verify_token = verify_token.encode()

    async def handshake(self, request: web.Request) -> web.Response:
        """The challenge as plain text; 403 where mode or verify token is wrong, or there is none."""
        query = request.query
        token = query.get("hub.verify_token", "").encode()
        if query.get("hub.mode") != "subscribe" or not hmac.compare_digest(token, self._verify_token):
            address = client(request, self._proxies)
            log.warning("webhook.handshake_refused", client=address)
            if self._guesses is not None:
                await self._guesses.wrong("verify_token", address)
            return web.Response(status=403, text="The verify token or mode is wrong.")
        if not (challenge := query.get("hub.challenge")):
            return web.Response(status=403, text="There is no challenge.")
        return web.Response(
            text=challenge,
            content_type="text/plain",
            headers={"X-Content-Type-Options": "nosniff"},
        )

    async def updates(self, request: web.Request) -> web.Response:
        """413 above 4 MiB, 408 where it does not come, 401 for the signature, 400 when no JSON object; else
        200 once stored, and 503 while nothing can be: Meta sends it again."""
        body = await raw_body(request, self._patience)
        answer = self.take(body, request.headers.get("X-Hub-Signature-256"))
        if isinstance(answer, asyncio.Future):
            await asyncio.wait([answer])
            answer = self.stored(answer)
        return answer.response

    def take(self, body: bytes, signature: str | None) -> Answer | asyncio.Future[None]:
        """What is to be answered, or what to wait for; see `stored`."""
        if not verify(body, signature, self._secrets):
            return Answer(401, "The signature is missing or wrong.")
        try:
            events = read(body)
        except NotAnObject as error:
            return Answer(400, f"Not a JSON object as Meta sends: {error}")
        return self._intake.submit(events) if events else Answer(200)

    def stored(self, stored: "asyncio.Future[None]") -> Answer:
        """What is to be answered once `take`'s future is done."""
        if stored.cancelled():
            return Answer(503, "Shutting down. Please send this again.")
        error = stored.exception()
        if error is None:
            return Answer(200)
        if isinstance(error, AWAY):
            return unavailable(error)
        log.error("webhook.failed", exc_info=error)
        return Answer(500, "Something went wrong here. Please send this again.")


class Hooks:
    """The providers' unsigned callbacks: the token in the address is the credential."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        bell: Bell,
        clock: Callable[[], datetime],
        patience_seconds: float = PATIENCE_SECONDS,
        *,
        proxies: Sequence[Network] = (),
        guesses: Guesses | None = None,
    ) -> None:
        self._database, self._vault, self._bell, self._clock = database, vault, bell, clock
        self._patience, self._proxies, self._guesses = patience_seconds, proxies, guesses

    async def called(self, request: web.Request) -> web.Response:
        """See `_taken`."""
        with counted("unsigned") as outcome:
            return outcome(await self._taken(request))

    async def _taken(self, request: web.Request) -> web.Response:
        """404 for an unknown token, 408 where the body does not come; anything else on a known one is stored
        and answered 200."""
        token = request.match_info["token"]
        try:
            async with asyncio.timeout(self._patience):
                address = await self._address_of(token)
            if address is None:
                caller = client(request, self._proxies)
                log.warning("hooks.unknown_token", client=caller)
                if self._guesses is not None:
                    await self._guesses.wrong("hook", caller)
                return web.Response(status=404, text="No such address.")
            body = await _told(request, self._patience)
            async with asyncio.timeout(self._patience):
                await self._store(address, token, body)
        except AWAY as error:
            return unavailable(error).response
        self._bell.ring("hooks")
        known = PROVIDERS.get(address.provider or "")
        taken = known.acknowledges if known else None
        return web.json_response(taken(body) if taken else {"ResultCode": 0, "ResultDesc": "Accepted"})

    async def _address_of(self, token: str) -> "_Address | None":
        if _TOKEN.fullmatch(token) is None:
            return None
        query = sa.select(hooks.c.tenant_id, hooks.c.about).where(hooks.c.token_hash == _hash(token))
        async with self._database.reading(PLATFORM) as connection:
            row = (await connection.execute(query)).first()
        if row is None or row.about in (RETURN, PAGE):
            return None
        return _Address(row.tenant_id, provider_of_lasting(row.about))

    async def _store(self, address: "_Address", token: str, body: bytes) -> None:
        # The same body on the same address is the same event, however often it is told; but at one that
        # lasts it is told in the same words of each change anew.
        body_hash, again = hashlib.sha256(body).hexdigest()[:32], f":{new_id()}" if address.provider else ""
        external = f"{_hash(token).hex()}:{body_hash}{again}"
        await keep(self._database, self._vault, address.tenant_id, external, body, self._clock())


@contextmanager
def counted(provider: str) -> Iterator[Callable[[web.Response], web.Response]]:
    """How a callback is answered, under an id that the log has too."""
    status, request_id = 500, new_id().hex

    def answered(answer: web.Response) -> web.Response:
        nonlocal status
        status = answer.status
        answer.headers["X-Request-Id"] = request_id
        return answer

    try:
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            tracing.span("callback.received", provider=provider, request_id=request_id) as note,
        ):
            yield answered
            note(status=status)
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        metrics.callbacks.labels(provider, status).inc()


@dataclass(frozen=True)
class _Address:
    """Whose it is; `provider` where it lasts, and is of all that this one tells."""

    tenant_id: UUID
    provider: str | None


async def keep(
    database: Database,
    vault: Vault,
    tenant: UUID,
    external: str,
    body: bytes,
    now: datetime,
    *,
    again: bool = False,
) -> None:
    """A callback in the inbox, once by its external id. `again`: one that was read is read anew, in the same
    row; so that, however often it is told, it waits once."""
    insert = postgresql.insert if database.is_postgres else sqlite.insert
    new = {
        "state": "waiting",
        "due_at": now,
        "received_at": now,
        "body_sealed": vault.seal(body, tenant, "inbox.body", f"hook|{external}|"),
    }
    row = insert(inbox).values(tenant_id=tenant, kind="hook", external_id=external, status="", **new)
    known = ["tenant_id", "kind", "external_id", "status"]
    anew = row.on_conflict_do_update(
        index_elements=known, set_=new | {"tries": 0, "error": None}, where=inbox.c.state != "waiting"
    )
    async with database.transaction(tenant) as connection:
        await connection.execute(anew if again else row.on_conflict_do_nothing())
    point("hook.stored")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _told(request: web.Request, patience_seconds: float) -> bytes:
    """The body; where there is none (a GET), what stands in the query."""
    return await raw_body(request, patience_seconds) or request.rel_url.raw_query_string.encode()


async def raw_body(request: web.Request, patience_seconds: float, most: int = MOST_BYTES) -> bytes:
    """The raw bytes; 408 where they do not come, 413 where they are more. aiohttp stops reading at the
    application's own limit."""
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
    try:
        async with asyncio.timeout(patience_seconds):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The request did not arrive in time.") from None
    except ConnectionResetError:  # an answer to nobody, and neither a bug nor a fault of the database
        raise web.HTTPBadRequest(text="The request broke off.") from None
    if len(body) > most:
        raise web.HTTPRequestEntityTooLarge(most, len(body))
    return body
