"""Claims: however much waits, taking the next batch walks an index and stops.

Statistics lag behind a burst, so the plans are looked at on tables that were never analyzed.
"""

from datetime import UTC, datetime

from bot import claims, outbox
from services.ids import new_id

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


async def plan(database, statement):
    dialect = database.engine.dialect
    text = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    word = "EXPLAIN" if database.is_postgres else "EXPLAIN QUERY PLAN"
    async with database.transaction() as connection:
        rows = (await connection.exec_driver_sql(f"{word} {text}")).all()
    return "\n".join(str(row[-1]) for row in rows)


def walks_its_index(database, told, index):
    assert index in told
    assert "Sort" not in told
    assert "TEMP B-TREE" not in told
    assert "Seq Scan" not in told
    assert "SCAN conversations" not in told
    return True


async def test_turns_take_the_oldest_events_from_their_index(database):
    statement = (claims._DUE_AND_FREE if database.is_postgres else claims._DUE).params(now=NOW)
    assert walks_its_index(database, await plan(database, statement), "ix_inbox_turns")


async def test_a_sent_message_finds_the_next_of_its_conversation_by_index(database):
    statement = outbox._HEADS_OF.params(
        now=NOW, resting=[new_id()], tenants=[new_id()], chats=[new_id(), new_id()]
    )
    assert walks_its_index(database, await plan(database, statement), "ix_outbox_open")


async def test_a_turn_reads_its_events_by_index(database):
    statement = claims._READ.params(chats=[new_id(), new_id()], until=NOW)
    told = await plan(database, statement.order_by(None))
    assert walks_its_index(database, told, "ix_inbox_turns")
