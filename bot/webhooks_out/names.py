"""Names: resolved in threads of their own. A tenant's name server that says nothing keeps those busy, and not
the few of the loop, in which providers' and WhatsApp's names are resolved. Each name takes one of them,
however many ask at once: a tenant has few names, and holds up nobody else's."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 16


class Names(AbstractResolver):
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "webhook-names")
        self._looking: dict[tuple[str, int, int], asyncio.Future[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where there is no such name."""

        def look() -> list[ResolveResult]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return [_result(host, port, kind, str(place[0])) for kind, _, _, _, place in found]

        asked = (host, port, int(family))
        found = self._looking.get(asked)
        if found is None:
            found = asyncio.get_running_loop().run_in_executor(self._threads, look)
            self._looking[asked] = found
            found.add_done_callback(lambda _: self._looking.pop(asked))
        return await asyncio.shield(found)  # whoever gives up leaves it to the others

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, port: int, family: int, address: str) -> ResolveResult:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
