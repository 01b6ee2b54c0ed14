"""Phones: E.164 with plus inside, masked wherever they are shown."""

import phonenumbers

from services.errors import InvalidPhone

_MOBILE = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
_SHOWN = 4


def mpesa_number(text: str) -> str:
    """A Kenyan mobile number, however it is written ("0712 345 678"), in E.164.

    Raises InvalidPhone for anything else: M-Pesa's rails end at the border.
    """
    try:
        number = phonenumbers.parse(text, "KE")
    except phonenumbers.NumberParseException:
        raise InvalidPhone(masked(text)) from None
    mobile = phonenumbers.number_type(number) in _MOBILE
    if number.country_code != 254 or not mobile:  # noqa: PLR2004  Kenya
        raise InvalidPhone(masked(text))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(value: str) -> str:
    """All but the last four characters as stars; of a phone the digits count: "********5678"."""
    bare = value.removeprefix("+")
    return "*" * max(len(bare) - _SHOWN, 0) + bare[-_SHOWN:]
