"""Claims: however much waits, taking the next batch walks an index and stops.

Statistics lag behind a burst, so the plans are looked at on tables that were never analyzed.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

from bot import claims
from bot.sending import outbox, statuses
from services.ids import new_id
from services.store.hot import Hot, run
from services.store.schema import attempts
from services.store.scope import PLATFORM

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


async def plan(database, hot, *, whose=PLATFORM, **facts):
    compiled = hot._postgres if database.is_postgres else hot._sqlite
    word = "EXPLAIN" if database.is_postgres else "EXPLAIN QUERY PLAN"
    async with database.transaction(whose) as connection:
        rows = await run(connection, f"{word} {compiled.sql}", compiled.arguments(facts))
    return "\n".join(str(row[-1]) for row in rows)


def walks_its_index(database, told, index):
    assert index in told
    assert "Sort" not in told
    assert "TEMP B-TREE" not in told
    assert "Seq Scan" not in told
    assert "SCAN conversations" not in told
    return True


async def test_turns_take_the_oldest_events_from_their_index(database):
    assert walks_its_index(database, await plan(database, claims._DUE, now=NOW), "ix_inbox_turns")


async def test_a_sent_message_finds_the_next_of_its_conversation_by_index(database):
    facts = outbox._facts_of(NOW, [new_id()], [(new_id(), new_id()), (new_id(), new_id())])
    assert walks_its_index(database, await plan(database, outbox._LOOK, **facts), "ix_outbox_open")


async def test_a_turn_reads_its_events_by_index(database):
    told = await plan(database, claims._READ, chats=[new_id(), new_id()], until=NOW)
    assert walks_its_index(database, told, "ix_inbox_turns")


async def test_a_status_finds_its_message_by_index(database):
    told = await plan(database, statuses._MESSAGES, wamids=["wamid.1", "wamid.2"], seqs=[1, 2])
    assert "ix_outbox_wamid" in told
    assert "Filter" not in told
    assert "SCAN outbox" not in told
    assert "SCAN told" not in told


async def test_the_attempts_of_a_payment_are_found_by_index(database):
    tenant = new_id()
    mine = (attempts.c.tenant_id == tenant, attempts.c.payment_id == new_id())
    told = await plan(database, Hot(sa.select(attempts.c.id).where(*mine)), whose=tenant)
    assert walks_its_index(database, told, "ix_attempts_tenant_id_payment_id")
