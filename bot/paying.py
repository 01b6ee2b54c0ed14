"""Paying: the two addresses that a customer's browser is led to: the one of a hosted page, where a program of
the shop's hands it out, and the one that a provider sends them back to."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from bot.away import AWAY, unavailable
from services import hooks
from services.payments import pages
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.scope import PLATFORM
from services.work import Via, Work

_TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PATIENCE_SECONDS = 10.0
_SOON = "2"  # seconds
_KEPT_NOWHERE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_OPENING = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>One moment</title><p>One moment, please: the page is being opened.</p>"""
_OVER = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Closed</title><p>Nothing can be paid here any more. Please go back to the chat.</p>"""
_OPENING_STATES = ("created", "submitting")


class Paying:
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

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/pay/{token}", _patient(self.pay))
        app.router.add_get("/paid/{token}", _patient(self.paid))

    async def pay(self, request: web.Request) -> web.Response:
        """On to the hosted page, once it is open and for as long as it is."""
        hook = await self._hook(request, hooks.PAGE)
        async with self._work(hook) as work:
            attempt_id = await pages.latest_attempt(work, hook.target_id)
            state, address = await pages.address_of(work, attempt_id) if attempt_id else ("failed", None)
        if address is not None:
            return _to(address)
        if state in _OPENING_STATES:
            headers = {**_KEPT_NOWHERE, "Refresh": _SOON}
            return web.Response(text=_OPENING, content_type="text/html", headers=headers)
        gone = HTTPStatus.GONE
        return web.Response(status=gone, text=_OVER, content_type="text/html", headers=_KEPT_NOWHERE)

    async def paid(self, request: web.Request) -> web.Response:
        """Paid or not: the provider is asked at once, and the customer is back in the chat."""
        hook = await self._hook(request, hooks.RETURN)
        async with self._work(hook) as work:
            await pages.returned(work, hook.target_id)
        self._bell.ring("jobs")
        number = (await self._tenants.by_id(hook.tenant_id)).shop.number
        if number is None:
            return web.Response(text=_OVER, content_type="text/html", headers=_KEPT_NOWHERE)
        return _to(f"https://wa.me/{number}")

    async def _hook(self, request: web.Request, about: str) -> hooks.Hook:
        """404 for a token that is not one of these."""
        token = request.match_info["token"]
        if _TOKEN.fullmatch(token) is None:
            raise web.HTTPNotFound(text="No such address.")
        async with self._database.reading(PLATFORM) as connection:
            hook = await hooks.resolve(connection, token)
        if hook is None or hook.about != about:
            raise web.HTTPNotFound(text="No such address.")
        return hook

    @asynccontextmanager
    async def _work(self, hook: hooks.Hook) -> AsyncIterator[Work]:
        async with self._database.transaction(hook.tenant_id) as connection:
            yield Work(connection, self._vault, hook.tenant_id, self._clock(), Via("provider", "page"))


def _patient(
    answer: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await answer(request)
        except AWAY as error:
            return unavailable(error).response

    return answered


def _to(address: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={**_KEPT_NOWHERE, "Location": address})
