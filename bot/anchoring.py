"""Anchoring: every five minutes the heads of the audit are signed and put beyond the database's reach: into a
folder (LIPACHAT_AUDIT__ANCHOR), and into the log, which its shipper carries away. Once for all processes, by
a job of the installation's own."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

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
    """Without a folder the log alone is told."""

    def __init__(
        self, database: Database, vault: Vault, clock: Callable[[], datetime], folder: Path | None
    ) -> None:
        self._database, self._vault, self._clock, self._folder = database, vault, clock, folder

    async def once(self) -> int:
        """How many chains had moved. What is written twice, since a crash came between, is right twice."""
        async with self._database.reading(AUDITOR) as connection:
            heads = await anchors.moved(connection)
        if heads and self._folder is not None:
            await asyncio.to_thread(anchors.write, self._folder, self._vault, heads, self._clock())
        for head in heads:
            log.info("audit.head", tenant_id=str(head.tenant), position=head.seq, hash=head.hash.hex())
        for first in range(0, len(heads), _TOGETHER):
            async with self._database.transaction(PLATFORM) as connection:
                await anchors.anchored(connection, heads[first : first + _TOGETHER])
        return len(heads)

    async def as_job(self) -> None:
        """And again after a while."""
        await self.once()
        now = self._clock()
        async with self._database.transaction(NOBODY) as connection:
            work = Work(connection, self._vault, NOBODY, now, Via("clock", JOB))
            await jobs.schedule(work, JOB, NOBODY, now + EVERY)
