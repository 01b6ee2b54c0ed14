"""Slow: what chat turns of others feel while 500 calls to a provider wait for their answers.

Customers of one merchant have tapped *Pay*, and M-Pesa has taken each prompt and says nothing for 30 seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.parts import utc_now
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import tenants
from services.store.scope import OWNER
from tests import servers
from tests.bench.measures import BACKENDS, KIND_RATE, NAMES, Figures, machine
from tests.bench.stand import NothingToMeasureWith, Running, lipachat, module
from tests.services.business import Business

TITLE = "## Slow providers"
MANY, HELD_SECONDS, MEASURED_SECONDS, TARGET = 500, 30, 10.0, 2.0
_LEAD = timedelta(seconds=20)  # all prompts fall due at the same moment
_PATIENCE = 40.0
_IDLE, _HELD, _OPEN = "idle", "held", "transactions"
_PLAN: dict[str, Any] = {
    "how": "turns",
    "text": "menu",
    "seconds": MEASURED_SECONDS,
    "warmup": 6.0,  # the burst is over, and what the customers are told of it is sent
    "rate": KIND_RATE,
}


async def measure_slow(figures: Figures, say: Callable[[str], None]) -> None:
    for n in range(figures.rounds):
        say(f"round {n + 1} of {figures.rounds}")
        for backend in BACKENDS:
            port = servers.free_port()
            with module("tarpit", port, HELD_SECONDS):
                async with lipachat(backend, mpesa_port=port) as running:
                    await _beside_idle(figures, backend, running, port, say)


async def _beside_idle(
    figures: Figures, backend: str, running: Running, port: int, say: Callable[[str], None]
) -> None:
    idle = figures.add(f"{backend} {_IDLE}", await running.load(**_PLAN))
    async with _at_once(running, port):
        held = figures.add(f"{backend} {_HELD}", await running.load(**_PLAN))
        still, begun = await _held(port), await _in_transaction(running)
    if still < MANY:
        raise NothingToMeasureWith(f"{MANY} calls that wait to the end; {still} did")
    figures.add(f"{backend} {_OPEN}", {"count": begun})
    say(
        f"  {NAMES[backend]:<12} p99 {idle['turn_ms']['p99']:.1f} ms idle, "
        f"{held['turn_ms']['p99']:.1f} ms beside {still} calls, {begun} transactions open"
    )


@asynccontextmanager
async def _at_once(running: Running, port: int) -> AsyncIterator[None]:
    """All of them wait."""
    database = Database(running.url)
    shop = await _shop(database)
    for _ in range(MANY):
        await shop.pay("500")
    await database.close()
    end = asyncio.get_running_loop().time() + _PATIENCE
    while await _held(port) < MANY:
        if asyncio.get_running_loop().time() > end:
            raise NothingToMeasureWith(f"{MANY} calls at once; there are {await _held(port)}")
        await asyncio.sleep(0.1)
    yield


async def _shop(database: Database) -> Business:
    """The merchant who can take M-Pesa, with people of the bench's own."""
    shop = Business(database, Vault([bytes(range(32))]))
    shop.now = utc_now() + _LEAD
    async with database.transaction(OWNER) as connection:
        shop.tenant = (await connection.execute(sa.select(tenants.c.id))).scalar_one()
    shop.customer = await shop.person("Achieng")
    return shop


async def _held(port: int) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/held") as answer:
        return int(await answer.json())


async def _in_transaction(running: Running) -> int:
    """How many connections are in a transaction that waits for us; on SQLite there is one writer, which the
    turns that were measured needed."""
    if not running.url.startswith("postgresql"):
        return 0
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    )
    engine = create_async_engine(running.url)
    async with engine.connect() as connection:
        count = (await connection.execute(sa.text(waiting))).scalar_one()
    await engine.dispose()
    return int(count)


def slow(figures: Figures) -> list[str]:
    """The section of the page."""
    rows = [
        TITLE,
        "",
        f"*menu* at {KIND_RATE} messages a second, from the webhook sent to the reply received, in one",
        f"process: idle, and while {MANY} prompts of one merchant wait for an M-Pesa that says nothing for",
        f"{HELD_SECONDS} seconds. Open transactions: of PostgreSQL, waiting for us, while all of them wait.",
        f"{machine()}; rounds: {figures.rounds}, of which these are the medians.",
        "",
        f"| | idle p50 / p99 | beside {MANY} calls | of the idle p99 | target | open transactions |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for backend in BACKENDS:
        idle, held = f"{backend} {_IDLE}", f"{backend} {_HELD}"
        opened = f"{figures.median(f'{backend} {_OPEN}', 'count'):.0f}" if backend == "postgres" else ""
        rows.append(
            f"| {NAMES[backend]} | {_waits(figures, idle)} | {_waits(figures, held)} "
            f"| {figures.ratio(held, idle, 'turn_ms', 'p99'):.2f} | {TARGET:.1f} | {opened} |"
        )
    return [*rows, ""]


def _waits(figures: Figures, name: str) -> str:
    p50, p99 = (figures.median(name, "turn_ms", quantile) for quantile in ("p50", "p99"))
    return f"{p50:.1f} / {p99:.1f} ms"
