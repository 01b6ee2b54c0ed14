"""Bodies: what providers send, read without trusting the type of anything in it.

Numbers are read as decimals, so that no amount passes through a float.
"""

import json
import re
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

_LONGEST_ID = 100
_LONGEST_DETAIL = 200
_YEAR, _MONTH = re.compile(r"20\d\d", re.ASCII), re.compile(r"0[1-9]|1[0-2]", re.ASCII)
_LONG_NUMBER = re.compile(r"\d{9,}", re.ASCII)


def json_object(body: bytes) -> Json | None:
    """The JSON object that the bytes are; None for anything else."""
    told = _json(body)
    return told if isinstance(told, dict) else None


def json_objects(body: bytes) -> list[Json] | None:
    """Those of a list of JSON objects; None for anything else."""
    told = _json(body)
    whole = isinstance(told, list) and all(isinstance(each, dict) for each in told)
    return told if whole else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):  # not JSON; 1e9999999999; a million brackets
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and the infinities are not JSON


def within(value: Any, *keys: str) -> Json:
    """The object under the keys; empty where anything on the way is missing or no object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def code_of(value: Any) -> str:
    """A code as text ("0", "1032", "SFC_IC0003"); empty where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value).strip()


def id_of(value: Any) -> str | None:
    """An id or receipt as text; None where it is missing, or is none that can be stored and compared."""
    text = code_of(value)
    fit = 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isprintable()
    return text if fit else None


def ids_of(told: Json, *keys: str) -> frozenset[str]:
    """Those of these keys that are there."""
    return frozenset(found for key in keys if (found := id_of(told.get(key))) is not None)


def month_of(month: Any, year: Any) -> str | None:
    """A card's last month, told as 8 or "08" and 2027 or "2027": "2027-08". None where there is no such one:
    what is no card has the year 9999."""
    digits, four = code_of(month).zfill(2), code_of(year)
    return f"{four}-{digits}" if _YEAR.fullmatch(four) and _MONTH.fullmatch(digits) else None


def legible(value: Any) -> str:
    """Their words, fit for a log: short, printable, no phone number."""
    words = value if isinstance(value, str) else ""
    printable = words[:_LONGEST_DETAIL].encode("ascii", "replace").decode()
    printable = "".join(sign if sign.isprintable() else " " for sign in printable)
    return _LONG_NUMBER.sub(lambda number: "*" * len(number[0]), printable).strip()
