from collections.abc import AsyncIterator

import pytest

from services import books
from services.safety.vault import Vault
from services.store.database import Database
from services.store.scope import OWNER
from tests.services.business import Business
from tests.services.watched import watching


@pytest.fixture
async def business(database: Database, vault: Vault) -> AsyncIterator[Business]:
    """After every test the books are right, whatever it did, and the audit tells of all that was changed."""
    business = await Business(database, vault).open()
    if database.is_postgres:  # the statements are the same
        yield business
    else:
        with watching(database) as watch:
            yield business
        assert watch.silent == set()
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def business_on_sqlite(sqlite: Database, vault: Vault) -> Business:
    return await Business(sqlite, vault).open()
