"""Letters: what stands in e-mails to the staff, beside what the chat says."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from flows.text import Text

_MOST = 20


class Letter(NamedTuple):
    subject: Text
    parts: tuple[Text, ...]


class Asked(NamedTuple):
    """`says`: what the chat shows of it."""

    maker: str
    until: datetime
    says: Text


def decisions_wanted(asked: Sequence[Asked], shop: str) -> Letter:
    """Of one shop's approver; each as the chat tells it. Deciding is the chat's alone, where it is known who
    taps."""
    subject = Text(
        "{shop}: {count} request waits for your decision",
        "{shop}: {count} requests wait for your decision",
        count=len(asked),
        shop=shop,
    )
    where = Text(
        "Open the chat with {shop} in WhatsApp to decide: each of them is shown there too. Nothing is "
        "decided by an answer to this e-mail.",
        shop=shop,
    )
    return Letter(subject, (*(_told(each, shop) for each in asked[:_MOST]), where))


def _told(asked: Asked, shop: str) -> Text:
    return Text(
        "{maker} asks for your decision before {until}:\n{asked}",
        maker=asked.maker,
        until=asked.until,
        asked=asked.says.told(shop=shop),
    )
