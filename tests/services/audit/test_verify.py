"""Whoever rules the database may change what they like: the first entry that is not as it was is named."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import audit
from services.audit import anchors
from services.audit.chain import START, digest_of, hash_of
from services.audit.verify import Verified, verify
from services.safety.vault import Vault
from services.store.schema import Moment
from services.store.scope import OWNER
from services.work import Via, Work

TENANT, OTHER = UUID(int=3), UUID(int=4)
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LENGTH, FIRST_ANCHOR, ANCHORED = 12, 4, 8
TRIES = 4  # positions of each kind of tampering

TEXTS = ("actor", "channel", "via", "action", "target", "facts", "before", "after")


class Tamperer:
    """SQL, as their own hands would write it."""

    def __init__(self, connection) -> None:
        self.connection = connection
        postgres = connection.dialect.name == "postgresql"
        self.tenant = f"'{TENANT}'" if postgres else f"'{TENANT.hex}'"
        self.json = "'[true]'::json" if postgres else "'[true]'"

    async def run(self, sql, **facts):
        binds = [sa.bindparam(name, type_=sa.LargeBinary) for name in ("hash", "previous") if name in facts]
        statement = sa.text(sql.replace("MINE", f"tenant_id = {self.tenant}")).bindparams(*binds)
        return await self.connection.execute(statement, facts)

    async def renumber(self, first, by):
        await self.run(f"UPDATE audit SET seq = -(seq + ({by})) WHERE MINE AND seq >= {first}")
        await self.run("UPDATE audit SET seq = -seq WHERE MINE AND seq < 0")

    async def rehash(self, first, last=10**6):
        """As the chain would have it."""
        columns = ", ".join(f"CAST({name} AS TEXT)" for name in TEXTS)
        sql = f"SELECT seq, at, alert, private, {columns}, hash FROM audit WHERE MINE ORDER BY seq"
        types = {"at": Moment, "alert": sa.Boolean, "private": sa.LargeBinary}
        statement = sa.text(sql.replace("MINE", f"tenant_id = {self.tenant}")).columns(
            **{name: sa.types.to_instance(type_) for name, type_ in types.items()}
        )
        before = START
        for seq, at, alert, private, *texts, own in (await self.connection.execute(statement)).all():
            if first <= seq <= last:
                digest = digest_of(TENANT, Moment.microseconds(at), alert, private, texts)
                own = hash_of(seq, before, digest)  # noqa: PLW2901
                change = f"UPDATE audit SET hash = :hash, previous = :previous WHERE MINE AND seq = {seq}"
                await self.run(change, hash=own, previous=before)
            before = bytes(own)
        return seq, before

    async def set_head(self, seq, hash_):
        await self.run(f"UPDATE audit_heads SET seq = {seq}, hash = :hash WHERE MINE", hash=hash_)


async def change_a_column(tamperer, k):
    column = random.Random(k).choice([*TEXTS, "at", "alert", "private", "hash"])
    postgres = tamperer.connection.dialect.name == "postgresql"
    value = {
        "at": "at + interval '1 microsecond'" if postgres else "at + 1",
        "alert": "NOT alert",
        "private": "'\\x00'::bytea" if postgres else "x'00'",
        "hash": "'\\x00'::bytea" if postgres else "x'00'",
    }.get(column, tamperer.json if column in ("facts", "before", "after") else "'other'")
    await tamperer.run(f"UPDATE audit SET {column} = {value} WHERE MINE AND seq = {k}")
    return {("changed", k)}


async def change_and_hash_it_anew(tamperer, k):
    await tamperer.run(f"UPDATE audit SET action = 'other' WHERE MINE AND seq = {k}")
    await tamperer.rehash(k, k)
    if k in (FIRST_ANCHOR, ANCHORED):
        return {("rewritten", k)}
    return {("head", k)} if k == LENGTH else {("unlinked", k + 1)}


async def write_anew_from_there(tamperer, k):
    await tamperer.run(f"UPDATE audit SET action = 'other' WHERE MINE AND seq = {k}")
    await tamperer.set_head(*await tamperer.rehash(k))
    return {("rewritten", FIRST_ANCHOR if k <= FIRST_ANCHOR else ANCHORED)} if k <= ANCHORED else set()


async def remove(tamperer, k):
    await tamperer.run(f"DELETE FROM audit WHERE MINE AND seq = {k}")
    return {("cut", k)} if k == LENGTH else {("missing", k)}


async def remove_and_close_the_gap(tamperer, k):
    await tamperer.run(f"DELETE FROM audit WHERE MINE AND seq = {k}")
    await tamperer.renumber(k + 1, -1)
    return {("cut", k)} if k == LENGTH else {("unlinked", k)}


async def put_in(tamperer, k):
    """The same a second time, so that it is the one behind it that is wrong."""
    await tamperer.renumber(k, 1)
    columns = f"at, alert, private, {', '.join(TEXTS)}, previous, hash"
    await tamperer.run(
        f"INSERT INTO audit (tenant_id, seq, {columns}) "
        f"SELECT tenant_id, {k}, {columns} FROM audit WHERE MINE AND seq = {k + 1}"
    )
    await tamperer.rehash(k, k)
    return {("unlinked", k + 1)}


async def move(tamperer, k):
    other = k % LENGTH + 1
    await tamperer.run(f"UPDATE audit SET seq = 0 WHERE MINE AND seq = {k}")
    await tamperer.run(f"UPDATE audit SET seq = {k} WHERE MINE AND seq = {other}")
    await tamperer.run(f"UPDATE audit SET seq = {other} WHERE MINE AND seq = 0")
    return {("unlinked", min(k, other))}


async def cut_the_tail(tamperer, k):
    await tamperer.run(f"DELETE FROM audit WHERE MINE AND seq >= {k}")
    return {("cut", k)}


async def cut_the_tail_and_set_the_head_back(tamperer, k):
    await cut_the_tail(tamperer, k)
    if k == 1:
        await tamperer.run("DELETE FROM audit_heads WHERE MINE")
    else:
        await tamperer.set_head(*await tamperer.rehash(1))
    return {("cut", k)} if k <= ANCHORED else set()


async def begin_anew(tamperer, k):
    """The first entries are gone, and the rest is a chain of its own."""
    await tamperer.run(f"DELETE FROM audit WHERE MINE AND seq <= {k}")
    if k == LENGTH:
        await tamperer.run("DELETE FROM audit_heads WHERE MINE")
        return {("cut", 1)}
    await tamperer.renumber(k + 1, -k)
    await tamperer.set_head(*await tamperer.rehash(1))
    left = LENGTH - k
    return {("cut", left + 1)} if left < FIRST_ANCHOR else {("rewritten", FIRST_ANCHOR)}


async def change_the_head(tamperer, k):
    await tamperer.set_head(k, bytes(32))
    return {("head", k)}


async def say_that_more_was_anchored(tamperer, k):
    """So that anchoring would pass it by."""
    await tamperer.run(f"UPDATE audit_heads SET anchored_seq = {LENGTH + k} WHERE MINE")
    return {("cut", LENGTH + 1)}


KINDS = [
    change_a_column,
    change_and_hash_it_anew,
    write_anew_from_there,
    remove,
    remove_and_close_the_gap,
    put_in,
    move,
    cut_the_tail,
    cut_the_tail_and_set_the_head_back,
    begin_anew,
    change_the_head,
    say_that_more_was_anchored,
]


@pytest.fixture
async def chained(database, vault, tmp_path):
    """Two tenants, anchored before their last entries."""
    for n in range(1, LENGTH + 1):
        async with database.transaction(OWNER) as connection:
            for tenant in (TENANT, OTHER):
                work = Work(connection, vault, tenant, NOW + timedelta(seconds=n), Via("chat", "x"))
                facts = {"n": n, "words": "é"}
                private = audit.Private(UUID(int=n), {"name": "Wanjiru"}) if n % 3 == 0 else None
                before = {"n": n - 1} if n % 2 else None
                await audit.record(work, UUID(int=9), f"a{n}", tenant, facts, before=before, private=private)
        if n in (FIRST_ANCHOR, ANCHORED):
            async with database.transaction(OWNER) as connection:
                heads = [*await anchors.ends(connection)]
                assert {(head.tenant, head.seq) for head in heads} == {(TENANT, n), (OTHER, n)}
                anchors.write(tmp_path, vault, heads, NOW)
                await anchors.anchored(connection, heads)
                assert await anchors.ends(connection) == dict.fromkeys(heads, n)
    return database


@pytest.mark.parametrize("tamper", KINDS, ids=lambda kind: kind.__name__)
async def test_the_first_bad_entry_is_named(chained, vault, tmp_path, tamper):
    some = random.Random(tamper.__name__).sample(range(1, LENGTH + 1), TRIES)
    positions = {1, ANCHORED, LENGTH, *some}
    for k in sorted(positions):
        async with chained.transaction(OWNER) as connection, connection.begin_nested() as savepoint:
            expected = await tamper(Tamperer(connection), k)
            found = await verify(connection, vault, anchors.read(tmp_path, vault))
            told = {(each.finding, each.position) for each in found.findings}
            assert len(told) == bool(expected), k
            assert told <= expected, k
            assert {each.tenant_id for each in found.findings} <= {TENANT}
            assert found.tenants == 2
            await savepoint.rollback()


async def test_a_chain_that_nobody_touched_is_good_whatever_is_erased(chained, vault, tmp_path):
    async with chained.transaction(OWNER) as connection:
        assert await audit.erase(Work(connection, vault, TENANT, NOW), UUID(int=6)) == 1
    async with chained.reading(OWNER) as connection:
        read = anchors.read(tmp_path, vault)
        assert (read.files, read.forged, read.torn) == (2, [], [])
        assert await verify(connection, vault, read) == Verified(tenants=2, entries=2 * LENGTH + 1)
        assert await verify(connection, vault, read, OTHER) == Verified(tenants=1, entries=LENGTH)


async def test_facts_kept_apart_cannot_be_changed_either(chained, vault, tmp_path):
    async with chained.transaction(OWNER) as connection, connection.begin_nested() as savepoint:
        sealed = "SELECT facts_sealed FROM audit_private WHERE MINE ORDER BY subject_id"
        first, second, *_ = (await Tamperer(connection).run(sealed)).scalars()
        other = "UPDATE audit_private SET facts_sealed = :hash WHERE MINE AND facts_sealed = :previous"
        await Tamperer(connection).run(other, hash=second, previous=first)
        (finding,) = (await verify(connection, vault, anchors.read(tmp_path, vault))).findings
        assert (finding.finding, finding.tenant_id, finding.position) == ("private", TENANT, 3)
        await savepoint.rollback()


def test_an_anchor_that_was_changed_or_is_another_ones_is_forged(vault, tmp_path):
    heads = [anchors.Head(TENANT, 5, bytes(32))]
    changed = anchors.write(tmp_path, vault, heads, NOW)
    changed.write_bytes(changed.read_bytes().replace(b", 5,", b", 4,"))
    stranger = Vault([bytes(range(1, 33))])
    theirs = anchors.write(tmp_path, stranger, heads, NOW)
    torn = anchors.write(tmp_path, vault, heads, NOW)
    torn.write_bytes(torn.read_bytes()[:-9])
    good = anchors.write(tmp_path, vault, [anchors.Head(TENANT, 6, bytes(32))], NOW)
    read = anchors.read(tmp_path, vault)
    name = {path: str(path.relative_to(tmp_path)) for path in (changed, theirs, torn, good)}
    assert sorted(read.forged) == sorted([name[changed], name[theirs]])
    assert read.torn == [name[torn]]
    assert list(read.of(TENANT)) == [(6, bytes(32))]
    believed = anchors.read(tmp_path, vault, anchors.public_keys(stranger))
    assert believed.forged == [name[changed]]
    assert [seq for seq, _ in believed.of(TENANT)] == [5, 6]
