"""Struck out: card numbers and codes, before anything that people wrote is stored.

A card number is 13 to 19 digits of a known issuer range with a right check digit, however it is
spaced; its last four digits stay. A code is what stands behind its name: "cvv 123", "my pin is 1234".
"""

import re
import unicodedata

_RUN = re.compile(r"\d(?:[\s.\-\u2010-\u2015_/]{0,3}\d){12,18}(?!\d)")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(
    r"\b(cvv2?|cvc2?|cvn|security code|pin|otp|one[- ]time (?:code|password)|passcode|password|siri"
    r"|namba(?:ri)? ya siri|nywila)\b((?:\s*(?:is|ni|yangu ni|number|code|no\.?))?\s*[:=#-]?\s*)(\d{3,8})\b",
    re.IGNORECASE,
)
_STRUCK_CARD = re.compile(r"\[card \*{4}\d{4}\]")
# Issuer ranges: Visa, Mastercard (2- and 5-series, Maestro), American Express, Discover, Diners, JCB,
# UnionPay, Verve.
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[04-9]|6|9792")


def strike_out(text: str) -> str:
    """The text without card numbers and codes; unchanged where it holds none."""
    if _DIGIT.search(text) is None:
        return text
    return _CODE.sub(r"\1\2[code]", _RUN.sub(_card, text))


def held_card(text: str) -> bool:
    """Whether a card number was struck out of this text."""
    return _STRUCK_CARD.search(text) is not None


def _card(match: re.Match[str]) -> str:
    digits = "".join(str(unicodedata.digit(character)) for character in match[0] if character.isdigit())
    if _ISSUER.match(digits) and _luhn(digits):
        return f"[card ****{digits[-4:]}]"
    return match[0]


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)  # noqa: PLR2004  the sum of two digits
    return total % 10 == 0
