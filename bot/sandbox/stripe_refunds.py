"""Refunds and disputes: what goes back from the emulated Stripe.

Source: https://docs.stripe.com/api/refunds, /refunds#failed-refunds and /disputes.
"""

import asyncio

from bot.sandbox.stage import Stage
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_forms import known_only, metadata, number, text
from bot.sandbox.stripe_payments import Happened, Payments
from bot.sandbox.stripe_shapes import Charge, Dispute, Intent, Refund, StripeError, wrong
from bot.sandbox.world import Json

_REASONS = (None, "duplicate", "fraudulent", "requested_by_customer")


class Refunds:
    def __init__(self, stage: Stage, payments: Payments) -> None:
        self._stage, self._payments = stage, payments

    def create(self, box: Box, params: Json) -> Refund:
        """Raises StripeError."""
        known_only("refund", params)
        charge = self._charge(box, params)
        amount = number(params, "amount") if "amount" in params else charge.amount - charge.refunded
        reason = text(params, "reason")
        if reason not in _REASONS:
            raise wrong(f"Invalid reason: {reason}", "reason")
        return self.make(box, charge, amount, metadata(params), reason)

    def make(
        self, box: Box, charge: Charge, amount: int, told: dict[str, str], reason: str | None = None
    ) -> Refund:
        """Also what somebody does in the dashboard. Raises StripeError."""
        left = charge.amount - charge.refunded
        if charge.disputed:
            message = "Charge has been charged back; cannot issue a refund."
            raise StripeError(400, "invalid_request_error", message, "charge_disputed")
        if left == 0:
            message = f"Charge {charge.id} has already been refunded."
            raise StripeError(400, "invalid_request_error", message, "charge_already_refunded")
        if not 0 < amount <= left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise StripeError(400, "invalid_request_error", message, param="amount")
        fault = self._stage.faults.take_name("stripe.refunded")
        refund = Refund(
            box.new_id(Refund), box.now, charge.intent, charge.id, amount, charge.currency, told, reason
        )
        charge.refunded += amount
        box.keep(refund)
        happened: Happened = [("refund.created", refund), ("charge.refunded", charge)]
        if fault == "pending":
            refund.status = "pending"
            self._stage.wire.start(self._end(box, refund, "succeeded"))
        elif fault == "hang":
            refund.status = "pending"
        elif fault == "failed":
            happened += self._failed(refund, charge)
        elif fault == "failed_later":
            self._stage.wire.start(self._end(box, refund, "failed"))
        self._payments.tell(box, happened)
        return refund

    def decide(self, box: Box, refund: Refund, status: str) -> bool:
        """ "succeeded" or "failed"; False where it does not wait for that."""
        if refund.status == status or refund.status in ("failed", "canceled"):
            return False
        if status == "failed":
            happened = self._failed(refund, box.get(Charge, refund.charge))
        else:
            refund.status = status
            happened = [("refund.updated", refund), ("charge.refund.updated", refund)]
        self._payments.tell(box, happened)
        return True

    def dispute(self, box: Box, intent: Intent, amount: int | None) -> Dispute | None:
        """None where there is nothing to dispute."""
        if intent.charge is None or intent.status != "succeeded":
            return None
        charge = box.get(Charge, intent.charge)
        if charge.disputed:
            return None
        charge.disputed = True
        made = Dispute(
            box.new_id(Dispute), box.now, intent.id, charge.id, amount or charge.amount, charge.currency
        )
        self._payments.tell(
            box, [("charge.dispute.created", box.keep(made)), ("charge.dispute.funds_withdrawn", made)]
        )
        return made

    def close(self, box: Box, dispute: Dispute, status: str) -> bool:
        """ "won" or "lost"; False for one that is closed."""
        if dispute.status in ("won", "lost"):
            return False
        dispute.status = status
        back = [("charge.dispute.funds_reinstated", dispute)] if status == "won" else []
        self._payments.tell(box, [("charge.dispute.closed", dispute), *back])
        return True

    def _charge(self, box: Box, params: Json) -> Charge:
        named, given = text(params, "payment_intent"), text(params, "charge")
        if (named is None) == (given is None):
            raise wrong("One of charge and payment_intent is needed", "payment_intent", "parameter_missing")
        if given is not None:
            return box.get(Charge, given, "charge")
        intent = box.get(Intent, named or "", "payment_intent")
        if intent.status != "succeeded" or intent.charge is None:
            message = f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
            code = "payment_intent_unexpected_state"
            raise StripeError(400, "invalid_request_error", message, code)
        return box.get(Charge, intent.charge)

    def _failed(self, refund: Refund, charge: Charge) -> Happened:
        refund.status, refund.failure_reason = "failed", "expired_or_canceled_card"
        charge.refunded -= refund.amount
        return [("refund.failed", refund), ("refund.updated", refund), ("charge.refund.updated", refund)]

    async def _end(self, box: Box, refund: Refund, status: str) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        self.decide(box, refund, status)
