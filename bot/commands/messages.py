"""Messages: how many were sent, as WhatsApp charges them."""

from typing import Any

from bot.commands.opening import known_tenant, opened
from bot.sending import prices
from bot.settings import Settings
from services.store.scope import PLATFORM


async def count_messages(settings: Settings, slug: str, month: str | None) -> dict[str, Any]:
    """See `bot/sending/prices.py`. Raises CannotRun."""
    async with opened(settings) as parts, parts.database.reading(PLATFORM) as connection:
        await known_tenant(connection, slug)
        return await prices.counted(connection, slug, month, parts.clock())
