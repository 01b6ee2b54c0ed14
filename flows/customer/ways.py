"""Ways: how a customer can pay, and what is paid, in words."""

from dataclasses import dataclass

from flows.refusals import provider_name
from flows.step import Choice
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services import phones
from services.errors import InvalidPhone
from services.news import PaymentMethod


@dataclass(frozen=True)
class Use(Choice):
    """A saved method, or the number of this chat."""

    exact = True
    way: Way

    @property
    def label(self) -> Text:
        return shown(self.way)

    @property
    def note(self) -> Text | None:
        return Text("Saved") if self.way.method_id else Text("This chat's number")


class AnotherNumber(Choice):
    label = Text("Another number")


def what(checkout: Checkout) -> Text:
    """Of an order that exists."""
    if not checkout.summary:
        return Text("Order {number}", number=checkout.number)
    order = Text("Order {number}: {summary}", number=checkout.number, summary=checkout.summary)
    if checkout.delivery is None:
        return order
    getting = handed_over(checkout.note, delivery=checkout.delivery)
    return Text("{order}\n{getting}", order=order, getting=getting)


def handed_over(note: str | None, *, delivery: bool) -> Text:
    """How the person gets what they bought, and what they said about it."""
    if delivery:
        return Text("Deliver to: {note}", note=note or "")
    if note:
        return Text("You pick it up. Note: {note}", note=note)
    return Text("You pick it up at {shop}.")


def shown(way: Way) -> Text:
    return Text("{provider} {label}", provider=provider_name(way.method.provider), label=way.method.label)


def by_number(typed: str) -> Way:
    """Raises InvalidPhone."""
    phone = phones.mpesa_number(typed)
    return Way(method=PaymentMethod(provider="mpesa", label=phones.masked(phone)), phone=phone)


async def ways(teller: Teller) -> tuple[Way, ...]:
    """The saved ones, the preferred first, and the number of this chat where it is none of them."""
    saved = await teller.ways()
    try:
        own = by_number(teller.me.phone) if teller.me.phone else None
    except InvalidPhone:  # a number of another country
        own = None
    if own is None or any(way.method == own.method for way in saved):
        return saved
    return (*saved, own)
