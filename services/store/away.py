"""Away: a refused row told apart from an absent server."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Of what was to be written, not of the server: cardinality, data, constraint, limit.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_REFUSALS = frozenset({"21", "22", "23", "54"})


def is_away(error: Exception) -> bool:
    """Whether the server is absent, so that nobody would fare better; else what was asked was refused."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] not in _REFUSALS
    # A TimeoutError is an OSError; a value that the driver cannot encode is a ValueError too.
    away = OSError | PoolTimeout | asyncpg.InterfaceError
    return isinstance(error, away) and not isinstance(error, ValueError)
