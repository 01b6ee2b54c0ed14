"""Stand: starts what is measured, as processes, and what they need."""

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.sandbox import goods
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import file_text
from bot.sandbox.world import utc_now
from services.store.roles import KINDS, role
from tests import servers
from tests.e2e.installation import Installation, ready
from tests.processes import ROOT


class NothingToMeasureWith(Exception):
    """A server that the bench needs is not there."""


def load(**plan: Any) -> dict[str, Any]:
    """One run of the load; see `tests/bench/load.py`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load", json.dumps(plan)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextlib.contextmanager
def module(name: str, *arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m tests.bench.NAME`, until it listens on the port that is its first argument."""
    command = [sys.executable, "-m", f"tests.bench.{name}", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while not servers.listens(int(str(arguments[0]))):
            if process.poll() is not None:
                raise NothingToMeasureWith(f"{name} ended with {process.returncode}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.asynccontextmanager
async def lipachat(
    backend: str,
    processes: int = 1,
    *,
    worker: bool = True,
    sells: bool = False,
    mpesa_port: int | None = None,
) -> AsyncIterator["Running"]:
    """The real commands, on a new database. Two processes are `serve` with its worker and one `work`;
    `sells`: the merchant has products; `mpesa_port`: where M-Pesa is, unless nobody asks it."""
    with tempfile.TemporaryDirectory() as folder:
        async with database(backend, Path(folder)) as url:
            port, graph_port = servers.free_port(), servers.free_port()
            settings = {
                "LIPACHAT_DATABASE_URL": url,
                "LIPACHAT_WHATSAPP__GRAPH_URL": f"http://127.0.0.1:{graph_port}",
                "LIPACHAT_MPESA__URL": f"http://127.0.0.1:{mpesa_port or graph_port}",
                "LIPACHAT_LOG_LEVEL": "warning",
                "LIPACHAT_API__PER_MINUTE": "1000000000",
                "LIPACHAT_API__TENANT_PER_MINUTE": "1000000000",
                "LIPACHAT_WHATSAPP__PER_MINUTE": "0",  # few people, who write as fast as they are answered
            }
            if processes > 1:
                settings["LIPACHAT_REDIS_URL"] = f"redis://127.0.0.1:{servers.LOCAL_REDIS}"
            installation = Installation(Path(folder), **settings)
            installation.fresh = True
            installation.run("db", "upgrade")
            text = file_text(certificate_pem(new_private_key(), utc_now()))
            text += goods.products("http://127.0.0.1") if sells else ""
            (Path(folder) / "tenant.toml").write_text(text)
            installation.run("tenant", "apply", "tenant.toml")
            started = time.perf_counter()
            installation.start("serve", "--port", str(port), *([] if worker else ["--no-worker"]))
            for _ in range(processes - 1):
                installation.start("work")
            try:
                async with aiohttp.ClientSession() as http:
                    await ready(http, f"http://127.0.0.1:{port}")
                yield Running(installation, url, port, graph_port, time.perf_counter() - started)
            finally:
                await asyncio.to_thread(installation.stop)


class Running:
    """`url`: of its database. `idle_mb`: resident memory of the first process before it has done anything."""

    def __init__(
        self, installation: Installation, url: str, port: int, graph_port: int, start_seconds: float
    ) -> None:
        self.installation, self.url, self.start_seconds = installation, url, start_seconds
        self.idle_mb = _resident_mb(installation.processes[0].pid)
        self.port, self._ports = port, {"port": port, "graph_port": graph_port}

    async def load(self, **plan: Any) -> dict[str, Any]:
        return await asyncio.to_thread(load, **plan, **self._ports)


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024


@contextlib.asynccontextmanager
async def database(backend: str, folder: Path) -> AsyncIterator[str]:
    """The address of a new one without tables."""
    if backend == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/bench.db"
        return
    server = servers.postgres_url()
    if server is None:
        raise NothingToMeasureWith("a PostgreSQL server at 127.0.0.1:5432, or LIPACHAT_TEST_POSTGRES")
    name = f"lipachat_bench_{secrets.token_hex(4)}"
    await _administer(server, f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')
        for kind in KINDS:
            await _administer(server, f'DROP ROLE IF EXISTS "{role(name, kind)}"')


async def _administer(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()
