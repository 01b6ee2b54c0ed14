"""Guard: holds each statement against the scope of its connection, before it is run.

On SQLite this is what keeps tenants apart; on PostgreSQL it is a second line before the database's own. In
a tenant's scope every table of a statement must be bound to that tenant (`services/store/reach.py`), and in
each scope nothing may be done that is not granted (`services/store/grants.py`). What it finds of a statement
is kept with its compiled form, so that most of the time one lookup and one comparison are left.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from services.store.grants import grants
from services.store.reach import Reach, reach
from services.store.schema import metadata
from services.store.scope import AUDITOR, OWNER, Scope

_TRANSACTIONS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET ")

_known: WeakKeyDictionary[Any, Reach] = WeakKeyDictionary()


class OutOfScope(RuntimeError):
    """A bug: a statement reaches for rows that its transaction is not for."""


def watch(engine: AsyncEngine) -> None:
    """Every statement of this engine."""

    @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _before(connection: Any, _cursor: Any, sql: str, _values: Any, context: Any, _many: Any) -> None:
        scope = connection.connection.driver_connection.scope
        if scope is OWNER:
            return
        compiled = None if context is None else context.compiled
        if compiled is not None:
            allow(scope, reach_of(compiled), context.compiled_parameters)
        elif not sql.startswith(_TRANSACTIONS):
            raise OutOfScope("SQL by hand is for migrations")


def reach_of(compiled: Any) -> Reach:
    found = _known.get(compiled)
    if found is None:
        found = _known[compiled] = reach(compiled.statement, compiled)
    return found


def allow(scope: Scope | None, reached: Reach, facts: Sequence[Mapping[str, Any]]) -> None:
    """Raises OutOfScope."""
    if not reached.uses and reached.unbound is None:
        return
    if scope is None:
        raise OutOfScope("the connection has no scope: take it from Database.transaction(whose)")
    if scope is OWNER:
        return
    allow_uses(scope, reached)
    if isinstance(scope, UUID):
        if reached.unbound is not None:
            raise OutOfScope(f"in a tenant's scope, but not bound to one tenant: {reached.unbound}")
        for each in facts:
            for name in reached.names:
                if not _is(each[name], scope):
                    raise OutOfScope(f"another tenant than that of the scope: {name}")


def allow_by_hand(scope: Scope | None, tenant: UUID) -> None:
    """For SQL that binds its rows to this tenant, as its author says. Raises OutOfScope."""
    if scope not in (tenant, AUDITOR, OWNER):
        raise OutOfScope(f"SQL by hand for {tenant}, in a transaction of {scope}")


def allow_uses(scope: Scope, reached: Reach) -> None:
    """Raises OutOfScope."""
    granted = grants(scope)
    for table, use in reached.uses:
        if use not in granted.get(table, ()) and table in metadata.tables:
            raise OutOfScope(f"{use} {table} is not granted to {_called(scope)}")


def _is(value: Any, tenant: UUID) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(each == tenant for each in value)
    return bool(value == tenant)


def _called(scope: Scope) -> str:
    return "a tenant's scope" if isinstance(scope, UUID) else scope.name
