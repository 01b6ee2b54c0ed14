"""Refund shown: a refund in words, and where it stands."""

from __future__ import annotations

from typing import Any

from flows.refusals import provider_name, receipt_shown
from flows.staff.shown import short
from flows.step import Step
from flows.text import Text, Typed
from services.news.refunds import Refund, Unrefunded, Way

_STATUSES = {
    "pending": Text("is waiting for approval"),
    "processing": Text("is approved and being sent"),
    "completed": Text("is done"),
    "failed": Text("has failed"),
    "canceled": Text("was cancelled"),
    "rejected": Text("was rejected"),
    "expired": Text("was not decided in time"),
}
_WAYS = {
    Way.REVERSAL: Text("the payment is reversed"),
    Way.PAYOUT: Text("the payer is paid out"),
    Way.SALE: Text("it is kept as a sale"),
}
_NEVER_SENT = {
    Unrefunded.TOO_LATE: Text("It was approved too long ago to be sent. Ask for it again."),
    Unrefunded.APPROVER: Text("Who approved it may no longer do so. Ask for it again."),
    Unrefunded.GUESSED: Text("Too many wrong codes were typed to approve it. Ask for it again."),
}


class OfRefund(Step):
    """Each refund is a thread of its own."""

    refund: Refund

    @property
    def thread(self) -> str:
        return f"b{self.refund.id.hex}"


class RefundStands(OfRefund):
    """`by`: who decided it, `reason` what they typed; `because`: ours, where it failed."""

    by: str | None = None
    reason: str | None = None
    because: Unrefunded | None = None
    undecided: bool = False

    def says(self) -> Text:
        told: dict[str, Any] = {"status": self._status(), "facts": refund_facts(self.refund)}
        if self.undecided:
            return Text(
                "⚠️ {provider} does not say whether this refund was made. The amount stays held, and I keep "
                "asking. Please look for it in {provider}'s own records, then type *review*.\n{facts}",
                provider=provider_name(self.refund.provider),
                facts=told["facts"],
            )
        if self.because:
            return Text("{status} {why}\n{facts}", **told, why=_why(self.because, self.refund.provider))
        if self.reason:
            return Text("{status}\nReason: {reason}\n{facts}", **told, reason=self.reason)
        if self.refund.status == "completed" and self.refund.way != Way.SALE:
            receipt = receipt_shown(self.refund.receipt, self.refund.provider)
            return Text("✅ {status} {receipt}\n{facts}", **told, receipt=receipt)
        return Text("{status}\n{facts}", **told)

    def _status(self) -> Text:
        status = _STATUSES[self.refund.status]
        if self.by:
            return Text("This refund {status}, by {by}.", status=status, by=self.by)
        return Text("This refund {status}.", status=status)


def _why(because: Unrefunded, name: str) -> Text:
    provider = provider_name(name)
    match because:
        case Unrefunded.TOO_LATE | Unrefunded.APPROVER | Unrefunded.GUESSED:
            return _NEVER_SENT[because]
        case Unrefunded.PROVIDER:
            return Text("{provider} refused it. Give it back in another way.", provider=provider)
        case Unrefunded.SETTINGS:
            return Text(
                "{provider} refuses the settings that it uses. Ask the operator to correct them, then ask "
                "again.",
                provider=provider,
            )
        case Unrefunded.FUNDS:
            return Text(
                "The {provider} account is short of money. Add money to it, then ask again.",
                provider=provider,
            )
        case Unrefunded.SETTLED:
            return Text(
                "Two people have found in {provider}'s records that it was not made.", provider=provider
            )
        case Unrefunded.DENIED:
            return Text(
                "{provider} says that it was not made, though two people had found that it was. The amount "
                "is there again. Payouts from {shop} are stopped until the operator has looked.",
                provider=provider,
            )
        case Unrefunded.RETURNED:
            return Text(
                "{provider} has given back what it had told as paid out. The amount is there again. Find out "
                "why before you ask again.",
                provider=provider,
            )
        case Unrefunded.ATTENTION:
            return Text(
                "{provider} wants something of the shop before it gives this back: look at the refund in its "
                "dashboard. The amount stays held, and I keep asking.",
                provider=provider,
            )
        case Unrefunded.TAKEN_BACK:
            return Text("{provider} has given the payment back by itself already.", provider=provider)


def refund_facts(refund: Refund) -> Text:
    """Who, how much, of what, how, and what it costs."""
    told: dict[str, Any] = {
        "reference": short(refund.id),
        "maker": refund.maker,
        "customer": refund.customer,
        "number": refund.number,
        "amount": refund.amount,
        "paid": refund.paid,
        "method": Text("{provider} {label}", provider=provider_name(refund.provider), label=refund.label),
        "way": _WAYS[refund.way],
        "reason": Typed(refund.reason),
    }
    if refund.twice:
        return Text(
            "Reference: {reference}\nAsked by: {maker}\nOrder {number}, {customer}: paid twice\n"
            "Amount: *{amount}*, {method}: {way}\nReason: {reason}",
            **told,
        )
    if refund.fee:
        return Text(
            "Reference: {reference}\nAsked by: {maker}\nOrder {number}, {customer}\n"
            "Amount: *{amount}* of {paid}, {method}: {way}\n"
            "The sale's fee of {fee} is not given back.\nReason: {reason}",
            **told,
            fee=refund.fee,
        )
    return Text(
        "Reference: {reference}\nAsked by: {maker}\nOrder {number}, {customer}\n"
        "Amount: *{amount}* of {paid}, {method}: {way}\nReason: {reason}",
        **told,
    )
