"""Conversation: one person's threads, and what each thing heard does to them.

`flows/typed.py` says what typed words mean.
"""

from collections.abc import Awaitable, Callable
from typing import Any, get_args

from flows import kinds
from flows.pages import MORE, keyed, pages
from flows.place import Place, Stand
from flows.refusals import worded
from flows.reply import (
    MAIN,
    NOT_UNDERSTOOD,
    Filled,
    Heard,
    NewIdentity,
    Ordered,
    Other,
    Reply,
    Said,
    SentFile,
    SharedNumber,
    Tap,
    Wishes,
)
from flows.saying import asked, filled, told
from flows.script import Script
from flows.step import Step, understood
from flows.teller import Teller
from flows.text import Text
from flows.typed import Awaited, NotYet, Picked, Spoken, Typed
from services.errors import Refusal
from services.news import News

__all__ = ["Conversation", "Script"]

_NEWS = get_args(News)
_MOST_MISSES, _MOST_KEPT = 3, 300


class Conversation:
    """`place` is what an earlier conversation left; `mint` makes the nonces of askings. `followed`: the
    person has written more, which is heard next."""

    def __init__(
        self,
        script: Script,
        place: bytes | None,
        teller: Teller,
        mint: Callable[[], str],
        *,
        followed: bool = False,
    ) -> None:
        self._script, self._teller, self._mint = script, teller, mint
        self._place = Place(place, script.steps)
        self._replies: list[Reply] = []
        self._followed = followed
        self.secret = False  # what was typed is to be kept nowhere

    @property
    def place(self) -> bytes:
        return self._place.dump()

    async def hear(self, heard: Heard) -> list[Reply]:
        """One turn. Raises only what is a bug."""
        if isinstance(heard, _NEWS):  # is told whatever else is going on
            await self._news(heard)
        elif isinstance(heard, NewIdentity):  # said to nobody here: what follows is told as news
            await self._teller.identity_changed(heard.phone, heard.user_id)
            self._place = Place(None, self._script.steps)
        elif isinstance(heard, Wishes):
            await self._teller.wishes(unasked=heard.unasked)
        elif not self._teller.shop.open:
            self._say(Text("{shop} is not taking messages here at the moment. Please try again later."))
        elif isinstance(heard, SentFile):
            if self._script.filed is not None and self._script.filers & self._teller.me.scopes:
                await self._open(self._script.filed(heard, self._teller))
            else:
                await self._message(Other("document"))
        else:
            await self._message(heard)
        return self._replies

    async def _message(self, heard: Heard) -> None:
        listening = self._place.listening
        if not isinstance(heard, Other):  # a voice note may be the answer: it is asked for in writing
            self._place.listening = None
        match heard:
            case Tap():
                await self._tapped(heard)
            case Said():
                await self._said(heard, listening)
            case SharedNumber() | Filled():
                await self._given(heard)
            case Ordered() if self._script.ordered is not None:
                await self._open(self._script.ordered(heard, self._teller))
            case Other(kind=kinds.CARD) if self._place.taken_over():
                self._say(kinds.hint(kinds.CARD))
            case Other() if self._place.taken_over():
                self._say(kinds.NOT_PASSED_ON)
            case Other(kind=kind) if kind in kinds.REMINDED:
                self._remind(kinds.hint(kind))
            case Other(kind=kind):
                await self._missed(kinds.hint(kind))

    async def _tapped(self, tap: Tap) -> None:
        stand = self._place.threads.get(tap.thread)
        if stand is None:
            await self._late(tap)
        elif stand.nonce != tap.nonce or self._is_old(stand):
            self._ask(tap.thread, stand, _BEFORE)
        elif tap.choice == MORE:
            page = (stand.page + 1) % pages(stand.step)
            self._ask(tap.thread, stand.model_copy(update={"page": page}))
        elif (choice := keyed(stand.step).get(tap.choice)) is not None:
            await self._answer(tap.thread, stand, choice)
        else:
            await self._missed()

    async def _late(self, tap: Tap) -> None:
        """A tap in a thread that is over; what is offered without a nonce stays good."""
        if tap.thread in self._place.outdated:
            await self._go_home(_UPDATED)
            return
        try:
            step = await self._script.revive(tap.thread, self._teller)
        except Refusal:  # another's, or not for this person any more
            step = None
        if step is not None:
            self._move(step.thread, step, _BEFORE if tap.nonce else None)
        elif self._place.threads:
            self._ask(*self._place.latest()[0], _BEFORE)
        else:
            await self._go_home(Text("That button is no longer in use."))

    async def _said(self, said: Said, listening: str | None) -> None:
        match Typed(said.text, self._place, self._script, self._teller, listening).meaning():
            case Picked() as picked:
                await self._choose(picked)
            case Spoken(word=word, rest=rest):
                await self._open(word.leads(self._teller, rest))
            case Awaited(thread=thread, stand=stand):
                await self._answer(thread, stand, said)
            case NotYet(hint=hint):
                await self._missed(hint, said.text)
            case None if MAIN in self._place.outdated:
                await self._go_home(_UPDATED)
            case None if not self._place.threads:
                await self._go_home()
            case None:
                await self._missed(typed=said.text)

    async def _choose(self, picked: Picked) -> None:
        thread, stand, choice = picked.thread, picked.stand, picked.choice
        if not choice.tap_only or picked.referenced:
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

    async def _open(self, opening: Awaitable[Step]) -> None:
        try:
            step = await opening
        except Refusal as refusal:
            self._say(worded(refusal))
            return
        self._place.missed = []
        self._move(MAIN, step)

    async def _given(self, given: SharedNumber | Filled) -> None:
        """It answers the asking that it names, else whoever asked last."""
        asking = given.asking if isinstance(given, Filled) else None
        for thread, stand in self._place.latest():
            its = asking is None or (asking.thread, asking.nonce) == (thread, stand.nonce)
            if its and type(given) in understood(type(stand.step)):
                await self._answer(thread, stand, given)
                return
        if isinstance(given, Filled):
            self._remind(Text("That form is no longer open, so it changes nothing."))
        elif self._place.taken_over():
            self._say(kinds.NOT_PASSED_ON)
        else:
            await self._missed(Text("Thank you, but I don't need a number right now."))

    async def _news(self, news: Any) -> None:
        """It neither ends nor begins listening: nobody has turned to it."""
        listening = self._place.listening
        await self._told(news)
        self._place.listening = listening

    async def _told(self, news: Any) -> None:
        for thread, stand in self._place.latest():
            if type(news) in understood(type(stand.step)) and stand.step.concerns(news):
                await self._answer(thread, stand, news)
                return
        step = await self._script.told[type(news)](news, self._teller)
        if step is not None:
            self._move(step.thread, step)

    async def _answer(self, thread: str, stand: Stand, answer: Any) -> None:
        self.secret = stand.step.secret and isinstance(answer, Said)
        try:
            step = await stand.step.hears(answer, self._teller)  # type: ignore[attr-defined]
        except Refusal as refusal:
            if stand.step.choices():
                self._ask(thread, stand, worded(refusal), alone=True)
            else:
                self._say(worded(refusal))
            return
        self._place.missed = []
        self._move(thread, step)

    def _move(self, thread: str, step: Step, before: Text | None = None) -> None:
        """From a thread to a step, which may be in another; a step that hears nothing ends its own."""
        known = self._place.threads.get(step.thread)
        if step.thread != thread:
            self._place.leave(thread)
        if not understood(type(step)):
            self._place.leave(step.thread)
            self._say(_joined(before, step.says()), step)
        elif known is not None and known.step == step and step.quiet:
            self._place.put(step.thread, known)
        elif known is not None and known.step == step:  # its buttons on the screen stay good
            self._ask(step.thread, known, before, led=True)
        else:
            stand = Stand.model_construct(step=step, nonce=self._mint(), page=0, asked_at=None)
            self._ask(step.thread, stand, before, led=True)

    def _is_old(self, stand: Stand) -> bool:
        good_for, asked_at = stand.step.good_for, stand.asked_at
        return good_for is not None and (asked_at is None or self._teller.now - asked_at > good_for)

    def _anew(self, stand: Stand) -> Stand:
        """Asked again under a nonce of its own, where its buttons grow old."""
        if stand.step.good_for is None:
            return stand
        return stand.model_copy(update={"nonce": self._mint(), "asked_at": self._teller.now})

    async def _missed(self, hint: Text | None = None, typed: str = "") -> None:
        if not self._followed:  # who sends five voice notes at once is lost once
            self._place.missed.append(typed[:_MOST_KEPT])
        if len(self._place.missed) >= _MOST_MISSES:
            step = await self._script.lost(self._teller, tuple(filter(None, self._place.missed)))
            self._place.missed = []
            self._move(step.thread, step, hint)
        elif not self._place.threads:
            await self._go_home(hint)
        else:
            thread, stand = self._place.latest()[0]
            self._ask(thread, stand, hint or NOT_UNDERSTOOD)

    def _remind(self, before: Text) -> None:
        """Say it, with what was asked last; nobody has misunderstood anything."""
        if self._place.threads:
            self._ask(*self._place.latest()[0], before)
        else:
            self._say(before)

    async def _go_home(self, before: Text | None = None) -> None:
        self._move(MAIN, await self._script.home(self._teller), before)

    def _ask(
        self,
        thread: str,
        stand: Stand,
        before: Text | None = None,
        *,
        alone: bool = False,
        led: bool = False,
    ) -> None:
        """Say a step's line with what can be chosen; `alone`: only what comes before the line; `led`: the
        person has just come here."""
        stand = self._anew(stand)
        self._place.put(thread, stand.once_said())
        line = before if alone and before is not None else _joined(before, stand.step.says())
        whole = not alone and stand.once_said() is stand
        self._reply(asked(thread, stand, line, whole=whole, led=led, hint=before))

    def _say(self, text: Text, step: Step | None = None) -> None:
        self._reply(Reply(text=text) if step is None else told(step, text))

    def _reply(self, reply: Reply) -> None:
        self._replies.append(filled(reply, self._teller.shop.name))


_BEFORE = Text("That button is from an earlier message. This is where things stand now:")
_UPDATED = Text("I've been updated since we last talked, so let's start again.")


def _joined(before: Text | None, line: Text) -> Text:
    return line if before is None else Text("{before}\n\n{line}", before=before, line=line)
