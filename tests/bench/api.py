"""The API: reads and writes a second beside a bare handler with one query on the same database, and what it
takes to know who calls."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from aiohttp.test_utils import make_mocked_request

from bot.access import ApiSettings
from bot.api.callers import Callers
from bot.api.refusals import Refusals
from bot.parts import utc_now
from bot.rate import Rate
from services.safety.vault import Vault
from services.store.database import Database
from tests import servers
from tests.bench.load import quantiles
from tests.bench.measures import BACKENDS, NAMES, Figures, machine
from tests.bench.stand import NothingToMeasureWith, Running, lipachat, module
from tests.processes import ROOT

TITLE = "## The API"
_CONNECTIONS, _CALLS, _TARGET_MS = 16, 2000, 1.0
_RATE = "per_second"
_UNLIMITED = ApiSettings(per_minute=10**9, tenant_per_minute=10**9)
_PROGRAM = '\n[[staff]]\nname = "A program"\nrole = "Owner"\n'
_CUSTOMER = '{"phone": "+2547#0", "name": "Wanjiku"}'
_BARE, _READ, _WRITE, _KNOWN = "bare", "read", "write", "known"


async def measure_api(figures: Figures, say: Callable[[str], None]) -> None:
    for n in range(figures.rounds):
        say(f"round {n + 1} of {figures.rounds}")
        for backend in BACKENDS:
            async with lipachat(backend) as running:
                key = await asyncio.to_thread(_key, running)
                await _beside_bare(figures, backend, running, key, say)


async def _beside_bare(
    figures: Figures, backend: str, running: Running, key: str, say: Callable[[str], None]
) -> None:
    port = servers.free_port()
    with module("bare", port, running.url):
        bare = await _asked(figures, port, _request("GET", "/"))
    ours = running.port
    read = await _asked(figures, ours, _request("GET", "/api/v1/wallet", key))
    write = await _asked(figures, ours, _request("POST", "/api/v1/customers", key, _CUSTOMER), "201")
    known = await _authenticated(running.url, key)
    for name, told in ((_BARE, bare), (_READ, read), (_WRITE, write), (_KNOWN, known)):
        figures.add(f"{backend} {name}", told)
    say(
        f"  {NAMES[backend]:<12} {bare[_RATE]:7,.0f} bare, {read[_RATE]:7,.0f} reads, "
        f"{write[_RATE]:7,.0f} writes a second; who calls: {known['ms']['p50']:.2f} ms"
    )


def _key(running: Running) -> str:
    """Of a program of the merchant's, which may do everything."""
    installation = running.installation
    file = installation.folder / "tenant.toml"
    file.write_text(file.read_text() + _PROGRAM)
    applied = json.loads(installation.run("tenant", "apply", "tenant.toml"))
    who = next(each["id"] for each in applied["staff"] if each["name"] == "A program")
    made = installation.run("apikey", "create", "--tenant", applied["slug"], "--staff", who)
    return str(json.loads(made)["api_key"])


def _request(method: str, path: str, key: str = "", body: str = "") -> str:
    """Each # of the body is a number of seven digits."""
    length = len(body.replace("#", "0" * 7))
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-TENANT-API-KEY: {key}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n{body}"


async def _asked(figures: Figures, port: int, request: str, status: str = "200") -> dict[str, Any]:
    plan = {"port": port, "seconds": figures.seconds, "connections": _CONNECTIONS, "request": request}
    command = [sys.executable, "-m", "tests.bench.asker", json.dumps(plan)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if set(told["statuses"]) != {status}:
        raise NothingToMeasureWith(f"answers of {status}; there are {told['statuses']}")
    return told


async def _authenticated(url: str, key: str) -> dict[str, Any]:
    """One after another, while nobody else asks: all that comes before a handler is chosen."""
    database, vault = Database(url), Vault([bytes(range(32))])
    refusals = Refusals(database, vault, utc_now)
    callers = Callers(database, vault, utc_now, Rate(utc_now), refusals, _UNLIMITED, ())
    request, took = make_mocked_request("GET", "/api/v1/wallet", {"X-TENANT-API-KEY": key}), list[float]()
    for _ in range(_CALLS):
        began = time.perf_counter()
        await callers.of(request, "GET /api/v1/wallet")
        took.append(time.perf_counter() - began)
    await database.close()
    return {"ms": quantiles(took[_CALLS // 10 :])}


def api(figures: Figures) -> list[str]:
    """The section of the page."""
    rows = [
        TITLE,
        "",
        "Requests a second of one process, `serve` with its worker, over",
        f"{_CONNECTIONS} connections that ask again once they are answered: `GET /wallet`, and",
        "`POST /customers` of a new customer each time, both with a key. Bare: an aiohttp handler with one",
        "query, on the same database in the same run. Who calls: from the header to the person, the scopes",
        "and the limits, one after another, without Redis.",
        f"{machine()}; rounds: {figures.rounds}, of which these are the medians.",
        "",
        "| | bare | reads | of bare | writes | of bare | p50 / p99 | of writes | who calls | target |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for backend in BACKENDS:
        bare, read, write = (f"{backend} {name}" for name in (_BARE, _READ, _WRITE))
        known = figures.median(f"{backend} {_KNOWN}", "ms", "p50")
        rows.append(
            f"| {NAMES[backend]} | {figures.median(bare, _RATE):,.0f} "
            f"| {figures.median(read, _RATE):,.0f} | {figures.ratio(read, bare, _RATE):.2f} "
            f"| {figures.median(write, _RATE):,.0f} | {figures.ratio(write, bare, _RATE):.2f} "
            f"| {_waits(figures, read)} | {_waits(figures, write)} "
            f"| {known:.2f} ms | under {_TARGET_MS:.0f} ms |"
        )
    return [*rows, ""]


def _waits(figures: Figures, name: str) -> str:
    p50, p99 = (figures.median(name, "ms", quantile) for quantile in ("p50", "p99"))
    return f"{p50:.1f} / {p99:.1f} ms"
