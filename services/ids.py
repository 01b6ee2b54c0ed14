"""Ids: version 7 UUIDs, so that they sort by time and can be minted before anything is stored."""

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """RFC 9562 version 7: 48 bits of milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (2**48 - 1)) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
