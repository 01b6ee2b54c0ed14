"""Killed: a worker of webhooks as a process of its own, which dies at a point as by a loss of power.

`python -m tests.bot.webhooks_out.killed DATABASE POINT TIME`, with the time that its clock shows; it ends
with 0 where nothing was sent.
"""

import asyncio
import sys
from datetime import datetime

from bot.webhooks_out import http
from bot.webhooks_out.sender import Sender
from services import points
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database


async def work(url: str, now: datetime) -> None:
    database = Database(url)
    async with http.open_session(loopback=True) as session:
        await Sender(database, Vault([bytes(range(32))]), session, Bell(), lambda: now).once()
    await database.close()


if __name__ == "__main__":
    where, at, moment = sys.argv[1:]
    points.arm(points.parse(at))
    asyncio.run(work(where, datetime.fromisoformat(moment)))
