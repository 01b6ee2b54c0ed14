"""Hot statements: those that come with every message, compiled once and run by the driver itself.

SQLAlchemy's handling of a statement costs more than the databases take for one of these. It still writes
their SQL, from the same tables, and opens and ends the transactions that they run in.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from services.store.guard import allow, allow_by_hand
from services.store.reach import reach
from services.store.schema import Moment
from services.store.scope import driver_of

Row = tuple[Any, ...]
Facts = Mapping[str, Any]
Convert = Callable[[Any], Any]

POSTGRES = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]
SQLITE = sqlite.aiosqlite.dialect()


class Hot:
    """A statement with named parameters; those of a select come back as tuples of the schema's types.

    `postgres`: what it is there, where it locks or counts otherwise.

    It runs on a connection of `Database.transaction`, or on a driver's (`Database.driver`). Raises what the
    driver raises.
    """

    def __init__(self, statement: Any, postgres: Any = None) -> None:
        self._sqlite = _Compiled(statement, SQLITE)
        self._postgres = _Compiled(statement if postgres is None else postgres, POSTGRES)

    async def __call__(self, connection: Any, **facts: Any) -> Sequence[Row]:
        compiled = self._postgres if is_postgres(connection) else self._sqlite
        allow(driver_of(connection).scope, compiled.reach, (facts,))
        return compiled.read(await run(connection, compiled.sql, compiled.arguments(facts)))


class Named(Hot):
    """A select whose rows are named as its columns are."""

    def __init__(self, statement: sa.Select[Any], postgres: Any = None) -> None:
        super().__init__(statement, postgres)
        names = [str(column.key) for column in statement.selected_columns]
        self._named: Any = namedtuple("_named", names)  # type: ignore[misc]  # noqa: PYI024  by its columns

    async def __call__(self, connection: Any, **facts: Any) -> list[Any]:
        return [self._named._make(row) for row in await super().__call__(connection, **facts)]


def is_postgres(connection: Any) -> bool:
    if isinstance(connection, AsyncConnection):
        return connection.dialect.name == "postgresql"
    return hasattr(connection, "is_in_transaction")


async def run(
    connection: Any, sql: str, arguments: Sequence[Any], *, of: UUID | None = None
) -> Sequence[Any]:
    """One statement by the driver. `of`: whose rows it is for, where it was written by hand; any other has
    been held against the scope by whoever made it."""
    driver = driver_of(connection)
    if of is not None:
        allow_by_hand(driver.scope, of)
    if not is_postgres(connection):
        return await driver.execute_fetchall(sql, arguments)  # type: ignore[no-any-return]
    return await driver.fetch(sql, *arguments)  # type: ignore[no-any-return]


class Listed(TypeDecorator[Any]):
    """A list as one parameter: an array on PostgreSQL, JSON on SQLite. Any number makes the same SQL."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, of: Any) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.of))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return list(value)
        convert = binding(self.of, dialect)
        return json.dumps([convert(one) for one in value] if convert else list(value))


class among(FunctionElement[Any]):  # noqa: N801  it is one
    """`column IN (the list that is given as NAME)`; for numbers, ids and text."""

    inherit_cache = True
    type = sa.types.NULLTYPE  # a Boolean would be compared with 1 on SQLite, which then uses no index

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=Listed(column.type)))


@compiles(among, "postgresql")
def _among_postgres(element: among, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"({column} = ANY ({listed}))"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: Any, **how: Any) -> str:
    column, listed = (compiler.process(part, **how) for part in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({listed})))"  # noqa: S608  a column of ours, and a mark


class _Compiled:
    """A statement in the SQL of one database, and how its values go in and come out."""

    def __init__(self, statement: Any, dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.reach = reach(statement, compiled)
        self._names = list(compiled.positiontup)
        self._given = compiled.params
        self._in = [binding(compiled.binds[name].type, dialect) for name in self._names]
        columns = statement.selected_columns if isinstance(statement, sa.Select) else ()
        self._out = [(n, c) for n, column in enumerate(columns) if (c := _fetching(column.type, dialect))]

    def arguments(self, facts: Facts) -> list[Any]:
        values = [facts[name] if name in facts else self._given[name] for name in self._names]
        return [
            value if convert is None else convert(value)
            for value, convert in zip(values, self._in, strict=True)
        ]

    def read(self, rows: Sequence[Any]) -> Sequence[Row]:
        if not self._out:
            return rows
        return [self._row(list(row)) for row in rows]

    def _row(self, values: list[Any]) -> Row:
        for n, convert in self._out:
            values[n] = convert(values[n])
        return tuple(values)


def binding(type_: Any, dialect: sa.Dialect) -> Convert | None:
    """How a value of the type is handed to the driver; None: as it is."""
    if isinstance(type_, Moment) and dialect.name == "postgresql":
        return None  # spares a call for each
    return type_.dialect_impl(dialect).bind_processor(dialect)  # type: ignore[no-any-return]


def _fetching(type_: Any, dialect: sa.Dialect) -> Convert | None:
    if isinstance(type_, Moment) and dialect.name == "postgresql":
        return None
    return type_.dialect_impl(dialect).result_processor(dialect, None)  # type: ignore[no-any-return]
