import asyncio
import secrets
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services import ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.money import Money
from services.store import upgrade
from services.store.database import Database
from services.work import Work
from tests.conftest import BOTH, administer


@pytest.fixture(params=BOTH)
async def url(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/new.db"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"lipachat_new_{secrets.token_hex(6)}"
    await administer(server, f'CREATE DATABASE "{name}"')
    yield server.set(database=name).render_as_string(hide_password=False)
    await administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_upgrading_brings_an_empty_database_to_the_newest_schema(url):
    database = Database(url)
    assert await upgrade.current(database) is None
    await upgrade.upgrade(url)
    await upgrade.upgrade(url)
    assert await upgrade.current(database) == upgrade.head()
    await database.close()


async def test_the_migrations_make_the_tables_of_the_code(url):
    await upgrade.upgrade(url)
    await upgrade.check(url)


@pytest.mark.parametrize("url", BOTH[1:], indirect=True)
async def test_two_upgrades_at_once_wait_for_each_other(url):
    await asyncio.gather(upgrade.upgrade(url), upgrade.upgrade(url))
    await upgrade.check(url)


@pytest.mark.parametrize("verb", ["UPDATE transfers SET amount = 1", "DELETE FROM transfers"])
async def test_what_was_posted_cannot_be_changed(url, verb, vault):
    await upgrade.upgrade(url)
    database = Database(url)
    async with database.transaction() as connection:
        work = Work(connection, vault, new_id(), datetime(2026, 11, 24, tzinfo=UTC))
        await ledger.post(work, new_id(), [Transfer("provider:mpesa", WALLET, Money(5_00, "KES"), "sale")])
    with pytest.raises(DBAPIError, match="transfers is append-only"):
        async with database.transaction() as connection:
            await connection.execute(sa.text(verb))
    await database.close()
