"""Page scenes: a customer pays on the pages of other providers than M-Pesa, saves the card, pays with it,
and has it forgotten. Orders are a program's; what the customer does is done by the chat and by the page."""

from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import aiohttp
import sqlalchemy as sa

from bot.sandbox.seed import paystack_account, stripe_account
from services.store.schema import attempts, payments, saved_methods
from services.store.scope import OWNER
from tests.crash.scenes import RESTED, Ears
from tests.crash.staff_scenes import StaffScenes

_JUMA = "KE.1002"
_FORMS = {"paystack": {"outcome": "pay"}, "pesapal": {"how": "card"}, "stripe": {"card": "4242424242424242"}}
_KEYS = {"paystack": paystack_account().secret_key, "stripe": stripe_account().secret_key}


class PageScenes(StaffScenes):
    async def page_by_paystack(self) -> str:
        return await self._by_page("paystack")

    async def page_untold(self) -> str:
        """Its event is lost, so that who comes back from the page has Paystack asked."""
        await self._town.post("/faults", {"at": "paystack.webhook", "fault": "lost"})
        return await self._by_page("paystack")

    async def page_by_pesapal(self) -> str:
        return await self._by_page("pesapal")

    async def page_by_stripe(self) -> str:
        return await self._by_page("stripe")

    async def page_left(self) -> str:
        """Nobody pays on it, and its time is over; then another one is paid on."""
        amount, payment, link = await self._asked_to_pay("stripe")

        async def is_open() -> str | None:
            nonlocal link
            if await self._is(payment, "failed"):
                _, link = await self._checked_out("stripe")
            return await self._address(link)

        page = await self._until(is_open, f"a page for {amount}")
        await self._until(lambda: self._is(payment, "expired", "failed"), f"{amount} given up", "page_close")
        sessions = (await self._town.get("/stripe"))["sessions"]
        assert [each["status"] for each in sessions if each["url"] == page] == ["expired"]
        return await self._pays_on_page("stripe", amount, payment, link)

    async def card_by_paystack(self) -> str:
        return await self._by_card("paystack")

    async def card_by_stripe(self) -> str:
        return await self._by_card("stripe")

    async def card_forgotten(self) -> str:
        """By us and by its provider."""
        method = await self._has_card("stripe")
        (told,) = {each["payment_method"] for each in (await self._town.get("/stripe"))["payments"][:1]}
        await self._removes(method)
        left = sa.select(saved_methods.c.id).where(saved_methods.c.id == method)

        async def gone() -> bool:
            return await self._one(left) is None

        await self._until(gone, f"{method} forgotten", "forget")
        assert (await self._at("stripe", f"v1/payment_methods/{told}"))["customer"] is None
        return RESTED

    # --- a page

    async def _by_page(self, provider: str) -> str:
        return await self._pays_on_page(provider, *await self._asked_to_pay(provider))

    async def _asked_to_pay(self, provider: str) -> tuple[int, UUID, str]:
        """How much, the payment, and the link that a program hands out."""
        amount = next(self._amounts)
        line = {"name": "Kanga", "price": str(amount), "quantity": 1}
        order = await self._call("Njeri", "/orders", {"customer_id": await self._juma(), "lines": [line]})
        self.paid.append(amount)
        self._order = order["id"]
        return amount, *await self._checked_out(provider)

    async def _checked_out(self, provider: str) -> tuple[UUID, str]:
        told = await self._call("Njeri", f"/orders/{self._order}/checkout", {"provider": provider})
        return UUID(told["payment_id"]), told["checkout_url"]

    async def _pays_on_page(self, provider: str, amount: int, payment: UUID, link: str) -> str:
        """Where a page was lost, another one is asked for; who has paid goes back to the shop."""
        way_back = ""

        async def goes_on() -> bool:
            nonlocal link, way_back
            if way_back and not await self._is_back(way_back):
                return False
            if await self._is(payment, "succeeded"):
                return True
            if not way_back and await self._is(payment, "failed", "expired"):
                _, link = await self._checked_out(provider)
            if not way_back and (page := await self._address(link)):
                way_back = await self._fills_in(page, provider)
            return False

        await self._until(goes_on, f"{amount} paid on a page of {provider}", "collect_check")
        return RESTED

    async def _address(self, link: str) -> str | None:
        """Of the page, once it is open."""
        try:
            async with self._town.http.get(link, allow_redirects=False) as answer:
                return answer.headers.get("Location")
        except (aiohttp.ClientError, OSError):
            return None

    async def _fills_in(self, page: str, provider: str) -> str:
        """Where the browser goes on to; nowhere where the page is closed."""
        async with self._town.http.post(page, data=_FORMS[provider], allow_redirects=False) as answer:
            return urljoin(page, answer.headers.get("Location", "")) if answer.status == 303 else ""

    async def _is_back(self, address: str) -> bool:
        return await self._address(address) is not None

    async def _is(self, payment: UUID, *status: str) -> bool:
        query = sa.select(payments.c.id).where(payments.c.id == payment, payments.c.status.in_(status))
        return await self._one(query) is not None

    # --- a saved card

    async def _by_card(self, provider: str) -> str:
        """One tap; once more where it came to nothing."""
        method = await self._has_card(provider)
        amount = next(self._amounts)
        told, juma = f"KES {amount:,}.00", Ears(self._town, "juma")
        await self._says("juma", f"pay {amount}")
        await self._until(lambda: juma.heard(f"Pay *{told}*"), f"the question for {told}")
        await self._taps("juma", "Pay")
        self.paid.append(amount)

        async def goes_on() -> bool:
            if await juma.heard(f"Paid: {told}") or await juma.heard(f"arrived after all: {told}"):
                return True
            if await juma.heard_again(f"for {told} is not paid"):
                await self._taps("juma", "Try again")
            return False

        await self._until(goes_on, f"{told} paid by card", "collect_check", "collect_expire")
        await self._removes(method)
        return RESTED

    async def _has_card(self, provider: str) -> UUID:
        """Saved, and the one that is offered first."""
        await self._by_page(provider)
        paid = sa.select(attempts.c.id, attempts.c.receipt).where(
            attempts.c.provider == provider, attempts.c.state == "succeeded"
        )
        async with self._ground.database.reading(OWNER) as connection:
            row = (await connection.execute(paid.order_by(attempts.c.id.desc()).limit(1))).one()
        asked = {"provider": provider, "details": await self._card(provider, row), "set_as_default": True}
        answer = await self._call("Njeri", f"/customers/{await self._juma()}/payment-methods", asked)
        return UUID(answer["method_id"])

    async def _card(self, provider: str, paid: Any) -> dict[str, str]:
        if provider == "stripe":
            told = await self._at("stripe", f"v1/payment_intents/{paid.receipt}")
            return {"payment_method_id": told["payment_method"], "last4": "4242", "brand": "Visa"}
        told = (await self._at("paystack", f"transaction/verify/{paid.id}"))["data"]["authorization"]
        return {"authorization_code": told["authorization_code"], "last4": told["last4"], "bank": "Visa"}

    async def _removes(self, method: UUID) -> None:
        path = f"/customers/{await self._juma()}/payment-methods/{method}"

        async def removed() -> bool:
            try:
                status, _ = await self._ground.programs["Njeri"]("DELETE", path)
            except (aiohttp.ClientError, OSError):
                return False
            return status in (200, 404)

        await self._until(removed, f"{method} removed")

    async def _at(self, provider: str, path: str) -> Any:
        """What its own API tells the merchant."""
        head = {"Authorization": f"Bearer {_KEYS[provider]}"}
        async with self._town.http.get(f"{self._town.url}/{provider}/{path}", headers=head) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def _juma(self) -> str:
        """Who has written, so that he may be written to."""
        if not hasattr(self, "_customer"):
            await self._says("juma", "hello")
            known = await self._call("Njeri", "/customers", {"whatsapp_user_id": _JUMA})
            self._customer: str = known["id"]
        return self._customer
