"""Conversation: one person's threads, and what each thing heard does to them.

Order of understanding: the choices that are on offer (by tap, number, label or close spelling; over
money by tap, or typed with its reference), then the words that always work, then free text, which
belongs to the thread that last asked for some.
"""

from collections.abc import Callable
from typing import Any, get_args

from flows.place import Place, Stand
from flows.refusals import worded
from flows.reply import MAIN, Heard, Option, Other, Reply, Said, SharedNumber, Tap
from flows.script import Script
from flows.step import Choice, Step, understood
from flows.teller import Teller
from flows.text import LANGUAGES, Text, render
from flows.understanding import close, place_of, plain
from flows.words import Word
from services.errors import Refusal
from services.news import News

__all__ = ["Conversation", "Script"]

_NEWS = get_args(News)
_ROWS = 10  # of a list
_MORE = "more"
_MOST_MISSES = 3
_HEARD_ANYWAY = 3  # words after a word that takes something after it


class Conversation:
    """`place` is what an earlier conversation left; `mint` makes the nonces of askings."""

    def __init__(self, script: Script, place: bytes | None, teller: Teller, mint: Callable[[], str]) -> None:
        self._script, self._teller, self._mint = script, teller, mint
        self._place = Place(place, script.steps)
        self._replies: list[Reply] = []

    @property
    def place(self) -> bytes:
        return self._place.dump()

    async def hear(self, heard: Heard) -> list[Reply]:
        """One turn. Raises only what is a bug."""
        if isinstance(heard, _NEWS):  # is told whatever else is going on
            await self._news(heard)
        elif not self._teller.shop.open:
            self._say(Text("{shop} takes no messages here at the moment. Please try again later."))
        else:
            await self._message(heard)
        return self._replies

    async def _message(self, heard: Heard) -> None:
        match heard:
            case Tap():
                await self._tapped(heard)
            case Said():
                await self._said(heard)
            case SharedNumber():
                await self._shared(heard)
            case Other():
                await self._missed(Text("I read only typed words and taps on buttons."))

    async def _tapped(self, tap: Tap) -> None:
        stand = self._place.threads.get(tap.thread)
        if stand is None:
            await self._late(tap.thread)
        elif stand.nonce != tap.nonce:
            self._ask(tap.thread, stand, _BEFORE)
        elif tap.choice == _MORE:
            page = (stand.page + 1) % _pages(stand.step)
            self._ask(tap.thread, stand.model_copy(update={"page": page}))
        elif (choice := _keyed(stand.step).get(tap.choice)) is not None:
            await self._answer(tap.thread, stand, choice)
        else:
            await self._missed()

    async def _late(self, thread: str) -> None:
        """A tap in a thread that is over."""
        if thread in self._place.outdated:
            await self._go_home(_UPDATED)
            return
        try:
            step = await self._script.revive(thread, self._teller)
        except Refusal:  # another's, or not for this person any more
            step = None
        if step is not None:
            self._move(step.thread, step, _BEFORE)
        elif self._place.threads:
            self._ask(*self._place.latest()[0], _BEFORE)
        else:
            await self._go_home(Text("That button is no longer in use."))

    async def _said(self, said: Said) -> None:
        if (found := self._chosen(said.text)) is not None:
            await self._choose(*found, said.text)
        elif (word := self._word(said.text)) is not None:
            await self._lead(*word)
        elif (asking := self._hearing(Said)) is not None:
            await self._answer(*asking, said)
        elif (near := self._nearly_chosen(said.text)) is not None:
            await self._answer(*near)
        elif (almost := close(said.text, self._spellings(loose=True))) is not None:
            await self._lead(almost, "")
        elif MAIN in self._place.outdated:
            await self._go_home(_UPDATED)
        elif not self._place.threads:
            await self._go_home()
        else:
            await self._missed()

    async def _choose(self, thread: str, stand: Stand, choice: Choice, typed: str) -> None:
        if not choice.tap_only or _referenced(stand.step, choice, typed):
            await self._answer(thread, stand, choice)
        elif stand.step.reference is None:
            self._ask(thread, stand, Text("Please tap *{choice}* below.", choice=choice.label))
        else:
            hint = Text(
                "To be safe, tap *{choice}* below, or type: {choice} {reference}",
                choice=choice.label,
                reference=stand.step.reference,
            )
            self._ask(thread, stand, hint)

    def _chosen(self, text: str) -> tuple[str, Stand, Choice] | None:
        """By label in any thread, the last to speak first; by number in that one only, and not where
        anybody waits for text, which may be a number."""
        typed = plain(text)
        for thread, stand in self._place.latest():
            for choice in stand.step.choices():
                if typed in _labels(choice) or _referenced(stand.step, choice, text):
                    return thread, stand, choice
        place = place_of(text)
        if place is None or not self._place.threads or self._hearing(Said):
            return None
        thread, stand = self._place.latest()[0]
        shown = _shown(stand)
        return (thread, stand, shown[place - 1][1]) if 0 < place <= len(shown) else None

    def _nearly_chosen(self, text: str) -> tuple[str, Stand, Choice] | None:
        for thread, stand in self._place.latest():
            labels = {
                label: choice
                for choice in stand.step.choices()
                if not choice.tap_only
                for label in _labels(choice)
            }
            choice = close(text, labels)
            if choice is not None:
                return thread, stand, choice
        return None

    def _spellings(self, *, loose: bool = False) -> dict[str, Word]:
        words = (w for w in self._script.words if w.is_for(self._teller) and not (loose and w.exact))
        return {spelling: word for word in words for spelling in word.spellings}

    def _word(self, text: str) -> tuple[Word, str] | None:
        """A word alone, or one that takes something after it."""
        first, _, rest = plain(text).partition(" ")
        word = self._spellings().get(first)
        if word is None or (rest and not word.takes_rest) or len(rest.split()) > _HEARD_ANYWAY:
            return None
        return word, rest

    async def _lead(self, word: Word, rest: str) -> None:
        try:
            step = await word.leads(self._teller, rest)
        except Refusal as refusal:
            self._say(worded(refusal))
            return
        self._place.misses = 0
        self._move(MAIN, step)

    async def _shared(self, number: SharedNumber) -> None:
        if (asking := self._hearing(SharedNumber)) is not None:
            await self._answer(*asking, number)
        else:
            await self._missed(Text("Thank you, but I did not need a number just now."))

    async def _news(self, news: Any) -> None:
        for thread, stand in self._place.latest():
            if type(news) in understood(type(stand.step)) and stand.step.concerns(news):
                await self._answer(thread, stand, news)
                return
        step = await self._script.told[type(news)](news, self._teller)
        self._move(step.thread, step)

    def _hearing(self, kind: type) -> tuple[str, Stand] | None:
        """The thread that last asked for this kind of answer."""
        for thread, stand in self._place.latest():
            if kind in understood(type(stand.step)):
                return thread, stand
        return None

    async def _answer(self, thread: str, stand: Stand, answer: Any) -> None:
        try:
            step = await stand.step.hears(answer, self._teller)  # type: ignore[attr-defined]
        except Refusal as refusal:
            if stand.step.choices():
                self._ask(thread, stand, worded(refusal), alone=True)
            else:
                self._say(worded(refusal))
            return
        self._place.misses = 0
        self._move(thread, step)

    def _move(self, thread: str, step: Step, before: Text | None = None) -> None:
        """From a thread to a step, which may be in another; a step that hears nothing ends its own."""
        known = self._place.threads.get(step.thread)
        if step.thread != thread:
            self._place.leave(thread)
        if not understood(type(step)):
            self._place.leave(step.thread)
            self._say(_joined(before, step.says()), step)
        elif known is not None and known.step == step:  # its buttons on the screen stay good
            self._ask(step.thread, known, before)
        else:
            self._ask(step.thread, Stand.model_construct(step=step, nonce=self._mint(), page=0), before)

    async def _missed(self, hint: Text | None = None) -> None:
        self._place.misses += 1
        if self._place.misses >= _MOST_MISSES:
            self._place.misses = 0
            helping = await self._script.help(self._teller)
            self._say(_joined(hint, helping.says()), helping)
        elif not self._place.threads:
            await self._go_home(hint)
        else:
            thread, stand = self._place.latest()[0]
            self._ask(thread, stand, hint or Text("Sorry, I did not understand that."))

    async def _go_home(self, before: Text | None = None) -> None:
        self._move(MAIN, await self._script.home(self._teller), before)

    def _ask(self, thread: str, stand: Stand, before: Text | None = None, *, alone: bool = False) -> None:
        """Say a step's line with what can be chosen; `alone`: only what comes before the line."""
        self._place.put(thread, stand)
        line = before if alone and before is not None else _joined(before, stand.step.says())
        options = [
            Option(choice=key, label=choice.label, note=choice.note, tap_only=choice.tap_only)
            for key, choice in _shown(stand)
        ]
        if _pages(stand.step) > 1:
            options.append(Option(choice=_MORE, label=Text("More…")))
        reply = Reply(
            text=self._filled(line),
            options=tuple(options),
            menu=stand.step.menu(),
            link=stand.step.link(),
            asks_for_number=stand.step.asks_for_number,
            thread=thread,
            step=type(stand.step).__name__,
            nonce=stand.nonce,
        )
        self._replies.append(reply)

    def _say(self, text: Text, step: Step | None = None) -> None:
        self._replies.append(Reply(text=self._filled(text), link=step.link() if step else None))

    def _filled(self, text: Text) -> Text:
        facts = {key: self._filled(f) if isinstance(f, Text) else f for key, f in text.facts.items()}
        return Text(text.msgid, text.plural, **{"shop": self._teller.shop.name, **facts})


_BEFORE = Text("That button was from before. This is where things stand now:")
_UPDATED = Text("I have been updated since we last talked, so let us start afresh.")


def _joined(before: Text | None, line: Text) -> Text:
    return line if before is None else Text("{before}\n\n{line}", before=before, line=line)


def _keyed(step: Step) -> dict[str, Choice]:
    return {f"{type(choice).__name__}.{n}": choice for n, choice in enumerate(step.choices())}


def _pages(step: Step) -> int:
    many = len(step.choices())
    return 1 if many <= _ROWS else -(-many // (_ROWS - 1))


def _shown(stand: Stand) -> list[tuple[str, Choice]]:
    """A page of choices, with room for the row that turns it."""
    keyed = list(_keyed(stand.step).items())
    if len(keyed) <= _ROWS:
        return keyed
    start = stand.page * (_ROWS - 1)
    return keyed[start : start + _ROWS - 1]


def _labels(choice: Choice) -> set[str]:
    return {plain(render(choice.label, language)) for language in LANGUAGES}


def _referenced(step: Step, choice: Choice, typed: str) -> bool:
    if step.reference is None:
        return False
    return plain(typed) in {f"{label} {plain(step.reference)}" for label in _labels(choice)}
