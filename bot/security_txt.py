"""security.txt: whom to write to about a weakness, where an operator has said so.

https://www.rfc-editor.org/rfc/rfc9116
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from aiohttp import web

PATH = "/.well-known/security.txt"
_HOLDS = timedelta(days=90)


class SecurityTxt:
    def __init__(self, contacts: Sequence[str], public_url: str, clock: Callable[[], datetime]) -> None:
        self._contacts, self._public_url, self._clock = contacts, public_url, clock

    async def shown(self, _request: web.Request) -> web.Response:
        """404 where there is nobody to write to."""
        if not self._contacts:
            raise web.HTTPNotFound
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        lines = [f"Contact: {contact}" for contact in self._contacts]
        lines.append(f"Expires: {(today + _HOLDS).strftime('%Y-%m-%dT%H:%M:%SZ')}")
        if self._public_url.startswith("https://"):
            lines.append(f"Canonical: {self._public_url}{PATH}")
        return web.Response(text="\r\n".join([*lines, ""]))
