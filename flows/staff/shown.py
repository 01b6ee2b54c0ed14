"""Shown: a withdrawal in words, and where it stands once nobody has anything more to decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.refusals import decided, provider_name
from flows.step import Step
from flows.teller import Destination
from flows.text import Text, Typed
from services.banks import named
from services.news import Withdrawal

_KINDS = {"bank_transfer": Text("Bank"), "till": Text("Till")}
_WAYS = {
    "mpesa": Text("to M-Pesa numbers"),
    "till": Text("to tills"),
    "bank_transfer": Text("to bank accounts"),
}
_UNSENT = {"rejected", "canceled", "expired"}  # nothing was sent, and nothing ever is


class OfWithdrawal(Step):
    """Each withdrawal is a thread of its own."""

    withdrawal: Withdrawal

    @property
    def thread(self) -> str:
        return withdrawal_thread(self.withdrawal.id)


class Stands(OfWithdrawal):
    """`reason`: what this person has just rejected it for."""

    reason: str | None = None

    def says(self) -> Text:
        if self.withdrawal.status in _UNSENT:
            return ended(self.withdrawal, self.reason)
        return Text(
            "{decided}\n{facts}", decided=decided(self.withdrawal.status), facts=facts(self.withdrawal)
        )


def way_shown(way: str) -> Text:
    """Where payouts go by it; the name itself where it is not known."""
    return _WAYS.get(way, Text("{way}", way=way))


def withdrawal_thread(withdrawal_id: UUID) -> str:
    return f"w{withdrawal_id.hex}"


def short(id_: UUID) -> str:
    """What a person can type: the end of an id, which is random."""
    return id_.hex[-6:].upper()


def destination_shown(destination: Destination) -> Text:
    return rail_shown(destination.method_type, named(destination.label, destination.details))


def rail_shown(method_type: str, label: str) -> Text:
    return Text(
        "{provider} {label}", provider=_KINDS.get(method_type, provider_name(method_type)), label=label
    )


def in_a_row(destination: Destination) -> Text:
    """Short enough for a row of a list: of a bank account only its number."""
    number, _, _ = destination.label.partition(",")
    return rail_shown(destination.method_type, number)


def whose(destination: Destination) -> Text:
    """The rest of a bank account: bank and holder."""
    _, _, rest = named(destination.label, destination.details).partition(", ")
    return Text("{account}", account=rest)


def ended(withdrawal: Withdrawal, reason: Text | str | None, by: str | None = None) -> Text:
    """It is over, why where that is known, and the money is where it was."""
    told: dict[str, Any] = {"decided": decided(withdrawal.status, by), "facts": facts(withdrawal)}
    if reason:
        return Text(
            "{decided}\nReason: {reason}\n{facts}\nNothing was paid out, and the amount is available again.",
            reason=Typed(reason) if isinstance(reason, str) else reason,
            **told,
        )
    return Text("{decided}\n{facts}\nNothing was paid out, and the amount is available again.", **told)


def facts(withdrawal: Withdrawal) -> Text:
    """Who, how much, what it costs, where it goes, and what the maker noted."""
    if withdrawal.notes:
        return Text("{facts}\nNote: {notes}", facts=_facts(withdrawal), notes=Typed(withdrawal.notes))
    return _facts(withdrawal)


def _facts(withdrawal: Withdrawal) -> Text:
    told: dict[str, Any] = {
        "reference": short(withdrawal.id),
        "maker": Typed(withdrawal.maker),
        "amount": withdrawal.amount,
        "fee": withdrawal.fee,
        "net": withdrawal.net,
        "destination": rail_shown(withdrawal.method_type, withdrawal.to),
    }
    if withdrawal.new_destination:
        return Text(
            "Reference: {reference}\nAsked by: {maker}\nAmount: *{amount}*\nFee: {fee}\n"
            "After the fee: *{net}*\nTo: {destination}\n⚠️ This destination is new.",
            **told,
        )
    return Text(
        "Reference: {reference}\nAsked by: {maker}\nAmount: *{amount}*\nFee: {fee}\n"
        "After the fee: *{net}*\n"
        "To: {destination}",
        **told,
    )
