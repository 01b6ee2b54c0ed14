import pytest

from services import books
from services.safety.vault import Vault
from services.store.database import Database
from services.store.scope import OWNER
from tests.services.business import Business


@pytest.fixture
async def business(database: Database, vault: Vault):
    """After every test the books are right, whatever it did."""
    business = await Business(database, vault).open()
    yield business
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []
