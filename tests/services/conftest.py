from collections.abc import AsyncIterator

import pytest

from services import books
from services.safety.vault import Vault
from services.store.database import Database
from services.store.scope import OWNER
from tests.services.business import Business
from tests.services.watched import all_said


@pytest.fixture
async def business(database: Database, vault: Vault) -> AsyncIterator[Business]:
    """After every test the books are right, whatever it did, and the audit tells of all that was changed."""
    business = await Business(database, vault).open()
    with all_said(database):
        yield business
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def business_on_sqlite(sqlite: Database, vault: Vault) -> Business:
    return await Business(sqlite, vault).open()
