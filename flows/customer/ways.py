"""Ways: how a customer can pay, and what is paid, in words."""

from dataclasses import dataclass

from flows.customer.paid import method_shown
from flows.refusals import provider_name
from flows.step import Choice
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services import phones
from services.errors import InvalidPhone
from services.money import Money
from services.news import PaymentMethod
from services.payments.details import by_phone
from services.rails import asks_phones, charges, opens_page, takes


@dataclass(frozen=True)
class Use(Choice):
    """A saved method, or the number of this chat."""

    exact = True
    way: Way

    @property
    def label(self) -> Text:
        """A row of WhatsApp's takes 24 characters: who asks the phone stands below it."""
        return Text("{way}", way=self.way.method.label) if self._for_another else shown(self.way)

    @property
    def note(self) -> Text | None:
        if self.way.method_id:
            return Text("Saved")
        if self.by_page:
            return Text("On its own page")
        if self._for_another:
            name = provider_name(self.way.method.provider)
            return Text("This chat's number, through {provider}", provider=name)
        return Text("This chat's number")

    @property
    def by_page(self) -> bool:
        return by_page(self.way)

    @property
    def _for_another(self) -> bool:
        """The phone is asked in the name of a provider that takes more than M-Pesa."""
        return self.way.phone is not None and opens_page(self.way.method.provider)


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
    return method_shown(way.method)


def by_page(way: Way) -> bool:
    """Whether the customer pays on the provider's page. What is saved there is charged, where it can be; and
    a phone is asked, in whoever's name."""
    return opens_page(way.method.provider) and way.phone is None and not charged(way)


def charged(way: Way) -> bool:
    """Whether what is saved is charged, with nothing more to do."""
    return way.method_id is not None and charges(way.method.provider)


def by_number(typed: str, provider: str = "mpesa") -> Way:
    """Raises InvalidPhone."""
    phone = phones.mpesa_number(typed)
    return Way(method=by_phone(provider, phone), phone=phone)


def asking(teller: Teller) -> str | None:
    """The provider that asks phones for this shop."""
    return asks_phones(teller.shop.collects_by, teller.shop.currency)


def possible(way: Way, amount: Money) -> bool:
    return takes(way.method.provider, amount, phone=way.phone is not None)


async def ways(teller: Teller) -> tuple[Way, ...]:
    """The saved ones, the preferred first; the number of this chat where it is none of them; the pages."""
    saved, by = await teller.ways(), teller.shop.collects_by
    pages = tuple(Way(method=PaymentMethod(provider=name, label="")) for name in by if opens_page(name))
    asks = asking(teller)
    if asks is None:
        return (*saved, *pages)
    try:
        own = by_number(teller.me.phone, asks) if teller.me.phone else None
    except InvalidPhone:  # a number of another country
        own = None
    if own is None or any(way.method == own.method for way in saved):
        return (*saved, *pages)
    return (*saved, own, *pages)
