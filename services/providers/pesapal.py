"""Pesapal v3: hosted pages on which customers pay by mobile money or by card.

https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/api-reference. The id of our attempt is
the order's merchant reference, which is taken once; what became of it is told to who asks, and to nobody
else: a notification only says that there is something to ask for. The other parts: settings in
`pesapal_settings`, statuses and errors in `pesapal_words`, the wire in `pesapal_client`.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import aiohttp
import orjson

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Page
from services.providers.base import (
    Accepted,
    Answer,
    Misconfigured,
    NoToken,
    NotSent,
    Pending,
    Refused,
    Report,
    Tokens,
    Unknown,
    Unreadable,
    Word,
)
from services.providers.bodies import Json, legible
from services.providers.listing import Line
from services.providers.pesapal_client import TIMEOUT, PesapalClient, Told
from services.providers.pesapal_lines import lines_of
from services.providers.pesapal_settings import PesapalSettings
from services.providers.pesapal_words import (
    LIMITS,
    Reply,
    both_of,
    judge,
    notified,
    opened,
    reference_of,
    reversed_of,
    word_of,
)
from services.providers.refunds import Refund

_LONGEST_DESCRIPTION = 100
_COUNTRIES = {"+254": "KE", "+256": "UG", "+255": "TZ"}
_USERNAME = "Lipachat"  # who asks for a refund, in the merchant's own lists


class Pesapal:
    """Opens pages, and gives what was paid on them back once the merchant agrees there."""

    def __init__(
        self,
        settings: PesapalSettings,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,
        now: Callable[[], datetime],
        *,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._client = PesapalClient(settings, http, url, tokens, now, timeout)

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        return await self._client.prove_keys()

    async def open_page(self, page: Page) -> Answer:
        """Once for one `attempt_id`: where the answer is lost, nobody was given the page."""
        if page.amount.currency not in LIMITS:
            return Refused(Unpaid.PROVIDER, f"it takes no {page.amount.currency}")
        try:
            ipn = await self._client.ipn(page.ipn_url)
            reply = await self._order(page, ipn)
            if isinstance(reply, Reply) and reply.ipn_unknown:  # somebody has deleted it there
                ipn = await self._client.ipn(page.ipn_url, instead_of=ipn)
                reply = await self._order(page, ipn)
        except NoToken as none:
            return none.answer
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge(reply)
        ours = str(page.attempt_id)
        made = opened(reply, ours)
        if made is None:
            return Unknown("an answer without our order's id and page")
        tracking_id, address = made
        return Accepted(reference_of(tracking_id, ours), tracking_id, page=address)

    async def close_page(self, reference: str) -> None:
        """One that is paid, or was closed before, is refused, and stays as it is."""
        tracking_id, _ = both_of(reference)
        await self._client.post("/api/Transactions/CancelOrder", {"order_tracking_id": tracking_id})

    async def check(self, reference: str) -> Word | NotSent | Unknown:
        _, ours = both_of(reference)
        reply = await self._status(reference)
        if isinstance(reply, Reply):
            return word_of(reply, ours)
        return Pending(reply.detail, ours=True) if isinstance(reply, Misconfigured) else reply

    async def refund(self, refund: Refund) -> Answer:
        """Asked for once for one payment. It is done when the merchant has agreed to it there."""
        wanted = {
            "confirmation_code": refund.receipt,
            "amount": str(refund.amount),
            "username": _USERNAME,
            "remarks": legible(refund.remarks) or "Refund",
        }
        reply = await self._client.post("/api/Transactions/RefundRequest", wanted)
        if not isinstance(reply, Reply):
            return reply
        return Accepted(refund.receipt) if reply.fine and reply.body.get("status") else judge(reply)

    async def ask_refund(
        self,
        receipt: str,
        reference: str | None,
        callback_url: str,  # noqa: ARG002  it tells at once
        timeout_url: str,  # noqa: ARG002
        attempt_id: UUID,  # noqa: ARG002  it is not known there
    ) -> Answer:
        """By the payment's reference, for a refund has no name there; told with the answer."""
        if reference is None:
            return Unknown("the payment's reference is not kept any more")
        _, ours = both_of(reference)
        reply = await self._status(reference)
        if not isinstance(reply, Reply):
            return reply
        word: Word = word_of(reply, ours)
        if isinstance(word, Pending) and word.ours:
            return Misconfigured(word.detail)
        if not isinstance(word, Pending):  # what became of the payment, and not of the refund
            word = reversed_of(reply, ours) or Pending("the payment stands")
        told = Report("refunded_query", frozenset({receipt, reference}), word, {"original": receipt})
        return Accepted(receipt, told=told)

    async def lines_of(
        self, reference: str, until: datetime
    ) -> tuple[Line, ...] | Misconfigured | NotSent | Unknown:
        """It has no list: what we hold is asked about one by one."""
        _, ours = both_of(reference)
        reply = await self._status(reference)
        return lines_of(reply, ours, until) if isinstance(reply, Reply) else reply

    def read(self, about: str, body: bytes) -> Report:
        """A notification, at the one address of the tenant's. Raises Unreadable, and nothing else."""
        if about != "ipn":
            raise Unreadable("it tells nothing at such an address")
        return notified(body)

    async def _status(self, reference: str) -> Told:
        tracking_id, _ = both_of(reference)
        path = "/api/Transactions/GetTransactionStatus"
        return await self._client.get(path, orderTrackingId=tracking_id)

    async def _order(self, page: Page, ipn: str) -> Told:
        wanted = {
            "id": str(page.attempt_id),
            "currency": page.amount.currency,
            "amount": _number(page.amount),
            "description": _printable(page.about) or page.number,
            "callback_url": page.return_url,
            "cancellation_url": page.return_url,
            "redirect_mode": "TOP_WINDOW",
            "notification_id": ipn,
            "billing_address": _billing(page),
        }
        return await self._client.post("/api/Transactions/SubmitOrderRequest", wanted)


def _number(amount: Money) -> orjson.Fragment:
    """A number of JSON, written as the very decimal that it is."""
    return orjson.Fragment(str(amount))


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_LONGEST_DESCRIPTION].strip()


def _billing(page: Page) -> Json:
    """Of a customer whose number no chat tells, the address of the shop's alone."""
    told = {"email_address": page.email}
    if page.phone is not None:
        told["phone_number"] = page.phone.removeprefix("+")
        if country := _COUNTRIES.get(page.phone[:4]):
            told["country_code"] = country
    return told
