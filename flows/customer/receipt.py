"""Receipt: what a customer has paid, told again whenever they ask.

ReceiptShown -> Receipts | ReceiptSent | AskWhyRefund
ReceiptSent  -> Receipts
Receipts     -> ReceiptShown
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.customer.paid import GetPdf, method_shown
from flows.customer.paper import caption, paper
from flows.customer.refund import AskRefund, AskWhyRefund
from flows.customer.ways import handed_over
from flows.document import Document
from flows.refusals import receipt_shown
from flows.step import Choice, Step
from flows.teller import PaidOrder, Receipt, Teller
from flows.text import Text
from services.errors import NotFound

_MOST_TYPED = 20
_MOST_LINES, _MOST_NAME = 10, 40  # in a message; the rest is only counted


class Earlier(Choice):
    label = Text("Earlier receipts")


@dataclass(frozen=True)
class Which(Choice):
    paid: PaidOrder

    @property
    def label(self) -> Text:
        return Text("{number}", number=self.paid.number)

    @property
    def note(self) -> Text:
        return Text("{amount}, {at}", amount=self.paid.amount, at=self.paid.paid_at)


class ReceiptShown(Step):
    """`earlier`: there are others."""

    receipt: Receipt
    earlier: bool

    def says(self) -> Text:
        return Text(
            "*Receipt {number}*\n{shop}, {at}\n{facts}",
            number=self.receipt.number,
            at=self.receipt.paid_at,
            facts=(*self._lines(), self._paid(), *self._back()),
        )

    def choices(self) -> tuple[Choice, ...]:
        refund = () if self.receipt.refunded == self.receipt.amount else (AskRefund(),)
        return (GetPdf(), *refund, *((Earlier(),) if self.earlier else ()))

    async def hears(
        self, answer: GetPdf | AskRefund | Earlier, teller: Teller
    ) -> Receipts | ReceiptSent | AskWhyRefund:
        match answer:
            case GetPdf():
                return ReceiptSent(receipt=self.receipt, earlier=self.earlier)
            case AskRefund():
                return AskWhyRefund(payment_id=self.receipt.payment_id, number=self.receipt.number)
            case Earlier():
                return Receipts(paid=await teller.paid_orders())

    def _lines(self) -> tuple[Text, ...]:
        lines = [
            Text(
                "{quantity} x {name}: {total}",
                quantity=line.quantity,
                name=_short(line.name),
                total=line.total,
            )
            for line in self.receipt.lines[:_MOST_LINES]
        ]
        more = len(self.receipt.lines) - _MOST_LINES
        if more > 0:
            lines.append(Text("and {count} more line", "and {count} more lines", count=more))
        if self.receipt.delivery:
            lines.append(handed_over(self.receipt.note, delivery=True))
        elif self.receipt.note:
            lines.append(Text("Note: {note}", note=self.receipt.note))
        return tuple(lines)

    def _back(self) -> tuple[Text, ...]:
        if self.receipt.refunded is None:
            return ()
        return (Text("Refunded: *{amount}*", amount=self.receipt.refunded),)

    def _paid(self) -> Text:
        return Text(
            "*{amount}* paid with {method}. {receipt}",
            amount=self.receipt.amount,
            method=method_shown(self.receipt.method),
            receipt=receipt_shown(self.receipt.code, self.receipt.method.provider),
        )


class ReceiptSent(Step):
    """On paper."""

    receipt: Receipt
    earlier: bool

    def says(self) -> Text:
        return caption(self.receipt)

    def once_said(self) -> ReceiptSent:
        """The lines are on the paper."""
        return self.model_copy(update={"receipt": self.receipt.model_copy(update={"lines": ()})})

    def choices(self) -> tuple[Choice, ...]:
        return (Earlier(),) if self.earlier else ()

    def document(self) -> Document:
        return paper(self.receipt)

    async def hears(self, answer: Earlier, teller: Teller) -> Receipts:  # noqa: ARG002  one choice
        return Receipts(paid=await teller.paid_orders())


class Receipts(Step):
    """The latest first."""

    paid: tuple[PaidOrder, ...]

    def says(self) -> Text:
        return Text(
            "Which receipt from {shop}? Choose one, or type for example: receipt {number}",
            number=self.paid[0].number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Which(each) for each in self.paid)

    def menu(self) -> Text | None:
        return Text("Receipts")

    async def hears(self, answer: Which, teller: Teller) -> ReceiptShown:
        return await shown(answer.paid.number, teller)


class NoReceipt(Step):
    """`number`: what was asked for, where it was one."""

    number: str | None = None

    def says(self) -> Text:
        if self.number is None:
            return Text("You have not paid anything to {shop} here yet. Type *pay* to pay.")
        return Text(
            "You have no paid order {number} at {shop}. Type *receipt* for your latest receipt.",
            number=self.number,
        )


def _short(name: str) -> str:
    return name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 1].rstrip() + "…"


async def shown(number: str, teller: Teller) -> ReceiptShown:
    """Raises NotFound, NotPaid."""
    found = await teller.receipt(number)
    return ReceiptShown(receipt=found, earlier=len(await teller.paid_orders()) > 1)


async def look_up(typed: str, teller: Teller) -> ReceiptShown | NoReceipt:
    """Raises NotPaid."""
    number = typed.strip().upper()[:_MOST_TYPED]
    try:
        return await shown(number, teller)
    except NotFound:
        return NoReceipt(number=number)


async def receipt(teller: Teller, rest: str = "") -> ReceiptShown | NoReceipt:
    """Of the latest payment, or of the one that is named. Raises NotPaid."""
    if rest:
        return await look_up(rest, teller)
    paid = await teller.paid_orders()
    return await shown(paid[0].number, teller) if paid else NoReceipt()


async def look(payment_id: UUID, teller: Teller) -> ReceiptShown:
    """What a late tap in the thread of a payment gets. Raises NotFound, NotPaid."""
    found = await teller.receipt_of(payment_id)
    return ReceiptShown(receipt=found, earlier=len(await teller.paid_orders()) > 1)


async def send(payment_id: UUID, teller: Teller) -> ReceiptSent:
    """Raises NotFound, NotPaid."""
    shown = await look(payment_id, teller)
    return ReceiptSent(receipt=shown.receipt, earlier=shown.earlier)
