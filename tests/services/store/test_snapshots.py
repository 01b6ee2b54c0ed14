import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store.hot import Hot
from services.store.schema import tenants
from services.store.scope import AUDITOR, OWNER

COUNT = Hot(sa.select(sa.func.count()).select_from(tenants))


async def open_another(database):
    async with database.transaction(OWNER) as connection:
        row = (await connection.execute(sa.select(tenants))).mappings().first()
        await connection.execute(sa.insert(tenants).values(dict(row) | {"id": new_id(), "slug": "another"}))


@pytest.mark.parametrize("long", [False, True])
async def test_it_is_as_of_its_beginning_for_the_driver_too(business, long):
    """Of whose statements SQLAlchemy knows nothing."""
    database = business.database
    async with database.long_snapshot() if long else database.snapshot(AUDITOR) as connection:
        before = await COUNT(connection)
        await open_another(database)
        assert await COUNT(connection) == before
        assert (await connection.execute(sa.select(sa.func.count()).select_from(tenants))).scalar() == 1
