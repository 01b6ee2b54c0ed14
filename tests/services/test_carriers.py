"""Which of a tenant's providers sends a withdrawal, by what its file has."""

import json

import pytest

from services.store.schema import credentials
from services.withdrawals.carriers import carrier_of
from tests.bot.market import SETTINGS
from tests.services.test_rails import KNOWN, PURSE


async def carries(business, way="mpesa", **parts):
    async with business.work() as work:
        for part, settings in parts.items():
            sealed = work.vault.seal(json.dumps(settings).encode(), work.tenant, "credentials.sealed", part)
            row = {"tenant_id": work.tenant, "part": part, "sealed": sealed}
            await work.connection.execute(credentials.insert().values(row))
        return await carrier_of(work, way, KNOWN)


@pytest.mark.parametrize(
    ("parts", "by"),
    [({}, "mpesa"), ({"airtime": PURSE}, "airtime"), ({"airtime": PURSE, "mpesa": SETTINGS}, "mpesa")],
)
async def test_the_first_that_the_tenant_has_settings_of(business, parts, by):
    assert await carries(business, **parts) == by


async def test_what_one_alone_carries_goes_by_it(business):
    assert await carries(business, "bank_transfer", airtime=PURSE) == "paystack"
