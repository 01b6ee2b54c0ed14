"""Payments: cards charged at the emulated Stripe, by themselves or on a hosted page.

Source: https://docs.stripe.com/api/payment_intents and /payments/save-during-payment.
"""

import asyncio

from bot.sandbox.stage import Stage
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_cards import CARDS, TOKENS, declined
from bot.sandbox.stripe_events import Events
from bot.sandbox.stripe_forms import amount_of, flag, known_only, metadata, needed, number, text
from bot.sandbox.stripe_shapes import Balance, Charge, Intent, StripeError, Thing, wrong
from bot.sandbox.stripe_wallet import Customer, Method
from bot.sandbox.world import Json

Happened = list[tuple[str, Thing]]

_FORCED = {
    "declined": "generic_decline",
    "insufficient_funds": "insufficient_funds",
    "authentication_required": "authentication_required",
}


class Payments:
    def __init__(self, stage: Stage, events: Events) -> None:
        self._stage, self._events = stage, events

    def tell(self, box: Box, happened: Happened) -> None:
        """Beside the answer."""
        self._stage.wire.start(self._events.post(box.account, self._events.make(box.account, happened)))

    async def tell_first(self, box: Box, happened: Happened) -> None:
        await self._events.post(box.account, self._events.make(box.account, happened))

    # --- customers and cards

    def customer(self, box: Box, params: Json) -> Customer:
        known_only("customer", params)
        made = Customer(box.new_id(Customer), box.now, text(params, "email"), metadata(params))
        return box.keep(made)

    def method(self, box: Box, params: Json) -> Method:
        known_only("method", params)
        card = params.get("card")
        if needed(params, "type") != "card" or not isinstance(card, dict):
            raise wrong("Only cards are played here", "type")
        return self.card(box, needed(card, "number"))

    def card(self, box: Box, given: str) -> Method:
        """By a test number or a test token. Raises StripeError."""
        digits = TOKENS.get(given) or "".join(given.split())
        if digits not in CARDS:
            raise StripeError(
                402, "card_error", "Your card number is incorrect.", "incorrect_number", kept=True
            )
        made = Method(box.new_id(Method), box.now, digits, CARDS[digits].brand)
        return box.keep(made)

    def attach(self, box: Box, method: Method, params: Json) -> Method:
        known_only("attach", params)
        method.customer = box.get(Customer, needed(params, "customer"), "customer").id
        return method

    def detach(self, method: Method) -> Method:
        if method.customer is None:
            message = (
                "The payment method you provided is not attached to a customer so detachment is impossible."
            )
            raise StripeError(400, "invalid_request_error", message)
        method.customer = None
        return method

    # --- intents

    async def create(self, box: Box, params: Json, *, told_first: bool) -> Intent:
        """Raises StripeError; one of a card leaves the intent behind."""
        known_only("intent", params)
        currency = needed(params, "currency").lower()
        intent = Intent(
            box.new_id(Intent),
            box.now,
            amount_of(number(params, "amount"), currency),
            currency,
            metadata(params),
            text(params, "description"),
            setup=text(params, "setup_future_usage"),
        )
        customer, method = self._payer(box, params)
        off_session = flag(params, "off_session")
        if off_session and (customer is None or method is None or method.customer != customer.id):
            raise wrong("An off-session payment needs the payment method of a customer", "payment_method")
        intent.customer = customer.id if customer else None
        intent.method = method.id if method else None
        box.keep(intent)
        happened: Happened = [("payment_intent.created", intent)]
        if method is not None and flag(params, "confirm"):
            happened += self.confirm(box, intent, method, off_session=off_session)
            if intent.status == "processing":
                self._stage.wire.start(self._settle(box, intent, method))
        elif method is not None:
            intent.status = "requires_confirmation"
        if told_first:
            await self.tell_first(box, happened)
        else:
            self.tell(box, happened)
        if intent.error is not None:
            raise _card_error(intent)
        return intent

    def _payer(self, box: Box, params: Json) -> tuple[Customer | None, Method | None]:
        named, given = text(params, "customer"), text(params, "payment_method")
        customer = box.get(Customer, named, "customer") if named else None
        if given is None:
            return customer, None
        method = self.card(box, given) if given in TOKENS else box.get(Method, given, "payment_method")
        if method.customer is not None and method.customer != named:
            raise wrong("The payment method belongs to another customer", "payment_method")
        return customer, method

    def confirm(
        self, box: Box, intent: Intent, method: Method, *, off_session: bool = False, proven: bool = False
    ) -> Happened:
        """What the bank says. `proven`: the customer has shown who they are."""
        forced = self._stage.faults.take_name("stripe.outcome")
        why = _FORCED.get(forced) or _refusal(method, off_session=off_session, proven=proven)
        intent.method, intent.error = method.id, None
        if forced == "processing":
            intent.status = "processing"
            return [("payment_intent.processing", intent)]
        if why == "authentication_required" and not off_session:
            intent.status = "requires_action"
            return [("payment_intent.requires_action", intent)]
        return self.decided(box, intent, method, why)

    def decided(self, box: Box, intent: Intent, method: Method, why: str | None) -> Happened:
        """`why` it was declined; None where it is paid."""
        failure = declined(why) if why else None
        made = Charge(
            box.new_id(Charge),
            box.now,
            intent.id,
            intent.amount,
            intent.currency,
            method.id,
            intent.customer,
            intent.metadata,
            failure,
        )
        intent.charge = box.keep(made).id
        if failure is not None:
            intent.status, intent.method = "requires_payment_method", None
            intent.error = failure | {"charge": made.id, "payment_method": method.told()}
            return [("charge.failed", made), ("payment_intent.payment_failed", intent)]
        intent.status = "succeeded"
        brought = Balance(box.new_id(Balance), box.now, made.id, made.amount, made.currency)
        made.balance = box.keep(brought).id
        if intent.setup is not None and intent.customer is not None:
            method.customer, method.set_up = intent.customer, True
        return [("payment_intent.succeeded", intent), ("charge.succeeded", made)]

    async def _settle(self, box: Box, intent: Intent, method: Method) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        if intent.status == "processing":
            await self.tell_first(box, self.decided(box, intent, method, None))

    def cancel(self, box: Box, intent: Intent, params: Json) -> Intent:
        """Raises StripeError."""
        known_only("cancel", params)
        if intent.status in ("succeeded", "canceled", "processing"):
            message = f"You cannot cancel this PaymentIntent because it has a status of {intent.status}."
            code = "payment_intent_unexpected_state"
            raise StripeError(400, "invalid_request_error", message, code, payment_intent=intent.told())
        intent.status, intent.canceled_at = "canceled", box.now
        self.tell(box, [("payment_intent.canceled", intent)])
        return intent


def _refusal(method: Method, *, off_session: bool, proven: bool) -> str | None:
    card = CARDS[method.number]
    if card.declines or (card.later and off_session):
        return card.declines or card.later
    asks = card.asks == "always" or (card.asks == "once" and not method.set_up)
    return "authentication_required" if asks and not proven else None


def _card_error(intent: Intent) -> StripeError:
    told = dict(intent.error or {})
    kind, message, code = told.pop("type"), told.pop("message"), told.pop("code")
    told["payment_intent"] = intent.told()
    return StripeError(402, kind, message, code, kept=True, **told)
