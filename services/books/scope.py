"""Scope: which rows a rule looks at, and what the rules share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import transfers

ZERO = sa.literal(0, sa.BigInteger)
ONE = sa.literal(1, sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of all tenants or one; of all time or since a moment."""

    tenant: UUID | None = None
    since: datetime | None = None

    def of(self, table: Any) -> sa.ColumnElement[bool]:
        return sa.true() if self.tenant is None else table.c.tenant_id == self.tenant

    def recent(self, moment: Any) -> sa.ColumnElement[bool]:
        return sa.true() if self.since is None else moment >= self.since


Rule = Callable[[Scope], sa.Select[Any]]


def whole(sums: Any) -> Any:
    """PostgreSQL sums bigints as numerics."""
    return sa.cast(sa.func.coalesce(sums, 0), sa.BigInteger)


def legs(*where: Callable[[Any], sa.ColumnElement[bool]]) -> sa.Subquery:
    """Each transfer as the two entries that it is: (tenant_id, account, number, amount)."""
    sides = [
        sa.select(
            transfers.c.tenant_id,
            account.label("account"),
            number.label("number"),
            (transfers.c.amount if gives else -transfers.c.amount).label("amount"),
        ).where(*(condition(transfers) for condition in where))
        for account, number, gives in (
            (transfers.c.target_id, transfers.c.target_entry, True),
            (transfers.c.source_id, transfers.c.source_entry, False),
        )
    ]
    return sa.union_all(*sides).subquery("legs")


def is_open(table: Any) -> sa.ColumnElement[bool]:
    return table.c.state == sa.literal_column("'open'")  # type: ignore[no-any-return]


def goes_on(table: Any) -> sa.ColumnElement[bool]:
    return table.c.status.in_([sa.literal_column("'pending'"), sa.literal_column("'processing'")])  # type: ignore[no-any-return]
