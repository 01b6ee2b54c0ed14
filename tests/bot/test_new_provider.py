"""A second provider is a file and a line: who is called, and who reads a callback, is known by the
attempt's own column."""

import json

import pytest

from bot.providers import NoProvider, Providers
from services.money import Money
from services.people.tenants import TenantBook
from services.providers import PROVIDERS, Provider
from services.providers.base import Accepted, Limits, Pending, ProviderSettings, Report, Succeeded
from services.store.schema import attempts, credentials
from tests.services.business import kes


class CoinSettings(ProviderSettings):
    purse: str


class Coins:
    """Takes coins on the counter: collects, and pays nothing out."""

    def __init__(self, settings, http, url, tokens, now):
        self.purse, self.url = settings.purse, url
        self.asked = []

    async def prompt(self, prompt):
        self.asked.append(prompt)
        return Accepted("coin-1")

    async def check(self, reference):
        return Pending()

    def read(self, about, body):
        told = json.loads(body)
        word = Succeeded(told["coin"], Money(told["cents"], "KES"))
        return Report(about, frozenset({"coin-1"}), word)


LIMITS = Limits(kes("1"), kes("1000"))
KNOWN = {**PROVIDERS, "coins": Provider(CoinSettings, Coins, "KES", {"KES": LIMITS})}


@pytest.fixture
async def providers(market):
    async with market.business.work() as work:
        sealed = work.vault.seal(b'{"purse":"red"}', work.tenant, "credentials.sealed", "coins")
        row = {"tenant_id": work.tenant, "part": "coins", "sealed": sealed}
        await work.connection.execute(credentials.insert().values(row))
    book = TenantBook(market.database, market.vault, market.clock)
    urls = {"mpesa": market.daraja_url, "coins": "http://127.0.0.1:9"}
    return Providers(market.database, market.vault, book, market._http, urls, market.clock, KNOWN)


async def test_an_attempt_is_collected_by_its_own_provider_and_its_callback_read_by_it(market, providers):
    paying = await market.business.pay("500")
    await market.business.change(attempts, attempts.c.id == paying.attempt, provider="coins")
    calls, callbacks = market.workers_with(providers)
    await calls.once()
    assert await market.attempt(paying.attempt) == "pending"
    assert await market.prompts() == []
    coins = await providers.collecting(market.business.tenant, "coins")
    (prompt,) = coins.asked
    assert coins.purse == "red"
    token = prompt.callback_url.rpartition("/")[2]
    assert await market.post(token, {"coin": "C-1", "cents": 500_00}) == 200
    assert await callbacks.once()
    assert await market.business.balances() == {"provider:coins": -50_000, "wallet": 50_000}


async def test_a_provider_is_not_asked_for_what_it_does_not_do(market, providers):
    with pytest.raises(NoProvider, match="coins does not pay out"):
        await providers.paying_out(market.business.tenant, "coins")
    with pytest.raises(NoProvider, match="no settings for stripe"):
        await providers.collecting(market.business.tenant, "stripe")
