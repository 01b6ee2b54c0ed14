"""Refused reviews: what one of the staff reads who says what became of money that nobody tells the end of."""

from flows.text import Text
from services.errors import Refusal
from services.errors import review as review_errors


def review_worded(refusal: Refusal) -> Text | None:
    """None for a refusal that is about something else."""
    match refusal:
        case review_errors.NotUndecided(status="succeeded"):
            return Text("It is known by now: it was paid. Nothing is left to say.")
        case review_errors.NotUndecided(status="failed"):
            return Text("It is known by now: it was not paid. Nothing is left to say.")
        case review_errors.NotUndecided(status="unasked"):
            return Text("Nobody was asked to pay that order yet, so there is nothing to say of it.")
        case review_errors.NotUndecided():
            return Text("I am still asking the provider. Please wait until I tell you that it says nothing.")
        case review_errors.SettlementWaits(by=by):
            return Text("{by} has said what became of it already. Type *review* to see that.", by=by)
        case review_errors.ReceiptUsed(receipt=receipt):
            return Text(
                "Receipt {receipt} is of another payment. Please look it up again and type the one of this.",
                receipt=receipt,
            )
        case review_errors.AmountDiffers(asked=asked, told=told):
            return Text(
                "{told} came in and {asked} was asked for, so nothing can be credited. Give it back at the "
                "provider, then say that it was not paid.",
                told=told,
                asked=asked,
            )
        case review_errors.AmountNeeded(asked=asked):
            return Text(
                "Another amount was told of it. Please say how much the provider's records have: only "
                "{asked} can be credited.",
                asked=asked,
            )
        case review_errors.InvalidReference():
            return Text("That is no receipt or reference. Please type it as the provider's records have it.")
    return None
