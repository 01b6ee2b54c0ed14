"""Proving: whether the keys that a tenant's file gives are good, asked of the providers themselves.

It is asked beside what matters: a provider that is away, or slow, keeps nobody from applying a file.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.http import open_session
from bot.parts import Parts
from services.providers import PROVIDERS
from services.providers.abilities import ProvesKeys
from services.providers.base import Misconfigured, NotSent, ProviderSettings

log = structlog.get_logger()

PATIENCE_SECONDS = 2.5  # for all of them together


class NotKept:
    """Tokens that nobody else is given, so that looking changes nothing here."""

    async def get(self, fetch: Callable[[], Awaitable[tuple[str, int]]]) -> str:
        return (await fetch())[0]

    async def drop(self, token: str) -> None:
        """None is kept."""

    def beside(self, name: str) -> "NotKept":  # noqa: ARG002  nothing of that name is kept either
        return self


async def refused(parts: Parts, given: Iterable[tuple[str, ProviderSettings]]) -> list[str]:
    """A warning for each provider that refuses the keys of these settings, with what to do; never the keys.
    Who does not answer within the patience is only named in the log: nothing is known of those keys."""
    async with open_session(_Resolver()) as http:
        asking = {name: asyncio.create_task(ask(parts, http, name, settings)) for name, settings in given}
        if asking:
            await asyncio.wait(asking.values(), timeout=PATIENCE_SECONDS)
        told = [_told(name, task) for name, task in asking.items()]
        for task in asking.values():
            task.cancel()
        await asyncio.gather(*asking.values(), return_exceptions=True)
    return [warning for warning in told if warning]


async def ask(
    parts: Parts, http: aiohttp.ClientSession, name: str, settings: ProviderSettings
) -> NotSent | Misconfigured | None:
    """None where the provider takes the keys."""
    url = parts.settings.provider_urls[name]
    client = PROVIDERS[name].open(settings, http, url, NotKept(), parts.clock)
    try:
        return await client.prove_keys() if isinstance(client, ProvesKeys) else None
    except Exception as error:  # noqa: BLE001  a bug there is none of the file's, which has been applied
        return NotSent(type(error).__name__)


def _told(name: str, asked: "asyncio.Task[NotSent | Misconfigured | None]") -> str | None:
    answer = asked.result() if asked.done() else NotSent(f"no answer in {PATIENCE_SECONDS:g} seconds")
    match answer:
        case Misconfigured():  # its own words may hold a part of the key
            return (
                f"providers.{name}: it refuses these keys, so nothing can be paid by it: correct them and "
                "apply the file again"
            )
        case NotSent(detail):
            log.warning("keys.not_proven", provider=name, detail=detail, fix="run: python main.py doctor")
    return None


class _Resolver(AbstractResolver):
    """Looks names up in threads that nobody waits for: where no name server answers, the loop's own would
    keep the command from ending for as long as the system tries."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[Any]] = loop.create_future()

        def settle(addresses: list[Any] | OSError) -> None:
            if found.done():
                return
            if isinstance(addresses, OSError):
                found.set_exception(addresses)
            else:
                found.set_result(addresses)

        def look() -> None:
            addresses: list[Any] | OSError
            try:
                addresses = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            except OSError as error:
                addresses = error
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(settle, addresses)

        threading.Thread(target=look, daemon=True).start()
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in await found
        ]

    async def close(self) -> None:
        """Nothing is kept."""
