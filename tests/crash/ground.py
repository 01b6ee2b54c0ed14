"""Ground: emulators whose own books outlive the app, and an app that is killed and started again.

A process that has died keeps what it had claimed until its leases run out: two minutes for a call, most of a
minute for a message. Where `patient`, they are waited out, as they would be in life; else the rows are
written as if that time had gone by.
"""

import asyncio
import json
import secrets
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import (
    PHONES,
    SHOP,
    accounts,
    daraja_app,
    file_text,
)
from bot.sandbox.server import emulators
from bot.sandbox.world import World, utc_now
from services.store.database import Database
from services.store.schema import conversations, inbox, jobs, outbox, rails, webhook_deliveries
from services.store.scope import OWNER
from services.withdrawals import floats
from tests.crash.nursery import Child, Nursery, nursery
from tests.e2e.installation import Installation, ready
from tests.e2e.programs import Program
from tests.e2e.town import Town
from tests.servers import lasting_port

NJERI = """
[[staff]]
name = "Njeri"
role = "Owner"
"""
_CODES = 'totp_above = "20000"\n'
_KEY = new_private_key()
_LAST_SECONDS = 10.0
_CHECKS = ("collect_check", "payout_check", "refund_check", "payment_check")


class Unexpected(AssertionError):
    """The process has ended otherwise than by our hand."""


@dataclass
class Ground:
    """`reached`: the points at which it was killed; `restarted_at`: after the last. `workers`: processes of
    `work` beside a server without one of its own."""

    town: Town
    url: str
    database: Database
    nursery: Nursery
    patient: bool
    workers: int = 0
    programs: dict[str, Program] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    restarted_at: float = 0.0
    restarted: float = 0.0  # by the clock on the wall
    _watch: asyncio.Task[None] | None = None
    _child: Child | None = None
    _at_work: list[Child] = field(default_factory=list)

    @property
    def patience(self) -> float:
        return 400.0 if self.patient else 30.0

    async def begin(self, points: Sequence[str]) -> None:
        """A process that is killed at the first of them; the one after it at the next, and so on."""
        await self.end()
        self._watch = asyncio.create_task(self._killed_at(list(points)))
        self._at_work = [self.nursery.start("work") for _ in range(self.workers)]
        await ready(self.town.http, self.url)

    async def end(self) -> None:
        """Once more in the midst of whatever it does."""
        watch, self._watch = self._watch, None  # a scene that goes on meanwhile looks at none
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        if self._child is not None:
            dying = (self._child, *self._at_work)
            self._child, self._at_work = None, []
            for child in dying:
                child.kill()
                await child.ended
            await self.forget_the_dead()

    async def killed(self, points: Sequence[str]) -> bool:
        """Whether it was at all of these. The last of them may come after what the scene waited for."""
        end = time.monotonic() + _LAST_SECONDS
        while tuple(self.reached) != tuple(points) and time.monotonic() < end:
            await asyncio.sleep(0.02)
            self.look()
        return tuple(self.reached) == tuple(points)

    def look(self) -> None:
        """Raises Unexpected."""
        if self._watch is not None and self._watch.done():
            self._watch.result()
        for child in self._at_work:
            if child.ended.done():
                raise Unexpected(f"a worker has ended:\n{child.log.read_text()[-4000:]}")

    async def _killed_at(self, points: list[str]) -> None:
        port = self.url.rsplit(":", 1)[1]
        while True:
            at = {"LIPACHAT_CRASH_AT": points[0]} if points else {}
            self.restarted_at, self.restarted = time.monotonic(), time.time()
            alone = ("--no-worker",) if self.workers else ()
            self._child = self.nursery.start("serve", "--port", port, *alone, **at)
            code = await asyncio.shield(self._child.ended)
            if not points or code != -signal.SIGKILL:
                raise Unexpected(f"ended with {code}:\n{self._child.log.read_text()[-4000:]}")
            self.reached.append(points.pop(0))
            await self.forget_the_dead()

    async def forget_the_dead(self) -> None:
        """Nothing of ours lives now."""
        if self.patient:
            return
        now = datetime.now(UTC)
        async with self.database.transaction(OWNER) as connection:
            sending = outbox.c.state == "sending"
            await connection.execute(sa.update(outbox).where(sending).values(due_at=now))
            await connection.execute(sa.update(jobs).values(leased_until=None))
            posting = webhook_deliveries.c.state == "sending"
            await connection.execute(sa.update(webhook_deliveries).where(posting).values(due_at=now))
            waiting = sa.and_(inbox.c.state == "waiting", inbox.c.due_at > now)
            await connection.execute(sa.update(inbox).where(waiting).values(due_at=now))
            await connection.execute(sa.update(conversations).values(rests_until=None))
            asking = jobs.c.kind.in_(_CHECKS)
            await connection.execute(sa.update(jobs).where(asking).values(due_at=now))

    async def hasten(self, *kinds: str) -> None:
        """As if what these wait for had come."""
        if not self.patient:
            free = sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < datetime.now(UTC))
            due = sa.update(jobs).where(jobs.c.kind.in_(kinds), free)
            async with self.database.transaction(OWNER) as connection:
                await connection.execute(due.values(due_at=datetime.now(UTC) - timedelta(seconds=1)))
                if "payout" in kinds:  # each waits as long as its account may take to answer
                    unanswered = sa.func.coalesce(
                        rails.c.float_answered_at < rails.c.float_asked_at, sa.true()
                    )
                    long_ago = datetime.now(UTC) - floats.ANSWERED_WITHIN
                    asked = sa.update(rails).where(unanswered)
                    await connection.execute(asked.values(float_asked_at=long_ago))


@asynccontextmanager
async def ground(
    folder: Path,
    database_url: str,
    *,
    way: str = "",
    fresh: bool = False,
    patient: bool = False,
    workers: int = 0,
) -> AsyncIterator[Ground]:
    """With its tables, its tenant and the keys of three of its staff; nothing runs yet. `way`: the address by
    which the processes reach the database, where it is another one than ours."""
    async with aiohttp.ClientSession() as http, _outside(http) as (town, port):
        environment = {
            "LIPACHAT_WHATSAPP__GRAPH_URL": town.url,
            "LIPACHAT_MPESA__URL": town.url,
            "LIPACHAT_PAYSTACK__URL": f"{town.url}/paystack",
            "LIPACHAT_PESAPAL__URL": f"{town.url}/pesapal",
            "LIPACHAT_STRIPE__URL": f"{town.url}/stripe",
            "LIPACHAT_WEBHOOKS__ALLOW_LOOPBACK": "true",
            "LIPACHAT_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "LIPACHAT_DATABASE_URL": way or database_url,
        }
        told = Installation(folder, **environment).environment
        database = Database(database_url, pool_size=2)
        try:
            async with nursery(folder, told, fresh=fresh) as starts:
                made = Ground(town, environment["LIPACHAT_PUBLIC_URL"], database, starts, patient, workers)
                await _settle_in(made, folder)
                try:
                    yield made
                finally:
                    await made.end()
        finally:
            await database.close()


async def _settle_in(made: Ground, folder: Path) -> None:
    file = file_text(certificate_pem(_KEY, utc_now())).replace(_CODES, "")  # nobody here has a phone for them
    (folder / "tenant.toml").write_text(file + NJERI)
    await made.nursery.run("db", "upgrade")
    applied = json.loads(await made.nursery.run("tenant", "apply", "tenant.toml"))
    for each in applied["staff"]:
        asked = ("apikey", "create", "--tenant", "mama-njeri", "--staff", each["id"])
        key = json.loads(await made.nursery.run(*asked))["api_key"]
        made.programs[each["name"]] = Program(made.town.http, made.url, key, each["id"])


@asynccontextmanager
async def _outside(http: aiohttp.ClientSession) -> AsyncIterator[tuple[Town, int]]:
    app_port = lasting_port()
    world = World(
        app_url=f"http://127.0.0.1:{app_port}",
        app_secret="app-secret",
        shops=(SHOP,),
        phones=PHONES,
        daraja=(daraja_app(_KEY),),
        **accounts(),
        seed=secrets.token_hex(4),
        payout_delay=0.1,
        delivery_delay=0.02,
        retry_delays=(0.1,) * 5000,
    )
    runner = web.AppRunner(emulators(world), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Town(http, f"http://127.0.0.1:{runner.addresses[0][1]}"), app_port
    finally:
        await runner.cleanup()
