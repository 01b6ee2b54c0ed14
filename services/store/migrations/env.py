"""Alembic's entry: on the connection that `services/store/upgrade.py` hands over; from alembic's own
command line on the database of `-x url=...`."""

import asyncio

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError

from services.store.database import Database
from services.store.schema import metadata


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="schema.",
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_at(url: str) -> None:
    database = Database(url)
    try:
        async with database.owning() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await database.close()


def named_url() -> str:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        raise CommandError("name the database: alembic -x url=sqlite+aiosqlite:///.data/dev.db ...")
    return url


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    asyncio.run(run_at(named_url()))
