import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from services import books
from services.safety.vault import Vault
from services.store.database import Database
from services.store.scope import OWNER
from tests.bot.market import opened


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What speaks to the loop's own transports is tried on both: on what it runs on, and on the usual one."""
    usual = {"asyncio": asyncio.new_event_loop}
    return usual | {"uvloop": uvloop.new_event_loop} if item.path.stem == "test_door" else usual


@pytest.fixture
async def market(database: Database, vault: Vault):
    """After every test the books are right, whatever it did."""
    async with opened(database, vault) as market:
        yield market
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []
