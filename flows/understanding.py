"""Understanding: which of several offered things typed words mean."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

_CLOSE = 0.78
_SHORTEST = 4  # a slip in a shorter word makes another word
_SIGNS = re.compile(r"[^\w\s.,+%$€£¥-]")  # those that stay would make another amount
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """Lower case, one space between words, without signs and emoji around them. What says that a number
    is no plain one of the shop's money ("-", "$", "%") stays."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACES.sub(" ", _SIGNS.sub(" ", folded)).strip(" .,")


def place_of(text: str) -> int | None:
    """The place of a choice that was typed as a number: 2 of "2", "2." or "(2)"."""
    bare = _SIGNS.sub("", text).strip(" .")
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= 2 else None  # noqa: PLR2004  two digits


def close(text: str, names: Mapping[str, T]) -> T | None:
    """What the nearest name stands for; None where none is near, or two as near as each other differ."""
    typed = plain(text)
    if len(typed) < _SHORTEST:
        return None
    candidates = [name for name in names if len(name) >= _SHORTEST]
    near = difflib.get_close_matches(typed, candidates, n=3, cutoff=_CLOSE)
    best = [name for name in near if _likeness(typed, name) == _likeness(typed, near[0])]
    meant = {id(names[name]): names[name] for name in best}
    return next(iter(meant.values())) if len(meant) == 1 else None


def _likeness(typed: str, name: str) -> float:
    return difflib.SequenceMatcher(None, name, typed).ratio()
