"""Signed hooks: the callbacks of a provider that signs them. All of a tenant's come to one address, so the
body says what each is about; the signature, over the bytes as they came, is what lets it in."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from aiohttp import web

from bot.away import AWAY, unavailable
from bot.caller import Network, client
from bot.webhooks import PATIENCE_SECONDS, counted, keep, raw_body
from services.people.tenants import Tenant, TenantBook
from services.providers import PROVIDERS, WrongSettings, settings_of
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database

log = structlog.get_logger()


class SignedHooks:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        bell: Bell,
        clock: Callable[[], datetime],
        *,
        proxies: Sequence[Network] = (),
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._bell, self._clock, self._proxies = bell, clock, proxies

    def add_to(self, app: web.Application) -> None:
        for name, provider in PROVIDERS.items():
            if provider.signature is not None:
                app.router.add_post(f"/hooks/{{provider:{name}}}/{{slug}}", self.called)

    async def called(self, request: web.Request) -> web.Response:
        """See `_taken`."""
        with counted(request.match_info["provider"]) as outcome:
            return outcome(await self._taken(request))

    async def _taken(self, request: web.Request) -> web.Response:
        """413 above 4 MiB, 408 where it does not come, 401 for the signature, and for a tenant or settings
        that are not there; anything else is stored and answered 200."""
        name = request.match_info["provider"]
        body = await raw_body(request, PATIENCE_SECONDS)
        try:
            tenant = await self._tenants.by_slug(request.match_info["slug"])
            if tenant is None or not _signed(name, tenant, request, body, self._clock()):
                log.warning("hooks.not_signed", provider=name, client=client(request, self._proxies))
                return web.Response(status=401, text="The signature is missing or wrong.")
            external, asks = f"{name}:{_known_by(name, body)}", PROVIDERS[name].asks
            again = asks is not None and asks(body)
            await keep(self._database, self._vault, tenant.id, external, body, self._clock(), again=again)
        except AWAY as error:
            return unavailable(error).response
        self._bell.ring("hooks")
        return web.Response()


def _known_by(name: str, body: bytes) -> str:
    """The same event is the same, however often it is told: by its id, where it has none by its bytes."""
    event_id = PROVIDERS[name].event_id
    return (event_id and event_id(body)) or hashlib.sha256(body).hexdigest()


def _signed(name: str, tenant: Tenant, request: web.Request, body: bytes, now: datetime) -> bool:
    provider = PROVIDERS[name]
    if provider.signature is None or name not in tenant.providers:
        return False
    try:
        settings = settings_of(provider, tenant.providers[name])
    except WrongSettings:
        return False
    return settings.signed(body, request.headers.get(provider.signature, ""), now)
