"""Collecting by Paystack: a hosted page of one transaction, and cards that were paid with before.

https://paystack.com/docs/api/transaction (initialize, verify, charge_authorization). The id of our attempt is
the transaction's reference, which Paystack takes once. Of what succeeds it tells by an event; of what fails
it tells whoever asks, and nobody else.
"""

from collections.abc import Mapping
from http import HTTPStatus

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Charge, Page
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Limits,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
    Unreadable,
    Word,
)
from services.providers.bodies import Json, code_of, id_of, legible, month_of, within
from services.providers.paystack_client import PaystackClient
from services.providers.paystack_words import Reply, money_of, subunits

_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT)
_CARD, _PHONE, _LONGEST_WORD = "card", "mobile_money", 30


def _least(amount: str, currency: str) -> Limits:
    return Limits(Money.parse(amount, currency))


# https://support.paystack.com: the least that a transaction may be, by currency.
LIMITS: Mapping[str, Limits] = {
    "KES": _least("3", "KES"),
    "NGN": _least("50", "NGN"),
    "GHS": _least("0.10", "GHS"),
    "ZAR": _least("1", "ZAR"),
    "USD": _least("2", "USD"),
}


class Collecting:
    """Opens pages and charges cards, for `Paystack`."""

    _client: PaystackClient

    async def open_page(self, page: Page) -> Answer:
        """Once for one `attempt_id`: where the answer is lost, nobody was given the page."""
        if page.amount.currency not in LIMITS:
            return Refused(Unpaid.SHOP, "a currency that is not taken", ours=True)
        wanted = _transaction(page) | {"callback_url": page.return_url}
        reply = await self._client.post("/transaction/initialize", wanted)
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge(reply)
        return _page(str(page.attempt_id), reply)

    async def close_page(self, reference: str) -> None:
        """Paystack has no way to: what is paid on it still is told."""

    async def check(self, reference: str) -> Word | NotSent | Unknown:
        reply = await self._client.get(f"/transaction/verify/{reference}")
        if not isinstance(reply, Reply):
            return reply
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unknown(str(reply))
        if not reply.fine:
            return Pending(str(reply), ours=reply.status in _NOT_ALLOWED)
        return word_of(reply.data, reference)

    async def charge(self, charge: Charge) -> Answer:
        """A reference that was taken before is asked about, and never charged again."""
        if charge.amount.currency not in LIMITS:
            return Refused(Unpaid.SHOP, "a currency that is not taken", ours=True)
        code, ours = charge.details.get("authorization_code", ""), str(charge.attempt_id)
        wanted = _transaction(charge.page) | {"authorization_code": code}
        reply = await self._client.post("/transaction/charge_authorization", wanted)
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge(reply, card=True)
        if reply.data.get("paused") is True:  # the bank asks its customer
            return _page(ours, reply)
        if id_of(reply.data.get("reference")) != ours:
            return Unknown("the answer is about another payment")
        word = word_of(reply.data, ours)
        if isinstance(word, Succeeded) and word.amount != charge.amount:
            word = Pending("a success with another amount", unheard=True)
        return Accepted(ours, told=Report("collect", frozenset({ours}), word, {"reference": ours}))

    async def forget(self, details: Mapping[str, str]) -> NotSent | Misconfigured | None:
        """One that is not known there any more is forgotten."""
        wanted = {"authorization_code": details.get("authorization_code", "")}
        reply = await self._client.post("/customer/deactivate_authorization", wanted)
        if not isinstance(reply, Reply):
            return NotSent(reply.detail)
        if reply.status in _NOT_ALLOWED:
            return Misconfigured(str(reply))
        gone = reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST) and _unknown_card(reply)
        return None if reply.fine or gone else NotSent(str(reply))


def told_paid(data: Json) -> Report:
    """The event of a success. Raises Unreadable."""
    reference = id_of(data.get("reference"))
    if reference is None:
        raise Unreadable("a charge without a reference")
    word = word_of(data, reference)
    if not isinstance(word, Succeeded):  # an event that contradicts itself is no word
        word = Pending("an event of a success that is none", unheard=True)
    return Report("collect", frozenset({reference}), word, {"reference": reference})


def word_of(data: Json, reference: str) -> Word:
    """Of a transaction as it stands."""
    if id_of(data.get("reference")) != reference:
        return Pending("the answer is about another payment", unheard=True)
    status = code_of(data.get("status")).lower()
    detail = f"{status[:20]} {legible(data.get('gateway_response') or data.get('message'))}".strip()
    match status:
        case "success":
            return _paid(data)
        case "failed":
            because = _phones if data.get("channel") == _PHONE else _because
            return Failed(because(detail.lower()), detail)
        # "abandoned" is said of a page that nobody has paid on yet, and can.
        case "abandoned" | "ongoing" | "pending" | "processing" | "queued" | "reversed":
            return Pending(detail)
        case _:
            return Pending("a status that is not known", unheard=True)


def _paid(data: Json) -> Word:
    currency = data.get("currency")
    amount, asked = money_of(data.get("amount"), currency), money_of(data.get("requested_amount"), currency)
    if amount is None:
        return Pending("success with an unreadable amount", unheard=True)
    if asked is not None and asked < amount:  # the merchant has Paystack add its fees to what customers pay
        amount = asked
    return Succeeded(id_of(data.get("id")), amount, _method(within(data, "authorization")))


def _method(authorization: Json) -> Mapping[str, str] | None:
    """A card that may be charged again; by what tells it apart to who reads it."""
    code, last4 = id_of(authorization.get("authorization_code")), code_of(authorization.get("last4"))
    reusable = authorization.get("reusable") is True and authorization.get("channel") == _CARD
    if not reusable or code is None or not last4:
        return None
    word = legible(authorization.get("brand")) or legible(authorization.get("bank"))
    card = {"authorization_code": code, "last4": last4, "bank": word.title()[:_LONGEST_WORD] or "Card"}
    expires = month_of(authorization.get("exp_month"), authorization.get("exp_year"))
    return card | ({"expires": expires} if expires else {})


def judge(reply: Reply, *, card: bool = False) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means."""
    said, why = reply.said, str(reply)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent(why)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING:
        return Unknown(why)
    if "duplicate" in said or ("reference" in said and "exist" in said):
        return Unknown(why)  # the first of this reference exists
    if reply.status in _NOT_ALLOWED:
        return Misconfigured(why)
    if reply.status < HTTPStatus.BAD_REQUEST or reply.body.get("status") is not False:
        return Unknown(why)
    if "currency" in said or "not enabled" in said:
        return Misconfigured(why)
    if card and _unknown_card(reply):
        return Refused(Unpaid.CARD, why)
    return Refused(Unpaid.PROVIDER, why)


def _unknown_card(reply: Reply) -> bool:
    return "authorization" in reply.said or "email" in reply.said


def _because(detail: str) -> Unpaid:
    if "insufficient" in detail:
        return Unpaid.INSUFFICIENT_FUNDS
    return Unpaid.CARD if "expired card" in detail else Unpaid.DECLINED


def _phones(detail: str) -> Unpaid:
    """Why a phone that was asked did not pay."""
    return next(
        (ours for words, ours in _ON_PHONES if any(word in detail for word in words)), Unpaid.PROVIDER
    )


_ON_PHONES = (
    (("cancel",), Unpaid.CANCELLED),
    (("insufficient", "balance"), Unpaid.INSUFFICIENT_FUNDS),
    (("pin", "initiator information"), Unpaid.WRONG_PIN),
    (("limit",), Unpaid.LIMIT),
    (("timeout", "timed out", "cannot be reached", "no response"), Unpaid.UNREACHABLE),
    (("expired",), Unpaid.EXPIRED),
)


def _transaction(page: Page) -> Json:
    return {
        "email": page.email,
        "amount": subunits(page.amount),
        "currency": page.amount.currency,
        "reference": str(page.attempt_id),
        "metadata": {"order": page.number, "cancel_action": page.return_url},
    }


def _page(ours: str, reply: Reply) -> Accepted | Unknown:
    address = reply.data.get("authorization_url")
    whole = isinstance(address, str) and address.startswith(("https://", "http://"))
    if not whole or id_of(reply.data.get("reference")) != ours:
        return Unknown("an answer without our reference and a page")
    return Accepted(ours, page=str(address))
