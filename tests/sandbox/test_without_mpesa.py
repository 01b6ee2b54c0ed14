"""The sandbox of a shop that has left M-Pesa, for another provider that asks phones."""

import sqlalchemy as sa

from bot.sandbox.run import running
from services.store.database import Database
from services.store.schema import credentials
from services.store.scope import OWNER
from tests.image import free_ports


async def test_it_starts_again(tmp_path):
    async with running("127.0.0.1", free_ports(2), tmp_path):
        pass
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/lipachat.db")
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.delete(credentials).where(credentials.c.part == "mpesa"))
    await database.close()
    async with running("127.0.0.1", free_ports(2), tmp_path) as (_, page_url):
        assert page_url
