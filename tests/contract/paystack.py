"""Paystack: pages, told of by events that are signed by the secret key."""

import hashlib
import hmac
import json

from tests.bot.market import PAYSTACK
from tests.contract.stand import Stand


class Paystack(Stand):
    name = "paystack"
    settings, wrong_keys = PAYSTACK, {"secret_key": "sk_test_other"}
    asked_at, checked_at, told_at = "paystack.initialize", "paystack.check", "paystack.webhook"
    refunds_at = "paystack.refund"
    forgeries = ("no signature", "another key", "of other bytes", "by SHA-256", "another tenant's address")

    async def pays(self, paying):
        return await self.market.fill_in(await self.open_page(paying), outcome="pay") == 303

    async def refuses(self, paying):
        """It tells nobody: whoever comes back from the page has it asked."""
        assert await self.market.fill_in(await self.open_page(paying), outcome="fail") == 402
        self.business.forward(seconds=61)

    async def lies(self, paying, what):
        fault = "unheard" if what == "status" else f"other_{what}"
        await self.lying(("paystack.told", fault), ("paystack.check", fault))
        await self.pays(paying)

    async def denies(self, paying):
        told = self._told(paying, status="failed")
        for event in ("charge.failed", "charge.success"):
            await self.post(await self.address(paying), told | {"event": event})

    async def forged(self, paying, how):
        body = json.dumps(self._told(paying)).encode()
        path = await self.address(paying)
        if how == "another tenant's address":
            return await self.post("/hooks/paystack/another", body)
        key, kind = PAYSTACK["secret_key"], hashlib.sha512
        match how:
            case "no signature":
                return await self.post(path, body, {})
            case "another key":
                key = "sk_test_forged"
            case "by SHA-256":
                kind = hashlib.sha256
        of = b"{}" if how == "of other bytes" else body
        sign = hmac.new(key.encode(), of, kind).hexdigest()
        return await self.post(path, body, {"x-paystack-signature": sign})

    def signed(self, body):
        return {"x-paystack-signature": hmac.new(b"sk_test_market", body, hashlib.sha512).hexdigest()}

    async def address(self, paying):
        return f"/hooks/paystack/{self.business.slug}"

    async def held(self):
        back = [each["amount"] for each in await self._listed("refund") if each["status"] == "processed"]
        return sum(each["amount"] for each in await self._paid()) - sum(back)

    async def receipts(self):
        return [str(each["id"]) for each in await self._paid()]

    async def _paid(self):
        return [
            each for each in await self._listed("transaction") if each["status"] in ("success", "reversed")
        ]

    async def _listed(self, what):
        url = f"{self.market.daraja_url}/paystack/{what}?perPage=100"
        told = {"Authorization": f"Bearer {PAYSTACK['secret_key']}"}
        async with self.market._outside.get(url, headers=told) as answer:
            return (await answer.json())["data"]

    def _told(self, paying, **changes):
        data = {"id": 1, "reference": str(paying.attempt), "amount": 500_00, "currency": "KES"}
        return {"event": "charge.success", "data": data | {"status": "success"} | changes}
