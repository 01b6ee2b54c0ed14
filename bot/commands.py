"""Commands: what operators do from the command line. Each gives back data for JSON."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from bot import events
from bot.parts import CannotRun, Parts, parts_of, refuse_old_schema
from bot.sending import prices
from bot.settings import Settings
from services import audit, books
from services.books import watch
from services.errors import NotFound
from services.fees import RAILS
from services.ids import new_id
from services.people import apikeys, tenant_file
from services.people.apply import CurrencyInUse, NumberTaken, apply, id_of
from services.people.changes import verify
from services.people.file_lines import Lines, TenantFileError, decoded
from services.people.identity import member
from services.people.people import active_staff
from services.people.show import shown
from services.people.staffing import OnePersonEach
from services.safety import stepup
from services.store.scope import PLATFORM
from services.withdrawals import stop
from services.withdrawals.freeze import stop_way, unfreeze, unfreeze_ways
from services.work import CLI, Work


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """Raises CannotRun where the schema is older."""
    await refuse_old_schema(settings)
    parts = parts_of(settings)
    try:
        yield parts
    finally:
        await parts.bell.close()
        await parts.database.close()


async def apply_file(settings: Settings, path: Path) -> dict[str, Any]:
    """Raises TenantFileError and CannotRun; nothing is changed then."""
    text = _text(path)
    file = tenant_file.read(text, str(path))
    async with opened(settings) as parts:
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await id_of(connection, file.tenant.slug) or new_id()
        async with parts.database.transaction(tenant_id) as connection:
            try:
                applied = await apply(Work(connection, parts.vault, tenant_id, parts.clock(), CLI), file)
            except NumberTaken as taken:
                raise CannotRun(f"{path}: {taken}. Nothing was changed.") from None
            except CurrencyInUse as error:
                wrong = Lines(text).wrong(("tenant", "currency"), str(error))
                raise TenantFileError(str(path), [wrong]) from None
            except OnePersonEach as error:
                wrong = Lines(text).wrong(("staff", error.entry), str(error))
                raise TenantFileError(str(path), [wrong]) from None
        _wake(parts)
    return asdict(applied)


@contextlib.asynccontextmanager
async def work_of(parts: Parts, slug: str) -> AsyncIterator[Work]:
    """A transaction of the tenant that is called so. Raises CannotRun."""
    async with parts.database.reading(PLATFORM) as connection:
        tenant_id = await known_tenant(connection, slug)
    async with parts.database.transaction(tenant_id) as connection:
        yield Work(connection, parts.vault, tenant_id, parts.clock(), CLI)


def _text(path: Path) -> str:
    return decoded(path.read_bytes(), str(path))


def _wake(parts: Parts) -> None:
    """The workers: news wait to be told, and payouts that go on to be sent."""
    parts.bell.ring("turns")
    parts.bell.ring("jobs")


async def show_tenant(settings: Settings, slug: str) -> dict[str, Any]:
    """Raises CannotRun where no tenant is called so."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        return await shown(work)


async def freeze_tenant(settings: Settings, slug: str, rail: str | None = None) -> dict[str, Any]:
    """No payout leaves any more, or none by this way out; the staff are told. Where one of the
    staff has stopped them it is the operator's stop from now on; where the operator had, nothing changes.
    Raises CannotRun where no way out is called so."""
    _refuse_unknown(rail)
    async with opened(settings) as parts:
        async with work_of(parts, slug) as work:
            if rail is None:
                await stop.stop(work, None)
            else:
                await stop_way(work, rail)
        _wake(parts)
    return {"slug": slug, "payouts_frozen": True} | ({"rail": rail} if rail else {})


async def unfreeze_tenant(settings: Settings, slug: str, rail: str | None = None) -> dict[str, Any]:
    """Payouts go on, whoever or whatever stopped them, those that waited at once; where they were not stopped
    nothing changes. With a way out: that one alone, and what is stopped as a whole stays so. Raises CannotRun
    where no way out is called so, and while the books are wrong."""
    _refuse_unknown(rail)
    async with opened(settings) as parts:
        if rail is not None:
            async with work_of(parts, slug) as work:
                await unfreeze_ways(work, audit.OPERATOR, [rail])
            _wake(parts)
            return {"slug": slug, "payouts_frozen": False, "rail": rail}
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await known_tenant(connection, slug)
        await _refuse_wrong_books(parts, slug, tenant_id)
        async with parts.database.transaction(tenant_id) as connection:
            work = Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
            await watch.accept(work)
            await unfreeze(work, audit.OPERATOR)
            await stop.start_again(work, audit.OPERATOR)
        _wake(parts)
    return {"slug": slug, "payouts_frozen": False}


def _refuse_unknown(rail: str | None) -> None:
    if rail is not None and rail not in RAILS:
        raise CannotRun(f"No way out is called {rail}: there are {', '.join(RAILS)}.")


async def _refuse_wrong_books(parts: Parts, slug: str, tenant_id: UUID) -> None:
    async with parts.database.still() as connection:
        wrong = await books.check(connection, tenant_id)
    if wrong:
        first = wrong[0]
        raise CannotRun(
            f"The books of {slug} are not right: {first.rule} (row {first.row}: expected {first.expected}, "
            f"found {first.found}). Repair them first; python main.py ledger check names every row."
        )


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
        _wake(parts)
    return {"staff_id": str(person), "suspended": False, "changed": changed}


async def enrol_staff(settings: Settings, slug: str, who: str) -> dict[str, Any]:
    """New one-time codes. Raises CannotRun where `who`, an id or a phone, is not on the active staff."""
    async with opened(settings) as parts:
        async with work_of(parts, slug) as work:
            person = await member(work, who)
            if person is None or person not in await active_staff(work):
                raise CannotRun(f"Nobody of the active staff of {slug} has this id or phone.")
            address = await stepup.enrol(work, person)
        _wake(parts)
    return {"otpauth_uri": address}


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


async def known_tenant(connection: Any, slug: str) -> UUID:
    tenant_id = await id_of(connection, slug)
    if tenant_id is None:
        raise CannotRun(f"No tenant is called {slug}.")
    return tenant_id


async def check_ledger(settings: Settings) -> list[dict[str, Any]]:
    """Every breach; none where the books are right."""
    async with opened(settings) as parts, parts.database.still() as connection:
        return [asdict(breach) for breach in await books.check(connection)]


async def count_messages(settings: Settings, slug: str, month: str | None) -> dict[str, Any]:
    """See `bot/sending/prices.py`. Raises CannotRun."""
    async with opened(settings) as parts, parts.database.reading(PLATFORM) as connection:
        await known_tenant(connection, slug)
        return await prices.counted(connection, slug, month, parts.clock())


async def list_events(settings: Settings, state: str, limit: int) -> list[dict[str, Any]]:
    """See `bot/events.py`."""
    async with opened(settings) as parts:
        return await events.listed(parts, state, limit)


async def show_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where there is none."""
    async with opened(settings) as parts:
        return await events.shown(parts, seq)


async def replay_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where it cannot be played again."""
    async with opened(settings) as parts:
        return await events.replayed(parts, seq)
