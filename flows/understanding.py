"""Understanding: which of several offered things typed words mean."""

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

_SHORTEST = 4  # a slip in a shorter word makes another word
_LONG = 7  # letters, from which on two slips are forgiven
_FIGURE = re.compile(r"\d")
_SIGNS = re.compile(r"[^\w\s.,+%$€£¥-]")  # those that stay would make another amount
_ACCENTS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")  # on letters only: on a figure they make another one
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """Lower case, one space between words, without accents, signs and emoji. What says that a number
    is no plain one of the shop's money ("-", "$", "%") stays."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKC", _ACCENTS.sub("", spread))
    return _SPACES.sub(" ", _SIGNS.sub(" ", folded)).strip(" .,")


def place_of(text: str) -> int | None:
    """The place of a choice that was typed as a number: 2 of "2", "2." or "(2)"."""
    bare = _SIGNS.sub("", text).strip(" .")
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= 2 else None  # noqa: PLR2004  two digits


def close(text: str, names: Mapping[str, T]) -> T | None:
    """What the nearest name stands for: one slip of the finger away, or two in a long name. None where
    none is near, or two as near as each other differ; a slip in a figure makes another figure."""
    typed = plain(text)
    if len(typed) < _SHORTEST or _FIGURE.search(typed):
        return None
    near = {name: missed for name in names if (missed := _slips_if_near(typed, name)) is not None}
    best = min(near.values(), default=None)
    meant = {id(names[name]): names[name] for name, missed in near.items() if missed == best}
    return next(iter(meant.values())) if len(meant) == 1 else None


def _slips_if_near(typed: str, name: str) -> int | None:
    if len(name) < _SHORTEST or _FIGURE.search(name):
        return None
    forgiven = 2 if len(name) >= _LONG else 1
    if abs(len(typed) - len(name)) > forgiven:
        return None
    missed = slips(typed, name)
    return missed if missed <= forgiven else None


def slips(typed: str, name: str) -> int:
    """How many letters are missing, too many, wrong, or changed places with the next one: the optimal
    string alignment distance, row by row."""
    before, row = [0] * (len(name) + 1), list(range(len(name) + 1))
    for i, letter in enumerate(typed, start=1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(name, start=1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, typed[i - 2]) == (name[j - 2], wanted):
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]
