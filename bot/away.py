"""Away: what is answered while the database is not there, so that the caller sends it again."""

import asyncpg
import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

# While connecting, SQLAlchemy lets the driver's own errors through. A TimeoutError is an OSError.
AWAY = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

_RETRY_AFTER_SECONDS = 5


def unavailable(error: BaseException) -> web.Response:
    """503, and nothing of the cause to the outside."""
    log.warning("database.away", error=type(error).__name__)
    return web.Response(
        status=503,
        text="The database does not answer, so nothing was stored. Please send this again.",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )
