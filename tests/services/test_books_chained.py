"""Whoever rules the database may change what they like, and make everything fit together: the ledger's chain
names the first transfer that is not as it was posted, and what was closed cannot be written anew."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import audit, books, ledger
from services.books import chained, closing
from services.books.chained import CHAINED, CLOSED, NAMED
from services.ids import new_id
from services.ledger import WALLET, Transfer, chain
from services.money import Money
from services.store.schema import accounts, transfers
from services.store.schema import audit as entries
from services.work import Via, Work
from tests.services.business import Business, kes

SALES, AFTER = 4, 2  # before the books are closed, and after
SALE = [
    Transfer("provider:mpesa", WALLET, kes("100"), "gift"),
    Transfer(WALLET, "fees:payments", kes("3"), "gift_fee"),
]
VIA = Via("provider", "mpesa")


async def post(shop: Business, times: int) -> None:
    for _ in range(times):
        async with shop.work() as work:
            work = Work(work.connection, work.vault, work.tenant, work.now, VIA)  # noqa: PLW2901
            await ledger.post(work, new_id(), SALE)
        shop.forward(minutes=1)


async def found(shop: Business) -> list[books.Breach]:
    """Of the chain."""
    async with shop.behind() as work:
        return [breach for breach in await shop.breaches(work) if breach.rule in (CHAINED, CLOSED, NAMED)]


async def close(shop: Business) -> bool:
    async with shop.database.long_snapshot() as connection:
        proven = await books.prove(connection, shop.tenant)
    assert not proven.breaches
    async with shop.work() as work:
        return await closing.close(work, proven.ends)


@pytest.fixture
async def shop(database, vault) -> Business:
    shop = await Business(database, vault).open()
    await post(shop, SALES)
    return shop


async def all_of(work: Work) -> list[Any]:
    return list(
        (
            await work.connection.execute(
                sa.select(transfers).order_by(transfers.c.created_at, transfers.c.id)
            )
        ).all()
    )


async def rehash(work: Work) -> None:
    """Every hash anew, and those of the accounts, as somebody would who knows the format."""
    last: dict[UUID, bytes] = {}
    for row in await all_of(work):
        source, target = (last.get(account, bytes(32)) for account in (row.source_id, row.target_id))
        head = chain.head_of(row.tenant_id, row.source_id, row.target_id)
        cause = (row.currency, row.cause_id, row.created_at, row.channel, row.via)
        digest = chain.digest_of(head, row.id, row.amount, *cause, row.reason)
        made = chain.hash_of(source, target, digest)
        last |= {row.source_id: made, row.target_id: made}
        await work.connection.execute(sa.update(transfers).where(transfers.c.id == row.id).values(hash=made))
    for account in (await work.connection.execute(sa.select(accounts.c.id))).scalars().all():
        await work.connection.execute(
            sa.update(accounts).where(accounts.c.id == account).values(hash=last.get(account))
        )


# --- what is found ----------------------------------------------------------------------------------


async def change_a_column(work: Work, k: int) -> str:
    column, value = random.Random(k).choice(
        [
            ("amount", transfers.c.amount + 1),
            ("reason", "other"),
            ("currency", "UGX"),
            ("cause_id", UUID(int=5)),
            ("created_at", datetime(2020, 1, 1, tzinfo=UTC)),
            ("channel", "chat"),
            ("via", None),
            ("hash", bytes(32)),
        ]
    )
    row = (await all_of(work))[k]
    await work.connection.execute(
        sa.update(transfers).where(transfers.c.id == row.id).values({column: value})
    )
    return str(row.id)


async def turn_around(work: Work, k: int) -> str:
    row = (await all_of(work))[k]
    await work.connection.execute(
        sa.update(transfers)
        .where(transfers.c.id == row.id)
        .values(
            source_id=row.target_id,
            source_entry=row.target_entry,
            target_id=row.source_id,
            target_entry=row.source_entry,
        )
    )
    return str(row.id)


async def remove(work: Work, k: int) -> str:
    """What comes next in one of its accounts has nothing before it."""
    rows = await all_of(work)
    await work.connection.execute(sa.delete(transfers).where(transfers.c.id == rows[k].id))
    mine = {rows[k].source_id, rows[k].target_id}
    return next((str(row.id) for row in rows[k + 1 :] if {row.source_id, row.target_id} & mine), "end")


async def put_in(work: Work, k: int) -> str:
    row = (await all_of(work))[k]
    values = row._asdict() | {"id": new_id(), "cause_id": new_id()}
    await work.connection.execute(sa.insert(transfers).values(values))
    return str(values["id"])


async def set_an_account_back(work: Work, k: int) -> str:
    row = (await all_of(work))[k]
    await work.connection.execute(
        sa.update(accounts).where(accounts.c.id == row.source_id).values(hash=bytes(32))
    )
    return str(row.source_id)


@pytest.mark.parametrize("k", range(2 * SALES))
@pytest.mark.parametrize("tamper", [change_a_column, turn_around, remove, put_in, set_an_account_back])
async def test_whatever_was_done_to_the_transfers_the_first_bad_one_is_named(shop, tamper, k):
    assert await found(shop) == []
    async with shop.behind() as work:
        bad = await tamper(work, k)
    [breach] = await found(shop)
    assert breach.rule == CHAINED
    if bad != "end":  # the last one of both its accounts leaves only them to say so
        assert breach.row == bad


async def test_an_amount_with_all_balances_changed_to_fit_is_found(shop):
    async with shop.behind() as work:
        row = (await all_of(work))[0]
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.id == row.id).values(amount=transfers.c.amount + 500)
        )
        for account, by in ((row.source_id, -500), (row.target_id, 500)):
            await work.connection.execute(
                sa.update(accounts).where(accounts.c.id == account).values(posted=accounts.c.posted + by)
            )
        assert [breach.rule for breach in await shop.breaches(work)] == [CHAINED]


async def forge(work: Work, k: int) -> None:
    """Changed, and made to fit everywhere: in the balances, and by new hashes from there on."""
    row = (await all_of(work))[k]
    await work.connection.execute(
        sa.update(transfers).where(transfers.c.id == row.id).values(amount=transfers.c.amount + 500)
    )
    for account, by in ((row.source_id, -500), (row.target_id, 500)):
        await work.connection.execute(
            sa.update(accounts).where(accounts.c.id == account).values(posted=accounts.c.posted + by)
        )
    await rehash(work)


async def cut(work: Work, k: int) -> None:
    """All from there on never was."""
    rows = await all_of(work)
    for row in reversed(rows[k:]):
        await work.connection.execute(sa.delete(transfers).where(transfers.c.id == row.id))
        for account, by in ((row.source_id, row.amount), (row.target_id, -row.amount)):
            await work.connection.execute(
                sa.update(accounts)
                .where(accounts.c.id == account)
                .values(posted=accounts.c.posted + by, entries=accounts.c.entries - 1)
            )
    await rehash(work)


@pytest.mark.parametrize("k", range(2 * SALES))
@pytest.mark.parametrize("rewrite", [forge, cut])
async def test_what_was_closed_cannot_be_written_anew(shop, rewrite, k):
    assert await close(shop)
    await post(shop, AFTER)
    async with shop.behind() as work:
        await rewrite(work, k)
        broken = await shop.breaches(work)
    assert {breach.rule for breach in broken} == {CLOSED}


@pytest.mark.parametrize("rewrite", [forge, cut])
async def test_what_was_not_closed_yet_can_be_and_the_audit_alone_tells_of_it(shop, rewrite):
    """What this proof does not give; the entries of the deeds are anchored every few minutes."""
    assert await close(shop)
    await post(shop, AFTER)
    async with shop.behind() as work:
        await rewrite(work, 2 * SALES)
        assert await shop.breaches(work) == []


async def test_one_more_closing_does_not_make_it_good(shop):
    """It can be appended to the audit as rightly as anything else, and contradicts the first."""
    assert await close(shop)
    async with shop.behind() as work:
        await forge(work, 0)
    assert [breach.rule for breach in await found(shop)] == [CLOSED]
    async with shop.behind() as work:
        await work.connection.execute(sa.update(accounts).values(name="x" + accounts.c.name))
        ends = (await chained.gone_through(work.connection, shop.tenant)).ends
        await work.connection.execute(sa.update(accounts).values(name=sa.func.substr(accounts.c.name, 2)))
    async with shop.work() as work:
        stand = [{"id": str(a), "entries": e.entries, "hash": e.hash.hex()} for a, e in ends.items()]
        await audit.record(work, audit.CLOCK, "ledger.closed", work.tenant, {"accounts": stand})
    assert [breach.rule for breach in await found(shop)] == [CLOSED]


@pytest.mark.parametrize("facts", [{}, [], {"accounts": {"x": 1}}, {"accounts": [{"id": "x"}]}])
async def test_a_closing_that_was_changed_is_told(shop, facts):
    assert await close(shop)
    async with shop.behind() as work:
        closings = entries.c.action == "ledger.closed"
        await work.connection.execute(sa.update(entries).where(closings).values(facts=facts))
    [breach] = await found(shop)
    assert (breach.rule, breach.row.startswith("audit entry ")) == (CLOSED, True)


@pytest.mark.parametrize(
    "spoilt", ["'{'", "x'ff'", "cast(x'22ff22' as text)", f"'{'[' * 100_000}'", "7", "''"]
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_closing_that_is_no_json_is_told(shop, spoilt):
    """PostgreSQL takes none into the column."""
    assert await close(shop)
    async with shop.behind() as work:
        spoil = f"UPDATE audit SET facts = {spoilt} WHERE action = 'ledger.closed'"
        await work.connection.execute(sa.text(spoil))
    [breach] = await found(shop)
    assert (breach.rule, breach.row.startswith("audit entry ")) == (CLOSED, True)


async def test_a_closed_ledger_that_is_gone_as_a_whole_is_told(shop):
    assert await close(shop)
    async with shop.behind() as work:
        await work.connection.execute(sa.delete(transfers))
        await work.connection.execute(sa.delete(accounts))
        assert [breach.rule for breach in await shop.breaches(work)] == [CLOSED]


async def test_an_account_under_another_name_is_told_and_closed_as_the_one_that_it_is(shop):
    fees = sa.update(accounts).where(accounts.c.name.like("fees:%"))
    async with shop.behind() as work:
        await work.connection.execute(fees.values(name="fees:other"))
        assert [breach.rule for breach in await shop.breaches(work)] == [NAMED]
        await work.connection.execute(fees.values(name="fees:payments"))
    assert await close(shop)
    assert await found(shop) == []


async def test_the_lowest_of_ids_is_gone_through_too(shop):
    await post_without_a_chain(shop)
    unchained = sa.update(transfers).where(transfers.c.hash.is_(None))
    async with shop.behind() as work:
        await work.connection.execute(unchained.values(id=UUID(int=0)))
    assert await close(shop)
    async with shop.behind() as work:
        await work.connection.execute(unchained.values(reason="other"))
    assert [breach.rule for breach in await found(shop)] == [CLOSED]


async def test_a_hole_is_told_before_all_that_comes_behind_it_was_read(shop, monkeypatch):
    monkeypatch.setattr(chained, "_PAGE", 2)
    monkeypatch.setattr(chained, "_MOST_EARLY", 1)
    async with shop.behind() as work:
        gone = await remove(work, 0)
    [breach] = await found(shop)
    assert (breach.rule, breach.row) == (CHAINED, gone)


# --- closing ----------------------------------------------------------------------------------------


async def test_books_are_closed_once_for_what_was_posted(shop):
    assert await close(shop)
    assert not await close(shop)
    await post(shop, 1)
    assert await close(shop)
    async with shop.behind() as work:
        said = await work.connection.execute(
            sa.select(entries.c.actor, entries.c.facts).where(entries.c.action == "ledger.closed")
        )
        (actor, first), (_, second) = said.all()
        hashes = dict((await work.connection.execute(sa.select(accounts.c.name, accounts.c.hash))).all())
    assert actor == audit.CLOCK
    assert {end["entries"] for end in first["accounts"]} == {SALES, 2 * SALES}
    assert {end["name"]: end["hash"] for end in second["accounts"]} == {
        f"{name} KES": hash_.hex() for name, hash_ in hashes.items() if hash_
    }


async def test_a_shop_without_a_posting_has_nothing_to_close(database, vault):
    assert not await close(await Business(database, vault).open())


# --- beside the release before, which keeps no chain ----------------------------------------------------


async def post_without_a_chain(shop: Business) -> None:
    """As that release does it: it knows neither of the columns."""
    async with shop.behind() as work:
        rows = {row.name: row for row in (await work.connection.execute(sa.select(accounts))).all()}
        source, target = rows["provider:mpesa"], rows[WALLET]
        values = {
            "tenant_id": shop.tenant,
            "id": new_id(),
            "source_id": source.id,
            "source_entry": source.entries + 1,
            "target_id": target.id,
            "target_entry": target.entries + 1,
            "amount": 700,
            "currency": "KES",
            "reason": "gift",
            "cause_id": new_id(),
            "created_at": shop.now,
        }
        await work.connection.execute(sa.insert(transfers).values(values))
        for account, by in ((source, -700), (target, 700)):
            await work.connection.execute(
                sa.update(accounts)
                .where(accounts.c.id == account.id)
                .values(posted=accounts.c.posted + by, entries=accounts.c.entries + 1)
            )
    shop.forward(minutes=1)


async def test_what_the_release_before_posts_meanwhile_breaks_nothing_and_is_held_once_it_is_closed(shop):
    await post_without_a_chain(shop)
    await post(shop, 1)
    await post_without_a_chain(shop)
    assert await found(shop) == []
    assert await close(shop)
    await post(shop, 1)
    assert await found(shop) == []
    async with shop.behind() as work:
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.hash.is_(None)).values(reason="other")
        )
    [breach] = await found(shop)
    assert breach.rule == CLOSED


async def test_what_was_there_before_the_chain_is_held_once_it_is_closed(shop):
    async with shop.behind() as work:
        await work.connection.execute(sa.update(transfers).values(hash=None, channel=None, via=None))
        await work.connection.execute(sa.update(accounts).values(hash=None))
    await post(shop, 1)
    assert await close(shop)
    assert await found(shop) == []
    async with shop.behind() as work:
        first = (await all_of(work))[0]
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.id == first.id).values(amount=first.amount - 1)
        )
    [breach] = await found(shop)
    assert (breach.rule, breach.found != breach.expected) == (CLOSED, True)


async def test_each_currency_is_a_chain_of_its_own(shop):
    dollars = Transfer("provider:stripe", WALLET, Money.parse("7", "USD"), "gift")
    async with shop.work() as work:
        await ledger.post(work, new_id(), [dollars])
    async with shop.behind() as work:
        row = next(row for row in await all_of(work) if row.currency == "USD")
    assert (row.source_entry, row.target_entry) == (1, 1)
    assert await found(shop) == []
