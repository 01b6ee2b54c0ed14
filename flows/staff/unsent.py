"""Unsent: why a withdrawal was not paid out, in human words, with the next step."""

from flows.text import Text
from services.news import Unsent

_BECAUSE = {
    Unsent.RECEIVER: Text(
        "the number cannot receive the money: it is wrong, not registered or closed, or its M-Pesa account "
        "has reached its balance limit. Try another number."
    ),
    Unsent.LIMIT: Text("it is over one of M-Pesa's limits. Try a smaller amount, or try again tomorrow."),
    Unsent.PROVIDER: Text("M-Pesa did not take it. Please try again later."),
    Unsent.TOO_LATE: Text("it could not be sent in time after its approval. Please ask for it again."),
    Unsent.ALTERED: Text("it was no longer what had been approved. Tell the operator, and ask for it again."),
    Unsent.DESTINATION: Text(
        "the payout destination of {shop} was changed while it waited. Please ask for it again."
    ),
    Unsent.GUESSED: Text(
        "too many wrong one-time codes were typed for it. Find out who typed them, and ask for it again."
    ),
    Unsent.SETTLED: Text("two people have found in the provider's own records that it was not paid."),
    Unsent.DENIED: Text("the provider says that it was not paid, though two people had found that it was."),
    Unsent.RETURNED: Text("the provider has given back what it had told as paid out."),
    Unsent.APPROVER: Text(
        "somebody who approved it may no longer approve withdrawals. Please ask for it again."
    ),
}
_BECAUSE_OF_A_BANK = {
    Unsent.RECEIVER: Text(
        "the bank gave the money back: the account is wrong, closed, or takes no transfers. Check its number "
        "and bank, or try another account."
    ),
    Unsent.LIMIT: Text("it is over a limit of bank transfers. Try a smaller amount, or try again tomorrow."),
    Unsent.PROVIDER: Text("the bank did not take it. Check the account, or try again later."),
}
_BECAUSE_OF_A_TILL = {
    Unsent.RECEIVER: Text(
        "the till cannot receive the money: its number is wrong, or it is closed. Check the number, or try "
        "another till."
    ),
}
_BECAUSE_OF = {"bank_transfer": _BECAUSE_OF_A_BANK, "till": _BECAUSE_OF_A_TILL}


def because(unsent: Unsent, method_type: str) -> Text:
    """The sentence fits the way that it was to go."""
    return _BECAUSE_OF.get(method_type, {}).get(unsent) or _BECAUSE[unsent]
