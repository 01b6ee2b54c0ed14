"""Anchoring: every five minutes the heads of the audit are signed and put beyond the database's reach: into a
folder (LIPACHAT_AUDIT__ANCHOR), and into the log, which its shipper carries away. Once for all processes, by
a job of the installation's own. Whoever rules the database can put that job off, so each worker looks whether
it came, and stands in for it."""

import asyncio
import contextlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from pydantic import BaseModel, field_validator

from bot.commas import listed
from services import jobs
from services.audit import anchors
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY
from services.store.scope import AUDITOR, PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

JOB = "audit_anchor"
EVERY = timedelta(minutes=5)
LATE = timedelta(minutes=6)
_LOOK = timedelta(minutes=1)
_TOGETHER = 200  # heads of one commit: their writers wait for it


class AuditSettings(BaseModel):
    anchor: Path | None = None  # the folder for signed heads of the audit
    public_keys: str = ""  # of secret keys that are gone, between commas: what they signed is still believed

    @field_validator("public_keys")
    @classmethod
    def _are_public_keys(cls, value: str) -> str:
        for key in listed(value):
            try:
                whole = len(b64decode(key, validate=True)) == anchors.PUBLIC_KEY_BYTES
            except ValueError:
                whole = False
            if not whole:
                raise ValueError("must be what `audit key` prints, between commas")
        return value

    @property
    def believed(self) -> list[str]:
        return listed(self.public_keys)


class Anchoring:
    """What has moved is told by the folder and by what this process remembers, and never by the database.
    Without a folder the log alone is told, by each process of what it has not told yet."""

    def __init__(
        self, database: Database, vault: Vault, clock: Callable[[], datetime], folder: Path | None
    ) -> None:
        self._database, self._vault, self._clock, self._folder = database, vault, clock, folder
        self._last, self._known = clock(), dict[UUID, anchors.Head]()

    async def once(self) -> int:
        """How many chains had moved; all, where nothing is known of them. What is written twice, since a
        crash came between, is right twice."""
        self._last = self._clock()
        known = {*self._known.values(), *(told.head for told in await self._written(files=20))}
        async with self._database.reading(AUDITOR) as connection:
            ends = await anchors.ends(connection)
        moved = [head for head in ends if head not in known]
        if moved and self._folder is not None:
            await asyncio.to_thread(anchors.write, self._folder, self._vault, moved, self._last)
        for head in moved:
            log.info("audit.head", tenant_id=str(head.tenant), position=head.seq, hash=head.hash.hex())
        self._known = {head.tenant: head for head in ends}
        await self._mark([head for head, marked in ends.items() if marked < head.seq])
        return len(moved)

    async def stand_in(self) -> int:
        """For a job that did not come, here or elsewhere: how many chains had moved."""
        newest = max([self._last, *(told.at for told in await self._written(files=1))])
        return await self.once() if self._clock() - newest >= LATE else 0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK.total_seconds())
            await self.stand_in()

    async def _written(self, files: int) -> list[anchors.Told]:
        """By the newest files, of whichever process. Where it cannot be read, all is written again."""
        if self._folder is None:
            return []
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(anchors.latest, self._folder, self._vault, files=files)
        return []

    async def _mark(self, heads: Sequence[anchors.Head]) -> None:
        """In the database, for those who look at how things stand."""
        for first in range(0, len(heads), _TOGETHER):
            async with self._database.transaction(PLATFORM) as connection:
                await anchors.anchored(connection, heads[first : first + _TOGETHER])

    async def as_job(self) -> None:
        """And again after a while."""
        await self.once()
        now = self._clock()
        async with self._database.transaction(NOBODY) as connection:
            work = Work(connection, self._vault, NOBODY, now, Via("clock", JOB))
            await jobs.schedule(work, JOB, NOBODY, now + EVERY)
