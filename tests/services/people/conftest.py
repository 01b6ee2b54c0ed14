import pytest

from services.safety.vault import Vault
from services.store.database import Database
from tests.services.people.registry import Registry


@pytest.fixture
def registry(database: Database, vault: Vault):
    return Registry(database, vault)
