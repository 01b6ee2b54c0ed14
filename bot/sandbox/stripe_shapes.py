"""Shapes: what the emulated Stripe holds, and as what it tells of it.

Source: https://docs.stripe.com/api, version 2026-10-28. Amounts are in their units: hundredths, and of a
currency without cents whole ones. What no tenant here could ask for is left out.
"""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.stripe_wallet import Customer, Method
from bot.sandbox.world import Json

_FEE_PPM = 34_000


class StripeError(Exception):
    """An answer that is an error. `kept`: it is the result of its idempotency key from now on."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        code: str | None = None,
        *,
        kept: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.kept = status, kept
        told = {"type": kind, "message": message} | ({"code": code} if code else {}) | more
        self.body: Json = {"error": told}


def missing(kind: str, name: str, param: str = "id") -> StripeError:
    return StripeError(
        404, "invalid_request_error", f"No such {kind}: '{name}'", "resource_missing", param=param
    )


def wrong(message: str, param: str, code: str = "parameter_invalid") -> StripeError:
    return StripeError(400, "invalid_request_error", message, code, param=param)


@dataclass(slots=True)
class Balance:
    """What a charge has brought to the account, which is paid out in the same currency here."""

    id: str
    created: int
    charge: str
    amount: int
    currency: str

    @property
    def fee(self) -> int:
        return self.amount * _FEE_PPM // 1_000_000

    def told(self) -> Json:
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.created,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": None,
            "exchange_rate": None,
            "fee": self.fee,
            "fee_details": [],
            "net": self.amount - self.fee,
            "reporting_category": "charge",
            "source": self.charge,
            "status": "available",
            "type": "charge",
        }


@dataclass(slots=True)
class Charge:
    id: str
    created: int
    intent: str
    amount: int
    currency: str
    method: str
    customer: str | None
    metadata: dict[str, str]
    failure: Json | None = None
    balance: str | None = None
    refunded: int = 0
    disputed: bool = False

    def told(self) -> Json:
        paid = self.failure is None
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount if paid else 0,
            "amount_refunded": self.refunded,
            "balance_transaction": self.balance,
            "captured": paid,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "disputed": self.disputed,
            "failure_code": self.failure and self.failure["code"],
            "failure_message": self.failure and self.failure["message"],
            "livemode": False,
            "metadata": self.metadata,
            "paid": paid,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "refunded": self.refunded == self.amount,
            "status": "succeeded" if paid else "failed",
        }


@dataclass(slots=True)
class Intent:
    id: str
    created: int
    amount: int
    currency: str
    metadata: dict[str, str]
    description: str | None = None
    customer: str | None = None
    method: str | None = None
    setup: str | None = None
    status: str = "requires_payment_method"
    error: Json | None = None
    charge: str | None = None
    canceled_at: int | None = None

    def told(self) -> Json:
        return {
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.amount if self.status == "succeeded" else 0,
            "canceled_at": self.canceled_at,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{self.id}_secret_sandbox",
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "last_payment_error": self.error,
            "latest_charge": self.charge,
            "livemode": False,
            "metadata": self.metadata,
            "next_action": {"type": "use_stripe_sdk"} if self.status == "requires_action" else None,
            "payment_method": self.method,
            "payment_method_types": ["card"],
            "setup_future_usage": self.setup,
            "status": self.status,
        }


@dataclass(slots=True)
class Session:
    """`asked` are the parameters with which it was made; `url` the hosted page."""

    id: str
    created: int
    asked: Json
    amount: int
    currency: str
    expires_at: int
    url: str
    status: str = "open"
    payment_status: str = "unpaid"
    intent: str | None = None
    customer: str | None = None

    @property
    def name(self) -> str:
        name: str = self.asked["line_items"][0]["price_data"]["product_data"]["name"]
        return name

    def told(self) -> Json:
        asked = self.asked
        return {
            "id": self.id,
            "object": "checkout.session",
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "cancel_url": asked.get("cancel_url"),
            "client_reference_id": asked.get("client_reference_id"),
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_creation": asked.get("customer_creation", "if_required"),
            "customer_details": {"email": "customer@example.com"} if self.intent else None,
            "expires_at": self.expires_at,
            "livemode": False,
            "locale": None,
            "metadata": asked.get("metadata", {}),
            "mode": "payment",
            "payment_intent": self.intent,
            "payment_method_types": ["card"],
            "payment_status": self.payment_status,
            "status": self.status,
            "success_url": asked.get("success_url"),
            "ui_mode": "hosted_page",
            "url": self.url if self.status == "open" else None,
        }


@dataclass(slots=True)
class Refund:
    id: str
    created: int
    intent: str
    charge: str
    amount: int
    currency: str
    metadata: dict[str, str]
    reason: str | None = None
    status: str = "succeeded"
    failure_reason: str | None = None

    def told(self) -> Json:
        failed = {} if self.failure_reason is None else {"failure_reason": self.failure_reason}
        return {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": None,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "reason": self.reason,
            "receipt_number": None,
            "status": self.status,
            **failed,
        }


@dataclass(slots=True)
class Dispute:
    id: str
    created: int
    intent: str
    charge: str
    amount: int
    currency: str
    status: str = "needs_response"

    def told(self) -> Json:
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "evidence": {},
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": self.intent,
            "reason": "fraudulent",
            "status": self.status,
        }


Thing = Customer | Method | Balance | Charge | Intent | Session | Refund | Dispute
