"""Commands: what operators do from the command line. Each gives back data for JSON."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.app import Parts, parts_of
from bot.run import CannotRun, refuse_old_schema
from bot.settings import Settings
from services import audit, books
from services.ids import new_id
from services.people import tenant_file
from services.people.apply import NumberTaken, apply, id_of
from services.people.file_lines import Lines, TenantFileError, decoded
from services.people.show import shown
from services.people.staffing import OnePersonEach
from services.phones import masked
from services.store.schema import inbox
from services.withdrawals.freeze import unfreeze
from services.work import Work

_DIGITS = re.compile(r"\+?\d{7,15}")
_REPLAYABLE = ("parked", "kept")


@contextlib.asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Parts]:
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
    async with _open(settings) as parts:
        async with parts.database.transaction() as connection:
            tenant_id = await id_of(connection, file.tenant.slug) or new_id()
            try:
                applied = await apply(Work(connection, parts.vault, tenant_id, parts.clock()), file)
            except NumberTaken as taken:
                raise CannotRun(f"{path}: {taken}. Nothing was changed.") from None
            except OnePersonEach as error:
                wrong = Lines(text).wrong(("staff", error.entry), str(error))
                raise TenantFileError(str(path), [wrong]) from None
        _wake(parts)
    return asdict(applied)


def _text(path: Path) -> str:
    return decoded(path.read_bytes(), str(path))


def _wake(parts: Parts) -> None:
    """The workers: news wait to be told, and payouts that go on to be sent."""
    parts.bell.ring("turns")
    parts.bell.ring("jobs")


async def show_tenant(settings: Settings, slug: str) -> dict[str, Any]:
    async with _open(settings) as parts, parts.database.transaction() as connection:
        tenant_id = await _known(connection, slug)
        return await shown(Work(connection, parts.vault, tenant_id, parts.clock()))


async def unfreeze_tenant(settings: Settings, slug: str) -> dict[str, Any]:
    """Payouts go on, those that waited at once; where they were not stopped nothing changes."""
    async with _open(settings) as parts:
        async with parts.database.transaction() as connection:
            tenant_id = await _known(connection, slug)
            await unfreeze(Work(connection, parts.vault, tenant_id, parts.clock()), audit.OPERATOR)
        _wake(parts)
    return {"slug": slug, "payouts_frozen": False}


async def _known(connection: Any, slug: str) -> UUID:
    tenant_id = await id_of(connection, slug)
    if tenant_id is None:
        raise CannotRun(f"No tenant is called {slug}.")
    return tenant_id


async def check_ledger(settings: Settings) -> list[dict[str, Any]]:
    async with _open(settings) as parts, parts.database.reading() as connection:
        return [asdict(breach) for breach in await books.check(connection)]


async def list_events(settings: Settings, state: str, limit: int) -> list[dict[str, Any]]:
    columns = [c for c in inbox.c if c.name not in ("body_sealed", "external_id")]
    query = sa.select(*columns).where(inbox.c.state == state).order_by(inbox.c.seq.desc()).limit(limit)
    async with _open(settings) as parts, parts.database.reading() as connection:
        return [dict(row._mapping) for row in await connection.execute(query)]  # noqa: SLF001  its public name


async def show_event(settings: Settings, seq: int) -> dict[str, Any]:
    async with _open(settings) as parts, parts.database.reading() as connection:
        row = await _event(connection, seq)
        name = f"{row.kind}|{row.external_id}|{row.status}"
        body = parts.vault.open(row.body_sealed, row.tenant_id, "inbox.body", name)
    return {
        "seq": row.seq,
        "tenant_id": row.tenant_id,
        "kind": row.kind,
        "state": row.state,
        "tries": row.tries,
        "received_at": row.received_at,
        "error": row.error,
        "body": _DIGITS.sub(lambda found: masked(found[0]), body.decode("utf-8", "replace")),
    }


async def replay_event(settings: Settings, seq: int) -> dict[str, Any]:
    """It starts behind the signature check, with the body that was stored."""
    async with _open(settings) as parts, parts.database.transaction() as connection:
        row = await _event(connection, seq)
        again = (
            sa.update(inbox)
            .where(inbox.c.seq == seq, inbox.c.state.in_(_REPLAYABLE))
            .values(state="waiting", tries=0, due_at=parts.clock(), error=None)
        )
        if (await connection.execute(again)).rowcount == 0:
            raise CannotRun(f"Event {seq} is {row.state}; only one that is parked or kept is played again.")
        work = Work(connection, parts.vault, row.tenant_id, parts.clock())
        await audit.record(work, audit.OPERATOR, "event.replayed", UUID(int=seq), {"kind": row.kind})
    parts.bell.ring("turns")
    return {"seq": seq, "state": "waiting"}


async def _event(connection: Any, seq: int) -> Any:
    row = (await connection.execute(sa.select(inbox).where(inbox.c.seq == seq))).first()
    if row is None:
        raise CannotRun(f"There is no event {seq}.")
    return row
