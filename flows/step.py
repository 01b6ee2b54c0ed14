"""Step and Choice: what a conversation is made of.

A step is a frozen class. Its fields are what is known there; `says` is the line that the person reads;
`choices` are what may be tapped. The type of the answer that `hears` takes is all that the step
understands, and the type that it returns is everywhere it may lead:

    async def hears(self, answer: Pay | Cancel, teller: Teller) -> AwaitPayment | Cancelled

A step without `hears` ends its thread. What it offers all the same is answered by the script, however late
it is tapped (`Script.revive`).
"""

from datetime import timedelta
from functools import cache
from typing import Any, ClassVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict

from flows.document import Document
from flows.form import Form
from flows.reply import MAIN, Link
from flows.text import Text


class Choice:
    """An answer that is offered. `tap_only`: it decides over money, so typing its label alone is not
    enough. `exact`: it leads to money or approvals, so a slip of the finger does not count."""

    tap_only: ClassVar[bool] = False
    exact: ClassVar[bool] = False

    @property
    def label(self) -> Text:
        """On the button, or in the row of a list."""
        raise NotImplementedError

    @property
    def note(self) -> Text | None:
        """A second line, where the choices become a list."""
        return None


class Step(BaseModel):
    """Where a person stands in a thread. Stored as JSON, so fields are plain facts, never words.

    A text may name the merchant as {shop}; the engine fills it in. `any_words`: what is typed here may be
    any words (a reason), not only a figure, so that they are heard as the very next thing only. `secret`:
    what is typed here is kept nowhere. `takes_over`: whatever is typed is for this step. `quiet`: it says
    nothing where an answer leaves it as it is. `good_for`: how long its buttons are; each asking
    has new ones then, and those of before are void.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    any_words: ClassVar[bool] = False
    secret: ClassVar[bool] = False
    takes_over: ClassVar[bool] = False
    quiet: ClassVar[bool] = False
    good_for: ClassVar[timedelta | None] = None

    @property
    def thread(self) -> str:
        """Each thread has a place of its own, so that one may be answered amid another."""
        return MAIN

    @property
    def reference(self) -> str | None:
        """What makes a typed answer over money as good as a tap: "approve 4F2A9C"."""
        return None

    def says(self) -> Text:
        """The line that the person reads."""
        raise NotImplementedError

    def once_said(self) -> "Step":
        """Where the person stands after its line: the same, without what is said once only."""
        return self

    def choices(self) -> tuple[Choice, ...]:
        """What may be tapped."""
        return ()

    @property
    def asks_for_number(self) -> bool:
        """The channel offers to share a phone number."""
        return False

    @property
    def waits(self) -> bool:
        """Somebody else's word comes next, and soon: the channel shows that we have read and are at it."""
        return False

    def menu(self) -> Text | None:
        """The label that opens the choices where they become a list."""
        return None

    def link(self) -> Link | None:
        """A page that the line leads to."""
        return None

    def form(self) -> Form | None:
        """What the channel may have filled in at once, where it can; else the choices are shown. It comes
        as Filled."""
        return None

    def document(self) -> Document | None:
        """A file that goes with the line, where the person is led here; not where it is asked again."""
        return None

    def image(self) -> str | None:
        """The address of a picture above the line."""
        return None

    def concerns(self, news: Any) -> bool:  # noqa: ARG002  for those who wait for news
        """Whether this piece of news, of a kind that it hears, is about this very step."""
        return False


@cache
def understood(step: type[Step]) -> tuple[type, ...]:
    """The kinds of answers that a step hears; none for one that ends its thread."""
    return _alternatives(step, "answer")


@cache
def leads_to(step: type[Step]) -> tuple[type, ...]:
    """The steps that `hears` may return; none where the thread ends."""
    return _alternatives(step, "return")


def _alternatives(step: type[Step], name: str) -> tuple[type, ...]:
    hears = getattr(step, "hears", None)
    return alternatives(get_type_hints(hears)[name]) if hears else ()


def alternatives(hint: Any) -> tuple[type, ...]:
    """The members of a union, or the one type."""
    return get_args(hint) or (hint,)
