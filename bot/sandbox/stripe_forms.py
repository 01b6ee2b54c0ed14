"""Forms: parameters as Stripe takes them: a[b][0]=x, a[]=x; and those it knows.

What it does not know it refuses, as the real one does: a misspelt parameter is found here.
"""

from collections.abc import Iterable
from typing import Any

from bot.sandbox.stripe_shapes import StripeError, wrong
from bot.sandbox.world import Json

KNOWN: dict[str, frozenset[str]] = {
    name: frozenset(listed.split())
    for name, listed in {
        "session": "adaptive_pricing after_expiration allow_promotion_codes automatic_tax cancel_url "
        "client_reference_id currency customer customer_creation customer_email expand expires_at line_items "
        "locale metadata mode payment_intent_data payment_method_options payment_method_types submit_type "
        "success_url ui_mode",
        "session.payment_intent_data": "capture_method description metadata receipt_email setup_future_usage "
        "statement_descriptor statement_descriptor_suffix",
        "intent": "amount automatic_payment_methods capture_method confirm confirmation_method currency "
        "customer description error_on_requires_action expand metadata off_session payment_method "
        "payment_method_types return_url setup_future_usage statement_descriptor",
        "refund": "amount charge expand instructions_email metadata payment_intent reason",
        "customer": "description email expand metadata name payment_method phone",
        "method": "billing_details card expand metadata type",
        "attach": "customer expand",
        "cancel": "cancellation_reason expand",
        "bare": "expand",
        "list": "created customer ending_before expand limit payment_intent starting_after status",
    }.items()
}


def nested(pairs: Iterable[tuple[str, str]]) -> Json:
    """The objects that the brackets mean. Raises StripeError."""
    tree: Json = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        place, key = tree, head
        for following in rest:
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise wrong(f"Invalid object: {name}", name)
            place, key = inner, following or str(len(inner))
        place[key] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inside = {name: _listed(each) for name, each in value.items()}
    if inside and all(name.isdecimal() for name in inside):
        return [inside[name] for name in sorted(inside, key=int)]
    return inside


def known_only(kind: str, params: Json, prefix: str = "") -> None:
    """Raises StripeError."""
    for name in params:
        if name not in KNOWN[kind]:
            path = f"{prefix}[{name}]" if prefix else name
            raise wrong(f"Received unknown parameter: {path}", path, "parameter_unknown")


def text(params: Json, name: str) -> str | None:
    value = params.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(f"Invalid string: {name}", name)
    return value or None


def needed(params: Json, name: str) -> str:
    value = text(params, name)
    if value is None:
        message = f"Missing required param: {name}."
        raise StripeError(400, "invalid_request_error", message, "parameter_missing", param=name)
    return value


def number(params: Json, name: str) -> int:
    value = needed(params, name)
    if not (value.isascii() and value.isdecimal()):
        raise wrong(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def flag(params: Json, name: str) -> bool:
    value = text(params, name)
    if value not in (None, "true", "false"):
        raise wrong(f"Invalid boolean: {value}", name)
    return value == "true"


def metadata(params: Json) -> dict[str, str]:
    told = params.get("metadata") or {}
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise wrong("Invalid object: metadata", "metadata")
    if len(told) > 50 or any(len(key) > 40 or len(value) > 500 for key, value in told.items()):  # noqa: PLR2004
        raise wrong("Metadata is too long", "metadata")
    return dict(told)


_TAKEN = ("kes", "ugx", "tzs", "ngn", "ghs", "zar", "usd", "eur")
_LEAST = {"usd": 50, "eur": 50}
_MOST = 99_999_999


def amount_of(amount: int, currency: str, param: str = "amount") -> int:
    """An amount that can be charged. Raises StripeError."""
    if currency not in _TAKEN:
        raise wrong(f"Invalid currency: {currency}", "currency", "currency_invalid")
    if amount < max(1, _LEAST.get(currency, 1)):
        raise wrong("Amount must be at least the minimum of its currency", param, "amount_too_small")
    if amount > _MOST:
        raise wrong("Amount must be no more than 999,999.99", param, "amount_too_large")
    if currency == "ugx" and amount % 100:
        raise wrong("UGX has no cents: its last two digits are 00", param, "parameter_invalid_integer")
    return amount
