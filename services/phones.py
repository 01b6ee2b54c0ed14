"""Phones: E.164 with plus inside, masked wherever they are shown."""

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from services.errors import InvalidPhone

_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
# The parser would also find a number inside a sentence, or in the letters of a word.
_WRITTEN = re.compile(r"\+?[\d(][\d\s().-]{3,29}")
_SHOWN = 4
# However it is grouped: "0712 345 678", "0712-345-678".
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){4,}")


def normalize(text: str, country: str) -> str:
    """A mobile number, however it is written ("0712 345 678", "254712345678"), in E.164.

    `country` ("KE") is whose numbers come without a prefix; one with "+" may be any country's.
    Raises InvalidPhone.
    """
    # Numbers pasted from a contact card come wrapped in invisible marks of direction.
    visible = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()
    try:
        if not _WRITTEN.fullmatch(visible):
            raise InvalidPhone(masked(visible), unlike=True)
        number = phonenumbers.parse(visible, country)
    except phonenumbers.NumberParseException:
        raise InvalidPhone(masked(visible)) from None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        raise InvalidPhone(masked(visible))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def is_country(code: str) -> bool:
    """Whether there are numbers of this one ("KE")."""
    return code in phonenumbers.SUPPORTED_REGIONS


def mpesa_number(text: str) -> str:
    """A Kenyan mobile number in E.164: M-Pesa's rails end at the border. Raises InvalidPhone."""
    number = normalize(text, "KE")
    if not number.startswith("+254"):
        raise InvalidPhone(masked(number))
    return number


def country_of(number: str) -> str:
    """Of a number in E.164: "KE"; empty where it is no country's."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


def masked(value: str) -> str:
    """All but the last four characters as stars; a phone's plus is none of them: "********5678"."""
    bare = value.removeprefix("+")
    return "*" * max(len(bare) - _SHOWN, 0) + bare[-_SHOWN:]


def without_numbers(text: str) -> str:
    """What a person typed, with every number of five digits or more masked: it may be a phone, an
    account or an identity card."""
    return _LONG_NUMBER.sub(lambda found: masked(re.sub(r"\D", "", found[0])), text)
