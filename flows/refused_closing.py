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
        case errors.InvalidStatement(faults=faults):
            return Text("Nothing of that file was read: {faults}", faults=tuple(faults))
        case errors.NoStatements():
            return Text("Files of this provider cannot be read here.")
        case _:
            return None
