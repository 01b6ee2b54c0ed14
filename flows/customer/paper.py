"""Paper: a receipt as a page that a customer keeps."""

from flows.document import Document, Sheet
from flows.refusals import provider_name
from flows.teller import Receipt
from flows.text import Text


def paper(receipt: Receipt) -> Document:
    facts = [
        (Text("Date"), Text("{at}", at=receipt.paid_at)),
        (Text("Order"), Text("{number}", number=receipt.number)),
        (
            Text("Paid with"),
            Text(
                "{provider} {label}",
                provider=provider_name(receipt.method.provider),
                label=receipt.method.label,
            ),
        ),
    ]
    if receipt.code:
        name = provider_name(receipt.method.provider)
        facts.append((Text("{provider} receipt", provider=name), Text("{code}", code=receipt.code)))
    if receipt.refunded:
        facts.append((Text("Given back"), Text("{amount}", amount=receipt.refunded)))
    if receipt.note:
        facts.append((Text("Note"), Text("{note}", note=receipt.note)))
    sheet = Sheet(
        heading=Text("{shop}"),
        title=Text("Receipt {number}", number=receipt.number),
        facts=tuple(facts),
        columns=(Text("Item"), Text("Quantity"), Text("Price"), Text("Total")),
        rows=tuple(
            (
                Text("{name}", name=line.name),
                Text("{quantity}", quantity=line.quantity),
                Text("{price}", price=line.price),
                Text("{total}", total=line.total),
            )
            for line in receipt.lines
        ),
        total=(Text("Total paid"), Text("{amount}", amount=receipt.amount)),
        at=receipt.paid_at,
    )
    return Document(name=Text("Receipt {number} {shop}", number=receipt.number), content=sheet)


def caption(receipt: Receipt) -> Text:
    return Text(
        "Receipt {number}: {amount} to {shop}, {at}",
        number=receipt.number,
        amount=receipt.amount,
        at=receipt.paid_at,
    )
