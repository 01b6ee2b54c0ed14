"""Alembic's entry: runs on the connection that `services/store/upgrade.py` hands over."""

import sqlalchemy as sa
from alembic import context

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


run(context.config.attributes["connection"])
