"""The door of the API: who calls, whether they may, what they sent; then the handler, in one
transaction with its answer. Every no is a problem, decided in the order of these steps."""

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.payload import BufferedReaderPayload
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics, tracing
from bot.api import files, idempotency, problems
from bot.api.bodies import digest, parsed
from bot.api.callers import Callers
from bot.api.every import ROUTES
from bot.api.idempotency import Once
from bot.api.problems import MEDIA_TYPE, Problem
from bot.api.queries import refuse_unknown
from bot.api.routes import Call, Download, Reply, Route, Where
from bot.paper.statement.making import Statements
from services.errors import NotFound, Refusal
from services.ids import new_id
from services.people.apikeys import Holder
from services.people.tenants import Tenant, TenantBook
from services.points import point
from services.safety.vault import Vault
from services.store.away import is_broken_off
from services.store.bell import Bell
from services.store.database import Database
from services.store.ending import woken
from services.work import Via, Work

log = structlog.get_logger()

_BODY_SECONDS = 20
_AGAIN_SECONDS = (0.02, 0.1, 0.5, 1)
_NOWHERE = "no such path or method"


@dataclass(frozen=True)
class _Asked:
    """One request whose caller is known and may make it."""

    request: web.Request
    id: str
    route: Route
    holder: Holder
    tenant: Tenant
    forbidden: list[Problem] = field(
        default_factory=list
    )  # what was refused, to be noted once it is answered


class Api:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        bell: Bell,
        clock: Callable[[], datetime],
        callers: Callers,
        where: Where,
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._bell, self._clock, self._callers, self._where = bell, clock, callers, where
        self._statements = Statements(database, vault, clock)
        self._running: set[int] = set()  # the locks of this process's own

    def add_to(self, app: web.Application) -> None:
        """The calls, and a problem for every other path and method below /api."""
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._handler(route))
        app.router.add_route("*", "/api/{rest:.*}", self._handler(None))

    def _handler(self, route: Route | None) -> Any:
        # What no route has may be called anything.
        method, path = (route.method, route.path) if route else ("other", "other")

        async def handle(request: web.Request) -> web.Response:
            request_id, began = new_id().hex, time.monotonic()
            named = {"method": method, "route": path, "request_id": request_id}
            with (
                structlog.contextvars.bound_contextvars(request_id=request_id),
                tracing.span("api", **named) as note,
            ):
                try:
                    answer = await self._answer(request, route, request_id)
                except Problem as problem:
                    answer = _told(problem, request_id)
                except Exception as error:
                    log.exception("api.failed", method=request.method, path=request.path)
                    answer = _told(problems.of_failure(error), request_id)
                note(status=answer.status)
            answer.headers["X-Request-Id"] = request_id
            answer.headers["Cache-Control"] = "no-store"
            metrics.api_requests.labels(method, path, answer.status).inc()
            metrics.api_seconds.labels(method, path).observe(time.monotonic() - began)
            return answer

        return handle

    async def _answer(self, request: web.Request, route: Route | None, request_id: str) -> web.Response:
        named = _NOWHERE if route is None else f"{route.method} {route.path}"
        holder = await self._callers.of(request, named)
        if route is None:
            raise _nothing_here(request)
        if not holder.scopes.intersection(route.scopes):
            refused = problems.missing_scope(route.scopes[0])
            await self._callers.refused(holder, named, refused.status, refused.code, route.scopes[0])
            raise refused
        # Before any connection is held: whoever holds one and waits for another may wait for ever.
        tenant = await self._tenants.by_id(holder.tenant_id)
        asked = _Asked(request, request_id, route, holder, tenant)
        answer = await (self._read(asked) if route.method == "GET" else self._act(asked))
        for problem in asked.forbidden:
            await self._callers.refused(holder, named, problem.status, problem.code, "")
        return answer

    async def _read(self, asked: _Asked) -> web.Response:
        async with self._database.reading(asked.tenant.id) as connection:
            found = await self._outcome(asked, self._work(asked, connection), b"")
        return await self._download(asked, found) if isinstance(found, Download) else _response(*found)

    async def _download(self, asked: _Asked, found: Download) -> web.Response:
        try:
            file = await self._statements.made(asked.tenant, found.wanted)
        except Refusal as refusal:
            raise problems.of(refusal) from None
        headers = {
            "Content-Type": found.media_type,
            "Content-Disposition": f'attachment; filename="{found.name}"',
        }
        return web.Response(body=BufferedReaderPayload(file), headers=headers)

    async def _act(self, asked: _Asked) -> web.Response:
        """Begun again where it was broken off for another one's sake, which the caller need not hear of."""
        raw = await _received(asked.request, asked.route.most_bytes)
        once = _once(asked, raw)
        async with self._alone(once):
            for wait in _AGAIN_SECONDS:
                try:
                    return await self._done(asked, once, raw)
                except Exception as error:
                    if not is_broken_off(error):
                        raise
                    log.warning("api.broken_off", route=asked.route.path)
                asked.forbidden.clear()
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  no secret
            return await self._done(asked, once, raw)

    async def _done(self, asked: _Asked, once: Once | None, raw: bytes) -> web.Response:
        """What was refused commits too: an attempt may have to be recorded."""
        async with self._database.transaction(asked.tenant.id) as connection:
            work = self._work(asked, connection)
            before = await idempotency.begin(work, once) if once else None
            if before is not None:
                return _response(*before, {"Idempotent-Replayed": "true"})
            found = await self._outcome(asked, work, raw)
            if isinstance(found, Download):
                raise TypeError("only GET answers with files")
            status, answer, headers = found
            if once:
                await idempotency.keep(work, once, status, answer)
                point("api.kept")
            topics = woken(connection)
        point("api.committed")
        for topic in topics:
            self._bell.ring(topic)
        return _response(status, answer, headers)

    def _work(self, asked: _Asked, connection: AsyncConnection) -> Work:
        via = Via("api", asked.holder.prefix)
        return Work(connection, self._vault, asked.tenant.id, self._clock(), via)

    @asynccontextmanager
    async def _alone(self, once: Once | None) -> AsyncIterator[None]:
        if once is None:
            yield
            return
        if once.lock in self._running:
            raise idempotency.still_running()
        self._running.add(once.lock)
        try:
            yield
        finally:
            self._running.discard(once.lock)

    async def _outcome(
        self, asked: _Asked, work: Work, raw: bytes
    ) -> tuple[int, bytes, dict[str, str]] | Download:
        request, route = asked.request, asked.route
        try:
            body = files.of(request, raw) if route.file else parsed(raw, route.body) if route.body else None
            refuse_unknown(request.query, route.query)
            person, params = asked.holder.person_id, request.match_info
            given = (request.path, params, request.query, body, self._where)
            reply: Reply[Any] | Download = await route.handler(Call(work, asked.tenant, person, *given))
        except Refusal as refusal:
            problem = problems.of(refusal)
        except Problem as raised:
            problem = raised
        else:
            if isinstance(reply, Download):
                return reply
            return reply.status or route.success, reply.answer.written(), dict(reply.headers or {})
        if problem.status == HTTPStatus.FORBIDDEN:
            asked.forbidden.append(problem)
        return problem.status, _bytes(problem.body(asked.id)), problem.headers


def _once(asked: _Asked, raw: bytes) -> Once | None:
    request, holder = asked.request, asked.holder
    headers = request.headers.getall("Idempotency-Key", ())
    if not headers or request.method != "POST":
        return None
    route, key = f"{request.method} {request.path}", idempotency.key_of(*headers)
    as_sent = hashlib.sha256(raw).digest()
    said = as_sent if asked.route.file else digest(raw)
    if asked.route.file:
        with contextlib.suppress(Problem):
            said = files.of(request, raw).digest
    return Once(holder.tenant_id, holder.person_id, route, key, said, as_sent)


async def _received(request: web.Request, most: int) -> bytes:
    """Raises Problem above the limit, having read no more than that."""
    raw = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.content.iter_any():
                raw += part
                if len(raw) > most:
                    raise Problem(413, "body_too_large", f"A body has {most} bytes at most")
    except TimeoutError:
        raise Problem(408, "request_timeout", "The body did not arrive in time") from None
    except (ConnectionError, web.RequestPayloadError, HttpProcessingError):
        detail = "The body did not arrive whole."
        raise Problem(400, "malformed_body", "Malformed body", detail=detail) from None
    return bytes(raw)


def _nothing_here(request: web.Request) -> Problem:
    """Another method of a path that is there, or no path at all."""
    allowed = sorted({route.method for route in ROUTES if _fits(route, request.path)})
    if not allowed or request.method in allowed:  # the latter: an id of signs that no id has
        return problems.of(NotFound("path"))
    return Problem(405, "method_not_allowed", "Method not allowed", headers={"Allow": ", ".join(allowed)})


def _fits(route: Route, path: str) -> bool:
    ours, theirs = route.path.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        our == their or our.startswith("{") for our, their in zip(ours, theirs, strict=True)
    )


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _told(problem: Problem, request_id: str) -> web.Response:
    return _response(problem.status, _bytes(problem.body(request_id)), problem.headers)


def _response(status: int, body: bytes, headers: dict[str, str]) -> web.Response:
    kind = MEDIA_TYPE if status >= HTTPStatus.BAD_REQUEST else "application/json"
    return web.Response(status=status, body=body, content_type=kind, headers=headers)
