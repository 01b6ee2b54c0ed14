"""Document: a file that goes with a reply: what is on it, in no format's words.

`bot/paper/papers.py` makes the file of it once the words are in the person's language.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.text import Text


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page on paper. `facts` are labels with what they label; `rows` are a table under `columns`. `at` is
    when that happened which it tells of: the same sheet is always the same file."""

    heading: Text
    title: Text
    facts: tuple[tuple[Text, Text], ...]
    columns: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    total: tuple[Text, Text]
    at: datetime


@dataclass(frozen=True, slots=True)
class StatementFile:
    """The statement of a period: its lines are read when the file is made. `form` is pdf, xlsx or csv."""

    form: str
    since: datetime
    until: datetime
    language: str


@dataclass(frozen=True, slots=True)
class BatchFile:
    """What has become of each line of a batch (an id), read when the file is made; `as_of` tells one such
    file from a later one."""

    batch: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class QrCode:
    """A picture that a camera reads."""

    content: str


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """A picture that the app of a provider scans to pay an order, drawn by that provider when it is sent.
    Where it cannot be drawn the words go alone, so they say how to pay without it. `amount` is decimal."""

    provider: str
    number: str
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is that of the file, without its ending."""

    name: Text
    content: Sheet | StatementFile | BatchFile | QrCode | PaymentCode


def mapped(value: Any, change: Callable[[Text], Any]) -> Any:
    """The same with every text in it changed."""
    if isinstance(value, Text):
        return change(value)
    if isinstance(value, tuple):
        return tuple(mapped(each, change) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: mapped(getattr(value, each.name), change) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value
