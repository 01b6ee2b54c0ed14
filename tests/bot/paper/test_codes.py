"""A code that a customer scans is drawn by the provider when it is sent; without one the words go alone."""

from typing import Any, cast

import pytest

from bot.jsons import dumps, loads
from bot.paper.codes import Codes
from bot.paper.papers import Papers
from bot.paper.statement.making import Statements
from bot.providers import Providers
from bot.whatsapp.client import Sent
from services.people.tenants import TenantBook
from tests.bot.market import SETTINGS

PAPER = {
    "kind": "PaymentCode",
    "media": "image",
    "provider": "mpesa",
    "number": "K7Q2X0",
    "amount": "500.00",
    "currency": "KES",
}
BODY = dumps({"_paper": PAPER, "type": "image", "image": {"caption": "Scan it, or pay by hand"}})
WITH_BUTTON = dumps(
    {
        "_paper": PAPER,
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "image", "image": {}},
            "body": {"text": "Scan it"},
            "action": {"buttons": []},
        },
    }
)


class Uploads:
    """As much of WhatsApp as takes files."""

    def __init__(self):
        self.files = []

    async def upload(self, phone_number_id, access_token, content, media_type, name):
        self.files.append((content, media_type, name))
        return Sent(f"media-{len(self.files)}")


class Counter:
    def __init__(self, market):
        self.market = market
        self.uploads = Uploads()
        self.book = TenantBook(market.database, market.vault, market.clock)
        urls = {"mpesa": market.daraja_url}
        providers = Providers(market.database, market.vault, self.book, market._http, urls, market.clock)
        statements = Statements(market.database, market.vault, market.clock)
        self.papers = Papers(cast(Any, self.uploads), market.clock, statements, codes=Codes(providers))

    async def named(self, body=BODY):
        tenant = await self.book.by_id(self.market.business.tenant)
        named = await self.papers.named(tenant, "1065", "token", body)
        assert isinstance(named, bytes)
        return loads(named)


@pytest.fixture
def counter(market):
    return Counter(market)


async def test_it_is_drawn_uploaded_and_named_once(counter):
    for _ in range(2):
        assert await counter.named() == {
            "type": "image",
            "image": {"caption": "Scan it, or pay by hand", "id": "media-1"},
        }
    ((content, media_type, name),) = counter.uploads.files
    assert (content[:4], media_type, name) == (b"\x89PNG", "image/png", "picture.png")


@pytest.mark.parametrize("fault", ["500", "drop", "busy", "spike", "broken"])
async def test_where_it_cannot_be_drawn_the_words_go_alone(counter, fault):
    await counter.market.arm("qr.draw", fault, times=2)
    assert await counter.named() == {"type": "text", "text": {"body": "Scan it, or pay by hand"}}
    assert "header" not in (await counter.named(WITH_BUTTON))["interactive"]
    assert counter.uploads.files == []
    assert (await counter.named())["image"]["id"] == "media-1"  # the next one is drawn


async def test_without_the_provider_the_words_go_alone(counter):
    await counter.market.set_up(None)
    assert (await counter.named())["type"] == "text"


async def test_settings_that_mpesa_refuses_send_the_words_alone(counter):
    await counter.market.set_up(SETTINGS | {"shortcode": "600999"})
    assert (await counter.named())["type"] == "text"
