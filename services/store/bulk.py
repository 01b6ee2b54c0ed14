"""Bulk: many rows in one statement, handed to the driver as they are.

PostgreSQL is given a column as an array, so that one prepared statement serves any number of rows in one
round trip, and several statements may share it; SQLite's driver loops in C.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from services.store.guard import allow
from services.store.hot import POSTGRES, SQLITE, Row, binding, is_postgres, run
from services.store.reach import INSERT, SELECT, UPDATE, Reach, tenant_column
from services.store.scope import Scope, driver_of

__all__ = ["Bulk", "BulkInsert", "BulkUpdate", "Row", "together"]


class Bulk:
    """Rows are tuples of `columns`. `postgres` has its parameters counted from the one that is named."""

    columns: list[sa.Column[Any]]
    sqlite: str
    reach: Reach

    def postgres(self, first: int = 1) -> str:
        raise NotImplementedError

    async def __call__(self, connection: Any, rows: Sequence[Row]) -> None:
        await together(connection, (self, rows))

    async def alone(self, driver: Any, rows: Sequence[Row]) -> None:
        """In a transaction of its own, on a connection of `Database.driver`."""
        if is_postgres(driver):
            await self(driver, rows)
        elif rows:
            await driver.begin()
            await self(driver, rows)
            await driver.commit()

    def allow(self, scope: Scope | None, rows: Sequence[Row]) -> None:
        """Raises OutOfScope."""
        tenants = {row[self._tenant] for row in rows} if self.reach.names else ()
        allow(scope, self.reach, [{self.reach.names[0]: tenant} for tenant in tenants])

    @property
    def _tenant(self) -> int:
        """Where it stands in a row."""
        return [column.name for column in self.columns].index(self.reach.names[0])

    def _arrays(self, first: int) -> str:
        types = (column.type.compile(dialect=POSTGRES) for column in self.columns)
        return f"unnest({', '.join(f'${n}::{type_}[]' for n, type_ in enumerate(types, start=first))})"

    def for_sqlite(self, rows: Sequence[Row]) -> list[Row]:
        by_column = [
            column if (convert := binding(definition.type, SQLITE)) is None else map(convert, column)
            for definition, column in zip(self.columns, zip(*rows, strict=True), strict=True)
        ]
        return list(zip(*by_column, strict=True))


class BulkInsert(Bulk):
    """`unless_there`: what a unique key has already is left out."""

    def __init__(self, table: sa.Table, *columns: str, unless_there: bool = False) -> None:
        self.columns = [table.c[name] for name in columns]
        self.reach = _reach(table, columns, INSERT)
        self._into = f"INSERT INTO {table.name} ({', '.join(columns)})"
        self._end = " ON CONFLICT DO NOTHING" if unless_there else ""
        self.sqlite = f"{self._into} VALUES ({', '.join('?' for _ in columns)}){self._end}"

    def postgres(self, first: int = 1) -> str:
        return f"{self._into} SELECT * FROM {self._arrays(first)}{self._end}"


class BulkUpdate(Bulk):
    """Rows are tuples of the key's columns, then of those to set; `where` holds of the row as it is."""

    def __init__(
        self, table: sa.Table, key: Sequence[str], values: Sequence[str], where: str = "true"
    ) -> None:
        self.columns = [table.c[name] for name in (*key, *values)]
        self.reach = _reach(table, key, UPDATE, SELECT)
        # SQLite counts its parameters by number here, since the key comes first in a row.
        set_ = ", ".join(f"{name} = ?{len(key) + n}" for n, name in enumerate(values, start=1))
        mine = " AND ".join(f"{name} = ?{n}" for n, name in enumerate(key, start=1))
        self.sqlite = f"UPDATE {table.name} SET {set_} WHERE {mine} AND {where}"
        set_ = ", ".join(f"{name} = new.{name}" for name in values)
        self._update = f"UPDATE {table.name} SET {set_} FROM "
        mine = " AND ".join(f"{table.name}.{name} = new.{name}" for name in key)
        self._end = f" AS new ({', '.join((*key, *values))}) WHERE {mine} AND {where}"

    def postgres(self, first: int = 1) -> str:
        return self._update + self._arrays(first) + self._end


def _reach(table: sa.Table, binding: Sequence[str], *uses: str) -> Reach:
    column = tenant_column(table.name)
    bound = column is None or column in binding
    return Reach(
        frozenset((table.name, use) for use in uses),
        (column,) if bound and column is not None else (),
        None if bound else table.name,
    )


async def together(connection: Any, *work: tuple[Bulk, Sequence[Row]]) -> None:
    """Several at once, in one round trip on PostgreSQL. No row may be in two of them, nor twice in one."""
    work = tuple((bulk, rows) for bulk, rows in work if rows)
    scope = driver_of(connection).scope
    for bulk, rows in work:
        bulk.allow(scope, rows)
    if work and is_postgres(connection):
        columns = [list(column) for _, rows in work for column in zip(*rows, strict=True)]
        await run(connection, _joined(tuple(bulk for bulk, _ in work)), columns)
        return
    for bulk, rows in work:
        await driver_of(connection).executemany(bulk.sqlite, bulk.for_sqlite(rows))


@cache
def _joined(work: tuple[Bulk, ...]) -> str:
    """All but the last as common table expressions, which PostgreSQL runs to their ends in any case."""
    first, parts = 1, []
    for bulk in work:
        parts.append(bulk.postgres(first))
        first += len(bulk.columns)
    *before, last = parts
    named = ", ".join(f"w{n} AS ({part})" for n, part in enumerate(before))
    return f"WITH {named} {last}" if before else last
