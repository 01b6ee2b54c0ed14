"""The chain as it is written: gapless, linked, last in its transaction, hashed alike on both databases."""

import asyncio
import contextlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import audit
from services.audit.chain import START, digest_of, hash_of
from services.audit.private import opened
from services.ids import new_id
from services.store.schema import Moment, audit_heads, audit_private
from services.store.schema import audit as entries
from services.store.scope import OWNER
from services.work import Via, Work

NOW = datetime(2026, 11, 28, 12, 0, 0, 123456, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


def work_of(connection, vault, tenant=ONE):
    return Work(connection, vault, tenant, NOW, Via("api", "lipa_0a1b2c3d4e5f"))


async def note(work, action, **more):
    await audit.record(work, UUID(int=9), action, UUID(int=8), {"words": "é\0\ud800"}, **more)


async def chain(database, tenant=ONE):
    async with database.reading(OWNER) as connection:
        query = sa.select(entries).where(entries.c.tenant_id == tenant).order_by(entries.c.seq)
        return (await connection.execute(query)).all()


async def head(database, tenant=ONE):
    async with database.reading(OWNER) as connection:
        return (
            await connection.execute(sa.select(audit_heads).where(audit_heads.c.tenant_id == tenant))
        ).one()


async def test_entries_are_linked_without_a_gap_and_hashed_as_written_down(database, vault):
    async with database.transaction(OWNER) as connection:
        work = work_of(connection, vault)
        await note(work, "a", before={"role": "Owner"}, after={"role": None})
        await note(work_of(connection, vault, OTHER), "x")
        await note(work, "b", alert=True)
    async with database.transaction(OWNER) as connection:
        await note(work_of(connection, vault), "c")
    rows = await chain(database)
    assert [(row.seq, row.action, row.channel, row.via) for row in rows] == [
        (n, action, "api", "lipa_0a1b2c3d4e5f") for n, action in enumerate("abc", start=1)
    ]
    assert (rows[0].before, rows[0].after, rows[1].before) == ({"role": "Owner"}, {"role": None}, None)
    previous = START
    for row in rows:
        facts = '{"words":"\\u00e9\\u0000\\ud800"}'
        changed = ('{"role":"Owner"}', '{"role":null}') if row.seq == 1 else (None, None)
        texts = (row.actor, row.channel, row.via, row.action, row.target, facts, *changed)
        digest = digest_of(ONE, Moment.microseconds(NOW), row.alert, None, texts)
        assert (row.previous, row.hash) == (previous, hash_of(row.seq, previous, digest))
        previous = row.hash
    end = await head(database)
    assert (end.seq, end.hash) == (3, previous)
    assert [row.seq for row in await chain(database, OTHER)] == [1]


async def test_what_a_savepoint_takes_back_is_not_recorded(database, vault):
    async with database.transaction(OWNER) as connection:
        work = work_of(connection, vault)
        await note(work, "kept")
        async with connection.begin_nested() as savepoint:
            await note(work, "lost", alert=True)
            assert await audit.alerted(work, "lost")
            await savepoint.rollback()
        assert not await audit.alerted(work, "lost")
        async with connection.begin_nested():
            await note(work, "kept too", alert=True)
    assert [row.action for row in await chain(database)] == ["kept", "kept too"]


async def test_a_transaction_that_fails_leaves_the_chain_alone(database, vault):
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction(OWNER) as connection:
            await note(work_of(connection, vault), "lost")
            raise ZeroDivisionError
    async with database.transaction(OWNER) as connection:
        await note(work_of(connection, vault), "first")
    assert [(row.seq, row.action) for row in await chain(database)] == [(1, "first")]


async def test_nothing_is_recorded_where_nobody_would_write_it(database, vault):
    async with database.reading(OWNER) as connection:
        with pytest.raises(RuntimeError, match="in a transaction"):
            await note(work_of(connection, vault), "lost")


async def test_deeds_at_once_wait_for_the_head_only_at_their_end(database, vault):
    """Each locks a wallet of its own choice before and after it is recorded: with the head locked in between
    two of them would wait for each other."""

    async def deed(n):
        async with database.transaction(OWNER) as connection:
            work = work_of(connection, vault, (ONE, OTHER)[n % 2])
            await note(work, f"{n}")
            await asyncio.sleep(0.01)
            await note(work_of(connection, vault, (OTHER, ONE)[n % 2]), f"{n}")

    await asyncio.gather(*(deed(n) for n in range(20)))
    for tenant in (ONE, OTHER):
        rows = await chain(database, tenant)
        assert [row.seq for row in rows] == list(range(1, 21))
        assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]


async def test_what_may_be_erased_is_kept_apart_and_leaves_its_digest(database, vault):
    person = new_id()
    async with database.transaction(OWNER) as connection:
        private = audit.Private(person, {"name": "Wanjiru"})
        await note(work_of(connection, vault), "a", private=private)
    (row,) = await chain(database)
    async with database.transaction(OWNER) as connection:
        (kept,) = (await connection.execute(sa.select(audit_private))).all()
        assert (kept.digest, kept.subject_id) == (row.private, person)
        assert b"Wanjiru" not in kept.facts_sealed
        assert await opened(work_of(connection, vault), row.private) == {"name": "Wanjiru"}
        assert await audit.erase(work_of(connection, vault), person) == 1
        assert await opened(work_of(connection, vault), row.private) is None
        assert await audit.erase(work_of(connection, vault), person) == 0
    assert [(row.action, row.private is None) for row in await chain(database)] == [
        ("a", False),
        ("audit.erased", True),
    ]
