"""Clean: words of a person as they can be written, shown and sent again."""

import re
from typing import Any

from bot.whatsapp.struck import strike_out
from services.readable import is_blank

_MOST_OF_A_NAME = 60  # WhatsApp itself takes 25
# Half a character, controls but tab and line ends, and what turns the direction of the words around it:
# databases refuse the first two, and the last would let a typed reason rearrange the amounts beside it.
_UNFIT = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """With a sign in place of each that is unfit."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def name_of(profile: Any) -> str | None:
    """How somebody calls themselves: on one line, so that none writes lines of ours into what the staff read.
    None where nothing of it can be read."""
    name = profile.get("name") if isinstance(profile, dict) else None
    if not isinstance(name, str):
        return None
    shown = clean(" ".join(strike_out(name).split()))[:_MOST_OF_A_NAME]
    return None if is_blank(shown) else shown
