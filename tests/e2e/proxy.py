"""Proxy: a wire between the app and its database that a test cuts and mends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """`url` is the database's, by way of this proxy."""

    def __init__(self, database_url: str) -> None:
        self._target: URL = make_url(database_url)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._port = 0

    @property
    def url(self) -> str:
        through = self._target.set(host="127.0.0.1", port=self._port, query={})
        return through.render_as_string(hide_password=False)

    async def mend(self) -> None:
        """On the same port as before."""
        self._flows.set()
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Whoever is connected is thrown out, and whoever comes is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.transport.abort()

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told: a host that has vanished."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._connect()
        ends = {writer, there[1]}
        self._ends |= ends
        try:
            await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _connect(self) -> Pipe:
        """The wheel's server listens on a socket in a folder only."""
        port = self._target.port or 5432
        if folder := self._target.query.get("host"):
            return await asyncio.open_unix_connection(Path(str(folder)) / f".s.PGSQL.{port}")
        return await asyncio.open_connection(self._target.host, port)


@asynccontextmanager
async def proxied(database_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(database_url)
    await proxy.mend()
    try:
        yield proxy
    finally:
        await proxy.cut()
