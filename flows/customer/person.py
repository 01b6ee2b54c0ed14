"""Person: a person of the staff answers the customer instead of the bot.

From then on what the customer types goes to them, whatever it says; only a tap, a word with its reference and
the words that always work are the bot's. Money is told as ever.

Lost       -> HandedOver
HandedOver -> HandedOver | Menu | BackWithBot
"""

from __future__ import annotations

from uuid import UUID

from flows.customer.menu import Help, Menu, menu
from flows.reply import Said
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.news.handoff import Ended, PersonGone, PersonWrote
from services.people.access import HAND_OFF

_THREAD = "person"
_BACK = Text("You are talking with me again. Type *menu* to go on.")
_BACK_BECAUSE = {
    Ended.QUIET: Text("Nobody has written here for a while, so you are talking with me again."),
    Ended.NOBODY: Text(
        "Sorry, nobody could answer you now, so you are talking with me again. "
        "Please contact {shop} directly."
    ),
}


class AskPerson(Choice):
    label = Text("Talk to a person")


class GoHome(Choice):
    label = Text("Menu")


class Lost(Step):
    """Offered to who is not understood again and again. `words`: what was not understood."""

    words: tuple[str, ...]
    staff: bool = False
    sells: bool = False

    @property
    def thread(self) -> str:
        return "lost"

    def says(self) -> Text:
        return Help(staff=self.staff, sells=self.sells).says()

    def choices(self) -> tuple[Choice, ...]:
        return (AskPerson(),)

    async def hears(self, answer: AskPerson, teller: Teller) -> HandedOver:  # noqa: ARG002  the only choice
        return HandedOver(handoff_id=await teller.ask_person(self.words))


class HandedOver(Step):
    takes_over = quiet = True
    handoff_id: UUID

    @property
    def thread(self) -> str:
        return _THREAD

    def says(self) -> Text:
        return Text(
            "A person of {shop} will answer you here. Type what you want to tell them; type *menu* to talk "
            "with me again."
        )

    def choices(self) -> tuple[Choice, ...]:
        return (GoHome(),)

    def concerns(self, news: PersonGone) -> bool:
        return news.handoff_id == self.handoff_id

    async def hears(
        self, answer: Said | GoHome | PersonGone, teller: Teller
    ) -> HandedOver | Menu | BackWithBot:
        match answer:
            case Said(text=words):
                if await teller.tell_person(self.handoff_id, words):
                    return self
                return BackWithBot(because=Ended.STAFF)
            case GoHome():
                await teller.leave_person(self.handoff_id)
                return await menu(teller)
            case PersonGone(because=because):
                return BackWithBot(because=because)


class BackWithBot(Step):
    because: Ended

    @property
    def thread(self) -> str:
        return _THREAD

    def says(self) -> Text:
        return _BACK_BECAUSE.get(self.because, _BACK)


class PersonSaid(Step):
    """In a thread of its own, which leaves the customer where they are."""

    words: str

    @property
    def thread(self) -> str:
        return "said"

    def says(self) -> Text:
        return Text("*{shop}*: {words}", words=tuple(self.words.splitlines()))


async def lost(teller: Teller, words: tuple[str, ...]) -> Lost | Help:
    """Who answers customers is offered nobody."""
    if HAND_OFF in teller.me.scopes:
        return Help(staff=True, sells=teller.shop.sells)
    return Lost(words=words, staff=teller.me.is_staff, sells=teller.shop.sells)


async def person(teller: Teller, _rest: str = "") -> HandedOver:
    return HandedOver(handoff_id=await teller.ask_person(()))


async def told_wrote(news: PersonWrote, _teller: Teller) -> PersonSaid:
    return PersonSaid(words=news.words)


async def told_gone(news: PersonGone, _teller: Teller) -> BackWithBot:
    return BackWithBot(because=news.because)
