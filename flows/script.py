"""Script: all that may be said and done in chat, as one graph."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

from flows.reply import Ordered, SentFile
from flows.step import Step, alternatives, leads_to
from flows.teller import Teller
from flows.text import Text
from flows.understanding import plain
from flows.words import Word


@dataclass(frozen=True)
class Script:
    """`home` is where a person stands who is nowhere else, `lost` what is offered to one who was not
    understood again and again; it is given what they typed.

    `told` opens a step for news that no step waits for, or none where it is news no more; `revive` finds
    the step of a thread that was left, by its name, for a late tap. All of them say in their return types
    where they lead. `ordered` takes an order of the channel's own catalogue; `filed` a file, of who
    holds one of the scopes `filers`.
    `later`: what is answered to words that mean nothing yet.
    """

    home: Callable[[Teller], Awaitable[Step]]
    lost: Callable[[Teller, tuple[str, ...]], Awaitable[Step]]
    words: tuple[Word, ...]
    told: Mapping[type, Callable[[Any, Teller], Awaitable[Step | None]]]
    revive: Callable[[str, Teller], Awaitable[Step | None]]
    later: Mapping[str, Text] = field(default_factory=dict)
    ordered: Callable[[Ordered, Teller], Awaitable[Step]] | None = None
    filed: Callable[[SentFile, Teller], Awaitable[Step]] | None = None
    filers: frozenset[str] = frozenset()

    def roots(self) -> Iterator[tuple[str, tuple[type[Step], ...]]]:
        """What opens a conversation, and the steps that it opens."""
        yield "home", opened_by(self.home)
        yield "lost", opened_by(self.lost)
        for word in self.words:
            yield word.spellings[0], opened_by(word.leads)
        for news, tell in self.told.items():
            yield news.__name__, opened_by(tell)
        yield "late tap", opened_by(self.revive)
        if self.ordered is not None:
            yield "order message", opened_by(self.ordered)
        if self.filed is not None:
            yield "file", opened_by(self.filed)

    def comes_first(self, text: str) -> bool:
        """Whether these words are one that comes before everything else, such as *stop*."""
        typed = plain(text)
        return any(typed == plain(each) for word in self.words if word.always for each in word.every_spelling)

    @cached_property
    def steps(self) -> dict[str, type[Step]]:
        """Every step that can be reached, by name. Names are stored, so each is one class only."""
        found: dict[str, type[Step]] = {}
        waiting = [step for _, steps in self.roots() for step in steps]
        while waiting:
            step = waiting.pop()
            if found.setdefault(step.__name__, step) is not step:
                raise TypeError(f"two steps are called {step.__name__}")
            waiting.extend(to for to in leads_to(step) if to.__name__ not in found)
        return found


def opened_by(function: Callable[..., Any]) -> tuple[type[Step], ...]:
    """The steps that it may return, as its signature says."""
    hint = get_type_hints(function)["return"]
    return tuple(each for each in alternatives(hint) if each is not type(None))
