"""The release before goes on while the schema is newer: what its statements name is there, and what it does
not name need not be told."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from services.store import upgrade
from services.store.database import Database

# The schema of the release before. A release moves it to its own; see docs/development.md.
RELEASED = "c2e94f1a76d8"


def old(*less):
    """The columns of a table, without these."""
    columns = (
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("note", sa.Text),
    )
    return [each for each in columns if each.name not in less]


def broken(old: sa.Inspector, new: sa.Inspector) -> Iterator[str]:
    """What statements of `old` meet in `new`."""
    there = set(new.get_table_names())
    for table in old.get_table_names():
        if table not in there:
            yield f"{table} is gone"
            continue
        before, after = columns(old, table), columns(new, table)
        yield from (f"{table}.{name} is gone" for name in before.keys() - after.keys())
        for name, column in after.items():
            yield from (f"{table}.{name} {what}" for what in wrong(before.get(name), column))
        for what, known in rules(old, table).items():
            fresh = [each for each in rules(new, table)[what] - known if set(each) <= before.keys()]
            yield from (f"{table} has a new rule: {what} {each}" for each in sorted(fresh))


def wrong(before: dict[str, Any] | None, column: dict[str, Any]) -> Iterator[str]:
    needed = not column["nullable"] and column["default"] is None
    if before is None:
        if needed:
            yield "is new, and has to be told"
        return
    if needed and before["nullable"]:
        yield "may be left out no more"
    if str(before["type"]) != str(column["type"]):
        yield f"was {before['type']} and is {column['type']}"


def columns(inspector: sa.Inspector, table: str) -> dict[str, Any]:
    return {each["name"]: each for each in inspector.get_columns(table)}


def rules(inspector: sa.Inspector, table: str) -> dict[str, set[Any]]:
    """The columns that each is about. A CHECK is not looked at: words are added to one."""
    unique, indexes = inspector.get_unique_constraints(table), inspector.get_indexes(table)
    return {
        "unique": {tuple(each["column_names"]) for each in unique},
        "unique index": {tuple(map(str, each["column_names"])) for each in indexes if each["unique"]},
        "foreign key": {tuple(each["constrained_columns"]) for each in inspector.get_foreign_keys(table)},
    }


def inspector_of(tables):
    """Of a database in memory that has them."""
    engine, metadata = sa.create_engine("sqlite://"), sa.MetaData()
    for name, parts in tables.items():
        sa.Table(name, metadata, *parts)
    metadata.create_all(engine)
    return sa.inspect(engine)


CHANGES = {
    "a table is gone": ({}, ["t is gone"]),
    "a column is gone": ({"t": old("note")}, ["t.note is gone"]),
    "a column has another name": (
        {"t": [*old("note"), sa.Column("notes", sa.Text)]},
        ["t.note is gone"],
    ),
    "a new column has to be told": (
        {"t": [*old(), sa.Column("more", sa.Integer, nullable=False)]},
        ["t.more is new, and has to be told"],
    ),
    "a column has to be told": (
        {"t": [*old("note"), sa.Column("note", sa.Text, nullable=False)]},
        ["t.note may be left out no more"],
    ),
    "a column is of another type": (
        {"t": [*old("name"), sa.Column("name", sa.Integer, nullable=False)]},
        ["t.name was VARCHAR(20) and is INTEGER"],
    ),
    "names are to differ": (
        {"t": [*old(), sa.UniqueConstraint("name")]},
        ["t has a new rule: unique ('name',)"],
    ),
    "nothing": ({"t": [*old()]}, []),
    "a new column that may be left out, and a new table": (
        {
            "t": [
                *old(),
                sa.Column("more", sa.Integer),
                sa.Column("n", sa.Integer, nullable=False, server_default="0"),
            ],
            "u": [sa.Column("id", sa.Integer, primary_key=True)],
        },
        [],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_old_statements_would_meet_is_seen(change):
    after, expected = CHANGES[change]
    assert list(broken(inspector_of({"t": old()}), inspector_of(after))) == expected


async def inspected(url: str, revision: str) -> sa.Inspector:
    """A database whose schema is of this revision."""
    database = Database(url)
    async with database.owning() as connection:
        await connection.run_sync(lambda c: command.upgrade(upgrade.config(c), revision))
        await connection.commit()
    await database.close()
    return sa.inspect(sa.create_engine(url.replace("+aiosqlite", "")))


async def test_the_release_before_finds_all_that_it_names(tmp_path):
    old = await inspected(f"sqlite+aiosqlite:///{tmp_path}/old.db", RELEASED)
    new = await inspected(f"sqlite+aiosqlite:///{tmp_path}/new.db", "head")
    assert list(broken(old, new)) == []
    assert len(old.get_table_names()) > 40


def test_the_schema_of_the_release_before_is_one_of_ours():
    known = {each.revision for each in ScriptDirectory.from_config(upgrade.config()).walk_revisions()}
    assert RELEASED in known


def test_what_is_newer_is_what_is_not_known():
    assert upgrade.is_newer("0123456789ab")
    assert not any(upgrade.is_newer(each) for each in (upgrade.head(), RELEASED, None))
