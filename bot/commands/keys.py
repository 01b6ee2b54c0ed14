"""Keys: those of the API made and revoked, and everything sealed anew under another secret key."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bot.commands.opening import opened, work_of
from bot.parts import CannotRun
from bot.settings import Settings
from services.people import apikeys
from services.people.identity import member
from services.safety.rotation import rotate
from services.store.scope import PLATFORM


async def rotate_keys(settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """See `services/safety/rotation.py`; `say` is told how far it has come."""
    async with opened(settings) as parts:
        done = await rotate(parts.database, parts.vault, lambda column, many: say(f"{column}: {many}"))
    return asdict(done)


async def create_key(settings: Settings, slug: str, who: str) -> dict[str, Any]:
    """Raises CannotRun where `who`, an id or a phone, is not on the active staff."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        person_id = await member(work, who)
        key = await apikeys.create(work, person_id) if person_id else None
        if key is None:
            raise CannotRun(f"Nobody of the active staff of {slug} has this id or phone.")
    return {
        "api_key": key.text,
        "prefix": key.prefix,
        "staff_id": person_id,
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at,
    }


async def revoke_key(settings: Settings, prefix: str) -> dict[str, Any]:
    """Raises CannotRun where no key has this prefix; one that was revoked stays so."""
    async with opened(settings) as parts, parts.database.transaction(PLATFORM) as connection:
        revoked_at = await apikeys.revoke(connection, parts.vault, prefix, parts.clock())
    if revoked_at is None:
        raise CannotRun(f"No key has the prefix {prefix}.")
    return {"prefix": prefix, "revoked_at": revoked_at}
