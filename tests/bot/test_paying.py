"""The addresses that a customer's browser is led to, over real HTTP on both databases."""

from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from services.payments import collect
from services.providers.abilities import Page
from services.providers.base import Accepted
from services.store.schema import attempts, jobs
from services.work import Work
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.test_api import rows

MORE = """
[providers.stripe]
secret_key = "sk_test_stripe"
webhook_secret = "whsec_1"
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
"""
HOSTED = "https://checkout.example/c/pay/cs_1"
CARD = {"payment_method_id": "pm_1Nv0Fg", "last4": "4242", "brand": "visa"}


class Shop:
    def __init__(self, door, tenant, owner):
        self.door, self.tenant, self.owner = door, tenant, owner

    @asynccontextmanager
    async def work(self):
        async with self.door.database.transaction(self.tenant) as connection:
            yield Work(connection, self.door.vault, self.tenant, now())

    async def customer(self):
        return (await self.owner.post("/customers", {"phone": "0712345678", "name": "Wanjiku"})).body["id"]

    async def checkout(self, customer, **way):
        line = {"name": "Cake", "price": "1500", "quantity": 1}
        order = (await self.owner.post("/orders", {"customer_id": customer, "lines": [line]})).body
        answer = await self.owner.post(f"/orders/{order['id']}/checkout", way)
        assert answer.status == 201, answer.body
        return answer.body

    async def opened(self):
        (attempt,) = await rows(self.door, attempts)
        async with self.work() as work:
            page = await collect.begin_collect(work, attempt.id, self.door.url)
        assert isinstance(page, Page)
        async with self.work() as work:
            await collect.collect_answered(work, attempt.id, Accepted("cs_1", page=HOSTED))
        return page

    async def get(self, url):
        path = urlsplit(url).path
        async with self.door.http.get(f"{self.door.url}{path}", allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location"), answer.headers


@pytest.fixture
async def shop(database, vault):
    async with opened(database, vault) as door:
        tenant = await door.open_shop(more=MORE)
        yield Shop(door, tenant, await caller(door, tenant, "Njeri"))


async def test_a_program_is_given_the_address_that_leads_to_the_page_once_it_is_open(shop):
    told = await shop.checkout(await shop.customer(), provider="stripe")
    assert (told["status"], told["provider"]) == ("pending", "stripe")
    status, _, headers = await shop.get(told["checkout_url"])
    assert (status, headers["Refresh"]) == (200, "2")
    await shop.opened()
    assert (await shop.get(told["checkout_url"]))[:2] == (302, HOSTED)
    async with shop.work() as work:
        await work.connection.execute(
            attempts.update().where(attempts.c.tenant_id == work.tenant).values(state="succeeded")
        )
    assert (await shop.get(told["checkout_url"]))[0] == 410


async def test_who_comes_back_has_the_provider_asked_and_finds_the_chat_however_often(shop):
    await shop.checkout(await shop.customer(), provider="stripe")
    page = await shop.opened()
    for _ in range(2):
        status, location, headers = await shop.get(page.return_url)
        assert status in (200, 302)
        assert location in (None, "https://wa.me/254700000000")
        assert headers["Cache-Control"] == "no-store"
    (check,) = [row for row in await rows(shop.door, jobs) if row.kind == "collect_check"]
    assert check.due_at <= now()


@pytest.mark.parametrize("path", ["paid", "pay"])
async def test_an_address_that_is_none_is_404(shop, path):
    told = await shop.checkout(await shop.customer(), provider="stripe")
    page = await shop.opened()
    other = told["checkout_url"] if path == "paid" else page.return_url
    wrong = ["x", "0" * 64, urlsplit(page.callback_url).path[-64:], urlsplit(other).path[-64:]]
    for token in wrong:
        assert (await shop.get(f"/{path}/{token}"))[0] == 404


async def test_they_are_no_addresses_for_callbacks(shop):
    await shop.checkout(await shop.customer(), provider="stripe")
    page = await shop.opened()
    answer = await shop.door.post(f"/hooks/{page.return_url[-64:]}", b"{}")
    assert answer.status == 404


async def test_a_saved_card_waits_for_a_tap_of_its_customer(shop):
    customer = await shop.customer()
    saved = {"provider": "stripe", "details": CARD}
    method = (await shop.owner.post(f"/customers/{customer}/payment-methods", saved)).body["method_id"]
    told = await shop.checkout(customer, method_id=method)
    assert (told["status"], "checkout_url" in told) == ("awaiting_customer", False)
    assert await rows(shop.door, attempts) == []
