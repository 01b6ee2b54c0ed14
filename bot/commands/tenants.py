"""Tenants: their files applied and shown, their payouts stopped and let go on."""

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from bot import proving
from bot.commands import restored
from bot.commands.opening import known_tenant, opened, wake, work_of
from bot.parts import CannotRun, Parts
from bot.settings import Settings
from services import audit, books
from services.books import Breach, chained, watch
from services.ids import new_id
from services.people import tenant_file
from services.people.apply import Applied, CurrencyInUse, NumberTaken, apply, id_of
from services.people.file_lines import Lines, TenantFileError, decoded
from services.people.file_parts import TenantFile
from services.people.show import shown
from services.people.staffing import OnePersonEach
from services.providers import PROVIDERS
from services.providers.base import ProviderSettings
from services.rails import RAILS
from services.store.scope import PLATFORM
from services.withdrawals import stop
from services.withdrawals.freeze import freeze_way, unfreeze, unfreeze_ways
from services.work import CLI, Work


async def apply_file(settings: Settings, path: Path, *, ask: bool = True) -> dict[str, Any]:
    """Raises TenantFileError and CannotRun; nothing is changed then. Once it is done, providers are asked
    whether their keys are good, where they are new or changed: unless `ask` is false."""
    text = _text(path)
    file = tenant_file.read(text, str(path))
    async with opened(settings) as parts:
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await id_of(connection, file.tenant.slug) or new_id()
        async with parts.database.transaction(tenant_id) as connection:
            try:
                applied = await apply(Work(connection, parts.vault, tenant_id, parts.clock(), CLI), file)
            except NumberTaken as error:
                wrong = Lines(text).wrong(("whatsapp", "phone_number_id"), str(error))
                raise TenantFileError(str(path), [wrong]) from None
            except CurrencyInUse as error:
                wrong = Lines(text).wrong(("tenant", "currency"), str(error))
                raise TenantFileError(str(path), [wrong]) from None
            except OnePersonEach as error:
                wrong = Lines(text).wrong(("staff", error.entry), str(error))
                raise TenantFileError(str(path), [wrong]) from None
        wake(parts)
        if ask:
            applied.warnings += await proving.refused(parts, _new_keys(file, applied))
    return asdict(applied)


def _new_keys(file: TenantFile, applied: Applied) -> list[tuple[str, ProviderSettings]]:
    """Of a provider that moves another money nobody asks: its own warning says that it is of no use."""
    return [
        (name, settings)
        for name, provider in PROVIDERS.items()
        if (settings := getattr(file.providers, name)) is not None
        and file.tenant.currency in provider.currencies
        and (applied.created or f"providers.{name}" in applied.changed)
    ]


def _text(path: Path) -> str:
    return decoded(path.read_bytes(), str(path))


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
                await freeze_way(work, rail)
        wake(parts)
    return {"slug": slug, "payouts_frozen": True} | ({"rail": rail} if rail else {})


async def unfreeze_tenant(
    settings: Settings, slug: str, rail: str | None = None, *, broken_chain: bool = False
) -> dict[str, Any]:
    """Payouts go on, whoever or whatever stopped them, those that waited at once; where they were not stopped
    nothing changes. With a way out: that one alone, and what is stopped as a whole stays so. Raises CannotRun
    where no way out is called so, and while the books are wrong, unless it is a `broken_chain` alone."""
    _refuse_unknown(rail)
    async with opened(settings) as parts:
        if rail is not None:
            async with work_of(parts, slug) as work:
                await unfreeze_ways(work, audit.OPERATOR, [rail])
            wake(parts)
            return {"slug": slug, "payouts_frozen": False, "rail": rail}
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await known_tenant(connection, slug)
        broken = await _refuse_wrong_books(parts, slug, tenant_id, chained.RULES if broken_chain else ())
        await restored.refuse_unsettled(parts, slug, tenant_id)
        async with parts.database.transaction(tenant_id) as connection:
            work = Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
            await watch.accept(work, broken)
            await unfreeze(work, audit.OPERATOR)
            await stop.start_again(work, audit.OPERATOR)
        wake(parts)
    return {"slug": slug, "payouts_frozen": False}


def _refuse_unknown(rail: str | None) -> None:
    if rail is not None and rail not in RAILS:
        raise CannotRun(f"No way out is called {rail}: there are {', '.join(RAILS)}.")


async def _refuse_wrong_books(parts: Parts, slug: str, tenant_id: UUID, but: Collection[str]) -> list[Breach]:
    """What is wrong by the rules that are no matter."""
    async with parts.database.long_snapshot() as connection:
        broken = (await books.prove(connection, tenant_id)).breaches
    if first := next((breach for breach in broken if breach.rule not in but), None):
        chain = " (see --broken-chain)" if first.rule in chained.RULES else ""
        raise CannotRun(
            f"The books of {slug} are not right: {first.rule} (row {first.row}: expected {first.expected}, "
            f"found {first.found}). Repair them first{chain}; python main.py ledger check names every row."
        )
    return broken
