"""Stripe: cards, on a hosted page and, once saved, by themselves.

https://docs.stripe.com/payments/checkout and /payments/save-during-payment. The id of our attempt is the key
under which Stripe does a thing once, and stands in the metadata of what is made. The other parts: settings in
`stripe_settings`, statuses and errors in `stripe_words`, events in `stripe_events`, the wire in
`stripe_client`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import aiohttp

from services.news import Unpaid
from services.providers.abilities import Charge, Page
from services.providers.base import (
    Accepted,
    Answer,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Tokens,
    Unknown,
    Unreadable,
    Word,
)
from services.providers.bodies import Json, id_of, legible
from services.providers.listing import Listed
from services.providers.refunds import Refund
from services.providers.stripe_client import TIMEOUT, StripeClient
from services.providers.stripe_events import ATTEMPT, BY, CARD, REFUND, ours, read_event, told_refund
from services.providers.stripe_lists import list_lines
from services.providers.stripe_pages import SHOWN, ends, opened, session_params
from services.providers.stripe_settings import StripeSettings
from services.providers.stripe_words import LIMITS, Reply, agrees, intent_word, judge, session_word, units

_ID = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)
_MOST_REFUNDS = 100


class Stripe:
    """Takes cards by Checkout, charges the saved ones, and gives payments back."""

    def __init__(
        self,
        settings: StripeSettings,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,  # noqa: ARG002  its key is all that it wants
        now: Callable[[], datetime],
        *,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._live, self._now = settings.live, now
        self._client = StripeClient(settings.secret_key, http, url, timeout)

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        """By looking at the latest session: a restricted key must be allowed that too."""
        match await self._client.get("/v1/checkout/sessions", limit=1):
            case Reply() as reply if reply.fine:
                return None
            case Reply(status=401 | 403) as reply:
                return Misconfigured(str(reply))
            case Reply() as reply:
                return NotSent(str(reply))
            case NotSent(detail) | Unknown(detail):
                return NotSent(detail)

    # --- pages

    async def open_page(self, page: Page) -> Answer:
        """A session of Checkout: the same one however often it is asked for."""
        return await self._open(page, str(page.attempt_id))

    async def close_page(self, reference: str) -> None:
        if reference.startswith("cs_") and _ID.fullmatch(reference):
            await self._client.post(f"/v1/checkout/sessions/{reference}/expire")

    async def check(self, reference: str) -> Word | NotSent | Unknown:
        """Of a session or of a payment, with the card that it was paid with."""
        if _ID.fullmatch(reference) is None:
            return Pending("no reference of Stripe's")
        if of_page := reference.startswith("cs_"):
            path, expand = f"/v1/checkout/sessions/{reference}", ["payment_intent.payment_method"]
        else:
            path, expand = f"/v1/payment_intents/{reference}", ["payment_method"]
        reply = await self._client.get(path, expand=expand)
        if not isinstance(reply, Reply):
            return reply
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unknown(str(reply))
        if not reply.fine:
            return Pending(str(reply), ours=reply.status in {401, 403})
        if reply.body.get("id") != reference:
            return Pending("the answer is about another payment", unheard=True)
        return session_word(reply.body) if of_page else intent_word(reply.body)

    # --- saved cards

    async def charge(self, charge: Charge) -> Answer:
        """Where the bank wants to ask its customer, a page is opened for the same attempt instead."""
        if charge.amount.currency not in LIMITS:
            return Refused(Unpaid.SHOP, "a currency that is not taken", ours=True)
        method = charge.details.get("payment_method_id", "")
        customer = await self._customer(method)
        if not isinstance(customer, str):
            return customer
        params = {
            "amount": units(charge.amount),
            "currency": charge.amount.currency.lower(),
            "customer": customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            "description": legible(charge.page.number)[:SHOWN],
            "metadata": {ATTEMPT: charge.attempt_id, BY: CARD},
            "expand": ["payment_method"],
        }
        reply = await self._client.post("/v1/payment_intents", params, str(charge.attempt_id))
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return await self._page_instead(charge) if reply.wants_the_customer else judge(reply)
        if reply.body.get("status") == "requires_action":
            return await self._cancel(charge, reply)
        return _charged(charge, reply.body)

    async def forget(self, details: Mapping[str, str]) -> NotSent | Misconfigured | None:
        """It belongs to nobody there any more; one that did already cannot be told from it."""
        method = details.get("payment_method_id", "")
        if _ID.fullmatch(method) is None:
            return None
        reply = await self._client.post(f"/v1/payment_methods/{method}/detach")
        if not isinstance(reply, Reply):
            return NotSent(reply.detail)
        if reply.fine or reply.missing:
            return None
        if reply.status in {401, 403}:
            return Misconfigured(str(reply))
        known = await self._client.get(f"/v1/payment_methods/{method}")
        gone = isinstance(known, Reply) and (known.missing or (known.fine and not known.body.get("customer")))
        return None if gone else NotSent(str(reply))

    # --- refunds

    async def refund(self, refund: Refund) -> Answer:
        """What became of it so far is told with the answer."""
        params = {
            "payment_intent": refund.receipt,
            "amount": units(refund.amount),
            "reason": "requested_by_customer",
            "metadata": {ATTEMPT: refund.attempt_id, BY: REFUND, "for": legible(refund.remarks)[:SHOWN]},
        }
        reply = await self._client.post("/v1/refunds", params, str(refund.attempt_id))
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge(reply)
        if not agrees(reply.body, refund.amount, ours(reply.body, REFUND), refund.attempt_id):
            return Unknown("the answer is about another refund")
        return _given_back(reply.body, refund.attempt_id)

    async def ask_refund(
        self,
        receipt: str,
        reference: str | None,
        callback_url: str,  # noqa: ARG002  it tells at once
        timeout_url: str,  # noqa: ARG002
        attempt_id: UUID,
    ) -> Answer:
        """Where its reference is not known it is looked for among the refunds of the payment. One that is not
        there says nothing: it may still be on its way to them."""
        if reference is not None and _ID.fullmatch(reference):
            reply = await self._client.get(f"/v1/refunds/{reference}")
        else:
            reply = await self._client.get("/v1/refunds", payment_intent=receipt, limit=_MOST_REFUNDS)
        if not isinstance(reply, Reply):
            return reply
        if reply.status in {401, 403}:
            return Misconfigured(str(reply))
        listed = reply.body.get("data") if reference is None else [reply.body]
        for refund in listed if isinstance(listed, list) and reply.fine else ():
            if isinstance(refund, dict) and ours(refund, REFUND) == str(attempt_id):
                return _given_back(refund, attempt_id)
        return Unknown(str(reply))

    # --- lists

    @property
    def lists(self) -> bool:
        return True

    async def list_lines(
        self, since: datetime, until: datetime, page: str | None
    ) -> Listed | Misconfigured | NotSent | Unknown:
        return await list_lines(self._client, since, until, page)

    def read(self, about: str, body: bytes) -> Report:
        """A signed event. Raises Unreadable, and nothing else."""
        if about != "signed":
            raise Unreadable("not an event")
        return read_event(body, live=self._live)

    # --- inside

    async def _open(self, page: Page, key: str) -> Answer:
        if page.amount.currency not in LIMITS:
            return Refused(Unpaid.SHOP, "a currency that is not taken", ours=True)
        params = session_params(page, ends(page.ends_at, self._now()))
        reply = await self._client.post("/v1/checkout/sessions", params, key)
        if not isinstance(reply, Reply):
            return reply
        return opened(page, reply.body) if reply.fine else judge(reply)

    async def _customer(self, method: str) -> str | Answer:
        """Whose card it is there; no money moves by asking."""
        if _ID.fullmatch(method) is None:
            return Refused(Unpaid.CARD, "no payment method of Stripe's")
        reply = await self._client.get(f"/v1/payment_methods/{method}")
        if not isinstance(reply, Reply):
            return NotSent(reply.detail)
        if reply.missing:
            return Refused(Unpaid.CARD, str(reply))
        if not reply.fine:
            answer = judge(reply)
            return NotSent(answer.detail) if isinstance(answer, Unknown) else answer
        return id_of(reply.body.get("customer")) or Refused(Unpaid.CARD, "it belongs to no customer any more")

    async def _page_instead(self, charge: Charge) -> Answer:
        """Nothing was charged, so that a page whose answer is lost may be asked for again: another one where
        the way back from it is another, since nobody was given the first."""
        way_back = hashlib.sha256(charge.page.return_url.encode()).hexdigest()[:16]
        answer = await self._open(charge.page, f"{charge.attempt_id}-page-{way_back}")
        return NotSent(answer.detail) if isinstance(answer, Unknown) else answer

    async def _cancel(self, charge: Charge, reply: Reply) -> Answer:
        """It waits for the customer, whom nobody could lead there: ended, so that it is not paid beside a
        page."""
        name = id_of(reply.body.get("id")) or ""
        path = f"/v1/payment_intents/{name}/cancel"
        ended = await self._client.post(path) if name else reply
        if isinstance(ended, Reply) and ended.fine and ended.body.get("status") == "canceled":
            return await self._page_instead(charge)
        return _charged(charge, reply.body)


def _charged(charge: Charge, intent: Json) -> Accepted | Unknown:
    name, attempt = id_of(intent.get("id")), str(charge.attempt_id)
    if name is None or not agrees(intent, charge.amount, ours(intent, CARD), charge.attempt_id):
        return Unknown("the answer is about another payment")
    word = intent_word(intent)
    if isinstance(word, Succeeded) and word.amount != charge.amount:
        word = Pending("a success with another amount", unheard=True)
    return Accepted(name, told=Report("collect", frozenset({name, attempt}), word, {"reference": name}))


def _given_back(refund: Json, attempt_id: UUID) -> Accepted | Unknown:
    name = id_of(refund.get("id"))
    if name is None:
        return Unknown("a refund without an id")
    return Accepted(name, told=told_refund("refund_query", refund, str(attempt_id)))
