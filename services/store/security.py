"""Security: row security on PostgreSQL, brought to what the code says after every upgrade.

Grants and policies are made from the tables and from `services/store/grants.py`, so that a new table has
its own without a migration that writes them by hand. Only what differs is changed: an upgrade that finds all
as it should be locks nothing. A policy's name holds a digest of what it says, so that another one is another
name.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.grants import EVERYTHING, TENANT, WIDE, Grants
from services.store.reach import SELECT, tenant_column
from services.store.roles import KINDS, quoted, role
from services.store.schema import metadata
from services.store.scope import AUDITOR, PLATFORM

_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"
_OWNER = "current_setting('app.owner', true) = 'on'"
_OURS = "lipachat_"
_VERSIONS = "alembic_version"  # which says what the schema is
_NOT_ALLOWED = "42501"
_SET_OF_MEMBERS = 160000  # since then a member of a role may be kept from taking it


class RolesMissing(Exception):
    """What the login that upgrades may not make, and what an administrator is to run for it."""

    def __init__(self, statements: Sequence[str]) -> None:
        self.statements = tuple(statements)
        super().__init__(
            "The database lacks the roles that keep tenants apart, and this login may not make them. As an "
            "administrator of the server run:\n  " + "\n  ".join(f"{each};" for each in statements)
        )


def granted(kind: str) -> Grants:
    return {"app": TENANT, "platform": WIDE[PLATFORM], "auditor": WIDE[AUDITOR]}[kind]


# --- the roles -----------------------------------------------------------------------------------------


async def lacking(connection: AsyncConnection, login: str | None = None) -> list[str]:
    """What would make the roles, and let the login (else whoever asks) take them; nothing where all is so."""
    database, current, version = (
        await connection.execute(
            sa.text("SELECT current_database(), session_user, current_setting('server_version_num')::int")
        )
    ).one()
    login = login or current
    names = [role(database, kind) for kind in KINDS]
    found = sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)")
    known = set((await connection.scalars(found, {"names": names})).all())
    statements = [f"CREATE ROLE {quoted(name)} NOLOGIN" for name in names if name not in known]
    may = sa.text("SELECT pg_has_role(CAST(:login AS name), CAST(:role AS name), :how)")
    how = "SET" if version >= _SET_OF_MEMBERS else "MEMBER"
    for name in names:
        asked = {"login": login, "role": name, "how": how}
        if name not in known or not await connection.scalar(may, asked):
            statements.append(f"GRANT {quoted(name)} TO {quoted(login)}")
    return statements


async def make_roles(connection: AsyncConnection, login: str | None = None) -> None:
    """Raises RolesMissing. Commits."""
    statements = await lacking(connection, login)
    try:
        for statement in statements:
            await connection.execute(sa.text(statement))
        await connection.commit()
    except DBAPIError as error:
        await connection.rollback()
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise RolesMissing(statements) from None


# --- what they may do ----------------------------------------------------------------------------------


async def secure(connection: AsyncConnection) -> list[str]:
    """What had to be changed. Commits."""
    statements = await differing(connection)
    if statements:
        await connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
    for statement in statements:
        await connection.execute(sa.text(statement))
    await connection.commit()
    return statements


async def differing(connection: AsyncConnection) -> list[str]:
    """SQL that makes row security what the code says; none where it is."""
    database = str(await connection.scalar(sa.text("SELECT current_database()")))
    names = {kind: role(database, kind) for kind in KINDS}
    there = await _there(connection, names)
    return [
        *_schema(there, names),
        *(each for table in metadata.sorted_tables for each in _table(there, names, table)),
    ]


class _There:
    """What the database has: of each table whether its security is on and forced, its policies, and what the
    roles may do with it."""

    def __init__(self) -> None:
        self.schema = ""
        self.secured: dict[str, bool] = {}
        self.owners: dict[str, str] = {}
        self.policies: set[tuple[str, str]] = set()
        self.grants: set[tuple[str, str, str]] = set()  # what, role, use


async def _there(connection: AsyncConnection, names: dict[str, str]) -> _There:
    there = _There()
    there.schema = str(await connection.scalar(sa.text("SELECT current_schema()")))
    here = "n.nspname = current_schema()"
    tables = f"""
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, pg_get_userbyid(c.relowner)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {here} AND c.relkind IN ('r', 'p')"""  # noqa: S608
    for name, secured, owner in await connection.execute(sa.text(tables)):
        there.secured[name], there.owners[name] = secured, owner
    policies = "SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()"
    there.policies = {(row[0], row[1]) for row in await connection.execute(sa.text(policies))}
    grants = f"""
        SELECT c.relname, r.rolname, a.privilege_type FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE {here} AND r.rolname = ANY (:names)
        UNION ALL
        SELECT '', r.rolname, a.privilege_type FROM pg_namespace n
        CROSS JOIN aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE {here} AND r.rolname = ANY (:names)"""  # noqa: S608
    found = await connection.execute(sa.text(grants), {"names": list(names.values())})
    there.grants = {(row[0], row[1], row[2]) for row in found}
    return there


def opens(statement: str) -> bool:
    """Whether it closes a table that has no row security; all else of `differing` lets the processes do what
    they need, or takes from them what they do not."""
    return statement.startswith("ALTER TABLE")


def _schema(there: _There, names: dict[str, str]) -> Iterator[str]:
    for name in names.values():
        if ("", name, "USAGE") not in there.grants:
            yield f"GRANT USAGE ON SCHEMA {quoted(there.schema)} TO {quoted(name)}"
        if _VERSIONS in there.secured and (_VERSIONS, name, SELECT) not in there.grants:
            yield f"GRANT SELECT ON {_VERSIONS} TO {quoted(name)}"


def _table(there: _There, names: dict[str, str], table: sa.Table) -> Iterator[str]:
    if table.name not in there.secured:
        return  # of a release to come
    yield from _grants(there, names, table)
    if not there.secured[table.name]:
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    policies = dict(_policies(names, table, there.owners[table.name]))
    for known, policy in sorted(there.policies):
        if known == table.name and policy.startswith(_OURS) and policy not in policies:
            yield f"DROP POLICY {policy} ON {table.name}"
    for policy, says in policies.items():
        if (table.name, policy) not in there.policies:
            yield f"CREATE POLICY {policy} ON {table.name} {says}"


def _grants(there: _There, names: dict[str, str], table: sa.Table) -> Iterator[str]:
    for kind, name in names.items():
        wanted = granted(kind).get(table.name, frozenset())
        has = {use for use in EVERYTHING if (table.name, name, use) in there.grants}
        if wanted - has:
            yield f"GRANT {', '.join(sorted(wanted - has))} ON {table.name} TO {quoted(name)}"
        if has - wanted:
            yield f"REVOKE {', '.join(sorted(has - wanted))} ON {table.name} FROM {quoted(name)}"
        for sequence in _sequences(table) if kind != "auditor" and "INSERT" in wanted else ():
            if (sequence, name, "USAGE") not in there.grants:
                yield f"GRANT USAGE ON SEQUENCE {sequence} TO {quoted(name)}"


def _sequences(table: sa.Table) -> Iterator[str]:
    column: Any = table.autoincrement_column
    if column is not None and column.autoincrement is True:
        yield f"{table.name}_{column.name}_seq"


def _policies(names: dict[str, str], table: sa.Table, owner: str) -> Iterator[tuple[str, str]]:
    """Named and said. The owner, too, sees rows only while it says that it means to."""
    column = tenant_column(table.name)
    if column is not None:
        yield _named("tenant", f"TO {quoted(names['app'])} USING ({column} = {_TENANT})")
    elif table.name in TENANT:
        own = f"only_for IS NULL OR only_for = {_TENANT}"
        yield _named("tenant", f"FOR SELECT TO {quoted(names['app'])} USING ({own})")
    if table.name in WIDE[PLATFORM]:
        yield _named("platform", f"TO {quoted(names['platform'])} USING (true)")
    yield _named("auditor", f"FOR SELECT TO {quoted(names['auditor'])} USING (true)")
    yield _named("owner", f"TO {quoted(owner)} USING ({_OWNER})")


def _named(kind: str, says: str) -> tuple[str, str]:
    return f"{_OURS}{kind}_{hashlib.sha256(says.encode()).hexdigest()[:8]}", says
