"""Traces: how a person may be named in texts: by a number, however it is grouped, by the id that WhatsApp has
for them, by their name. An id of a message (`wamid`) has the number of its recipient inside, in base64."""

import base64
import binascii
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import phonenumbers

_SHORTEST_NAME = 3
_STARS = "********"
_WAMID = re.compile(r"wamid\.([A-Za-z0-9+/_-]+=*)")


@dataclass(frozen=True)
class Traces:
    """Of one person. Phones are in E.164."""

    phones: Collection[str]
    user_ids: Collection[str]
    names: Collection[str]

    @cached_property
    def _numbers(self) -> re.Pattern[str] | None:
        """With or without the country's code, and with spaces, dots or dashes between."""
        written = []
        for phone in self.phones:
            number = phonenumbers.parse(phone)
            national = phonenumbers.national_significant_number(number)
            digits = r"[\s.()-]*".join(national)
            written.append(rf"(?<!\d)(?:(?:\+?{number.country_code}|0)[\s.()-]*)?{digits}(?!\d)")
        written += [re.escape(user_id) for user_id in self.user_ids]
        return re.compile("|".join(written)) if written else None

    @cached_property
    def _called(self) -> re.Pattern[str] | None:
        names = [name for name in self.names if len(name) >= _SHORTEST_NAME]
        escaped = {each for name in names for each in (name, json.dumps(name)[1:-1])}
        words = (rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(escaped))
        return re.compile("|".join(words)) if escaped else None

    def number_in(self, text: str) -> bool:
        """Their number or id, plainly or within the id of a message."""
        if self._numbers is None:
            return False
        return bool(self._numbers.search(text)) or any(
            self._numbers.search(_opened(found)) for found in _WAMID.findall(text.replace("\\/", "/"))
        )

    def named_in(self, text: str) -> bool:
        """The same, or their name."""
        return self.number_in(text) or bool(self._called and self._called.search(text))

    def masked(self, text: str, *, name: bool = False) -> str:
        """Without their number and id, and without their name where that is asked."""
        if self._numbers is not None:
            text = _WAMID.sub(lambda found: _STARS if self.number_in(found[0]) else found[0], text)
            text = self._numbers.sub(_STARS, text)
        return self._called.sub(_STARS, text) if name and self._called else text


def _opened(encoded: str) -> str:
    body = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
