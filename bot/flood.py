"""Flood: who writes faster than any person. What they write is stored as ever and marked; a turn then hears
of it only what matters, and says once that they should wait."""

import hashlib

from bot.rate import Limit, Rate
from bot.senders import Sender

BEGINS = "written too fast: told to wait, and not heard"
GOES_ON = "written too fast: not heard"

_TOLD_SECONDS = 600  # how often they are told
_ALONE = 8  # of a limit, the share that a process does not ask Redis about


class Flood:
    """`most` messages of one person in a minute; 0: as many as they like."""

    def __init__(self, rate: Rate, most: int, key: bytes) -> None:
        self._rate, self._most, self._key = rate, most, key

    async def mark(self, sender: Sender) -> str | None:
        """Of one more message; None where it is to be heard."""
        if not self._most:
            return None
        name = self._name(sender)
        if await self._rate.over(Limit(f"sender:{name}", self._most, alone=self._most // _ALONE)) is None:
            return None
        told = await self._rate.over(Limit(f"flood:{name}", 1, _TOLD_SECONDS))
        return BEGINS if told is None else GOES_ON

    def _name(self, sender: Sender) -> str:
        """Nobody's number goes to Redis."""
        tenant, phone, user_id, _ = sender
        named = f"{tenant}|{user_id or phone}".encode()
        return hashlib.blake2b(named, key=self._key, digest_size=16).hexdigest()
