"""Ids: the names that the emulators give, the same in each run with the same seed."""

import base64
import hashlib
from collections import Counter
from uuid import UUID


class Ids:
    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._given: Counter[str] = Counter()

    def wamid(self) -> str:
        return "wamid." + base64.b64encode(b"\x1d\x05\x0b" + self._next("wamid")[:27]).decode()

    def media(self) -> str:
        return str(int.from_bytes(self._next("media")[:6]) + 10**15)

    def trace(self) -> str:
        return "A" + base64.urlsafe_b64encode(self._next("trace")[:17]).decode().rstrip("=")

    def token(self) -> str:
        return base64.b32encode(self._next("token")).decode().rstrip("=")[:28]

    def request(self) -> str:
        digest = self._next("request").hex()
        return f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}-{digest[12:24]}{self._given['request']}"

    def conversation(self, day: str) -> str:
        """`day` is YYYYMMDD."""
        return f"AG_{day}_{self._next('conversation').hex()[:20]}"

    def receipt(self) -> str:
        return "S" + base64.b32encode(self._next("receipt")).decode()[:9]

    def uuid(self) -> str:
        return str(UUID(bytes=self._next("uuid")[:16], version=4))

    def checkout(self, stamp: str, phone: str) -> str:
        """`stamp` is ddmmyyyyHHMMSS; the last nine digits of the phone close it, as in the real one."""
        self._given["checkout"] += 1
        return f"ws_CO_{stamp}{self._given['checkout'] % 1000:03d}{phone[-9:]}"

    def _next(self, kind: str) -> bytes:
        self._given[kind] += 1
        return hashlib.sha256(f"{self._seed}:{kind}:{self._given[kind]}".encode()).digest()
