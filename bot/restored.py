"""Restored: a worker on a database that is older than what was anchored of its audit would send again what
was sent already, and tell nobody. It refuses to start, until the operator has said `db restored`."""

import asyncio

import sqlalchemy as sa

from bot.parts import CannotRun
from bot.settings import Settings
from services.audit import anchors
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import audit
from services.store.scope import AUDITOR
from services.withdrawals.freeze import RESTORED


async def refuse_restored(settings: Settings) -> None:
    """Raises CannotRun. Without a folder of anchors nothing outside the database remembers it."""
    folder = settings.audit.anchor
    if folder is None:
        return
    keys = Vault(settings.keys), settings.audit.believed
    try:
        told = await asyncio.to_thread(anchors.latest, folder, *keys)
    except OSError as error:
        raise CannotRun(f"The anchors of the audit in {folder} cannot be read: {error.strerror}.") from error
    database = Database(settings.database_url)
    try:
        async with database.reading(AUDITOR) as connection:
            if not await anchors.lost(connection, told, None):
                return
            known = await connection.scalar(
                sa.select(sa.func.max(audit.c.at)).where(audit.c.action == RESTORED)
            )
            lost = await anchors.lost(connection, told, known)
    finally:
        await database.close()
    if lost:
        at = max(each.at for each in lost)
        raise CannotRun(
            f"The database does not have what was anchored of its audit at {at:%Y-%m-%d %H:%M:%S} UTC: it "
            'was restored to an older state. Read "Backing up" in docs/operating.md, then run: '
            "python main.py db restored"
        )
