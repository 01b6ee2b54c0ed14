"""Personal: what operators show and erase of a person from the command line. Each gives back data for
JSON."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from bot.commands.opening import known_tenant, opened
from bot.parts import CannotRun, Parts
from bot.settings import Settings
from services.people.identity import member
from services.people.people import active_staff
from services.privacy import compact, detach, erase, held, rectify, standing, sweep, yielding
from services.privacy.traces import Traces
from services.readable import is_blank
from services.store.schema import people
from services.store.scope import PLATFORM
from services.work import CLI, Work

_ROUNDS, _BETWEEN_SECONDS = 10, 2.0
_TRIES, _BREATH_SECONDS = 50, 0.1
_LONGEST_NAME = 120
_Done = TypeVar("_Done")


async def show_person(settings: Settings, slug: str, who: str) -> dict[str, Any]:
    """Everything that is held of them. `who`: an id or a phone. Raises CannotRun."""
    async with opened(settings) as parts:
        tenant, person = await _found(parts, slug, who)
        async with _work(parts, tenant) as work:
            return await held.held(work, person)


async def rename_person(settings: Settings, slug: str, who: str, name: str) -> dict[str, Any]:
    """Their name is put right; who is on the staff is named in the tenant file. Raises CannotRun."""
    said = " ".join(name.split())
    if is_blank(said) or len(said) > _LONGEST_NAME:
        raise CannotRun(f"A name has something to read in it, and at most {_LONGEST_NAME} signs.")
    async with opened(settings) as parts:
        tenant, person = await _found(parts, slug, who)
        async with _work(parts, tenant) as work:
            if person in await active_staff(work):
                raise CannotRun("They are on the staff: their name stands in the tenant file.")
            changed = await rectify.rename(work, person, said)
    return {"person_id": str(person), "changed": changed}


async def erase_person(
    settings: Settings,
    slug: str,
    who: str,
    *,
    really: bool,
    say: Callable[[str], None],
    seen: float = detach.SEEN.total_seconds(),
) -> dict[str, Any]:
    """What would be erased and what stands in the way; where it is `really` to be done, it is done. It may
    be broken off and begun again, by the person's id. Raises CannotRun."""
    async with opened(settings) as parts:
        tenant, person = await _found(parts, slug, who)
        async with _work(parts, tenant) as work:
            reasons = await standing.in_the_way(work, person)
            told: dict[str, Any] = {"person_id": str(person), "in_the_way": reasons}
            told |= {"erases": await erase.counted(work, person), "keeps": erase.KEPT}
        if not really:
            return told | {"erased": False}
        if reasons:
            raise CannotRun("\n".join(["Nothing was erased.", *reasons]))
        return await erased(parts, tenant, person, say, seen)


async def erased(
    parts: Parts, tenant: UUID, person: UUID, say: Callable[[str], None], seen: float, tries: int = _TRIES
) -> dict[str, Any]:
    """In three steps, the first and the last of which are begun again, `tries` times, where others are at
    work with the same rows. Raises CannotRun."""

    async def first(work: Work) -> tuple[Traces, list[UUID]]:
        _refuse(await standing.in_the_way(work, person), person)
        traces = await detach.traces_of(work, person)
        chats = [chat.id for chat in await detach.chats_of(work, person)]
        await detach.detach(work, person)
        return traces, chats

    async def last(work: Work) -> dict[str, int]:
        await erase.lock(work, person)
        _refuse(await standing.in_the_way(work, person), person)
        return await erase.erase(work, person, traces, elsewhere)

    traces, chats = await _giving_way(parts, tenant, tries, first)
    parts.bell.ring("turns")
    say(f"Person {person} is no longer found by their number. For {seen:.0f} seconds every process sees so.")
    await asyncio.sleep(seen)
    elsewhere = await _swept(parts, tenant, person, traces, chats)
    done = await _giving_way(parts, tenant, tries, last)
    return {
        "person_id": str(person),
        "erased": True,
        "removed_or_emptied": done,
        "elsewhere": elsewhere,
        "keeps": erase.KEPT,
        "compacted": await compact.compact(parts.database),
    }


async def _giving_way(
    parts: Parts, tenant: UUID, tries: int, do: Callable[[Work], Awaitable[_Done]]
) -> _Done:
    for _ in range(tries):
        try:
            async with _work(parts, tenant) as work:
                await yielding.give_way(work.connection)
                return await do(work)
        except DBAPIError as error:
            if not yielding.gave_way(error):
                raise
        await asyncio.sleep(_BREATH_SECONDS)
    raise CannotRun("Others are at work with what is theirs, again and again. Run this again by their id.")


async def _swept(
    parts: Parts, tenant: UUID, person: UUID, traces: Traces, chats: list[UUID]
) -> dict[str, int]:
    """Until nothing is left that waits to be played or sent."""
    total: dict[str, int] = {}
    for _ in range(_ROUNDS):
        found = await sweep.sweep(parts.database, parts.vault, tenant, traces, chats)
        for table, many in found.emptied.items():
            total[table] = total.get(table, 0) + many
        if not found.left:
            return total
        await asyncio.sleep(_BETWEEN_SECONDS)
    listed = ", ".join(f"{many} of {table}" for table, many in found.left.items())
    raise CannotRun(
        f"What tells the staff of them waits to be sent ({listed}). Nothing of the person was removed yet. "
        f"Run this again with --person {person}, once the workers are done."
    )


def _refuse(reasons: list[str], person: UUID) -> None:
    if reasons:
        again = f"Run this again with --person {person}, once that is over."
        raise CannotRun("\n".join(["Something has come in the way.", *reasons, again]))


@contextlib.asynccontextmanager
async def _work(parts: Parts, tenant: UUID) -> AsyncIterator[Work]:
    async with parts.database.transaction(tenant) as connection:
        yield Work(connection, parts.vault, tenant, parts.clock(), CLI)


async def _found(parts: Parts, slug: str, who: str) -> tuple[UUID, UUID]:
    async with parts.database.reading(PLATFORM) as connection:
        tenant = await known_tenant(connection, slug)
    async with _work(parts, tenant) as work:
        person = await member(work, who)
        mine = (people.c.tenant_id == tenant, people.c.id == person)
        row = (await work.connection.execute(sa.select(people.c.erased_at).where(*mine))).first()
    if person is None or row is None:
        raise CannotRun(f"Nobody of {slug} has this id or phone.")
    if row.erased_at is not None:
        raise CannotRun(f"They were erased at {row.erased_at:%Y-%m-%d %H:%M} UTC.")
    return tenant, person
