"""Disputes: what Paystack tells of payments that were given back, or that a customer disputes.

https://paystack.com/docs/payments/disputes and /docs/payments/refunds (events). A dispute takes money only
once it is resolved against the merchant, and that is a refund too, in the list of all of them. An event of a
refund says neither which one it is nor who made it. So whatever takes money has the payment's refunds asked
about, and the list alone is booked. What is told otherwise moves nothing.
"""

from typing import Any

from services.providers.base import Pending, Report, Succeeded
from services.providers.bodies import Json, code_of, ids_of, json_object, within
from services.providers.paystack_words import money_of

_REFUNDS = ("refund.processed", "refund.failed", "refund.needs-attention")
_LOST = ("merchant-accepted", "auto-accepted")


def taken_back(event: str, data: Json) -> Report | None:
    """None where the event is about something else."""
    match event:
        case "charge.dispute.create" | "charge.dispute.remind":
            return _of_dispute("disputed", data)
        case "charge.dispute.resolve":
            lost = code_of(data.get("resolution")) in _LOST
            return _of_dispute("taken_back", data, {"ask": True}) if lost else _nothing(event, data)
        case _ if event in _REFUNDS:
            return _of_refund(event, data)
    return None


def asks(body: bytes) -> bool:
    """Whether an event is of a refund. It has no id: two refunds of one amount are told in the same bytes."""
    told = json_object(body)
    return told is not None and told.get("event") in _REFUNDS


def _of_dispute(about: str, data: Json, facts: dict[str, Any] | None = None) -> Report:
    paid = within(data, "transaction")
    references = ids_of(paid, "reference")
    currency = data.get("currency") or paid.get("currency")
    amount = money_of(data.get("refund_amount"), currency) or money_of(paid.get("amount"), currency)
    name = code_of(data.get("id"))
    if not references or amount is None or not name:
        return Report(about, references, Pending("a dispute that says too little", unheard=True))
    return Report(about, references, Succeeded(f"dispute-{name}", amount), facts or {})


def _of_refund(event: str, data: Json) -> Report:
    return Report("taken_back", ids_of(data, "transaction_reference"), Pending(event), {"ask": True})


def _nothing(event: str, data: Json) -> Report:
    return Report("other", ids_of(within(data, "transaction"), "reference"), Pending(event))
