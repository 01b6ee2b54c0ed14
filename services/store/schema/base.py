"""What all tables share: times, keys, and the names of constraints."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

NOBODY = UUID(int=0)  # the tenant of what came in for nobody that we know


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; on SQLite as microseconds since 1970, which sort and compare."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    @staticmethod
    def microseconds(value: datetime) -> int:
        """Since 1970, exactly: a float of seconds would be off by one now and then."""
        return (value - _EPOCH) // _MICROSECOND

    @staticmethod
    def moment(microseconds: int) -> datetime:
        """The other way round. Raises OverflowError for what is no time of ours."""
        return _EPOCH + timedelta(microseconds=microseconds)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return self.microseconds(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value  # type: ignore[no-any-return]
        return self.moment(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts only in INTEGER PRIMARY KEY.
Seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def key(name: str = "id") -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column(name, sa.Uuid, primary_key=True),
    ]


def of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])


def one_of(name: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=name)
