"""Readable: what of a text that a person typed can be read."""

import re
import unicodedata

from services.errors import BlankReason

_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Zl", "Zp", "Zs"))
# Letters and a symbol that show nothing, and what stands for a sign that could not be kept.
_VOID = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_EMPTY = _VOID | {"\ufffd"}
_BETWEEN = frozenset(("Cc", "Zl", "Zp", "Zs"))
# Of the signs of format only these are words: they join an emoji's parts, and letters of Persian and Hindi.
_JOINERS = "\u200c\u200d"
_JOINING_NOTHING = re.compile(rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)|([{_JOINERS}])[{_JOINERS}]+")


def is_blank(text: str) -> bool:
    """No sign of it shows."""
    return all(sign in _EMPTY or unicodedata.category(sign) in _UNSEEN for sign in text)


def one_line(text: str) -> str:
    """Without line ends, signs that show nothing and signs that turn the direction of those around them: so
    that no words of a person pass for a line of ours, or rearrange one."""
    if not (text.isascii() and text.isprintable()):
        text = _JOINING_NOTHING.sub(r"\1", "".join(map(_shown, text)))
    return " ".join(text.split())


def _shown(sign: str) -> str:
    kind = unicodedata.category(sign)
    if sign in _VOID or kind in _BETWEEN:
        return " "
    return "" if kind == "Cf" and sign not in _JOINERS else sign


def refuse_blank(reason: str) -> None:
    """Of a reason that somebody else will read. Raises BlankReason."""
    if is_blank(reason):
        raise BlankReason
