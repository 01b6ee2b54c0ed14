"""No statement reaches the rows of another tenant: every table, everything that is done with tables, every
scope, on both databases. What is refused here is refused in code; test_roles has what PostgreSQL refuses by
itself."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store.bulk import BulkInsert, BulkUpdate
from services.store.grants import TENANT, WIDE
from services.store.guard import OutOfScope
from services.store.hot import Hot, among
from services.store.reach import DELETE, INSERT, SELECT, UPDATE, tenant_column
from services.store.schema import Moment, inbox, metadata, payments, people
from services.store.scope import AUDITOR, OWNER, PLATFORM, scope_of, within
from tests.conftest import known_statements

A, B = new_id(), new_id()
TABLES = metadata.sorted_tables
TENANTS = [table for table in TABLES if tenant_column(table.name)]
# What leads every key of a tenant's table is the tenant; but for these, which have to find one.
FIND_A_TENANT = {
    ("tenants", "id"): "it is the tenant",
    ("tenants", "slug"): "operators and addresses name a tenant by it",
    ("tenants", "phone_number_id"): "Meta gives a number to one customer of theirs",
    ("api_keys", "prefix"): "of 48 random bits; a key is looked up by it",
    ("hooks", "token_hash"): "of 256 random bits; a callback is looked up by it",
    ("inbox", "seq"): "counted by the database, and chosen by nobody",
    ("webhook_deliveries", "seq"): "counted by the database, and chosen by nobody",
    ("outbox", "seq"): "counted by the database, and chosen by nobody",
    ("withdrawal_history", "seq"): "counted by the database, and chosen by nobody",
}


DAY = datetime(2026, 11, 28, tzinfo=UTC)
VALUES = {Moment: DAY, sa.Date: DAY.date(), sa.Uuid: B, sa.Text: "x", sa.LargeBinary: b"x"}


def statement(use, table, tenant):
    """Everything of this kind that a tenant has in the table."""
    column = table.c[tenant_column(table.name)] if tenant_column(table.name) else None
    mine = sa.true() if column is None or tenant is None else column == tenant
    match use:
        case "SELECT":
            return sa.select(sa.func.count()).select_from(table).where(mine)
        case "INSERT":
            keys = {each: VALUES.get(type(each.type), 1) for each in table.primary_key}
            return sa.insert(table).values(keys | ({} if tenant is None else {column: tenant}))
        case "UPDATE":
            rest = next(c for c in table.c if c is not column and not c.foreign_keys)
            return sa.update(table).where(mine).values({rest: rest})
    return sa.delete(table).where(mine)


@pytest.fixture
async def acting(database):
    """Has a scope do a statement; what the tables' own rules refuse has got as far as them."""

    async def act(scope, doing):
        async with database.transaction(OWNER) as connection, within(connection, scope):
            try:
                async with connection.begin_nested():
                    await connection.execute(doing)
            except sa.exc.IntegrityError:
                pass

    return act


@pytest.mark.parametrize("table", TENANTS, ids=str)
async def test_a_tenants_scope_reaches_its_own_rows_alone(acting, table):
    for use in (SELECT, INSERT, UPDATE, DELETE):
        for tenant in (B, None):
            with pytest.raises(OutOfScope):
                await acting(A, statement(use, table, tenant))
        if use in TENANT[table.name] and use != INSERT:
            await acting(A, statement(use, table, A))
        elif use != INSERT:
            with pytest.raises(OutOfScope, match="not granted"):
                await acting(A, statement(use, table, A))


@pytest.mark.parametrize("scope", [PLATFORM, AUDITOR], ids=str)
async def test_the_other_scopes_do_what_they_are_granted(acting, scope):
    for table in TABLES:
        for use in (SELECT, UPDATE, DELETE):
            if use in WIDE[scope].get(table.name, ()):
                await acting(scope, statement(use, table, None))
            else:
                with pytest.raises(OutOfScope, match="not granted"):
                    await acting(scope, statement(use, table, None))


def test_nobody_but_the_owner_changes_what_was_written_once():
    for table in ("transfers", "audit", "reversals"):
        for granted in (TENANT, WIDE[PLATFORM], WIDE[AUDITOR]):
            assert not granted.get(table, frozenset()) & {UPDATE, DELETE}
    money = {"accounts", "transfers", "holds", "payments", "orders", "withdrawals", "refunds", "approvals"}
    assert not money & WIDE[PLATFORM].keys()


async def test_without_a_scope_there_is_no_row(database):
    async with database.owning() as connection:
        connection.sync_connection.connection.driver_connection.leave()
        with pytest.raises(OutOfScope, match="no scope"):
            await connection.execute(sa.select(payments))
        await connection.execute(sa.select(sa.literal(1)))


async def test_sql_by_hand_is_refused(database):
    async with database.transaction(A) as connection:
        with pytest.raises(OutOfScope):
            await connection.exec_driver_sql("SELECT * FROM payments")
        with pytest.raises(OutOfScope, match="a text"):
            await connection.execute(sa.text("SELECT * FROM payments"))


@pytest.mark.parametrize("first", [OWNER, A], ids=["by the owner", "by the tenant"])
async def test_what_another_engine_has_compiled_is_refused_all_the_same(database, first):
    """The verdict is kept with the compiled statement, which engines of a kind share in tests."""
    known_statements(database)
    query = sa.select(people.c.name).where(people.c.tenant_id == sa.bindparam("whose"))
    async with database.transaction(first) as connection:
        await connection.execute(query, {"whose": A})
    for connect in (database.transaction, database.reading, database.snapshot):
        async with connect(B) as connection:
            with pytest.raises(OutOfScope, match="another tenant"):
                await connection.execute(query, {"whose": A})
            await connection.execute(query, {"whose": B})
            with pytest.raises(OutOfScope, match="people"):
                await connection.execute(sa.select(people.c.name))


async def test_of_many_rows_each_is_looked_at(database):
    row = {"name": None, "created_at": None}
    rows = [{"tenant_id": tenant, "id": new_id()} | row for tenant in (A, A, B)]
    async with database.transaction(A) as connection:
        with pytest.raises(OutOfScope, match="another tenant"):
            await connection.execute(sa.insert(people), rows)
        with pytest.raises(OutOfScope, match="another tenant"):
            await connection.execute(sa.insert(people).values(rows))


async def test_hot_statements_are_held_against_the_scope_too(database):
    count = sa.select(sa.func.count()).select_from(inbox)
    of_one = Hot(count.where(inbox.c.tenant_id == sa.bindparam("tenant")))
    of_all, of_some = Hot(count), Hot(count.where(among(inbox.c.tenant_id, "tenants")))
    by_number = BulkUpdate(inbox, ["seq"], ["state"])
    by_tenant = BulkUpdate(inbox, ["tenant_id", "seq"], ["state"])
    put = BulkInsert(inbox, "tenant_id", "kind", "external_id", "status", unless_there=True)
    async with database.transaction(A) as connection:
        assert await of_one(connection, tenant=A) == [(0,)]
        await by_tenant(connection, [(A, 1, "done")])
        for refused in (
            lambda: of_one(connection, tenant=B),
            lambda: of_all(connection),
            lambda: of_some(connection, tenants=[A]),
            lambda: by_number(connection, [(1, "done")]),
            lambda: by_tenant(connection, [(A, 1, "done"), (B, 2, "done")]),
            lambda: put(connection, [(A, "hook", "1", ""), (B, "hook", "2", "")]),
        ):
            with pytest.raises(OutOfScope):
                await refused()
    async with database.driver() as driver:
        assert await of_all(driver) == [(0,)]
    pay = Hot(sa.select(payments.c.id))
    async with database.driver() as driver:
        with pytest.raises(OutOfScope, match="not granted"):
            await pay(driver)


async def test_a_part_is_for_one_and_what_follows_for_all_again(database):
    async with database.transaction(PLATFORM) as connection:
        async with within(connection, A):
            await connection.execute(sa.select(payments).where(payments.c.tenant_id == A))
            with pytest.raises(RuntimeError, match="the transaction is for"):
                async with within(connection, B):
                    pass
        with pytest.raises(OutOfScope):
            await connection.execute(sa.select(payments))
        with pytest.raises(ZeroDivisionError):
            async with within(connection, B):
                1 / 0  # noqa: B018
        await connection.execute(sa.select(inbox.c.seq))
    assert (scope_of([A, A]), scope_of([A, B]), scope_of([])) == (A, PLATFORM, PLATFORM)


def test_every_key_leads_with_the_tenant_or_finds_one():
    found = set()
    for table in TENANTS:
        keys = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
        columns = [list(key.columns) for key in (table.primary_key, *keys)]
        columns += [list(index.columns) for index in table.indexes if index.unique]
        for first, *_ in columns:
            if first.name != "tenant_id":
                found.add((table.name, first.name))
    assert found == FIND_A_TENANT.keys()
