"""Rotation: what is sealed under an older key is sealed anew under the first, while everything goes on.

A row is changed only where it still is as it was read, so that a turn beside us loses nothing. What is
found by a blind index has that made anew too. Nothing is left out silently: `Rotated` says what is left.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.details import same_by
from services.people import mailboxes
from services.safety.vault import Unopenable, Vault
from services.store import schema as tables
from services.store.database import Database
from services.store.scope import AUDITOR, PLATFORM
from services.withdrawals.destinations import place
from services.work import canonical

_BATCH = 500


@dataclass(frozen=True)
class Sealed:
    """A sealed column: what it was sealed as, and what names its row there. `index` is the blind index beside
    it, and `of` what that is made of; None leaves the row as it is for now."""

    column: sa.Column[Any]
    name: str
    row: Callable[[sa.Row[Any]], bytes | str]
    index: sa.Column[Any] | None = None
    of: Callable[[sa.Row[Any], str], str | None] = lambda _row, plain: plain

    @property
    def tenant(self) -> sa.Column[Any]:
        return self.column.table.c.get("tenant_id", self.column.table.c.get("id"))  # type: ignore[return-value]


@dataclass
class Rotated:
    """How many values were sealed anew, by column; what no key of ours opens; and what is left under an older
    key: withdrawals until they are decided, marks until their owners come again."""

    sealed: dict[str, int] = field(default_factory=dict)
    unopenable: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


def _id(row: sa.Row[Any]) -> str:
    return str(row.id)


def _destination(row: sa.Row[Any], plain: str) -> str | None:
    """What is approved names its destination by this index, so it stays until the withdrawal is decided."""
    return None if row.status in ("pending", "processing") else canonical(place(json.loads(plain)))


def _method(row: sa.Row[Any], plain: str) -> str:
    return canonical(same_by(row.provider, json.loads(plain)))


def _chat(column: str) -> Sealed:
    chats = tables.conversations.c
    return Sealed(chats[f"{column}_sealed"], f"conversations.{column}", _id, chats[f"{column}_index"])


SEALED = (
    Sealed(tables.tenants.c.payout_sealed, "tenants.payout", _id),
    Sealed(tables.credentials.c.sealed, "credentials.sealed", lambda row: str(row.part)),
    Sealed(tables.staff.c.email_sealed, mailboxes.COLUMN, lambda row: str(row.person_id)),
    Sealed(tables.totps.c.secret_sealed, "totps.secret", lambda row: str(row.person_id)),
    _chat("phone"),
    _chat("user_id"),
    Sealed(tables.conversations.c.place_sealed, "conversations.place", _id),
    Sealed(tables.handoff_lines.c.words_sealed, "handoff_lines.words", _id),
    Sealed(
        tables.inbox.c.body_sealed, "inbox.body", lambda row: f"{row.kind}|{row.external_id}|{row.status}"
    ),
    Sealed(tables.outbox.c.body_sealed, "outbox.body", lambda row: str(row.seq)),
    Sealed(tables.outbox.c.template_sealed, "outbox.template", lambda row: str(row.seq)),
    Sealed(tables.attempts.c.details_sealed, "attempts.details", _id),
    Sealed(tables.attempts.c.reference_sealed, "attempts.reference", _id),
    Sealed(tables.attempts.c.page_sealed, "attempts.page", _id),
    Sealed(
        tables.saved_methods.c.details_sealed,
        "saved_methods.details",
        _id,
        tables.saved_methods.c.details_index,
        _method,
    ),
    Sealed(
        tables.withdrawals.c.details_sealed,
        "withdrawals.details",
        _id,
        tables.withdrawals.c.details_index,
        _destination,
    ),
    Sealed(tables.batches.c.lines_sealed, "batches.lines", _id),
    Sealed(tables.schedules.c.details_sealed, "schedules.details", _id),
    Sealed(tables.changes.c.facts_sealed, "changes.facts", _id),
    Sealed(tables.audit_private.c.facts_sealed, "audit_private.facts", lambda row: bytes(row.digest)),
    Sealed(tables.webhook_endpoints.c.secret_sealed, "webhook_endpoints.secret", _id),
    Sealed(tables.webhook_endpoints.c.old_secret_sealed, "webhook_endpoints.old_secret", _id),
    Sealed(tables.api_answers.c.answer_sealed, "api_answers.answer", _id),
)
# What is kept nowhere else, and so marked anew only when it comes again.
MARKS = (tables.api_keys.c.key_index, tables.conversations.c.key_index)
# Lives for an hour, and is asked for anew.
SHORT_LIVED = (tables.provider_tokens.c.sealed,)


async def rotate(database: Database, vault: Vault, say: Callable[[str, int], None]) -> Rotated:
    """All tenants, a few hundred values a transaction. `say` is told each column and how much of it is done.

    It may be broken off and begun again: what is done stays done.
    """
    done = Rotated()
    async with database.reading(PLATFORM) as connection:
        tenants = [*await connection.scalars(sa.select(tables.tenants.c.id)), tables.NOBODY]
    for sealed in SEALED:
        for tenant in tenants:
            await _column(database, vault, sealed, tenant, done)
        say(sealed.name, done.sealed.get(sealed.name, 0))
    async with database.reading(AUDITOR) as connection:
        for mark in MARKS:
            _count(done.left, str(mark), await _under_older(connection, vault, mark))
    return done


async def _column(database: Database, vault: Vault, sealed: Sealed, tenant: UUID, done: Rotated) -> None:
    after: tuple[Any, ...] | None = None
    while True:
        async with database.transaction(tenant) as connection:
            rows = (await connection.execute(_older(vault, sealed, tenant, after))).all()
            changes = [change for row in rows if (change := _anew(vault, sealed, tenant, row, done))]
            if changes:
                await connection.execute(_change(sealed), changes)
        _count(done.sealed, sealed.name, len(changes))
        if len(rows) < _BATCH:
            return
        after = tuple(rows[-1]._mapping[column] for column in sealed.column.table.primary_key)  # noqa: SLF001


def _older(vault: Vault, sealed: Sealed, tenant: UUID, after: tuple[Any, ...] | None) -> sa.Select[Any]:
    """A batch of rows whose value, or whose index, another key has made."""
    table, key = sealed.column.table, tuple(sealed.column.table.primary_key)
    begins = sa.func.substr(sealed.column, 1, len(vault.head), type_=sa.LargeBinary)
    emptied = sealed.column == b""  # by an erasure: there is nothing to open
    query = sa.select(table).where(sealed.tenant == tenant, begins != vault.head, ~emptied).order_by(*key)
    if after is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after, types=[column.type for column in key]))
    return query.limit(_BATCH)


def _anew(
    vault: Vault, sealed: Sealed, tenant: UUID, row: sa.Row[Any], done: Rotated
) -> dict[str, Any] | None:
    was, name = row._mapping[sealed.column], sealed.row(row)  # noqa: SLF001
    try:
        plain = vault.open(was, tenant, sealed.name, name)
    except Unopenable:
        _count(done.unopenable, sealed.name, 1)
        return None
    change = {"tenant": tenant, "was": was, "anew": vault.seal(plain, tenant, sealed.name, name)}
    for column in sealed.column.table.primary_key:
        change[f"key_{column.name}"] = row._mapping[column]  # noqa: SLF001
    if sealed.index is None:
        return change
    of = sealed.of(row, plain.decode())
    if of is None:
        _count(done.left, sealed.name, 1)
        return None
    found = row._mapping[sealed.index] is not None  # noqa: SLF001  an address that is no longer looked up has none
    return change | {"index": vault.index(of, tenant, sealed.name) if found else None}


def _change(sealed: Sealed) -> sa.Update:
    column, table = sealed.column, sealed.column.table
    mine = [each == sa.bindparam(f"key_{each.name}") for each in table.primary_key]
    mine.append(sealed.tenant == sa.bindparam("tenant"))
    values: dict[str, Any] = {column.name: sa.bindparam("anew")}
    if sealed.index is not None:
        values[sealed.index.name] = sa.bindparam("index")
    return sa.update(table).where(*mine, column == sa.bindparam("was")).values(values)


async def _under_older(connection: AsyncConnection, vault: Vault, mark: sa.Column[Any]) -> int:
    name = vault.head[1:]
    begins = sa.func.substr(mark, 1, len(name), type_=sa.LargeBinary)
    older = sa.select(sa.func.count()).where(mark.is_not(None), begins != name)
    return await connection.scalar(older) or 0


def _count(counts: dict[str, int], name: str, many: int) -> None:
    if many:
        counts[name] = counts.get(name, 0) + many
