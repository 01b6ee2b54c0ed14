"""Words of a statement: what its lines and its paper are called, in chat and on paper alike."""

from flows.refusals import provider_name
from flows.text import Text

KINDS = {
    "sale": Text("Sale"),
    "sale_fee": Text("Fee of a sale"),
    "withdrawal": Text("Withdrawal"),
    "withdrawal_fee": Text("Fee of a withdrawal"),
    "withdrawal_returned": Text("Withdrawal given back"),
    "withdrawal_paid_late": Text("Withdrawal paid after all"),
    "withdrawal_fee_returned": Text("Fee of it given back"),
    "refund": Text("Refund"),
    "refund_returned": Text("Refund given back"),
    "reversal": Text("Reversal"),
    "accepted": Text("Second payment kept"),
    "netted": Text("Set off against what is owed"),
}
_RAILS = {"bank_transfer": Text("Bank"), "till": Text("Till")}

TITLE = Text("Statement")
PERIOD = Text("Period")
OPENING = Text("Opening balance")
CLOSING = Text("Closing balance")
HELD = Text("Held for withdrawals and refunds")
OWED = Text("Owed")
CURRENCY = Text("Currency")
CLOCKS = Text("Times")
COLUMNS = (Text("Time"), Text("What"), Text("Receipt"), Text("In"), Text("Out"), Text("Balance"))


def kind_name(kind: str) -> Text:
    """For people; the ledger's own word where we have none."""
    return KINDS.get(kind, Text("{kind}", kind=kind.replace("_", " ")))


def carrier(provider: str) -> Text:
    """Of a payment, or of a withdrawal."""
    return _RAILS.get(provider, provider_name(provider))


def page_of(page: str, pages: str) -> Text:
    return Text("Page {page} of {pages}", page=page, pages=pages)
