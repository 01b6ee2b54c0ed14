"""Refused approvals: what an approver reads of one-time codes, of what is too new, and of their own money."""

from flows.text import Text
from services import errors
from services.errors import Refusal
from services.errors import approval as approval_errors
from services.errors.refunds import OwnPurchase


def approval_worded(refusal: Refusal) -> Text | None:
    """None for a refusal that is about something else."""
    match refusal:
        case errors.StepUpRequired(enrolled=False):
            return Text(
                "Approving this takes a one-time code, and you have none yet. Ask the operator to set up an "
                "authenticator app for you."
            )
        case errors.StepUpRequired():
            return Text("Approving this takes the code that your authenticator app shows.")
        case approval_errors.TotpInvalid(void=True):
            return Text(
                "Too many wrong codes were typed for this, so it is cancelled. The owners of {shop} have "
                "been told."
            )
        case approval_errors.TotpInvalid(locked_until=until) if until:
            return Text("Too many codes were wrong. I take codes from you again from {until}.", until=until)
        case approval_errors.TotpInvalid(used=True):
            return Text("That code has been used. Wait for the next one in your app, and type it.")
        case approval_errors.TotpInvalid():
            return Text("That is not the code of this moment. Type the 6 digits that your app shows now.")
        case approval_errors.ApproverCoolingDown(until=until):
            return Text(
                "You can approve again from {until}, since your WhatsApp or your codes are new. "
                "Another approver can decide before then.",
                until=until,
            )
        case OwnPurchase():
            return Text("This is what you have paid yourself, so another person has to approve it.")
        case approval_errors.NotLendable():
            return Text("The right to approve cannot be lent so: for 14 days at most, to who has none.")
        case _:
            return None
