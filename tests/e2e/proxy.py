"""Proxy: a wire between the app and its database that a test cuts and mends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url

# How the server tells a connection which of its processes serves it: BackendKeyData.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SERVED_BY = b"K\x00\x00\x00\x0c"

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """`url` is the database's, by way of this proxy; `backends`: the server's processes."""

    def __init__(self, database_url: str) -> None:
        self.backends: set[int] = set()
        self._target: URL = make_url(database_url)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._at_commit, self._waits_for_commit = asyncio.Event(), False
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

    async def cut_at_commit(self) -> None:
        """Once the next COMMIT has been sent, whose answer nobody will read."""
        self._at_commit.clear()
        self._waits_for_commit = True
        try:
            await self._at_commit.wait()
        finally:
            self._waits_for_commit = False

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told: a host that has vanished."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._ends.add(writer)
        try:
            there = await self._connect()
            ends.add(there[1])
            self._ends.add(there[1])
            if self._server is None:  # it was cut meanwhile
                return
            await asyncio.gather(self._pump(reader, there[1], asks=True), self._pump(there[0], writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if not asks and _SERVED_BY in data:
                    told = data.partition(_SERVED_BY)[2]
                    self.backends.add(int.from_bytes(told[:4], "big"))
                writer.write(data)
                await writer.drain()
                if asks and self._waits_for_commit and b"COMMIT" in data:
                    self._waits_for_commit = False
                    await self.cut()
                    self._at_commit.set()
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
