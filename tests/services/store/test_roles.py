"""What PostgreSQL refuses by itself, whatever the code asks it: by the driver, past everything of ours."""

import secrets

import asyncpg
import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store import security, upgrade
from services.store.database import Database
from services.store.grants import TENANT
from services.store.reach import tenant_column
from services.store.roles import KINDS, role
from services.store.schema import metadata, people, tenants
from services.store.scope import AUDITOR, OWNER, PLATFORM, driver_of, within
from tests.conftest import administer, drop

pytestmark = pytest.mark.postgres
A, B = new_id(), new_id()


async def fill(driver):
    """A row of each of two tenants in every table, whatever else its rules ask for; all is rolled back."""
    await driver.execute("SET LOCAL session_replication_role = replica")
    checks = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"
    for table, name in await driver.fetch(checks + " AND connamespace = current_schema()::regnamespace"):
        await driver.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for table in metadata.sorted_tables:
        column = tenant_column(table.name)
        for tenant in (A, B) if column else (A,):
            names, values = zip(*of(table, tenant), strict=True)
            listed = ", ".join(f'"{name}"' for name in names)
            await driver.execute(f"INSERT INTO {table.name} ({listed}) VALUES ({', '.join(values)})")


def of(table, tenant):
    for column in table.c:
        if column.name == tenant_column(table.name):
            yield column.name, f"'{tenant}'"
        elif column.primary_key or not (column.nullable or column.server_default is not None):
            yield column.name, value(column)


def value(column):
    kind = column.type.compile(dialect=sa.dialects.postgresql.dialect())
    match kind.split("(")[0]:
        case "UUID":
            return f"'{new_id()}'"
        case "BIGINT" | "INTEGER" | "BIGSERIAL":
            return str(secrets.randbelow(10**6))
        case "BOOLEAN":
            return "true"
        case "TIMESTAMP WITH TIME ZONE" | "DATE":
            return "now()"
        case "BYTEA":
            return f"decode('{secrets.token_hex(4)}', 'hex')"
        case "JSON":
            return "'[]'"
    return f"'{secrets.token_hex(8)[: getattr(column.type, 'length', None)]}'"


async def refused(driver, sql):
    try:
        async with driver.transaction():
            await driver.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_no_statement_as_a_tenant_reaches_another(postgres):
    async with postgres.owning() as connection:
        driver = driver_of(connection)
        change = driver.transaction()
        await change.start()
        await fill(driver)
        await driver.execute("SET LOCAL session_replication_role = origin")
        await driver.turn_to(A)
        for table in metadata.sorted_tables:
            name, column = table.name, tenant_column(table.name)
            if name not in TENANT:
                assert await refused(driver, f"SELECT FROM {name}")
                continue
            if column is None:
                continue
            count = f"SELECT count(*), count(*) FILTER (WHERE {column} <> '{A}') FROM {name}"
            assert tuple(await driver.fetchrow(count)) == (1, 0), name
            names, values = zip(*of(table, B), strict=True)
            listed = ", ".join(f'"{each}"' for each in names)
            assert await refused(driver, f"INSERT INTO {name} ({listed}) VALUES ({', '.join(values)})"), name
            assert await refused(driver, f"UPDATE {name} SET {column} = '{B}'"), name
            for use, sql in (
                ("UPDATE", f"UPDATE {name} SET {column} = {column} WHERE {column} = '{B}'"),
                ("DELETE", f"DELETE FROM {name} WHERE {column} = '{B}'"),
            ):
                if use in TENANT[name]:
                    assert (await driver.execute(sql)).endswith(" 0"), name
                else:
                    assert await refused(driver, sql), name
            await driver.execute("SET LOCAL app.tenant = ''")
            assert await driver.fetchval(f"SELECT count(*) FROM {name}") == 0, name
            await driver.execute(f"SET LOCAL app.tenant = '{A}'")
        await change.rollback()


async def test_every_table_has_its_security_forced_and_no_role_of_ours_owns_any(postgres):
    async with postgres.owning() as connection:
        assert await security.lacking(connection) == []
        assert await security.differing(connection) == []
        names = [role(postgres.url.database, kind) for kind in KINDS]
        bad = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        bad += " AND relkind = 'r' AND relname <> 'alembic_version'"
        bad += " AND NOT (relrowsecurity AND relforcerowsecurity)"
        assert (await connection.scalars(sa.text(bad))).all() == []
        strong = "SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)"
        strong += " AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole)"
        assert (await connection.scalars(sa.text(strong), {"names": names})).all() == []
        owned = "SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        owned += " WHERE rolname = ANY (:names)"
        assert (await connection.scalars(sa.text(owned), {"names": names})).all() == []
        await connection.execute(sa.text("CREATE TABLE fees_of_old (tenant_id uuid)"))
        assert (await connection.scalars(sa.text(bad))).all() == ["fees_of_old"]
        await connection.execute(sa.text("ALTER TABLE transfers NO FORCE ROW LEVEL SECURITY"))
        await connection.execute(sa.text("ALTER TABLE accounts DISABLE ROW LEVEL SECURITY"))
        found = " ".join(await security.differing(connection))
        assert "transfers ENABLE" in found
        assert "accounts ENABLE" in found
        await connection.rollback()


@pytest.fixture
async def logins(postgres_server):
    """A database of an owner who is no superuser, and a login that owns nothing."""
    name = f"lipachat_roles_{secrets.token_hex(4)}"
    owner, login = f"{name}_o", f"{name}_l"
    await administer(postgres_server, f'CREATE ROLE "{owner}" LOGIN')
    await administer(postgres_server, f'CREATE ROLE "{login}" LOGIN')
    await administer(postgres_server, f'CREATE DATABASE "{name}" OWNER "{owner}"')
    urls = (postgres_server.set(database=name, username=each) for each in (owner, login))
    yield *(each.render_as_string(hide_password=False) for each in urls), login
    await drop(postgres_server, name)
    for each in (owner, login):
        await administer(postgres_server, f'DROP ROLE "{each}"')


async def test_an_owner_who_may_not_make_roles_is_told_what_to_run_and_sees_no_row(logins, postgres_server):
    owning, serving, login = logins
    with pytest.raises(security.RolesMissing, match="As an administrator") as missing:
        await upgrade.upgrade(owning, login)
    for statement in missing.value.statements:
        await administer(postgres_server, statement)
    await upgrade.upgrade(owning, login)
    database = Database(serving)
    assert await upgrade.current(database) == upgrade.head()
    assert await upgrade.unsafe(database) == []
    async with database.transaction(A) as connection:
        await connection.execute(sa.insert(people).values(tenant_id=A, id=B, created_at=sa.func.now()))
    count = sa.select(sa.func.count()).select_from(people)
    for scope, seen in ((A, 1), (B, 0)):
        async with database.transaction(scope) as connection:
            assert await connection.scalar(count.where(people.c.tenant_id == scope)) == seen
            assert await driver_of(connection).fetchval("SELECT count(*) FROM people") == seen
    for wide in (PLATFORM, AUDITOR):
        async with database.reading(wide) as connection:
            assert await connection.scalar(count) == 1
            assert await connection.scalar(sa.select(sa.func.count()).select_from(tenants)) == 0
    async with database.transaction(PLATFORM) as connection:
        assert await connection.scalar(count) == 1
        async with within(connection, B):
            assert await driver_of(connection).fetchval("SELECT count(*) FROM people") == 0
        assert await connection.scalar(count) == 1
    await database.close()
    plain = await asyncpg.connect(owning.replace("+asyncpg", ""))
    assert await plain.fetchval("SELECT count(*) FROM people") == 0
    await plain.close()
    owned = Database(owning)
    async with owned.transaction(OWNER) as connection:
        assert await connection.scalar(count) == 1
    await owned.close()


async def test_on_a_newer_schema_only_a_table_that_is_open_is_unsafe(logins, postgres_server):
    """Grants and policies are its own; but a table without row security shows all its rows."""
    owning, serving, login = logins
    server = postgres_server.set(database=Database(owning).url.database)
    await upgrade.upgrade(server.render_as_string(hide_password=False), login)
    database = Database(serving)
    app = role(server.database, "app")
    await administer(server, f'GRANT DELETE ON tenants TO "{app}"')
    assert [await upgrade.unsafe(database, newer=newer) != [] for newer in (False, True)] == [True, False]
    await administer(server, "ALTER TABLE people DISABLE ROW LEVEL SECURITY")
    (statement,) = await upgrade.unsafe(database, newer=True)
    assert statement.startswith("ALTER TABLE people ENABLE ROW LEVEL SECURITY")
    await database.close()
