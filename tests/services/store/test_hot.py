"""Hot and bulk statements say the same on both databases."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store.bulk import BulkInsert, BulkUpdate, together
from services.store.guard import OutOfScope
from services.store.hot import Hot, Named, among
from services.store.schema import conversations, inbox, people, staff
from services.store.scope import OWNER

AT = datetime(2026, 11, 25, 9, 30, 0, 123457, tzinfo=UTC)
EVENTS = BulkInsert(
    inbox,
    "tenant_id",
    "kind",
    "external_id",
    "status",
    "state",
    "due_at",
    "received_at",
    "body_sealed",
    unless_there=True,
)
SHOP, OTHER = new_id(), new_id()


def event(name, tenant=SHOP):
    return tenant, "message", name, "", "waiting", AT, AT, b"\x00\xff"


@pytest.fixture
async def stored(database):
    async with database.transaction(OWNER) as connection:
        await EVENTS(connection, [event("a"), event("b"), event("c", OTHER)])
    return database


async def names(database, where, **facts):
    found = Hot(sa.select(inbox.c.external_id).where(where).order_by(inbox.c.external_id))
    async with database.driver() as driver:
        return [name for (name,) in await found(driver, **facts)]


async def test_a_list_of_any_length_is_one_parameter(stored):
    by_name, by_tenant = among(inbox.c.external_id, "names"), among(inbox.c.tenant_id, "tenants")
    assert await names(stored, by_name, names=["a", "c", "a", "it's"]) == ["a", "c"]
    assert await names(stored, by_name, names=[]) == []
    assert await names(stored, ~by_name, names=["a"]) == ["b", "c"]
    assert await names(stored, by_tenant, tenants={SHOP}) == ["a", "b"]
    assert await names(stored, ~by_tenant, tenants=[]) == ["a", "b", "c"]
    assert await names(stored, among(inbox.c.seq, "seqs"), seqs=range(1000)) == ["a", "b", "c"]


async def test_named_rows_are_called_as_their_columns(stored):
    found = Named(
        sa.select(inbox.c.external_id, inbox.c.due_at).where(inbox.c.tenant_id == sa.bindparam("of"))
    )
    async with stored.driver() as driver:
        (row,) = await found(driver, of=OTHER)
    assert (row.external_id, row.due_at) == ("c", AT)


async def test_what_is_written_hot_is_held_against_the_scope(database):
    put = Hot(sa.insert(people).values(tenant_id=sa.bindparam("tenant_id"), id=new_id(), created_at=AT))
    away = Hot(sa.delete(people).where(people.c.tenant_id == sa.bindparam("tenant")))
    async with database.transaction(SHOP) as connection:
        await put(connection, tenant_id=SHOP)
        for refused in (put(connection, tenant_id=OTHER), away(connection, tenant=OTHER)):
            with pytest.raises(OutOfScope):
                await refused


async def test_values_come_out_as_the_types_of_the_schema(database):
    person, chat = new_id(), new_id()
    values = {"tenant_id": SHOP, "created_at": AT}
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(people).values(id=person, **values))
        await connection.execute(
            sa.insert(conversations).values(id=chat, person_id=person, place_sealed=b"\x00", **values)
        )
        await connection.execute(
            sa.insert(staff).values(tenant_id=SHOP, person_id=person, scopes=["finance:view"], active=True)
        )
        read = Hot(
            sa.select(
                conversations.c.id,
                conversations.c.created_at,
                conversations.c.heard_at,
                conversations.c.place_sealed,
                staff.c.scopes,
                staff.c.active,
            )
            .join(staff, staff.c.person_id == conversations.c.person_id)
            .where(conversations.c.created_at == sa.bindparam("at", type_=conversations.c.created_at.type))
        )
        (row,) = await read(connection, at=AT)
    assert tuple(row) == (chat, AT, None, b"\x00", ["finance:view"], True)


async def test_what_a_transaction_does_is_undone_with_it(stored):
    park = Hot(sa.update(inbox).where(among(inbox.c.external_id, "names")).values(state="parked"))

    async def parks_and_fails():
        async with stored.transaction(OWNER) as connection:
            await park(connection, names=["a"])  # the first statement of its transaction
            await EVENTS(connection, [event("d")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await parks_and_fails()
    assert await names(stored, inbox.c.state == "parked") == []
    assert await names(stored, inbox.c.state == "waiting") == ["a", "b", "c"]


async def test_several_are_written_together(stored):
    states = BulkUpdate(inbox, ["tenant_id", "external_id"], ["state", "error"])
    async with stored.transaction(OWNER) as connection:
        await together(
            connection,
            (
                states,
                [(SHOP, "a", "parked", "broken"), (OTHER, "c", "done", None), (OTHER, "a", "done", None)],
            ),
            (EVENTS, [event("a"), event("d")]),
            (states, []),
        )
    assert await names(stored, inbox.c.state == "parked") == ["a"]
    assert await names(stored, inbox.c.state == "done") == ["c"]
    assert await names(stored, inbox.c.state == "waiting") == ["b", "d"]
    assert await names(stored, inbox.c.error == "broken") == ["a"]


async def test_a_row_that_the_database_refuses_undoes_all_that_is_written_alone(stored):
    with pytest.raises(Exception, match=r"(?i)not.null|state"):
        async with stored.driver() as driver:
            await EVENTS.alone(driver, [event("d"), (*event("e")[:4], "nonsense", *event("e")[5:])])
    assert await names(stored, inbox.c.state == "waiting") == ["a", "b", "c"]
