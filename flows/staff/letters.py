"""Letters: what stands in e-mails to the staff, beside what the chat says."""

from collections.abc import Sequence
from typing import NamedTuple

from flows.staff.approve import Decide
from flows.text import Text
from services.news import Withdrawal

_MOST = 20


class Letter(NamedTuple):
    subject: Text
    parts: tuple[Text, ...]


def decisions_wanted(withdrawals: Sequence[Withdrawal], shop: str) -> Letter:
    """Of one shop's approver; each as the chat tells it. Deciding is the chat's alone, where it is known who
    taps."""
    subject = Text(
        "{shop}: {count} withdrawal waits for your decision",
        "{shop}: {count} withdrawals wait for your decision",
        count=len(withdrawals),
        shop=shop,
    )
    each = (Decide(withdrawal=withdrawal).says().told(shop=shop) for withdrawal in withdrawals[:_MOST])
    where = Text(
        "Open the chat with {shop} in WhatsApp to decide: type *approvals* there. Nothing is decided by an "
        "answer to this e-mail.",
        shop=shop,
    )
    return Letter(subject, (*each, where))
