"""Stripe: pages of Checkout, told of by events that are signed and dated."""

import hashlib
import hmac
import json

from services.ids import new_id
from tests.bot.market import STRIPE
from tests.contract.stand import Stand


class Stripe(Stand):
    name, dated, last_word = "stripe", True, b"checkout.session.completed"
    settings, wrong_keys = STRIPE, STRIPE | {"secret_key": "sk_test_other"}
    asked_at, checked_at, told_at = "stripe.session", "stripe.query", "stripe.webhook"
    refunds_at = "stripe.refund"
    forgeries = (
        "no signature",
        "another secret",
        "of other bytes",
        "undated",
        "of an hour ago",
        "says more",
        "another page",
    )

    async def pays(self, paying):
        page = await self.open_page(paying)
        return await self.market.fill_in(page, card="4242424242424242") == 303

    async def refuses(self, paying):
        told = self._session(await self.reference(paying), paying, payment_status="unpaid")
        await self._event("checkout.session.async_payment_failed", told)

    async def lies(self, paying, what):
        fault = "unheard" if what == "status" else f"wrong_{what}"
        await self.lying(("stripe.webhook", fault), ("stripe.query", fault))
        await self.pays(paying)

    async def denies(self, paying):
        await self.refuses(paying)
        told = self._session(await self.reference(paying), paying, status="expired", payment_status="unpaid")
        await self._event("checkout.session.expired", told)

    async def forged(self, paying, how):
        page = "cs_test_another" if how == "another page" else await self.reference(paying)
        told = self._session(page, paying)
        body = json.dumps(self._told("checkout.session.completed", told)).encode()
        at, of, secret = int(self.market.clock().timestamp()), body, STRIPE["webhook_secret"]
        match how:
            case "no signature":
                return await self._sent(body, {})
            case "says more" | "another page":  # signed, of a page that nobody has paid
                return await self._sent(body, self.signed(body))
            case "undated":
                return await self._sent(
                    body, {"Stripe-Signature": self._of(at, body, secret).partition(",")[2]}
                )
            case "another secret":
                secret = "whsec_forged"
            case "of other bytes":
                of = b"{}"
            case "of an hour ago":
                at -= 3600
        return await self._sent(body, {"Stripe-Signature": self._of(at, of, secret)})

    def signed(self, body):
        at = int(self.market.clock().timestamp())
        return {"Stripe-Signature": self._of(at, body, STRIPE["webhook_secret"])}

    async def address(self, paying):
        return f"/hooks/stripe/{self.business.slug}"

    async def held(self):
        back = await self.market._look("refunds", "stripe")
        gone = sum(each["amount"] for each in back if each["status"] == "succeeded")
        return sum(each["amount_received"] for each in await self._paid()) - gone

    async def receipts(self):
        return [each["id"] for each in await self._paid()]

    async def _paid(self):
        payments = await self.market._look("payments", "stripe")
        return [each for each in payments if each["status"] == "succeeded"]

    async def _event(self, kind, told):
        assert await self._sent(body := json.dumps(self._told(kind, told)).encode(), self.signed(body)) == 200

    async def _sent(self, body, headers):
        return await self.post(f"/hooks/stripe/{self.business.slug}", body, headers)

    @staticmethod
    def _of(at, body, secret):
        sign = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={sign}"

    @staticmethod
    def _told(kind, told):
        event = {"id": f"evt_{new_id().hex}", "object": "event", "type": kind, "livemode": False}
        return event | {"data": {"object": told}}

    @staticmethod
    def _session(name, paying, **changes):
        return {
            "id": name,
            "object": "checkout.session",
            "status": "complete",
            "payment_status": "paid",
            "amount_total": 500_00,
            "currency": "kes",
            "payment_intent": "pi_told",
            "metadata": {"attempt": str(paying.attempt), "by": "page"},
        } | changes
