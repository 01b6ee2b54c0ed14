"""Staff: their rights given back, and their one-time codes."""

from typing import Any

from bot.commands.opening import opened, wake, work_of
from bot.parts import CannotRun
from bot.settings import Settings
from services.errors import NotFound
from services.people.changes import verify
from services.people.identity import member
from services.people.people import active_staff
from services.safety import stepup


async def verify_staff(settings: Settings, slug: str, who: str) -> dict[str, Any]:
    """Their rights are as before; where they did not rest nothing changes. Raises CannotRun."""
    async with opened(settings) as parts:
        async with work_of(parts, slug) as work:
            person = await member(work, who)
            try:
                changed = person is not None and await verify(work, person)
            except NotFound:
                person = None
            if person is None:
                raise CannotRun(f"Nobody on the staff of {slug} has this id or phone.")
        wake(parts)
    return {"staff_id": str(person), "suspended": False, "changed": changed}


async def enrol_staff(settings: Settings, slug: str, who: str) -> dict[str, Any]:
    """New one-time codes. Raises CannotRun where `who`, an id or a phone, is not on the active staff."""
    async with opened(settings) as parts:
        async with work_of(parts, slug) as work:
            person = await member(work, who)
            if person is None or person not in await active_staff(work):
                raise CannotRun(f"Nobody of the active staff of {slug} has this id or phone.")
            address = await stepup.enrol(work, person)
        wake(parts)
    return {"otpauth_uri": address}
