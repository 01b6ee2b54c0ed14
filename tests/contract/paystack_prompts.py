"""Paystack's prompts: a phone that is asked in its name, where the shop has no M-Pesa of its own."""

from services.facts import Way
from services.payments.details import by_phone
from tests.contract.paystack import Paystack

_PHONE = "+254712345678"


class PaystackPrompts(Paystack):
    asked_at, pages = "paystack.prompt", False
    way = Way(method=by_phone("paystack", _PHONE), phone=_PHONE)

    async def pays(self, paying):
        return await self._answers(paying, "pay") == 200

    async def refuses(self, paying):
        """It tells nobody, but who asks."""
        assert await self._answers(paying, "cancel") == 200
        self.business.forward(seconds=61)

    async def _answers(self, paying, outcome):
        url = f"{self.market.daraja_url}/control/prompts/{paying.attempt}"
        async with self.market._outside.post(url, json={"outcome": outcome}) as answer:
            return answer.status
