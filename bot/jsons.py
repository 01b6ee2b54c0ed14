"""JSON from and to the outside: quick where it is as usual, exact where it is not.

orjson is several times faster than the standard library, and a third of a message's time was JSON; but it
rounds whole numbers beyond 64 bits, and knows neither lone surrogates nor a byte order mark.
"""

import json
import math
import re
from typing import Any

import orjson

_MOST_DIGITS = 4000  # of a number; Python takes no longer ones
# By what stands before it, since a pattern that begins with one sign is searched for at once.
_AFTER_COLON, _AFTER_COMMA, _AFTER_BRACKET = (
    re.compile(before + rb"\s*-?\d{19}") for before in (b":", b",", rb"\[")
)


def loads(body: bytes) -> Any:
    """Raises ValueError for what is no JSON; NaN and Infinity are none."""
    if (
        body[:1] not in b"{["
        or _AFTER_COLON.search(body)
        or _AFTER_COMMA.search(body)
        or _AFTER_BRACKET.search(body)
    ):
        return _exactly(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _exactly(body)


def dumps(value: Any) -> bytes:
    """The same bytes for the same value: sorted keys, no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, or a whole number beyond 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _exactly(body: bytes) -> Any:
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _fraction(digits: str) -> float | str:
    """One that is too large for a float stays text, since Infinity is no JSON."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def _no_constant(word: str) -> None:
    raise ValueError(word)


# Stricter than json.loads, which takes NaN and guesses at encodings.
_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_constant)
