"""Tiny bot: just enough of a bot for the page to talk to: it answers every word that the tests say."""

import json
from typing import Any

from aiohttp import ClientSession, web

from bot.sandbox.world import Json, Shop
from tests.sandbox import tiny_forms
from tests.sandbox.merchant import Merchant
from tests.sandbox.payloads import buttons, interactive, link, listed


class TinyBot:
    """`merchant` asks the emulated M-Pesa; `url` is that of the emulators."""

    def __init__(self, shop: Shop, session: ClientSession) -> None:
        self._shop = shop
        self._session = session
        self.url = ""
        self.merchant: Merchant | None = None
        self.paid: list[int] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/whatsapp", self.webhook)
        app.router.add_post("/webhooks/whatsapp/forms", tiny_forms.exchange)
        app.router.add_post("/hooks/{tail:.*}", self.callback)
        return app

    async def webhook(self, request: web.Request) -> web.Response:
        value = (await request.json())["entry"][0]["changes"][0]["value"]
        for message in value.get("messages", []):
            await self._send({"status": "read", "message_id": message["id"]})
            to = {"recipient": message["from_user_id"]}
            for answer in await self._answers(message):
                await self._send({key: answer[key] for key in answer if key != "to"} | to)
        return web.Response()

    async def callback(self, request: web.Request) -> web.Response:
        told = await request.json()
        if "Body" in told:
            code = told["Body"]["stkCallback"]["ResultCode"]
            self.paid.append(code)
            text = "*Paid*, thank you! Receipt sent." if code == 0 else f"Not paid yet ({code})."
            await self._send({"to": "+254712345678", "type": "text", "text": {"body": text}})
        return web.json_response({"ResultCode": 0})

    async def books(self) -> Json:
        taken = 500 * self.paid.count(0)
        return {
            "accounts": [
                {"name": "Mama Njeri Duka", "posted": f"{taken}.00", "held": "0.00"},
                {"name": "M-Pesa clearing", "posted": f"-{taken}.00" if taken else "0.00", "held": "0.00"},
            ],
            "transfers": [
                {
                    "at": "2026-11-24T09:00:00Z",
                    "from": "M-Pesa clearing",
                    "to": "Mama Njeri Duka",
                    "amount": "500.00",
                    "memo": "Order 12",
                }
                for code in self.paid
                if code == 0
            ],
            "sum": "0.00",
            "currency": "KES",
        }

    async def _answers(self, message: Json) -> list[dict[str, Any]]:
        heard = _heard(message)
        match heard:
            case "menu":
                return [buttons("Shop", "Pay", "Help")]
            case "Shop":
                return [listed({"rows": _WARES, "title": "Groceries"}, button="See the shelf")]
            case "Pay" | "pay" if self.merchant:
                await self.merchant.log_in()
                await self.merchant.push()
                return [_text("I sent a prompt to your phone.")]
            case "withdraw" if self.merchant:
                await self.merchant.log_in()
                await self.merchant.pay(f"attempt-{message['id']}")
                return [_text("On its way: *KES 967.00*")]
            case "number":
                return [interactive("request_contact_info", {"name": "request_contact_info"})]
            case "form":
                return [interactive("flow", tiny_forms.flow())]
            case "old form":
                return [interactive("flow", tiny_forms.flow(tiny_forms.OVER))]
            case "link":
                return [link("Open the receipt")]
            case "wrong":
                return [buttons("This title is far too long")]
        return [_text(f"You said *{heard}*.")]

    async def _send(self, payload: Json) -> None:
        url = f"{self.url}/v25.0/{self._shop.phone_number_id}/messages"
        headers = {"Authorization": f"Bearer {self._shop.access_token}", "Content-Type": "application/json"}
        body = json.dumps({"messaging_product": "whatsapp", **payload})
        async with self._session.post(url, data=body, headers=headers) as answer:
            await answer.read()


_WARES = [
    {"id": "maize", "title": "Maize flour 2 kg", "description": "KES 210"},
    {"id": "milk", "title": "Milk 500 ml", "description": "KES 65"},
]


def _text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def _heard(message: Json) -> str:
    """What was said: words, the title of a tap, or a shared number."""
    if message["type"] == "interactive":
        reply = message["interactive"][message["interactive"]["type"]]
        if "response_json" in reply:
            return str(json.loads(reply["response_json"])["account_number"])
        return str(reply["title"])
    if message["type"] == "contacts":
        return str(message["contacts"][0]["phones"][0]["phone"])
    return str(message["text"]["body"])
