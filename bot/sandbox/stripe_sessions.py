"""Sessions: Checkout's hosted page, from its making to its end.

Source: https://docs.stripe.com/api/checkout/sessions. A card that is declined leaves it open; a payment that
a bank takes its time for completes it unpaid, and is told later.
"""

import asyncio
from typing import Any

from bot.sandbox.stage import Stage
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_forms import amount_of, known_only, metadata, needed, number, text
from bot.sandbox.stripe_payments import Happened, Payments
from bot.sandbox.stripe_shapes import Intent, Session, StripeError, wrong
from bot.sandbox.stripe_wallet import Customer, Method
from bot.sandbox.world import Json

_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
_SAVED = ("on_session", "off_session")


class Sessions:
    def __init__(self, stage: Stage, payments: Payments) -> None:
        self._stage, self._payments = stage, payments

    def create(self, box: Box, params: Json, origin: str) -> Session:
        """Raises StripeError."""
        known_only("session", params)
        if needed(params, "mode") != "payment":
            raise wrong("Only the mode payment is played here", "mode")
        needed(params, "success_url")
        inside = _object(params, "payment_intent_data")
        known_only("session.payment_intent_data", inside, "payment_intent_data")
        metadata(inside)
        if inside.get("setup_future_usage", _SAVED[0]) not in _SAVED:
            raise wrong("Invalid setup_future_usage", "payment_intent_data[setup_future_usage]")
        if params.get("customer_creation", "always") not in ("always", "if_required"):
            raise wrong("Invalid customer_creation", "customer_creation")
        amount, currency = _priced(params.get("line_items"))
        expires_at = box.now + _LONGEST
        if "expires_at" in params:
            expires_at = number(params, "expires_at")
            if not box.now + _SHORTEST <= expires_at <= box.now + _LONGEST:
                message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation."
                raise wrong(message, "expires_at")
        if len(text(params, "client_reference_id") or "") > 200:  # noqa: PLR2004
            raise wrong("client_reference_id is too long", "client_reference_id")
        name = box.new_id(Session)
        asked = params | {"metadata": metadata(params), "payment_intent_data": inside}
        url = f"{origin}/stripe/c/pay/{name}"
        made = box.keep(Session(name, box.now, asked, amount, currency, expires_at, url))
        self._tell_page(box, made)
        return made

    def expire(self, box: Box, session: Session) -> Session:
        """Raises StripeError."""
        if session.status != "open":
            message = (
                f'Only Checkout Sessions with a status in ["open"] can be expired, not {session.status}.'
            )
            raise StripeError(400, "invalid_request_error", message)
        session.status = "expired"
        happened: Happened = [("checkout.session.expired", session)]
        if session.intent is not None:
            intent = box.get(Intent, session.intent)
            intent.status, intent.canceled_at = "canceled", box.now
            happened.append(("payment_intent.canceled", intent))
        self._payments.tell(box, happened)
        self._tell_page(box, session)
        return session

    def sweep(self, box: Box) -> None:
        """Those whose time is over."""
        for session in box.all(Session):
            if session.status == "open" and session.expires_at <= box.now:
                self.expire(box, session)

    # --- what a customer does on the page

    def pay(self, box: Box, session: Session, card: str, *, proven: bool = False) -> str:
        """ "paid", "declined", or "asks": the bank wants to know who pays. Raises StripeError."""
        method = self._payments.card(box, card)
        intent = self._intent(box, session)
        happened: Happened = []
        if session.customer is None and session.asked.get("customer_creation") == "always":
            customer = box.keep(Customer(box.new_id(Customer), box.now, "customer@example.com"))
            session.customer = intent.customer = customer.id
            happened.append(("customer.created", customer))
        happened += self._payments.confirm(box, intent, method, proven=proven)
        if intent.status in ("succeeded", "processing"):
            session.status = "complete"
            session.payment_status = "paid" if intent.status == "succeeded" else "unpaid"
            happened.append(("checkout.session.completed", session))
        if intent.status == "processing":
            self._stage.wire.start(self._settle(box, session))
        self._payments.tell(box, happened)
        self._tell_page(box, session)
        outcomes = {"succeeded": "paid", "processing": "paid", "requires_action": "asks"}
        return outcomes.get(intent.status, "declined")

    def pay_later(self, box: Box, session: Session) -> None:
        """By something that takes its time, such as a bank transfer; `decide` says how it ends."""
        intent = self._intent(box, session)
        intent.method = self._payments.card(box, "pm_card_visa").id
        intent.status, session.status = "processing", "complete"
        happened: Happened = [("payment_intent.processing", intent), ("checkout.session.completed", session)]
        self._payments.tell(box, happened)
        self._tell_page(box, session)

    def decide(self, box: Box, session: Session, *, paid: bool) -> bool:
        """False where it does not wait for that."""
        intent = box.get(Intent, session.intent) if session.intent else None
        if intent is None or intent.method is None or intent.status != "processing":
            return False
        why, told = (None, "succeeded") if paid else ("generic_decline", "failed")
        happened = self._payments.decided(box, intent, box.get(Method, intent.method), why)
        session.payment_status = "paid" if paid else "unpaid"
        self._payments.tell(box, [*happened, (f"checkout.session.async_payment_{told}", session)])
        self._tell_page(box, session)
        return True

    async def _settle(self, box: Box, session: Session) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        self.decide(box, session, paid=True)

    def view(self, session: Session, box: Box) -> Json:
        """As the panel shows it."""
        paid = session.payment_status == "paid"
        return {
            "id": session.id,
            "merchant": box.account.merchant,
            "name": session.name,
            "amount": session.amount,
            "currency": session.currency,
            "status": "paid" if paid else session.status,
            "payment": session.intent,
            "url": session.url,
            "expires_at": session.expires_at * 1000,
        }

    # --- inside

    def _intent(self, box: Box, session: Session) -> Intent:
        if session.intent is not None:
            return box.get(Intent, session.intent)
        inside = session.asked["payment_intent_data"]
        made = Intent(
            box.new_id(Intent),
            box.now,
            session.amount,
            session.currency,
            metadata(inside),
            inside.get("description"),
            session.customer,
            setup=inside.get("setup_future_usage"),
        )
        session.intent = made.id
        return box.keep(made)

    def _tell_page(self, box: Box, session: Session) -> None:
        self._stage.feed.tell("stripe", self.view(session, box))


def _object(params: Json, name: str) -> Json:
    value = params.get(name, {})
    if not isinstance(value, dict):
        raise wrong(f"Invalid object: {name}", name)
    return value


def _priced(items: Any) -> tuple[int, str]:
    """The sum of the lines, and their currency. Raises StripeError."""
    if not isinstance(items, list) or not items:
        raise wrong("Missing required param: line_items.", "line_items", "parameter_missing")
    total, currencies = 0, set()
    for at, item in enumerate(items):
        price = item.get("price_data") if isinstance(item, dict) else None
        product = price.get("product_data") if isinstance(price, dict) else None
        if not (isinstance(price, dict) and isinstance(product, dict) and product.get("name")):
            raise wrong("A line needs its price_data and the name of its product", f"line_items[{at}]")
        currencies.add(needed(price, "currency").lower())
        total += number(price, "unit_amount") * (number(item, "quantity") if "quantity" in item else 1)
    if len(currencies) != 1:
        raise wrong("All prices must be of one currency", "line_items")
    (currency,) = currencies
    return amount_of(total, currency, "line_items"), currency
