"""JSON from and to the outside: quick where it is as usual, exact where it is not.

orjson is several times faster than the standard library, and a third of a message's time was JSON; but it
rounds whole numbers beyond 64 bits, and knows neither lone surrogates nor a byte order mark.
"""

import json
import math
from typing import Any

import orjson

_MOST_DIGITS = 4000  # of a number; Python takes no longer ones
_ROUNDED_FROM = 2.0**63


def loads(body: bytes) -> Any:
    """Raises ValueError for what is no JSON; NaN and Infinity are none. See `is_rounded`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return exactly(body)


def is_rounded(value: Any) -> bool:
    """Whether this is a number of `loads` that may have had more digits; `exactly` keeps them all."""
    return type(value) is float and abs(value) >= _ROUNDED_FROM


def exactly(body: bytes) -> Any:
    """The same with all digits, by the standard library. Raises ValueError."""
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Any) -> bytes:
    """The same bytes for the same value: sorted keys, no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, or a whole number beyond 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


class _Fraction(float):
    """One that had a point or an exponent, and so was not rounded."""


def _fraction(digits: str) -> float | str:
    """One that is too large for a float stays text, since Infinity is no JSON."""
    number = _Fraction(digits)
    return number if math.isfinite(number) else digits


def _no_constant(word: str) -> None:
    raise ValueError(word)


# Stricter than json.loads, which takes NaN and guesses at encodings.
_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_constant)
