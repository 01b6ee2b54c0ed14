"""Ledger: the books proved."""

from dataclasses import asdict
from typing import Any

from bot.commands.opening import opened
from bot.settings import Settings
from services import books


async def check_ledger(settings: Settings) -> list[dict[str, Any]]:
    """Every breach; none where the books are right."""
    async with opened(settings) as parts, parts.database.long_snapshot() as connection:
        return [asdict(breach) for breach in await books.check(connection)]
