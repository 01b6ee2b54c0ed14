"""Reach: what one run looks at: a period, what is open, and whatever either may belong to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to `until`."""

    since: datetime
    until: datetime

    def has(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


async def rows_where(
    connection: AsyncConnection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]
) -> list[sa.Row[Any]]:
    """The rows in which the column has one of these values, however many there are."""
    found: list[sa.Row[Any]] = []
    for part in _parts(sorted(set(values), key=str)):
        found += (await connection.execute(query.where(column.in_(part)))).all()
    return found


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
