"""Reason: why somebody rejects a withdrawal, which its maker reads."""

from services.errors import BlankReason
from services.readable import is_blank


def refuse_blank(reason: str) -> None:
    """Raises BlankReason where no sign of it can be read."""
    if is_blank(reason):
        raise BlankReason
