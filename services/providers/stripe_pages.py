"""Pages: one payment as a session of Checkout, Stripe's hosted page.

https://docs.stripe.com/api/checkout/sessions/create
"""

from datetime import datetime, timedelta
from typing import Any

from services.providers.abilities import Page
from services.providers.base import Accepted, Unknown
from services.providers.bodies import Json, code_of, id_of, legible
from services.providers.stripe_events import ATTEMPT, BY, PAGE
from services.providers.stripe_words import agrees, units

# How long a session may be open, by Stripe's clock: 30 minutes to 24 hours.
_SHORTEST, _LONGEST, _STEP = timedelta(minutes=31), timedelta(hours=23, minutes=59), timedelta(minutes=30)
SHOWN = 120


def session_params(page: Page, ends: datetime) -> dict[str, Any]:
    """The address of who pays is not told: one that Stripe is told cannot be changed on the page, and ours
    may reach nobody. No other currency is offered than the order's."""
    made_for = {ATTEMPT: page.attempt_id, BY: PAGE}
    name = legible(page.about)[:SHOWN] or legible(page.number)[:SHOWN] or "Order"
    price = {
        "currency": page.amount.currency.lower(),
        "unit_amount": units(page.amount),
        "product_data": {"name": name},
    }
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "client_reference_id": page.attempt_id,
        "metadata": made_for,
        "payment_intent_data": {
            "metadata": made_for,
            "description": legible(page.number)[:SHOWN],
            "setup_future_usage": "off_session",
        },
        "customer_creation": "always",
        "adaptive_pricing": {"enabled": False},
        "expires_at": int(ends.timestamp()),
        "success_url": page.return_url,
        "cancel_url": page.return_url,
    }


def ends(wanted: datetime, now: datetime) -> datetime:
    """As near to what is wanted as Stripe allows, and the same when it is asked for again soon after."""
    if _SHORTEST <= wanted - now <= _LONGEST:
        return wanted
    nearest = _SHORTEST if wanted - now < _SHORTEST else _LONGEST - _STEP
    steps = (now + nearest).timestamp() // _STEP.total_seconds() + 1
    return datetime.fromtimestamp(steps * _STEP.total_seconds(), now.tzinfo)


def opened(page: Page, session: Json) -> Accepted | Unknown:
    name, url = id_of(session.get("id")), session.get("url")
    told = {"amount": session.get("amount_total"), "currency": session.get("currency")}
    if not agrees(told, page.amount, session.get("client_reference_id"), page.attempt_id):
        return Unknown("the answer is about another session")
    if name is None or session.get("status") != "open" or not isinstance(url, str):
        return Unknown(f"a session that is {code_of(session.get('status'))[:20]}, or has no address")
    return Accepted(name, page=url)
