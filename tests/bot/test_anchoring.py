"""The job of the installation that puts the heads of the audit beyond the database's reach."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from bot.anchoring import EVERY, JOB, LATE, Anchoring
from bot.calls import Calls
from services import audit, jobs
from services.audit import anchors
from services.audit.verify import verify
from services.store.bell import Bell
from services.store.schema import NOBODY, audit_heads
from services.store.schema import audit as entries
from services.store.schema import jobs as table
from services.store.scope import OWNER
from services.work import Work

NOW, TENANT, OTHER = datetime(2026, 11, 28, 12, 0, tzinfo=UTC), UUID(int=7), UUID(int=8)


async def recorded(database, vault, tenant=TENANT):
    async with database.transaction(OWNER) as connection:
        await audit.record(Work(connection, vault, tenant, NOW), audit.CLOCK, "a", tenant, {})


async def say_anchored(database, seq):
    """As whoever rules the database can."""
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit_heads).values(anchored_seq=seq))


async def cut_behind(database, seq):
    """And the head is set back."""
    async with database.transaction(OWNER) as connection:
        kept = sa.select(entries.c.hash, entries.c.previous).where(entries.c.seq == seq)
        last = (await connection.execute(kept)).one()
        await connection.execute(sa.delete(entries).where(entries.c.seq > seq))
        back = {"seq": seq, "hash": last.hash, "previous": last.previous, "anchored_seq": seq}
        await connection.execute(sa.update(audit_heads).values(back))


def told(folder, vault, tenant=TENANT):
    return [seq for seq, _ in anchors.read(folder, vault).of(tenant)]


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


async def test_what_the_database_says_of_its_anchors_keeps_none_from_being_written(database, vault, tmp_path):
    anchoring = Anchoring(database, vault, lambda: NOW, tmp_path)
    for _ in range(3):
        await recorded(database, vault)
    assert await anchoring.once() == 1
    await say_anchored(database, 10**9)
    for seq in (4, 5):
        await recorded(database, vault)
        assert await anchoring.once() == 1
        assert told(tmp_path, vault)[-1] == seq
    await cut_behind(database, 3)
    async with database.reading(OWNER) as connection:
        (finding,) = (await verify(connection, vault, anchors.read(tmp_path, vault))).findings
    assert (finding.finding, finding.position) == ("cut", 4)


async def test_nor_does_it_where_the_process_has_just_begun(database, vault, tmp_path):
    await recorded(database, vault)
    await say_anchored(database, 10**9)
    assert await Anchoring(database, vault, lambda: NOW, tmp_path).once() == 1
    assert told(tmp_path, vault) == [1]


async def test_of_several_processes_none_writes_what_another_has_written(database, vault, tmp_path):
    first, second = (Anchoring(database, vault, lambda: NOW, tmp_path) for _ in range(2))
    await recorded(database, vault)
    assert (await first.once(), await second.once()) == (1, 0)
    await recorded(database, vault, OTHER)
    assert (await second.once(), await first.once()) == (1, 0)
    assert (told(tmp_path, vault), told(tmp_path, vault, OTHER)) == ([1], [1])
    assert anchors.read(tmp_path, vault).files == 2


async def test_a_job_that_was_put_off_is_stood_in_for(database, vault, tmp_path):
    """Its row is in the database that is guarded: each process looks whether it came."""
    now = NOW
    anchoring = Anchoring(database, vault, lambda: now, tmp_path)
    await recorded(database, vault)
    await anchoring.once()
    await recorded(database, vault)
    now += LATE - timedelta(seconds=1)
    assert await anchoring.stand_in() == 0
    now += timedelta(seconds=1)
    assert await anchoring.stand_in() == 1
    assert told(tmp_path, vault) == [1, 2]
