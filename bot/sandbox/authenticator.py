"""Authenticator: the app on the phones of the staff that shows their one-time codes.

The sandbox is its own operator here: whoever looks for the first time is given codes. What the app was given
is kept beside the database, as a phone keeps it.
"""

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from bot.commands.opening import wake, work_of
from bot.parts import Parts
from bot.sandbox.world import CannotError, Json, Phone
from services.people.identity import member
from services.people.people import active_staff
from services.safety import stepup

_STEP, _DIGITS = 30, 6


class Authenticator:
    def __init__(self, parts: Parts, slug: str, path: Path) -> None:
        self._parts, self._slug, self._path = parts, slug, path

    async def code(self, phone: Phone) -> Json:
        """{"code", "seconds": how long it is shown}. Raises CannotError for who is not on the staff."""
        given = json.loads(self._path.read_text()) if self._path.exists() else {}
        if phone.key not in given:
            given[phone.key] = await self._enrol(phone)
            self._path.touch(mode=0o600)
            self._path.write_text(json.dumps(given))
        at = int(self._parts.clock().timestamp())
        secret = parse_qs(urlsplit(given[phone.key]).query)["secret"][0]
        return {"code": _code(secret, at), "seconds": _STEP - at % _STEP}

    async def _enrol(self, phone: Phone) -> str:
        """The otpauth address."""
        async with work_of(self._parts, self._slug) as work:
            person = await member(work, phone.number) if phone.number else None
            if person is None or person not in await active_staff(work):
                raise CannotError(f"{phone.name} is not on the staff, and needs no codes")
            address = await stepup.enrol(work, person)
        wake(self._parts)
        return address


def _code(secret: str, at: int) -> str:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return TOTP(key, _DIGITS, SHA1(), _STEP).generate(at).decode()  # noqa: S303  what these apps take
