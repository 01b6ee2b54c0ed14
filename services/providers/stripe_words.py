"""Words: what Stripe says of sessions, payments and refunds, and of requests, in ours. What is not known is
pending.

Sources: https://docs.stripe.com/api/errors, /error-codes, /declines/codes, /currencies, and the statuses of
https://docs.stripe.com/api/checkout/sessions, /payment_intents and /refunds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from services.money import PLACES, Money
from services.news import Unpaid
from services.providers.base import (
    Failed,
    Limits,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
    Word,
)
from services.providers.bodies import Json, code_of, id_of, legible, month_of, within

# --- amounts ----------------------------------------------------------------------------------------

_ZERO_DECIMAL = set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())  # noqa: SIM905
# UGX has no cents any more, and Stripe takes it in hundredths all the same, whole ones only ("special cases"
# of https://docs.stripe.com/currencies). Older lists call it zero-decimal: try it in a sandbox account first.
_MOST_DIGITS = 8  # of an amount, in their units


def exponent(currency: str) -> int:
    return 0 if currency in _ZERO_DECIMAL else 2


def units(amount: Money) -> int:
    """As Stripe counts it."""
    return int(amount.decimal.scaleb(exponent(amount.currency)))


def money_of(value: Any, currency: Any) -> Money | None:
    """A positive amount of their units, and "kes"; None for anything else."""
    digits, code = code_of(value), code_of(currency).upper()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15 and code in PLACES):  # noqa: PLR2004
        return None
    minor = Decimal(digits).scaleb(PLACES[code] - exponent(code))
    return Money(int(minor), code) if minor > 0 and minor == int(minor) else None


def agrees(told: Json, amount: Money, named: object, attempt_id: UUID) -> bool:
    """Whether an answer is about this attempt, and this amount."""
    return named == str(attempt_id) and money_of(told.get("amount"), told.get("currency")) == amount


def _limits(minimum: str, currency: str) -> Limits:
    most = Decimal(10**_MOST_DIGITS - 1).scaleb(PLACES[currency] - exponent(currency))
    return Limits(Money.parse(minimum, currency), Money(int(most), currency))


# Stripe publishes a minimum for USD. Others must be worth that of the currency that the account is paid out
# in: 1 here, and what is too little then Stripe refuses by `amount_too_small`.
LIMITS: Mapping[str, Limits] = {
    "KES": _limits("1", "KES"),
    "UGX": _limits("1", "UGX"),
    "TZS": _limits("1", "TZS"),
    "NGN": _limits("1", "NGN"),
    "GHS": _limits("1", "GHS"),
    "ZAR": _limits("1", "ZAR"),
    "USD": _limits("0.50", "USD"),
}

# --- answers ----------------------------------------------------------------------------------------

_ID_WITHIN = re.compile(r"\b(?:pm|cus|cs|pi|ch|re|seti|sk|rk|pk|whsec)_\w+", re.ASCII)


@dataclass(frozen=True)
class Reply:
    """What came back, a JSON object in any case."""

    status: int
    body: Json

    @property
    def fine(self) -> bool:
        ok = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return ok and "error" not in self.body

    @property
    def error(self) -> Json:
        return within(self.body, "error")

    @property
    def code(self) -> str:
        return code_of(self.error.get("code"))

    @property
    def missing(self) -> bool:
        """What was asked for does not exist, or is another account's."""
        return self.status == HTTPStatus.NOT_FOUND or self.code == "resource_missing"

    @property
    def wants_the_customer(self) -> bool:
        """The bank lets the card be charged only where the customer proves who they are."""
        return "authentication_required" in (self.code, code_of(self.error.get("decline_code")))

    def __str__(self) -> str:
        named = (code_of(self.error.get(name))[:40] for name in ("type", "code", "decline_code", "param"))
        words = "" if self.code else _ID_WITHIN.sub("***", legible(self.error.get("message")))
        return " ".join(filter(None, (f"HTTP {self.status}", *named, words)))


_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT)
_ACCOUNT = (
    "account_invalid",
    "api_key_expired",
    "country_unsupported",
    "livemode_mismatch",
    "payment_method_unactivated",
    "secret_key_required",
    "testmode_charges_only",
    "url_invalid",
)
_MOVED = ("succeeded", "processing", "requires_capture")


def judge(reply: Reply) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means for what was asked. A key that was used with other
    parameters, or is in use just now, says that there is a first request, and not what became of it."""
    why, error = str(reply), reply.error
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent(why)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING:
        return Unknown(why)
    if reply.status in _NOT_ALLOWED or reply.code in _ACCOUNT:
        return Misconfigured(why)
    if reply.status < HTTPStatus.BAD_REQUEST or not error:
        return Unknown(why)
    if error.get("type") == "idempotency_error" or reply.code == "idempotency_key_in_use":
        return Unknown(why)
    if code_of(within(error, "payment_intent").get("status")) in _MOVED:
        return Unknown(f"{why}, of a payment that has moved")
    if error.get("type") == "card_error":
        return Refused(decline(error), why)
    match reply.code:
        case "amount_too_small" | "amount_too_large":
            return Refused(Unpaid.LIMIT, why)
        case "balance_insufficient" | "insufficient_funds":
            return Refused(Unpaid.INSUFFICIENT_FUNDS, why, ours=True)
    return Refused(Unpaid.PROVIDER, why)


_DECLINES: Mapping[str, Unpaid] = {
    "insufficient_funds": Unpaid.INSUFFICIENT_FUNDS,
    "card_velocity_exceeded": Unpaid.LIMIT,
    "withdrawal_count_limit_exceeded": Unpaid.LIMIT,
    "incorrect_pin": Unpaid.WRONG_PIN,
    "invalid_pin": Unpaid.WRONG_PIN,
    "pin_try_exceeded": Unpaid.WRONG_PIN,
    "expired_card": Unpaid.CARD,
    "invalid_account": Unpaid.CARD,
    "new_account_information_available": Unpaid.CARD,
    "issuer_not_available": Unpaid.PROVIDER,
    "processing_error": Unpaid.PROVIDER,
    "reenter_transaction": Unpaid.PROVIDER,
    "try_again_later": Unpaid.PROVIDER,
}


def decline(error: Json) -> Unpaid:
    """Why a card was not charged. What a bank does not want its customer told is a plain no."""
    codes = (code_of(error.get(name)) for name in ("decline_code", "code"))
    return next((_DECLINES[code] for code in codes if code in _DECLINES), Unpaid.DECLINED)


# --- what became of it ------------------------------------------------------------------------------


def session_word(session: Json) -> Word:
    """Of a hosted page. A card that is declined on it leaves it open; a complete one may wait for a bank."""
    status, paid = code_of(session.get("status")), code_of(session.get("payment_status"))
    intent = within(session, "payment_intent")
    match status, paid:
        case "complete", "paid":
            receipt = id_of(intent.get("id")) or id_of(session.get("payment_intent"))
            return _paid(receipt, session.get("amount_total"), session.get("currency"), intent)
        case "complete", "unpaid" if intent.get("status") in ("requires_payment_method", "canceled"):
            return _failed(intent)
        case ("open", "unpaid") | ("complete", "unpaid"):
            return Pending(f"{status} {paid}")
        case "expired", "unpaid":
            return Failed(Unpaid.EXPIRED, "expired")
    return Pending(f"a session that is {status[:20]} and {paid[:20]}", unheard=True)


def intent_word(intent: Json) -> Word:
    """Of a payment by itself."""
    match code_of(intent.get("status")):
        case "succeeded":
            amount, currency = intent.get("amount_received"), intent.get("currency")
            return _paid(id_of(intent.get("id")), amount, currency, intent)
        case "requires_payment_method" if within(intent, "last_payment_error"):
            return _failed(intent)
        case "canceled":
            return Failed(Unpaid.CANCELLED, legible(intent.get("cancellation_reason")) or "canceled")
        case "processing" | "requires_action" | "requires_confirmation" | "requires_payment_method" as status:
            return Pending(status)
        case status:
            return Pending(f"a payment that is {status[:30]}", unheard=True)


def refund_word(refund: Json) -> Word:
    """Of a payment given back. What was given back may still fail, when the bank does not take it."""
    why = legible(refund.get("failure_reason"))
    match code_of(refund.get("status")):
        case "succeeded":
            return _paid(id_of(refund.get("id")), refund.get("amount"), refund.get("currency"), {})
        case "failed" | "canceled" as status:
            back = money_of(
                refund.get("amount"), refund.get("currency")
            )  # it lies in our balance there again
            return Failed(Unpaid.RECEIVER, f"{status} {why}".strip(), returned=back)
        case "pending" | "requires_action" as status:
            return Pending(status)
        case status:
            return Pending(f"a refund that is {status[:30]}", unheard=True)


def saved(intent: Json) -> dict[str, str] | None:
    """The card that it was paid with, where it may be charged again: then it belongs to a customer there.
    Of a payment whose method is told with it. Its fingerprint is the card's own, whatever it is saved as."""
    method = within(intent, "payment_method")
    card, name = within(method, "card"), id_of(method.get("id"))
    last4, brand = code_of(card.get("last4")), legible(card.get("display_brand") or card.get("brand"))
    if not (name and method.get("customer") and brand and re.fullmatch(r"\d{4}", last4, re.ASCII)):
        return None
    told = {"payment_method_id": name, "last4": last4, "brand": brand.replace("_", " ").title()[:30]}
    mark, expires = id_of(card.get("fingerprint")), month_of(card.get("exp_month"), card.get("exp_year"))
    return told | ({"fingerprint": mark} if mark else {}) | ({"expires": expires} if expires else {})


def _paid(receipt: str | None, amount: Any, currency: Any, intent: Json) -> Word:
    money = money_of(amount, currency)
    if receipt is None or money is None:
        return Pending("success without a readable receipt and amount", unheard=True)
    return Succeeded(receipt, money, saved(intent))


def _failed(intent: Json) -> Failed:
    error = within(intent, "last_payment_error")
    codes = " ".join(filter(None, (code_of(error.get(name)) for name in ("code", "decline_code"))))
    return Failed(decline(error), codes[:80] or "canceled")
