"""The job of the installation that puts the heads of the audit beyond the database's reach."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from bot.anchoring import EVERY, JOB, Anchoring
from bot.calls import Calls
from services import audit, jobs
from services.audit import anchors
from services.store.bell import Bell
from services.store.schema import NOBODY
from services.store.schema import jobs as table
from services.store.scope import OWNER
from services.work import Work

NOW, TENANT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC), UUID(int=7)


async def test_what_moved_is_anchored_and_the_job_comes_again(database, vault, tmp_path):
    anchoring = Anchoring(database, vault, lambda: NOW, tmp_path)
    own, nobody = {JOB: anchoring.as_job}, cast("Any", None)
    calls = Calls(database, vault, nobody, Bell(None), lambda: NOW, "https://pay.example", own=own)
    async with database.transaction(OWNER) as connection:
        await audit.record(Work(connection, vault, TENANT, NOW), audit.CLOCK, "a", TENANT, {})
        await jobs.schedule(Work(connection, vault, NOBODY, NOW), JOB, NOBODY, NOW)
    assert await calls.once()
    read = anchors.read(tmp_path, vault)
    assert [seq for seq, _ in read.of(TENANT)] == [1]
    async with database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(table.c.due_at)) == NOW + EVERY
    assert await anchoring.once() == 0
    assert anchors.read(tmp_path, vault).files == 1
