"""Bulk: many rows in one statement, handed to the driver as they are.

SQLAlchemy prepares each row of many on its own, which costs more than the databases take for it.
PostgreSQL is given a column as an array, so that one prepared statement serves any number of rows in one
round trip; SQLite's driver loops in C.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.database import Database
from services.store.schema import Moment

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = tuple[Any, ...]


class BulkInsert:
    """Rows are tuples of the named columns. `unless_there`: what a unique key has already is left out."""

    def __init__(self, table: sa.Table, *columns: str, unless_there: bool = False) -> None:
        self._columns = [table.c[name] for name in columns]
        named = f"{table.name} ({', '.join(columns)})"
        end = " ON CONFLICT DO NOTHING" if unless_there else ""
        marks = ", ".join("?" for _ in columns)
        self._sqlite = f"INSERT INTO {named} VALUES ({marks}){end}"
        self._postgres = f"INSERT INTO {named} SELECT * FROM {_arrays(self._columns)}{end}"

    async def __call__(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        if rows and _is_postgres(connection):
            await connection.exec_driver_sql(self._postgres, _by_column(rows))
        elif rows:
            await connection.exec_driver_sql(self._sqlite, _for_sqlite(self._columns, rows))

    async def alone(self, database: Database, rows: Sequence[Row]) -> None:
        """In a transaction of its own."""
        async with database.driver() as driver:
            if database.is_postgres:
                await driver.execute(self._postgres, *_by_column(rows))
                return
            await driver.begin()
            await driver.executemany(self._sqlite, _for_sqlite(self._columns, rows))
            await driver.commit()


class BulkUpdate:
    """Rows are tuples of the key's columns, then of those to set; `where` holds of the row as it is."""

    def __init__(
        self, table: sa.Table, key: Sequence[str], values: Sequence[str], where: str = "true"
    ) -> None:
        self._columns = [table.c[name] for name in (*key, *values)]
        # SQLite counts its parameters by number here, since the key comes first in a row.
        set_ = ", ".join(f"{name} = ?{len(key) + n}" for n, name in enumerate(values, start=1))
        mine = " AND ".join(f"{name} = ?{n}" for n, name in enumerate(key, start=1))
        self._sqlite = f"UPDATE {table.name} SET {set_} WHERE {mine} AND {where}"
        names = ", ".join((*key, *values))
        set_ = ", ".join(f"{name} = new.{name}" for name in values)
        mine = " AND ".join(f"{table.name}.{name} = new.{name}" for name in key)
        arrays = f"{_arrays(self._columns)} AS new ({names})"
        self._postgres = f"UPDATE {table.name} SET {set_} FROM {arrays} WHERE {mine} AND {where}"

    async def __call__(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        if rows and _is_postgres(connection):
            await connection.exec_driver_sql(self._postgres, _by_column(rows))
        elif rows:
            await connection.exec_driver_sql(self._sqlite, _for_sqlite(self._columns, rows))


def _is_postgres(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"


def _arrays(columns: Sequence[sa.Column[Any]]) -> str:
    types = (column.type.compile(dialect=_POSTGRES) for column in columns)
    return f"unnest({', '.join(f'${n}::{type_}[]' for n, type_ in enumerate(types, start=1))})"


def _by_column(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    return tuple(map(list, zip(*rows, strict=True)))


def _for_sqlite(columns: Sequence[sa.Column[Any]], rows: Sequence[Row]) -> list[Row]:
    """As the types of the schema keep them there: ids as hexadecimal, moments as microseconds."""
    by_column = [
        column if (convert := _converter(definition.type)) is None else [convert(value) for value in column]
        for definition, column in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return list(zip(*by_column, strict=True))


def _converter(type_: Any) -> Callable[[Any], Any] | None:
    if isinstance(type_, sa.Uuid):
        return lambda value: value and value.hex
    if isinstance(type_, Moment):
        return lambda value: value and Moment.microseconds(value)
    return None
