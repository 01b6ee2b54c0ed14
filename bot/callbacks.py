"""Callbacks: what providers told, read and taken to what it is about.

They are claimed by their due time, as a lease, and their tries counted in the same commit, so that one
that kills its process is parked in the end; one that was tried before is claimed alone, so that it takes
no neighbour with it. Each is then taken in a transaction of its own, together with its being done; those of
one address one after the other, as they came, since a bank that pays and gives back says both to one.
One that nobody can read is parked at once, for operators to look at; one about nothing of ours is kept.
"""

import asyncio
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import tracing
from bot.log import redacted
from bot.providers import NoProvider, Providers
from bot.stopping import unbroken
from services import callbacks, hooks
from services.payments.by_hand import TooSoon
from services.points import point
from services.providers import PROVIDERS
from services.providers.base import Unreadable
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database, padded
from services.store.ending import woken
from services.store.schema import inbox, waits_aside
from services.store.scope import PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

MOST_TRIES = 4
_BATCH = 20
_ABREAST = 4
_POLL_SECONDS = 1.0
_LEASE = timedelta(seconds=30)
_UNTIL_SETTINGS = timedelta(minutes=1)
_UNTIL_OTHERS = timedelta(seconds=30)


@dataclass(frozen=True)
class Callback:
    """A row of the inbox that is claimed; `tries` counts this one."""

    seq: int
    tenant_id: UUID
    external_id: str
    body_sealed: bytes
    tries: int

    @property
    def address(self) -> str:
        """The hash of its token; the provider's name where it signs, and has one address for all."""
        return self.external_id.partition(":")[0]


class Callbacks:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        providers: Providers,
        bell: Bell,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._providers = database, vault, providers
        self._bell, self._clock = bell, clock
        self._abreast = asyncio.Semaphore(_ABREAST if database.is_postgres else 1)
        self._tried_first = False

    async def run(self) -> None:
        """For ever; whatever goes wrong below a callback (the database is away) is waited out."""
        while True:
            try:
                busy = await unbroken(self.once())
            except Exception:  # the edge: a worker outlives its database
                log.exception("callbacks.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if not busy:
                await self._bell.wait("hooks", _POLL_SECONDS)

    async def once(self) -> bool:
        """One batch; False when nothing was waiting."""
        self._tried_first = not self._tried_first
        claimed = await self._claim(tried=self._tried_first) or await self._claim(tried=not self._tried_first)
        addresses: dict[tuple[UUID, str], list[Callback]] = {}
        for callback in claimed:
            addresses.setdefault((callback.tenant_id, callback.address), []).append(callback)
        await asyncio.gather(*map(self._take_in_order, addresses.values()))
        return bool(claimed)

    async def _claim(self, *, tried: bool) -> list[Callback]:
        now = self._clock()
        due = (
            sa.select(inbox.c.seq)
            .where(
                inbox.c.kind == "hook",
                waits_aside(inbox),
                inbox.c.due_at <= now,
                inbox.c.tries > 0 if tried else inbox.c.tries == 0,
            )
            .order_by(inbox.c.seq)
            .limit(1 if tried else _BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction(PLATFORM) as connection:
            seqs = (await connection.execute(due)).scalars().all()
            if not seqs:
                return []
            claim = (
                sa.update(inbox)
                .where(inbox.c.seq.in_(padded(seqs)))
                .values(tries=inbox.c.tries + 1, due_at=now + _LEASE)
                .returning(
                    inbox.c.seq, inbox.c.tenant_id, inbox.c.external_id, inbox.c.body_sealed, inbox.c.tries
                )
            )
            rows = (await connection.execute(claim)).all()
        point("hook.claimed")
        return [Callback(*row) for row in sorted(rows, key=lambda row: row.seq)]

    async def _take_in_order(self, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            await self._take(callback)

    async def _take(self, callback: Callback) -> None:
        """One callback; a bug in it is none of the others'."""
        about: dict[str, Any] = {"tenant_id": str(callback.tenant_id), "callback": callback.seq}
        with structlog.contextvars.bound_contextvars(**about), tracing.span("callback", **about):
            await self._taken(callback)

    async def _taken(self, callback: Callback) -> None:
        async with self._abreast:
            try:
                if callback.tries > MOST_TRIES:
                    await self._park(callback, f"gave up after {MOST_TRIES} tries; the process may have died")
                else:
                    await self._apply(callback)
            except Unreadable as error:
                await self._park(callback, f"unreadable: {error}")
            except TooSoon:
                await self._wait(callback)
            except Exception as error:  # noqa: BLE001
                await self._put_off(callback, error)

    async def _apply(self, callback: Callback) -> None:
        """Raises Unreadable, and whatever a bug raises: then nothing of it has happened."""
        row = f"hook|{callback.external_id}|"
        body = self._vault.open(callback.body_sealed, callback.tenant_id, "inbox.body", row)
        if callback.address in PROVIDERS:  # one that signs has one address for all
            hook, name, read_as = None, callback.address, "signed"
        else:
            hook, name = await self._addressed(bytes.fromhex(callback.address))
            read_as = hook.read_as
        provider = await self._providers.of(callback.tenant_id, name)
        confirm_above = await self._providers.confirm_above(callback.tenant_id, name)
        report = provider.read(read_as, body)
        async with self._database.transaction(callback.tenant_id) as connection:
            work = Work(connection, self._vault, callback.tenant_id, self._clock(), Via("provider", name))
            if hook is None or hook.is_lasting:
                hook = await hooks.named(work, name, report)
            if hook is None:
                why = f"{name} told of something that is not ours: {report.about}"
                await _mark(connection, callback, state="kept", error=why)
                return
            if not await _mark(connection, callback, state="done", error=None):
                return  # our lease ran out, and another worker has taken it
            await callbacks.apply(work, hook, report, confirm_above=confirm_above)
            point("hook.applied")
            topics = woken(connection)
        point("hook.committed")
        for topic in topics:
            self._bell.ring(topic)

    async def _addressed(self, token_hash: bytes) -> tuple[hooks.Hook, str]:
        """What the address is about, and whose it is. Raises Unreadable."""
        async with self._database.reading(PLATFORM) as connection:
            hook = await hooks.by_hash(connection, token_hash)
            provider = await hooks.provider_of(connection, hook) if hook else None
        if hook is None or provider is None:
            raise Unreadable("its address is gone")
        return hook, provider

    async def _wait(self, callback: Callback) -> None:
        """It was no try: what it waits for has an end of its own."""
        due = {"due_at": self._clock() + _UNTIL_OTHERS, "tries": callback.tries - 1}
        async with self._database.transaction(callback.tenant_id) as connection:
            await _mark(connection, callback, **due)

    async def _put_off(self, callback: Callback, error: Exception) -> None:
        """What it did was rolled back: it waits longer each time, and is parked in the end."""
        log.error(
            "callback.failed",
            seq=callback.seq,
            tries=callback.tries,
            trace="".join(traceback.format_exception(error)),
        )
        said: dict[str, object] = {"error": redacted(repr(error))[:2000]}
        if isinstance(error, NoProvider):  # the tenant's settings are missing: it is read once they are back
            said |= {"due_at": self._clock() + _UNTIL_SETTINGS, "tries": callback.tries - 1}
        elif callback.tries < MOST_TRIES:
            said["due_at"] = self._clock() + timedelta(seconds=2**callback.tries)
        else:
            await self._park(callback, repr(error))
            return
        async with self._database.transaction(callback.tenant_id) as connection:
            await _mark(connection, callback, **said)

    async def _park(self, callback: Callback, why: str) -> None:
        log.error("callback.parked", seq=callback.seq, tenant_id=str(callback.tenant_id), why=why)
        async with self._database.transaction(callback.tenant_id) as connection:
            await _mark(connection, callback, state="parked", error=redacted(why)[:2000])


async def _mark(connection: AsyncConnection, callback: Callback, **values: object) -> bool:
    """Change the row while the claim is still ours; False where it is not."""
    ours = (
        sa.update(inbox)
        .where(
            inbox.c.tenant_id == callback.tenant_id,
            inbox.c.seq == callback.seq,
            inbox.c.state == "waiting",
            inbox.c.tries == callback.tries,
        )
        .values(**values)
    )
    return (await connection.execute(ours)).rowcount == 1
