import pytest

from services import books
from services.safety.vault import Vault
from services.store.database import Database
from tests.bot.market import opened


@pytest.fixture
async def market(database: Database, vault: Vault):
    """After every test the books are right, whatever it did."""
    async with opened(database, vault) as market:
        yield market
    async with database.transaction() as connection:
        assert await books.check(connection) == []
