"""Shown: a withdrawal in words, and where it stands once nobody has anything more to decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.refusals import decided, provider_name
from flows.step import Step
from flows.teller import Destination
from flows.text import Text
from services.news import Withdrawal


class Stands(Step):
    withdrawal: Withdrawal

    @property
    def thread(self) -> str:
        return withdrawal_thread(self.withdrawal.id)

    def says(self) -> Text:
        return Text(
            "{decided}\n{facts}", decided=decided(self.withdrawal.status), facts=facts(self.withdrawal)
        )


def withdrawal_thread(withdrawal_id: UUID) -> str:
    return f"w{withdrawal_id.hex}"


def short(id_: UUID) -> str:
    """What a person can type: the end of an id, which is random."""
    return id_.hex[-6:].upper()


def destination_shown(destination: Destination) -> Text:
    return rail_shown(destination.method_type, destination.label)


def rail_shown(method_type: str, label: str) -> Text:
    return Text("{provider} {label}", provider=provider_name(method_type), label=label)


def facts(withdrawal: Withdrawal) -> Text:
    """Who, how much, what it costs and where it goes."""
    told: dict[str, Any] = {
        "reference": short(withdrawal.id),
        "maker": withdrawal.maker,
        "amount": withdrawal.amount,
        "fee": withdrawal.fee,
        "net": withdrawal.net,
        "destination": rail_shown(withdrawal.method_type, withdrawal.destination),
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
