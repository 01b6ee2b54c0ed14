"""Rotating: the secret keys changed from the command line."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bot.commands import opened
from bot.settings import Settings
from services.safety.rotation import rotate


async def rotate_keys(settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """See `services/safety/rotation.py`; `say` is told how far it has come."""
    async with opened(settings) as parts:
        done = await rotate(parts.database, parts.vault, lambda column, many: say(f"{column}: {many}"))
    return asdict(done)
