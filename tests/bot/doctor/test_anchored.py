"""Whether anchors of the audit are there, as their folder has it, whatever the database says."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.anchoring import Anchoring, AuditSettings
from bot.doctor.anchored import anchored
from services import audit
from services.store.schema import audit_heads
from services.store.scope import OWNER
from services.work import Work

NOW, TENANT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC), UUID(int=7)


@pytest.fixture
async def folder(database, vault, tmp_path):
    """Of an audit of two entries of one chain."""
    for _ in range(2):
        await recorded(database, vault, NOW)
    await Anchoring(database, vault, lambda: NOW, tmp_path / "anchors").once()
    return tmp_path / "anchors"


async def recorded(database, vault, at):
    async with database.transaction(OWNER) as connection:
        await audit.record(Work(connection, vault, TENANT, at), audit.CLOCK, "a", TENANT, {})


async def say_anchored(database, seq):
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit_heads).values(anchored_seq=seq))


async def found(database, vault, folder, now):
    settings = SimpleNamespace(audit=AuditSettings(anchor=folder))
    parts = SimpleNamespace(database=database, vault=vault, clock=lambda: now, settings=settings)
    findings = [finding async for finding in anchored(cast("Any", parts))]
    assert all(each.level == "warning" and each.fix for each in findings)
    return [each.what for each in findings]


async def test_what_the_folder_has_is_good_and_so_is_what_is_new(database, vault, folder):
    assert await found(database, vault, folder, NOW + timedelta(hours=1)) == []
    await recorded(database, vault, NOW + timedelta(minutes=50))
    assert await found(database, vault, folder, NOW + timedelta(hours=1)) == []


async def test_what_no_file_covers_is_told_whatever_the_database_says(database, vault, folder):
    await recorded(database, vault, NOW + timedelta(minutes=30))
    await recorded(database, vault, NOW + timedelta(minutes=50))  # new ones do not hide it
    await say_anchored(database, 4)
    now = NOW + timedelta(hours=1)
    what = f"chains of the audit with entries of the last day that no file in {folder} covers: 1"
    assert await found(database, vault, folder, now) == [what]
    await Anchoring(database, vault, lambda: now, folder).once()
    assert await found(database, vault, folder, now) == []


async def test_a_head_that_is_said_to_be_anchored_beyond_its_end_is_told(database, vault, folder):
    await say_anchored(database, 10**9)
    what = "heads of the audit that are said to be anchored beyond their end: 1"
    assert await found(database, vault, folder, NOW) == [what]


async def test_without_a_folder_it_says_so(database, vault):
    what = "the audit is anchored in the log alone (LIPACHAT_AUDIT__ANCHOR is not set)"
    assert await found(database, vault, None, NOW) == [what]


async def test_a_folder_that_nobody_has_written_to_covers_nothing(database, vault, folder, tmp_path):
    other = tmp_path / "other"
    (what,) = await found(database, vault, other, NOW + timedelta(hours=1))
    assert what.endswith("covers: 1")
