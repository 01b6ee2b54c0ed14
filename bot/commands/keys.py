"""Keys: those of the API made and revoked, and everything sealed anew under another secret key."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bot.commands.opening import opened, wake, work_of
from bot.parts import CannotRun
from bot.settings import Settings
from services.people import apikeys
from services.people.apikeys import Key
from services.people.identity import member
from services.safety.rotation import rotate
from services.store.scope import PLATFORM
from services.work import CLI, Work


async def rotate_keys(settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """See `services/safety/rotation.py`; `say` is told how far it has come."""
    async with opened(settings) as parts:
        done = await rotate(parts.database, parts.vault, lambda column, many: say(f"{column}: {many}"))
    return asdict(done)


async def create_key(settings: Settings, slug: str, who: str, days: int) -> dict[str, Any]:
    """Raises CannotRun where `who`, an id or a phone, is not on the active staff."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        person_id = await member(work, who)
        key = await apikeys.create(work, person_id, timedelta(days=days)) if person_id else None
        if key is None:
            raise CannotRun(f"Nobody of the active staff of {slug} has this id or phone.")
    return _told(key)


async def list_keys(settings: Settings, slug: str) -> list[dict[str, Any]]:
    """Those that are no more too."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        return [asdict(each) for each in await apikeys.listed(work)]


async def rotate_key(settings: Settings, key_named: str, overlap_hours: float, days: int) -> dict[str, Any]:
    """Raises CannotRun where no key that works has this prefix."""
    prefix = apikeys.named(key_named)
    async with opened(settings) as parts:
        async with parts.database.reading(PLATFORM) as connection:
            tenant = await apikeys.tenant_of(connection, prefix)
        if tenant is None:
            raise CannotRun(f"No key has the prefix {prefix}.")
        async with parts.database.transaction(tenant) as connection:
            work = Work(connection, parts.vault, tenant, parts.clock(), CLI)
            spans = timedelta(hours=overlap_hours), timedelta(days=days)
            key = await apikeys.rotate(work, prefix, *spans)
            if key is None:
                raise CannotRun(
                    f"The key {prefix} works no more: make one with python main.py apikey create."
                )
        wake(parts)
    return _told(key) | {"replaces": prefix, "replaced_until": key.replaced_until}


async def revoke_key(settings: Settings, key_named: str) -> dict[str, Any]:
    """Raises CannotRun where no key has this prefix; one that was revoked stays so."""
    prefix = apikeys.named(key_named)
    async with opened(settings) as parts, parts.database.transaction(PLATFORM) as connection:
        revoked_at = await apikeys.revoke(connection, parts.vault, prefix, parts.clock())
    if revoked_at is None:
        raise CannotRun(f"No key has the prefix {prefix}.")
    return {"prefix": prefix, "revoked_at": revoked_at}


def _told(key: Key) -> dict[str, Any]:
    return {
        "api_key": key.text,
        "prefix": key.prefix,
        "staff_id": key.person_id,
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at,
    }
