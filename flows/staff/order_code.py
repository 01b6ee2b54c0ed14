"""Order code: a picture at the counter, which a customer's M-PESA app scans to pay one order."""

from __future__ import annotations

from flows.document import Document, PaymentCode
from flows.step import Choice, Step
from flows.teller import OrderSeen, Shop
from flows.text import Text
from services.money import Money
from services.rails import takes

_BY = "mpesa"


class ShowCode(Choice):
    label = Text("M-Pesa QR")


class OrderCode(Step):
    """The words are enough to pay by: where no picture can be drawn they come alone."""

    number: str
    amount: Money
    paybill: str

    @property
    def reference(self) -> str | None:
        return self.number

    def says(self) -> Text:
        return Text(
            "Order *{number}*: *{amount}*\nWhoever scans this with the M-PESA app pays it. Or with Lipa na "
            "M-PESA: paybill {paybill}, account {number}, this amount exactly. The customer is told "
            "once it is paid.",
            number=self.number,
            amount=self.amount,
            paybill=self.paybill,
        )

    def document(self) -> Document:
        code = PaymentCode(_BY, self.number, str(self.amount), self.amount.currency)
        return Document(name=Text("QR"), content=code)


def payable_to(order: OrderSeen, shop: Shop) -> str | None:
    """The paybill where the order can be paid by its number; None where it cannot, or waits for nothing."""
    return shop.paybill if order.status == "open" and takes(_BY, order.amount) else None
