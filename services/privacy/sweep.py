"""Sweep: the second step of an erasure. Whatever else of the tenant's names the person is found and emptied:
what providers and WhatsApp told, what the staff were told and typed, what the API answered.

Some hundred rows a transaction, beside everything else; done again it finds what is left. What is sealed is
opened for it. Messages that wait to be played or sent stay, and are counted: they are gone in a moment.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.privacy import yielding
from services.privacy.traces import Traces
from services.safety.rotation import SEALED, Sealed
from services.safety.vault import Unopenable, Vault
from services.store import schema as tables
from services.store.database import Database
from services.store.schema import is_open

_BATCH = 500
STRUCK = b""  # what a sealed column holds that may not be null: nothing
_BY_COLUMN: dict[sa.Column[Any], Sealed] = {each.column: each for each in SEALED}
# What may be read in plain text, and is masked where it names the person. A name alone is masked nowhere
# but in what is theirs: others are called so too.
PLAIN: tuple[sa.Column[Any], ...] = (
    tables.orders.c.note,
    tables.orders.c.lines,
    tables.withdrawals.c.notes,
    tables.withdrawal_history.c.reason,
    tables.payouts.c.detail,
    tables.attempts.c.detail,
    tables.refund_attempts.c.detail,
    tables.settlements.c.reference,
    tables.settlements.c.note,
    tables.refunds.c.reason,
    tables.refund_wishes.c.reason,
    tables.changes.c.because,
    tables.breaks.c.reason,
    tables.jobs.c.error,
    tables.batches.c.name,
)


@dataclass(frozen=True)
class _Swept:
    """A table whose rows are opened: those that name the person are removed, or have these values; unless
    they are `busy`. A name counts in the chats of the staff and in what the API answered them; elsewhere
    somebody else may be called so."""

    table: sa.Table
    sealed: tuple[sa.Column[Any], ...]
    plain: tuple[sa.Column[Any], ...] = ()
    values: dict[str, Any] | None = None
    busy: Callable[[Any], sa.ColumnElement[bool]] | None = None
    rows: sa.ColumnElement[bool] = field(default_factory=sa.true)
    chat: str | None = None  # the column that says whose chat it is


_CHATS = tables.conversations.c
SWEPT = (
    _Swept(
        tables.inbox,
        (tables.inbox.c.body_sealed,),
        (tables.inbox.c.external_id, tables.inbox.c.error),
        busy=lambda rows: rows.c.state == sa.literal_column("'waiting'"),
        chat="conversation_id",
    ),
    _Swept(
        tables.outbox,
        (tables.outbox.c.body_sealed, tables.outbox.c.template_sealed),
        (tables.outbox.c.wamid, tables.outbox.c.error),
        {"body_sealed": STRUCK, "template_sealed": None, "error": None},
        busy=is_open,
        chat="conversation_id",
    ),
    _Swept(tables.api_answers, (tables.api_answers.c.answer_sealed,)),
    _Swept(tables.handoff_lines, (tables.handoff_lines.c.words_sealed,)),
    # Whom a file pays; from its approval on each line is a withdrawal, and the file is only shown.
    _Swept(
        tables.batches,
        (tables.batches.c.lines_sealed,),
        values={"lines_sealed": None},
        busy=lambda rows: rows.c.state.not_in(("running", "done")),
    ),
    _Swept(tables.conversations, (_CHATS.place_sealed,), values={"place_sealed": None}, chat="id"),
    # Addresses that are no longer looked up: a number that went on to another chat.
    _Swept(
        tables.conversations,
        (_CHATS.phone_sealed,),
        values={"phone_sealed": None},
        chat="id",
        rows=_CHATS.phone_index.is_(None),
    ),
    _Swept(
        tables.conversations,
        (_CHATS.user_id_sealed,),
        values={"user_id_sealed": None},
        chat="id",
        rows=_CHATS.user_id_index.is_(None),
    ),
)


@dataclass
class Found:
    """How many rows of each table named the person: emptied, or left, as they wait to be played or sent."""

    emptied: Counter[str]
    left: Counter[str]


async def sweep(database: Database, vault: Vault, tenant: UUID, traces: Traces, but: Sequence[UUID]) -> Found:
    """All but their own chats, whose rows the last step removes as they are."""
    found = Found(Counter(), Counter())
    staffs = await _chats_of_staff(database, tenant)
    for swept in SWEPT:
        async with _giving_way(found, swept.table):
            await _opened(_Sweeping(database, vault, tenant, traces, but, staffs), swept, found)
    for column in PLAIN:
        async with _giving_way(found, column.table):
            await _plain(database, tenant, traces, column, found)
    return found


@asynccontextmanager
async def _giving_way(found: Found, table: sa.Table) -> AsyncIterator[None]:
    """Where others are at work with its rows, what is not swept is left for the next time."""
    try:
        yield
    except DBAPIError as error:
        if not yielding.gave_way(error):
            raise
        found.left[table.name] += 1


@dataclass(frozen=True)
class _Sweeping:
    """`staffs`: the chats of the staff."""

    database: Database
    vault: Vault
    tenant: UUID
    traces: Traces
    but: Sequence[UUID]
    staffs: frozenset[UUID]


async def _chats_of_staff(database: Database, tenant: UUID) -> frozenset[UUID]:
    chats, staff = tables.conversations, tables.staff
    query = (
        sa.select(chats.c.id)
        .join(staff, sa.and_(staff.c.tenant_id == chats.c.tenant_id, staff.c.person_id == chats.c.person_id))
        .where(chats.c.tenant_id == tenant)
    )
    async with database.transaction(tenant) as connection:
        return frozenset(await connection.scalars(query))


async def _opened(of: _Sweeping, swept: _Swept, found: Found) -> None:
    table = swept.table
    where = [table.c.tenant_id == of.tenant, swept.rows]
    if swept.chat is not None:
        chat = table.c[swept.chat]
        where.append(sa.or_(chat.is_(None), chat.not_in(of.but)))
    busy = swept.busy(table) if swept.busy else sa.false()
    after: tuple[Any, ...] | None = None
    while True:
        async with of.database.transaction(of.tenant) as connection:
            await yielding.give_way(connection)
            query = sa.select(table, busy.label("busy")).where(*where)
            rows = (await connection.execute(_page(query, table, after))).all()
            for row in rows:
                if not _names(of, swept, row):
                    continue
                if row.busy:
                    found.left[table.name] += 1
                    continue
                same = [each.is_not_distinct_from(row._mapping[each]) for each in swept.sealed]  # noqa: SLF001
                emptying = _emptying(swept, row, [*_key(table, row), *same, ~busy])
                found.emptied[table.name] += (await connection.execute(emptying)).rowcount
        if len(rows) < _BATCH:
            return
        after = _at(table, rows[-1])


def _emptying(swept: _Swept, row: Any, mine: Sequence[sa.ColumnElement[bool]]) -> sa.Delete | sa.Update:
    if swept.values is None:
        return sa.delete(swept.table).where(*mine)
    values = swept.values | _without_number(swept.table, row)
    return sa.update(swept.table).where(*mine).values(**values)


def _without_number(table: sa.Table, row: Any) -> dict[str, Any]:
    """The id of a message holds the number that it went to; that there was one is counted."""
    return {"wamid": f"erased-{row.seq}"} if table is tables.outbox and row.wamid else {}


def _names(of: _Sweeping, swept: _Swept, row: Any) -> bool:
    if any(text and of.traces.number_in(text) for text in (row._mapping[each] for each in swept.plain)):  # noqa: SLF001
        return True
    by_name = swept.table is tables.api_answers or (
        swept.chat is not None and getattr(row, swept.chat) in of.staffs
    )
    names = of.traces.named_in if by_name else of.traces.number_in
    for column in swept.sealed:
        how = _BY_COLUMN[column]
        if not (value := row._mapping[column]):  # noqa: SLF001
            continue
        try:
            text = of.vault.open(value, of.tenant, how.name, how.row(row)).decode("utf-8", "replace")
        except Unopenable:
            continue
        if names(text):
            return True
    return False


async def _plain(
    database: Database, tenant: UUID, traces: Traces, column: sa.Column[Any], found: Found
) -> None:
    table = column.table
    after: tuple[Any, ...] | None = None
    while True:
        async with database.transaction(tenant) as connection:
            await yielding.give_way(connection)
            query = sa.select(table).where(table.c.tenant_id == tenant, column.is_not(None))
            rows = (await connection.execute(_page(query, table, after))).all()
            for row in rows:
                before = row._mapping[column]  # noqa: SLF001
                now = masked(traces, before)
                if now != before:
                    change = sa.update(table).where(*_key(table, row)).values({column.name: now})
                    found.emptied[table.name] += (await connection.execute(change)).rowcount
        if len(rows) < _BATCH:
            return
        after = _at(table, rows[-1])


def masked(traces: Traces, value: Any, *, name: bool = False) -> Any:
    """A text, or a JSON of them."""
    if isinstance(value, str):
        return traces.masked(value, name=name)
    return json.loads(traces.masked(json.dumps(value, ensure_ascii=False), name=name))


def _page(query: sa.Select[Any], table: sa.Table, after: tuple[Any, ...] | None) -> sa.Select[Any]:
    key = tuple(table.primary_key)
    if after is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after, types=[column.type for column in key]))
    return query.order_by(*key).limit(_BATCH)


def _at(table: sa.Table, row: Any) -> tuple[Any, ...]:
    return tuple(row._mapping[column] for column in table.primary_key)  # noqa: SLF001


def _key(table: sa.Table, row: Any) -> list[sa.ColumnElement[bool]]:
    key = {table.c.tenant_id, *table.primary_key}
    return [column == row._mapping[column] for column in key]  # noqa: SLF001
