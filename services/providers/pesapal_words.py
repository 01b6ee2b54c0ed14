"""Words: what Pesapal says of orders and of requests, in ours. What is not known is pending.

https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/api-reference. An error may come with
HTTP 200, so that the body's own `status` and `error` count; and an order that nobody has paid yet is told as
an error too. A notification carries no outcome: it says that there is one to be asked for.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.money import PLACES, Money
from services.news import Unpaid
from services.providers.base import (
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
from services.providers.bodies import Json, code_of, id_of, json_object, legible

# No page tells limits of its own; those of the customer's bank or wallet are told on the page.
LIMITS = {
    currency: Limits(Money(10 ** PLACES[currency], currency)) for currency in ("KES", "UGX", "TZS", "USD")
}

_FINE = "200"
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_LAST4 = re.compile(r"\d{4}\Z", re.ASCII)
_AMOUNT = re.compile(r"\d{1,13}(\.\d{1,8})?", re.ASCII)
_LONGEST_ADDRESS, _LONGEST_NAME = 2000, 30
_MOST_FIELDS = 20


@dataclass(frozen=True)
class Reply:
    """What came back: a JSON object, or the objects of a list."""

    status: int
    body: Json
    listed: tuple[Json, ...] = ()

    @property
    def fine(self) -> bool:
        """Without an error of any kind. A list has no status of its own."""
        ok = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return ok and not self.error and code_of(self.body.get("status")) in (_FINE, "")

    @property
    def error(self) -> str:
        """The error's code, else its kind or words, in small letters; empty where there is none. An object
        of nulls is none."""
        told = self.body.get("error")
        if isinstance(told, dict):
            return next((found for key in _NAMES if (found := _small(told.get(key)))), "")
        return _small(told)

    @property
    def said(self) -> str:
        """All its words, to look for others in."""
        told = self.body.get("error")
        inside = told.get("message") if isinstance(told, dict) else None
        return f"{self.error} {_small(inside)} {_small(self.body.get('message'))}"

    @property
    def token_refused(self) -> bool:
        wrong = "invalid_api_credentials" in self.error or "invalid access token" in self.said
        expired = "token" in self.said and "expired" in self.said
        return self.status == HTTPStatus.UNAUTHORIZED or wrong or expired

    @property
    def ipn_unknown(self) -> bool:
        """The notification id is none of this merchant's; nothing was done."""
        return "invalidipnid" in self.said.replace("_", "").replace(" ", "")

    def __str__(self) -> str:
        return f"HTTP {self.status} {code_of(self.body.get('status'))[:10]} {legible(self.said)}".strip()


_NAMES = ("code", "error_type", "type", "message")


def _small(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


# --- references -------------------------------------------------------------------------------------


def reference_of(tracking_id: str, merchant_reference: str) -> str:
    """By what an order is asked about: theirs, and ours that the answer must name."""
    return f"{tracking_id}/{merchant_reference}"


def both_of(reference: str) -> tuple[str, str]:
    tracking_id, _, merchant_reference = reference.partition("/")
    return tracking_id, merchant_reference


# --- notifications ----------------------------------------------------------------------------------


def notified(body: bytes) -> Report:
    """A notification: what stood in the query of a GET, or the JSON object of a POST. Raises Unreadable."""
    told = _fields(body)
    tracking_id, ours = id_of(told.get("ordertrackingid")), id_of(told.get("ordermerchantreference"))
    if tracking_id is None or ours is None:
        raise Unreadable("a notification without both ids")
    reference = reference_of(tracking_id, ours)
    kind = legible(told.get("ordernotificationtype"))
    references = frozenset({tracking_id, ours, reference})
    return Report("collect", references, Pending(kind), {"reference": reference, "ask": True})


def acknowledged(body: bytes) -> Json:
    """What is answered once a notification is stored: whoever hears anything else sends it again."""
    told = _fields(body)
    return {
        "orderNotificationType": id_of(told.get("ordernotificationtype")) or "",
        "orderTrackingId": id_of(told.get("ordertrackingid")) or "",
        "orderMerchantReference": id_of(told.get("ordermerchantreference")) or "",
        "status": 200,
    }


def _fields(body: bytes) -> Json:
    """By their names in small letters: they are spelt in both ways."""
    told = json_object(body)
    if told is None:
        try:
            told = dict(parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS))
        except ValueError:
            return {}
    return {name.lower(): value for name, value in told.items()}


# --- orders -----------------------------------------------------------------------------------------


def opened(reply: Reply, ours: str) -> tuple[str, str] | None:
    """The tracking id and the page of an order that was accepted; None where it tells another thing."""
    tracking_id, page = id_of(reply.body.get("order_tracking_id")), _address(reply.body.get("redirect_url"))
    if tracking_id is None or "/" in tracking_id or page is None:
        return None
    return (tracking_id, page) if id_of(reply.body.get("merchant_reference")) == ours else None


def _address(value: Any) -> str | None:
    """One that a customer can be sent to."""
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS or not _VISIBLE.fullmatch(value):
        return None
    try:
        address = urlsplit(value)
    except ValueError:
        return None
    return value if address.scheme in ("https", "http") and address.hostname else None


def word_of(reply: Reply, ours: str) -> Word:
    """What became of an order. Only an answer about ours, which says so in every way, is a yes or a no."""
    code = code_of(reply.body.get("status_code"))
    said = _small(reply.body.get("payment_status_description"))
    detail = f"{code[:20]} {legible(said)} {_why(reply)}".strip()
    if code not in _CODES:
        unheard = bool(code) and reply.fine
        return Pending(str(reply) if not reply.fine else detail, unheard=unheard, ours=_keys_wrong(reply))
    if code == "0":  # INVALID: nobody has paid it yet
        return Pending(detail)
    if not reply.fine or (said and said != _CODES[code]):
        return Pending(f"contradictory: {detail}", unheard=True)
    if id_of(reply.body.get("merchant_reference")) != ours:
        return Pending("the answer is about another order", unheard=True)
    if code == "1":
        return _paid(reply.body)
    return Failed(_because(reply), detail) if code == "2" else Failed(Unpaid.PROVIDER, detail)


_CODES = {"0": "invalid", "1": "completed", "2": "failed", "3": "reversed"}


def _paid(told: Json) -> Word:
    amount = money_of(told.get("amount"), told.get("currency"))
    if amount is None:
        return Pending("completed, with an amount that cannot be read", unheard=True)
    return Succeeded(id_of(told.get("confirmation_code")), amount, _method(told))


def _method(told: Json) -> dict[str, str] | None:
    """What it was paid with, masked by them; it is shown again, and cannot be charged."""
    name, account = legible(told.get("payment_method"))[:_LONGEST_NAME], told.get("payment_account")
    last4 = _LAST4.search(account.strip()) if isinstance(account, str) else None
    return {"payment_method": name, "last4": last4[0]} if name and last4 else None


def _why(reply: Reply) -> str:
    told = (reply.body.get(key) for key in ("payment_status_code", "description", "message"))
    return " ".join(found for value in told if (found := legible(value)))


def _because(reply: Reply) -> Unpaid:
    why = _why(reply).lower()
    return next((ours for words, ours in _REASONS if any(word in why for word in words)), Unpaid.PROVIDER)


_REASONS = (
    (("terminated_by_user", "cancel"), Unpaid.CANCELLED),
    (("insufficient", "balance"), Unpaid.INSUFFICIENT_FUNDS),
    (("limit", "exceed"), Unpaid.LIMIT),
    (("declined", "do not honor", "do_not_honor"), Unpaid.DECLINED),
)


def reversed_of(reply: Reply, ours: str) -> Succeeded | None:
    """Of an order that was paid: that it went back, as a whole; None where it stands, or where the answer is
    about another. They have no name of their own for it."""
    told = reply.body
    if (
        not reply.fine
        or id_of(told.get("merchant_reference")) != ours
        or code_of(told.get("status_code")) != "3"
    ):
        return None
    if (said := _small(told.get("payment_status_description"))) and said != _CODES["3"]:
        return None
    return Succeeded(None, money_of(told.get("amount"), told.get("currency")))


def money_of(value: Any, currency: Any) -> Money | None:
    """A positive amount as a number or text (1250.5, "1250.50"); None for anything else, and for what the
    currency has no coin for."""
    text = f"{value:f}" if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _AMOUNT.fullmatch(text) is None or currency not in PLACES:
        return None
    minor = Decimal(text).scaleb(PLACES[currency])
    return Money(int(minor), currency) if minor > 0 and minor == int(minor) else None


# --- requests that were not accepted ----------------------------------------------------------------

_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT)
# A merchant who is not verified may take little, on the live side too.
_OUR_ACCOUNT = ("maximum_amount_limit", "test_transactions", "test transactions", "currency")
_PLAIN = ("invalid_api_request_parameters", "invalid_request", "maximum_amount_limit", "test_transactions")


def _keys_wrong(reply: Reply) -> bool:
    return reply.token_refused or reply.status == HTTPStatus.FORBIDDEN or "consumer_key" in reply.error


def judge(reply: Reply) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means for the request. A server's error is a no only where it is
    one of those that are plain; a second order of one id tells that the first exists."""
    said, why = reply.said, str(reply)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent(why)
    if _keys_wrong(reply) or reply.ipn_unknown:
        return Misconfigured(why)
    if "duplicate" in said or "already" in said:
        return Unknown(why)
    unclear = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING
    if not reply.error or (unclear and not any(words in reply.error for words in _PLAIN)):
        return Unknown(why)
    if any(words in said for words in _OUR_ACCOUNT):
        return Misconfigured(why)
    return Refused(Unpaid.PROVIDER, why)
