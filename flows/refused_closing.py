"""Refusals about statements and breaks, as a person reads them."""

from flows.text import Text
from services.errors import Refusal
from services.errors import reconciliation as errors


def closing_worded(refusal: Refusal) -> Text | None:
    """None for another refusal."""
    match refusal:
        case errors.StillLate(until=until):
            return Text(
                "This is less than a day old and may still explain itself. You can close it from {until}.",
                until=until,
            )
        case errors.NotOpen():
            return Text("This has been explained or closed meanwhile. Tap *Cancel*, or type *reconcile*.")
        case errors.OwnBreak(others=()):
            return Text(
                "You have asked for or approved what this is about, so you can't close it, and nobody else "
                "at {shop} may. Ask the operator to close it, and tell them why. Tap *Cancel* to go back."
            )
        case errors.OwnBreak(others=others):
            return Text(
                "You have asked for or approved what this is about, so somebody else has to close it: "
                "{names}. Tap *Cancel* to go back.",
                names=", ".join(others),
            )
        case errors.InvalidStatement(faults=faults):
            return Text("Nothing of that file was read: {faults}", faults=tuple(faults))
        case errors.NoStatements():
            return Text("Files of this provider cannot be read here.")
        case _:
            return None
