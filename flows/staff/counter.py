"""Counter: a picture that customers scan to pay at the counter."""

from __future__ import annotations

from urllib.parse import quote

from flows.amounts import amount_of
from flows.document import Document, QrCode
from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.rails import refuse_closed_till, refuse_unpayable


class CounterCode(Step):
    """`number` is the shop's on WhatsApp, in digits; without an amount the customer types it."""

    number: str
    amount: Money | None = None

    def says(self) -> Text:
        if self.amount is None:
            return Text(
                "Print this or show it at the counter. Whoever scans it comes to this chat with the word "
                "*pay* ready to send. For a fixed amount, type: qr 500"
            )
        return Text("Whoever scans this comes to this chat and pays {amount} to {shop}.", amount=self.amount)

    def document(self) -> Document:
        words = "pay" if self.amount is None else f"pay {_typed(self.amount)}"
        return Document(name=Text("QR"), content=QrCode(f"https://wa.me/{self.number}?text={quote(words)}"))


class NoCounterCode(Step):
    def says(self) -> Text:
        return Text(
            "I don't know the WhatsApp number of {shop}, which the QR code must name. Ask the operator to "
            "add display_phone_number to its settings."
        )


def _typed(amount: Money) -> str:
    """As somebody would type it: "500", "12.50"."""
    return str(amount).removesuffix(".00")


async def counter(teller: Teller, rest: str = "") -> CounterCode | NoCounterCode:
    """Raises InvalidAmount, ProviderNotConfigured, NotWholeShillings, BelowMinimum, OverLimit."""
    refuse_closed_till(teller.shop)
    if teller.shop.number is None:
        return NoCounterCode()
    if not rest:
        return CounterCode(number=teller.shop.number)
    amount = amount_of(rest, teller.shop.currency)
    refuse_unpayable(teller.shop, amount)
    return CounterCode(number=teller.shop.number, amount=amount)
