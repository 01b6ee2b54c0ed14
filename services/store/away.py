"""Away: a refused row told apart from an absent server, and from a transaction that was broken off for
another one."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Of what was to be written, not of the server: cardinality, data, constraint, limit.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_REFUSALS = frozenset({"21", "22", "23", "54"})
_BROKEN_OFF = frozenset({"40001", "40P01"})  # two waited for each other, or saw what another has changed


def is_away(error: Exception) -> bool:
    """Whether the server is absent, so that nobody would fare better; else what was asked was refused."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] not in _REFUSALS
    # A TimeoutError is an OSError; a value that the driver cannot encode is a ValueError too.
    away = OSError | PoolTimeout | asyncpg.InterfaceError
    return isinstance(error, away) and not isinstance(error, ValueError)


def is_broken_off(error: Exception) -> bool:
    """Whether nothing of it was done, for another one's sake: begun again it may be."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in _BROKEN_OFF
