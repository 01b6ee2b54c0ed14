"""Away: what is said while the database is not there: 503, so that the caller sends it again, and a
sentence to whoever sits at the command line."""

import sqlite3

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.answers import Answer

log = structlog.get_logger()

# While connecting, SQLAlchemy lets the driver's own errors through. A TimeoutError is an OSError.
AWAY = (SQLAlchemyError, sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

_RETRY_AFTER_SECONDS = 5


def unavailable(error: BaseException) -> Answer:
    """503, and nothing of the cause to the outside."""
    log.warning("database.away", error=type(error).__name__)
    text = "The database does not answer, so nothing was stored. Please send this again."
    return Answer(503, text, {"Retry-After": str(_RETRY_AFTER_SECONDS)})


def sentence(error: BaseException) -> str:
    """What is wrong, of one of AWAY."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"Cannot use {error.filename}: {error.strerror}."
    if isinstance(error, DBAPIError) and not error.connection_invalidated:
        return f"The database refuses this: {reason(error)}. Check its address, rights and upgrade."
    return f"The database does not answer: {reason(error)}."


def reason(error: BaseException) -> str:
    """The driver's own words, in one line."""
    words = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return words.rstrip(".") or type(error).__name__
