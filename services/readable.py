"""Readable: whether anything of what a person typed can be read."""

import unicodedata

from services.errors import BlankReason

_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Zl", "Zp", "Zs"))
# Letters and a symbol that show nothing, and what stands for a sign that could not be kept.
_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffd")


def is_blank(text: str) -> bool:
    """No sign of it shows."""
    return all(sign in _EMPTY or unicodedata.category(sign) in _UNSEEN for sign in text)


def refuse_blank(reason: str) -> None:
    """Of a reason that somebody else will read. Raises BlankReason."""
    if is_blank(reason):
        raise BlankReason
