"""Shopping as the outside meets it: signed webhooks in, messages out, on both databases."""

import asyncio
import itertools

from services.store.schema import carts, orders, products
from tests.bot.door import envelope, opened, text
from tests.bot.test_api import rows

GOODS = """
[[products]]
sku = "SOAP"
name = "Bar soap"
price = "150"
stock = 3
image = "https://example.org/soap.jpg"
[[products]]
sku = "TEA"
name = "Kericho tea"
price = "200.00"
"""


class Shopper:
    """One phone. Each of its messages is answered by one."""

    def __init__(self, door):
        self.door, self.answers = door, 0
        self._ids = (f"wamid.in{n}" for n in itertools.count())

    async def sends(self, **message):
        posted = await self.door.update(envelope(text(next(self._ids), **message)))
        assert posted.status == 200
        self.answers += 1
        sent = (await self.door.hears(self.answers))[self.answers - 1]
        assert len(self.door.graph.sent) == self.answers
        return sent

    async def says(self, words):
        return shown(await self.sends(words=words))

    async def taps(self, sent, title):
        return await self.sends(**tap(sent, title))

    async def orders(self, *items, note=""):
        order = {"catalog_id": "7", "text": note, "product_items": list(items)}
        return shown(await self.sends(type="order", text=None, order=order))


def shown(sent):
    return sent["text"]["body"] if sent["type"] == "text" else sent["interactive"]["body"]["text"]


def choices(sent):
    action = sent["interactive"]["action"]
    if "buttons" in action:
        return {each["reply"]["title"]: each["reply"]["id"] for each in action["buttons"]}
    return {row["title"]: row["id"] for section in action["sections"] for row in section["rows"]}


def tap(sent, title):
    kind = "button_reply" if sent["interactive"]["type"] == "button" else "list_reply"
    reply = {"type": kind, kind: {"id": choices(sent)[title], "title": title}}
    return {"type": "interactive", "text": None, "interactive": reply}


def item(sku="SOAP", quantity=1, price=150.0):
    return {"product_retailer_id": sku, "quantity": quantity, "item_price": price, "currency": "KES"}


async def test_from_the_shop_to_the_order(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(more=GOODS)
        shopper = Shopper(door)
        listed = await shopper.sends(words="shop")
        descriptions = {
            row["title"]: row.get("description")
            for row in listed["interactive"]["action"]["sections"][0]["rows"]
        }
        assert descriptions == {
            "Bar soap": "KES 150.00 · 3 left",
            "Kericho tea": "KES 200.00",
            "Cancel": None,
        }
        product = await shopper.taps(listed, "Bar soap")
        assert product["interactive"]["header"]["image"] == {"link": "https://example.org/soap.jpg"}
        cart = await shopper.taps(product, "Add 2")
        assert "Total: *KES 300.00*" in shown(cart)
        assert "You still have 2 items in your cart." in await shopper.says("menu")
        assert "Pay *KES 300.00*" in await shopper.says("pay")
        [order] = await rows(door, orders)
        assert (order.total, order.status, order.delivery) == (30_000, "open", False)
        [soap] = [row for row in await rows(door, products) if row.sku == "SOAP"]
        assert (soap.reserved, soap.sold) == (2, 0)


async def test_two_taps_at_once_count_once(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(more=GOODS)
        shopper = Shopper(door)
        product = await shopper.taps(await shopper.sends(words="shop"), "Bar soap")
        taps = [envelope(text(f"wamid.tap{n}", **tap(product, "Add 1"))) for n in range(2)]
        await asyncio.gather(*(door.update(each) for each in taps))
        said = [shown(each) for each in (await door.hears(shopper.answers + 2))[shopper.answers :]]
        assert any("That button is from an earlier message." in each for each in said), said
        [cart] = await rows(door, carts)
        assert cart.lines == [{"sku": "SOAP", "name": "Bar soap", "quantity": 1}]


async def test_an_order_message_is_priced_by_us_and_what_is_odd_moves_nothing(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(more=GOODS)
        shopper = Shopper(door)
        said = await shopper.orders(item(quantity=2, price=0.01), item("GONE\x00"), note="x\u202ey")
        assert "The prices of Mama Njeri have changed." in said
        assert "2 × Bar soap: KES 300.00" in said
        assert "GONE" in said
        for odd in (-1, 0, 10**30, 2.5, "🎉", None, True):
            assert "from 1 to 999" in await shopper.orders(item("TEA"), item("SOAP", odd))
        assert "at most 300 letters" in await shopper.orders(item(), note="word " * 800)
        many = [item(f"P{n}") for n in range(60)]
        assert "at most 50 lines" in await shopper.orders(*many)
        [cart] = await rows(door, carts)
        assert cart.lines == [{"sku": "SOAP", "name": "Bar soap", "quantity": 2}]
        assert await rows(door, orders) == []
