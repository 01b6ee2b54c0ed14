"""holders of accounts by their initials, where withdrawals and schedules are kept"""

import re

import sqlalchemy as sa
from alembic import op

revision = "b05e7c41d9a2"
down_revision = "3f61c0a9be74"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What the name was is sealed in `details_sealed` still."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("withdrawals", "schedules"):
        table = sa.table(name, sa.column("destination"))
        wanted = sa.select(table.c.destination).distinct().where(table.c.destination.like("%, %, %"))
        for (label,) in connection.execute(wanted).all():
            account, bank, holder = label.split(", ", 2)
            initials = " ".join(f"{letter.upper()}." for letter in re.findall(r"\b\w", holder))
            told = f"{account}, {bank}, {initials}"
            connection.execute(
                sa.update(table).where(table.c.destination == label).values(destination=told)
            )
