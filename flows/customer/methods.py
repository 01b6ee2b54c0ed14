"""Methods: the ways to pay that a customer has saved.

Methods   -> OneMethod
OneMethod -> Methods | NoMethods
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.customer.ways import noted, shown, with_slow
from flows.step import Choice, Step
from flows.teller import Teller, Way
from flows.text import Text
from services.errors import NotFound
from services.news import MethodAdded


@dataclass(frozen=True)
class See(Choice):
    way: Way
    preferred: bool

    @property
    def label(self) -> Text:
        return shown(self.way)

    @property
    def note(self) -> Text:
        if self.way.expired:
            return Text("Expired")
        return Text("Offered first") if self.preferred else Text("Saved")


class OfferFirst(Choice):
    exact = True
    label = Text("Offer first")


class Remove(Choice):
    exact = True
    label = Text("Remove")


class Back(Choice):
    label = Text("Back")


class Methods(Step):
    """`ways`: the preferred one first. `removed`, `preferred`: what the person has just done with one."""

    ways: tuple[Way, ...]
    removed: Way | None = None
    preferred: Way | None = None

    def once_said(self) -> Methods:
        return Methods(ways=self.ways)

    def says(self) -> Text:
        ask = Text(
            "You have saved one way to pay {shop}.",
            plural="You have saved {count} ways to pay {shop}. Choose one to change it.",
            count=len(self.ways),
        )
        if self.removed is not None:
            return Text("{way} is removed.\n\n{ask}", way=shown(self.removed), ask=ask)
        if self.preferred is not None:
            return Text("{way} is offered first from now on.\n\n{ask}", way=shown(self.preferred), ask=ask)
        over = tuple(Text("{way} has expired.", way=shown(way)) for way in self.ways if way.expired)
        asked = Text("{said}\n\n{lines}", said=ask, lines=over) if over else ask
        return with_slow(asked, [way for way in self.ways if not way.expired])

    def choices(self) -> tuple[Choice, ...]:
        return tuple(See(way, preferred=place == 0) for place, way in enumerate(self.ways))

    def menu(self) -> Text | None:
        return Text("Saved methods")

    async def hears(self, answer: See, teller: Teller) -> OneMethod:
        return OneMethod(way=noted(answer.way, teller), preferred=answer.preferred)


class OneMethod(Step):
    way: Way
    preferred: bool

    def says(self) -> Text:
        if self.way.expired:
            return Text(
                "{way} has expired and is offered no more. After your next payment with a new card I'll "
                "offer to save that.",
                way=shown(self.way),
            )
        return with_slow(self._stands(), (self.way,))

    def _stands(self) -> Text:
        if self.preferred:
            return Text("{way} is offered first when you pay {shop}.", way=shown(self.way))
        return Text("{way} is saved for paying {shop}.", way=shown(self.way))

    def choices(self) -> tuple[Choice, ...]:
        return (Remove(), Back()) if self.preferred or self.way.expired else (OfferFirst(), Remove(), Back())

    async def hears(self, answer: OfferFirst | Remove | Back, teller: Teller) -> Methods | NoMethods:
        match answer:
            case OfferFirst():
                return Methods(ways=await teller.offer_first(_id(self.way)), preferred=self.way)
            case Remove():
                left = await teller.remove_method(_id(self.way))
                return Methods(ways=left, removed=self.way) if left else NoMethods(removed=self.way)
            case Back():
                return await methods(teller)


class NoMethods(Step):
    removed: Way | None = None

    def says(self) -> Text:
        if self.removed is not None:
            return Text(
                "{way} is removed, and no way to pay is saved now. After your next payment I'll offer to "
                "save it.",
                way=shown(self.removed),
            )
        return Text("You have saved no way to pay {shop} yet. After a payment I offer to save it.")


class SavedForYou(Step):
    way: Way

    @property
    def thread(self) -> str:
        return "added"

    def says(self) -> Text:
        return Text(
            "{shop} has saved {way} for you to pay with. Type *methods* to see or remove it.",
            way=shown(self.way),
        )


async def told_added(news: MethodAdded, _teller: Teller) -> SavedForYou:
    return SavedForYou(way=Way(method=news.method))


async def methods(teller: Teller, _rest: str = "") -> Methods | NoMethods:
    saved = tuple(noted(way, teller) for way in await teller.methods())
    return Methods(ways=saved) if saved else NoMethods()


def _id(way: Way) -> UUID:
    if way.method_id is None:
        raise NotFound("payment_method")
    return way.method_id
