"""Deciding: what everybody taps who decides over what another one of the staff has asked for."""

from flows.step import Choice
from flows.text import Text

MOST_REASON = 300


class Approve(Choice):
    tap_only = True
    label = Text("Approve")


class Reject(Choice):
    tap_only = True
    label = Text("Reject")


class Cancel(Choice):
    label = Text("Cancel")


def reason_of(typed: str) -> str:
    """On one line, as long as a reason may be."""
    return " ".join(typed.split())[:MOST_REASON]
