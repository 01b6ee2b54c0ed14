"""Events: what Paystack posts to the merchant's address, signed by its key, until it is answered by 200.

Source: https://paystack.com/docs/payments/webhooks. Paystack tries again for three days; here for as long as
`World.retry_delays` lasts.
"""

import asyncio
import hashlib
import hmac
import json

from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

_OK = 200


class Events:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def post(self, account: PaystackAccount, event: str, data: Json) -> None:
        body = json.dumps({"event": event, "data": data}).encode()
        fault = self._stage.faults.take("paystack.webhook")
        name = fault.name if fault else ""
        if name == "lost":
            self._stage.log("paystack", f"{event}: webhook lost", good=False)
            return
        if fault and name == "late":
            await asyncio.sleep(fault.seconds)
        if name == "forged":
            await self._try(account, f"{event}, forged", body, "not the key")
        await self._insist(account, event, body)
        if name == "twice":
            await self._try(account, f"{event}, again", body, account.secret_key)

    async def _insist(self, account: PaystackAccount, event: str, body: bytes) -> None:
        for delay in (*self._stage.world.retry_delays, None):
            if await self._try(account, event, body, account.secret_key) or delay is None:
                return
            await asyncio.sleep(delay)

    async def _try(self, account: PaystackAccount, what: str, body: bytes, key: str) -> bool:
        signature = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
        url = f"{self._stage.world.app_url}/hooks/paystack/{account.slug}"
        status, took = await self._stage.wire.post(url, body, {"x-paystack-signature": signature})
        answer = f"{status} in {took} ms" if status else "no answer"
        self._stage.log("paystack", f"{what}: {answer}", good=status == _OK)
        return status == _OK
