"""Callers: whose key a request has, and whether it may ask once more now. Every no is told and counted."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from aiohttp import web

from bot import metrics
from bot.access import ApiSettings
from bot.api.problems import Problem
from bot.api.refusals import Refusals, Refused
from bot.caller import Network, client
from bot.guesses import Guesses
from bot.rate import Limit, Rate
from services.people import apikeys
from services.people.apikeys import Holder, Void
from services.safety.vault import Vault
from services.store.database import Database
from services.store.scope import PLATFORM

log = structlog.get_logger()


class Callers:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        rate: Rate,
        refusals: Refusals,
        limits: ApiSettings,
        proxies: Sequence[Network],
    ) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._rate, self._refusals, self._limits, self._proxies = rate, refusals, limits, proxies
        self._guesses = Guesses(rate, limits.wrong_per_minute)

    async def of(self, request: web.Request, route: str) -> Holder:
        """`route`: for the record. Raises Problem."""
        known = await self._known(request)
        named = {name.lower() for name in request.headers.getall("X-TENANT-ID", ())}
        await self._may_ask(known, route)
        if isinstance(known, Void):
            await self.refused(known, route, 401, "unauthenticated", known.because)
            raise _unauthenticated("The key is missing or not valid.")
        if not named <= {known.slug, str(known.tenant_id)}:
            await self.refused(known, route, 401, "unauthenticated", "another_tenant")
            raise _unauthenticated("The key is not of this tenant.")
        if known.stale:
            async with self._database.transaction(known.tenant_id) as connection:
                await apikeys.used(connection, known, self._clock())
        return known

    async def refused(self, whose: Holder | Void, route: str, status: int, code: str, because: str) -> None:
        await self._refusals.note(
            Refused(whose.tenant_id, whose.person_id, whose.prefix, route, status, code, because)
        )

    async def _known(self, request: web.Request) -> Holder | Void:
        """Raises Problem."""
        text = _key(request)
        if text is None:
            metrics.api_refusals.labels("401", "unauthenticated", "no_key").inc()
            raise _unauthenticated("The key is missing or not valid.")
        async with self._database.reading(PLATFORM) as connection:
            known = await apikeys.holder(connection, self._vault, text, self._clock())
        if known is not None:
            return known
        address = client(request, self._proxies)
        log.warning("api.unknown_key", client=address)
        metrics.api_refusals.labels("401", "unauthenticated", "unknown_key").inc()
        if (wait := await self._guesses.wrong("api_key", address)) is not None:
            raise _too_many("Too many wrong keys have come from your address.", wait)
        raise _unauthenticated("The key is missing or not valid.")

    async def _may_ask(self, whose: Holder | Void, route: str) -> None:
        """The key, and where that may, all of its tenant's: what one asks in vain takes nothing from the
        others. Raises Problem."""
        limits = {"key": Limit(f"key:{whose.prefix}", self._limits.per_minute)}
        if isinstance(whose, Holder):
            limits["tenant"] = Limit(f"tenant:{whose.tenant_id}", self._limits.tenant_per_minute)
        for name, limit in limits.items():
            if (wait := await self._rate.over(limit)) is not None:
                await self.refused(whose, route, 429, "rate_limited", name)
                who = "A key" if name == "key" else "All keys of a tenant together"
                raise _too_many(f"{who} may ask {limit.most} times in a minute.", wait)


def _key(request: web.Request) -> str | None:
    """By either header; two different ones are none."""
    sent = set(request.headers.getall("X-TENANT-API-KEY", ()))
    for told in request.headers.getall("Authorization", ()):
        scheme, _, bearer = told.partition(" ")
        if scheme.lower() == "bearer":
            sent.add(bearer.strip())
    return sent.pop() if len(sent) == 1 else None


def _unauthenticated(detail: str) -> Problem:
    headers = {"WWW-Authenticate": "Bearer"}
    return Problem(401, "unauthenticated", "Not authenticated", detail=detail, headers=headers)


def _too_many(why: str, wait: int) -> Problem:
    detail = f"{why} Try again in {wait} seconds."
    return Problem(
        429, "rate_limited", "Too many requests", detail=detail, headers={"Retry-After": str(wait)}
    )
