import pytest

from tests.bot.market import opened
from tests.contract.ending import agree


@pytest.fixture
async def market(database, vault):
    async with opened(database, vault) as market:
        yield market


@pytest.fixture
async def till(market, stand):
    """A shop that takes payments by one provider. After every scenario, however it went, its books, the
    provider's own and what people were told have to agree."""
    till = stand(market)
    await market.set_up(till.settings, till.name)
    yield till
    await agree(till)
