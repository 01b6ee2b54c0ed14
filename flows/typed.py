"""Typed: what typed words mean to a person who stands at a place.

They mean the first of these that they can:

1. What names a reference ("approve 4F2A9C"), and *stop*: nothing else is as sure.
2. A choice on offer: by its label in any thread, the last to speak first; by its number in that one
   only, and not where an amount or a number of a phone is awaited, which "2" may be.
3. A word that always works, alone ("menu", "cancel"); or one that means nothing yet ("statement"), which is
   said, and is no answer to anything.
4. Either of these with a slip of the finger, where it is harmless: not for what leads to money or
   approvals. It comes before text, or "cancle" would be the reason of a rejection.
5. A word with something after it ("pay 500"), which no amount and no number of a phone begins with.
6. The figure that was asked for, by the thread that last asked for one.

A question that any words answer (a reason) is another matter: "pay supplier first" answers it too, so
there 5 is left out, and so is the rest of 2 that was said before the question. And whatever a person
types in another mood would answer it ("hello"), so it is listened for as their very next words only:
after a tap, a word, or a miss, it is asked again before it is answered. News neither ends nor begins the
listening, for nobody has turned to it. Whatever asks for text offers *Cancel*, so that by 2 `cancel` leaves
the question that was asked last; elsewhere it leaves the main thread.

Where a step takes over (a person of the staff answers), there are only 1, its own choices, and its words.
"""

import re
from dataclasses import dataclass
from functools import cache

from flows.pages import page_of
from flows.place import Place, Stand
from flows.reply import Said
from flows.script import Script
from flows.step import Choice, Step, understood
from flows.teller import Teller
from flows.text import LANGUAGES, Text, render
from flows.understanding import close, place_of, plain
from flows.words import Word

_MOST_REST = 3  # words after a word that takes something after it
_REFERENCE = re.compile(r"[0-9a-f]{6}")


@dataclass(frozen=True)
class Picked:
    """A choice on offer. `referenced`: typed with its reference, which is as good as a tap."""

    thread: str
    stand: Stand
    choice: Choice
    referenced: bool = False


@dataclass(frozen=True)
class Spoken:
    """A word that always works, and what was typed after it."""

    word: Word
    rest: str = ""


@dataclass(frozen=True)
class Awaited:
    """Text that this thread asked for."""

    thread: str
    stand: Stand


@dataclass(frozen=True)
class NotYet:
    """A word of a later release."""

    hint: Text


Meaning = Picked | Spoken | Awaited | NotYet


class Typed:
    """`listening`: the thread that waits for any words, where they are its very next ones."""

    def __init__(
        self, text: str, place: Place, script: Script, teller: Teller, listening: str | None
    ) -> None:
        self._text, self._plain, self._script = text, plain(text), script
        self._threads = place.latest()
        self._listening = listening if listening in place.threads else None
        words = [word for word in script.words if word.is_for(teller)]
        self._words = {spelling: word for word in words for spelling in map(plain, word.every_spelling)}
        self._awaited = self._asked()
        self._over = place.taken_over()

    def meaning(self) -> Meaning | None:
        if self._over is not None:
            return self._with_reference() or self._always() or self._taken_over(*self._over)
        return (
            self._with_reference()
            or self._always()
            or self._label()
            or self._number()
            or self._word_alone()
            or self._nearly()
            or self._word_and_rest()
            or self._awaited
        )

    def _taken_over(self, thread: str, stand: Stand) -> Meaning:
        for choice in stand.step.choices():
            if self._plain in _labels(choice):
                return Picked(thread, stand, choice)
        return Awaited(thread, stand)

    def _asked(self) -> Awaited | None:
        """The thread that waits for any words, or the one that last asked for a figure."""
        for thread, stand in self._threads:
            asks = Said in understood(type(stand.step)) and not stand.step.any_words
            if thread == self._listening or (asks and self._listening is None):
                return Awaited(thread, stand)
        return None

    def _with_reference(self) -> Picked | Spoken | None:
        for thread, stand in self._threads:
            if (label := _before_reference(stand.step, self._plain)) is not None:
                for choice in stand.step.choices():
                    if label in _labels(choice):
                        return Picked(thread, stand, choice, referenced=True)
        first, _, rest = self._plain.partition(" ")
        word = self._words.get(first)
        if word and word.takes_reference and _REFERENCE.fullmatch(rest):
            return Spoken(word, rest)
        return None

    def _always(self) -> Spoken | None:
        word = self._words.get(self._plain)
        return Spoken(word) if word is not None and word.always else None

    def _label(self) -> Picked | None:
        for thread, stand in self._offers():
            for choice in stand.step.choices():
                if self._plain in _labels(choice):
                    return Picked(thread, stand, choice)
        return None

    def _number(self) -> Picked | None:
        place = place_of(self._text)
        if place is None or self._awaited or not self._threads:
            return None
        thread, stand = self._threads[0]
        shown = page_of(stand)
        return Picked(thread, stand, shown[place - 1][1]) if 0 < place <= len(shown) else None

    def _word_alone(self) -> Spoken | NotYet | None:
        if (word := self._words.get(self._plain)) is not None:
            return Spoken(word)
        hint = self._script.later.get(self._plain)
        return NotYet(hint) if hint else None

    def _nearly(self) -> Picked | Spoken | None:
        """A slip of the finger in what is harmless. What is as near to a name that forgives none may have
        been meant for that, and is taken for neither."""
        spoken = {id(word): None if word.exact else Spoken(word) for word in self._words.values()}
        names: dict[str, Picked | Spoken | None] = dict.fromkeys(self._script.later)
        names |= {spelling: spoken[id(word)] for spelling, word in self._words.items()}
        for thread, stand in reversed(self._offers()):
            for choice in stand.step.choices():
                exact = choice.exact or choice.tap_only
                names |= dict.fromkeys(_labels(choice), None if exact else Picked(thread, stand, choice))
        return close(self._text, names)

    def _word_and_rest(self) -> Spoken | None:
        first, _, rest = self._plain.partition(" ")
        word = self._words.get(first)
        # As they were typed: 1/11/2026 is one.
        if self._listening or word is None or not word.takes_rest or len(self._text.split()) - 1 > _MOST_REST:
            return None
        return Spoken(word, rest)

    def _offers(self) -> list[tuple[str, Stand]]:
        """The threads whose labels count, the last to speak first: where any words are awaited, only what
        spoke since, and the asking itself."""
        if self._listening is None:
            return self._threads
        return self._threads[: 1 + [thread for thread, _ in self._threads].index(self._listening)]


def _labels(choice: Choice) -> frozenset[str]:
    label = choice.label
    return _spelled(label) if label.facts else _known_spelled(label)


def _spelled(label: Text) -> frozenset[str]:
    return frozenset(plain(render(label, language)) for language in LANGUAGES)


_known_spelled = cache(_spelled)  # of those that are always the same


def _before_reference(step: Step, typed: str) -> str | None:
    """What was typed before the step's reference."""
    if step.reference is None or not typed.endswith(f" {plain(step.reference)}"):
        return None
    return typed.rpartition(" ")[0]
