"""Reason: why somebody rejects a withdrawal, which its maker reads."""

import unicodedata

from services.errors import BlankReason

_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Zl", "Zp", "Zs"))
# Letters and a symbol that show nothing, and what stands for a sign that could not be kept.
_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffd")


def refuse_blank(reason: str) -> None:
    """Raises BlankReason where no sign of it can be read."""
    if all(sign in _EMPTY or unicodedata.category(sign) in _UNSEEN for sign in reason):
        raise BlankReason
