"""The books proven from a checkpoint on: every kind of tampering is found, told once, and stops payouts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.watch import Watch, next_night
from services import books, ledger
from services.books import watch
from services.books.chained import CHAINED
from services.ids import new_id
from services.ledger import PAYMENT_FEES, WALLET, Transfer
from services.news import Frozen, PayoutsStopped
from services.providers.base import Succeeded
from services.store.bell import Bell
from services.store.schema import (
    account_proofs,
    accounts,
    attempts,
    audit,
    audit_heads,
    book_checks,
    breaches,
    holds,
    jobs,
    tenants,
    transfers,
    withdrawals,
)
from services.work import Work
from tests.conftest import BOTH
from tests.services.business import Business, kes

SUM = "a balance is the sum of its entries"
ZERO = "the posted balances of a tenant and currency sum to zero"
GAP = "the entries of an account are numbered without a gap"
HELD = "held is the sum of the open holds"
POSTED = "a succeeded attempt is posted once, in full"
HOLD = "a hold is open while its withdrawal is"
LEFT = "a posted hold has left its account in full"
SALE = "a sale belongs to an attempt that succeeded"


@pytest.fixture
async def shop(database, vault):
    """With a sale and a payout that are proven, and a withdrawal that waits."""
    business = await Business(database, vault).open()
    await business.paid("5000")
    paying_out = await business.approved("1000")
    await paying_out.sent()
    await paying_out.called(Succeeded("UKP9000001", kes("967")))
    await business.withdraw("500")
    await minute(business)
    business.forward(minutes=10)
    await minute(business)
    business.forward(minutes=1)
    return business


def watching(business):
    return Watch(business.database, business.vault, Bell(None), lambda: business.now)


async def minute(business):
    await watching(business).minute()


async def found(business):
    async with business.work() as work:
        return [breach.rule for breach in await watch.open_breaches(work)]


def wallet(**values):
    return sa.update(accounts).where(accounts.c.name == WALLET).values(**values)


def latest(number=1):
    """The transfers that were posted last."""
    ids = sa.select(transfers.c.id).order_by(transfers.c.created_at.desc(), transfers.c.id.desc())
    return transfers.c.id.in_(ids.limit(number))


def one_sided(business):
    """An entry that neither account counts."""
    return sa.insert(transfers).values(
        tenant_id=business.tenant,
        id=new_id(),
        source_id=ledger.account_id(business.tenant, "provider:mpesa", "KES"),
        source_entry=99,
        target_id=ledger.account_id(business.tenant, WALLET, "KES"),
        target_entry=99,
        amount=1,
        currency="KES",
        reason="gift",
        cause_id=new_id(),
        created_at=business.now,
    )


BY_THE_MINUTE = {
    "balance": (lambda: wallet(posted=accounts.c.posted + 1), {ZERO, SUM}),
    "two balances": (
        lambda: (
            sa.update(accounts)
            .where(accounts.c.name.in_([WALLET, "provider:mpesa"]))
            .values(posted=accounts.c.posted + sa.case((accounts.c.name == WALLET, 1), else_=-1))
        ),
        {SUM},
    ),
    "count of entries": (lambda: wallet(entries=accounts.c.entries + 1), {GAP}),
    "held": (lambda: wallet(held=accounts.c.held + 1), {HELD}),
    "hold that is stuck": (
        lambda: sa.update(withdrawals).where(withdrawals.c.status == "pending").values(status="rejected"),
        {HOLD},
    ),
    "hold given back alone": (
        lambda: sa.update(holds).where(holds.c.state == "open").values(state="voided"),
        {HELD, HOLD},
    ),
}


async def broken(business, *spoils):
    """The rules that a check since the last one finds broken; nothing of it stays."""
    async with business.database.owning() as connection, connection.begin() as spoiling:
        for spoil in spoils:
            await connection.execute(spoil)
        last = await watch.last_snapshot(connection, watch.MINUTE)
        assert last is not None
        checked = await books.check_since(connection, last - watch.MARGIN)
        await spoiling.rollback()
    return {breach.rule for breach in checked.breaches}


async def test_tampering_with_what_was_proven_is_found_by_the_minute(shop):
    assert await broken(shop) == set()
    for what, (spoil, rules) in BY_THE_MINUTE.items():
        assert await broken(shop, spoil()) == rules, what


IN_NEW_ROWS = {
    "transfer deleted": (lambda: sa.delete(transfers).where(latest()), {GAP, POSTED}),
    "amount": (lambda: sa.update(transfers).where(latest()).values(amount=1), {SUM, POSTED}),
    "renumbered": (lambda: sa.update(transfers).where(latest()).values(target_entry=2), {GAP}),
    "reason": (lambda: sa.update(transfers).where(latest()).values(reason="gift"), {POSTED}),
    "success undone": (lambda: sa.update(attempts).values(state="failed"), {SALE, POSTED}),
}


async def test_tampering_with_new_rows_is_found_by_the_minute(shop):
    await shop.paid("700")
    assert await broken(shop) == set()
    for what, (spoil, rules) in IN_NEW_ROWS.items():
        assert await broken(shop, spoil()) == rules, what


async def test_an_entry_that_its_accounts_do_not_count_is_found_by_the_minute(shop):
    assert await broken(shop, one_sided(shop)) == {GAP}


async def test_a_success_without_its_posting_is_found_by_the_minute(shop):
    paying = await shop.pay("300")
    success = sa.update(attempts).where(attempts.c.id == paying.attempt)
    assert await broken(shop, success.values(state="succeeded", resolved_at=shop.now)) == {POSTED}


async def test_tampering_with_old_rows_is_found_at_night(shop):
    async with shop.behind() as work:
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.reason == "payout").values(amount=transfers.c.amount + 1)
        )
    await minute(shop)
    assert await found(shop) == []
    await watching(shop).night()
    assert set(await found(shop)) == {SUM, LEFT, CHAINED}


async def test_the_books_are_closed_at_night_where_they_are_right_and_something_was_posted(shop):
    async def times_closed() -> Any:
        async with shop.behind() as work:
            said = sa.select(sa.func.count()).where(audit.c.action == "ledger.closed")
            return await work.connection.scalar(said)

    for _ in range(2):
        await watching(shop).night()
        assert await times_closed() == 1
    await shop.paid("100")
    async with shop.behind() as work:
        await work.connection.execute(wallet(held=accounts.c.held + 1))
    await watching(shop).night()
    assert await times_closed() == 1
    async with shop.behind() as work:
        await work.connection.execute(wallet(held=accounts.c.held - 1))
    await watching(shop).night()
    assert await times_closed() == 2


async def beside(shop, spoil):
    """Another merchant's books are wrong, and those of the first cannot be looked at."""
    other = await Business(shop.database, shop.vault).open()
    async with other.work() as work:
        await ledger.post(work, new_id(), [Transfer("provider:mpesa", WALLET, kes("1"), "gift")])
    async with shop.behind() as work:
        await spoil(work)
        mine = (accounts.c.tenant_id == other.tenant, accounts.c.name == WALLET)
        await work.connection.execute(sa.update(accounts).where(*mine).values(held=7))
    await watching(shop).night()
    async with shop.behind() as work:
        told = set(await work.connection.scalars(sa.select(breaches.c.tenant_id)))
        seen = await work.connection.scalar(
            sa.select(sa.func.count()).select_from(book_checks).where(book_checks.c.kind == watch.AUDIT)
        )
    assert seen == 1
    return told, other


async def test_one_whose_audit_takes_no_entry_does_not_silence_the_night(shop):
    async def spoil(work):
        await work.connection.execute(sa.delete(audit_heads).where(audit_heads.c.tenant_id == shop.tenant))

    told, other = await beside(shop, spoil)
    assert told == {other.tenant}


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
@pytest.mark.parametrize("at", ["20000-01-01", "0044-03-15 BC"])
async def test_nor_does_one_with_a_time_that_cannot_be_read(shop, at):
    async def spoil(work):
        await work.connection.execute(sa.text(f"UPDATE transfers SET created_at = '{at}'"))

    told, other = await beside(shop, spoil)
    assert told == {shop.tenant, other.tenant}


async def test_the_minute_does_not_wait_for_the_night(shop):
    async with shop.database.long_snapshot():
        await asyncio.wait_for(minute(shop), 10)


async def test_a_history_that_was_written_anew_is_no_longer_the_proven_one(shop):
    """Balances, counts and entries fit together, and yet are not what was proven."""
    async with shop.behind() as work:
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.reason == "withdrawal_fee").values(amount=1_00)
        )
        for name, more in ((WALLET, 32_00), ("fees:withdrawals", -32_00)):
            await work.connection.execute(
                sa.update(accounts).where(accounts.c.name == name).values(posted=accounts.c.posted + more)
            )
        assert SUM not in {breach.rule for breach in await shop.breaches(work)}
    await minute(shop)
    assert await found(shop) == [SUM, SUM]


async def test_a_breach_is_told_once_and_stops_payouts_until_they_are_let_go_on(shop):
    async with shop.behind() as work:
        await work.connection.execute(wallet(held=accounts.c.held + 1))
    for _ in range(3):
        await minute(shop)
        shop.forward(minutes=1)
    tenant = await shop.row(tenants, shop.tenant)
    assert (tenant.payouts_frozen, tenant.frozen_because) == (True, Frozen.BOOKS)
    assert sorted(await shop.alerts()) == ["books.breach", "payouts.frozen"]
    for person in (shop.owner, shop.manager):
        told = [news for news in await shop.news(person) if isinstance(news, PayoutsStopped)]
        assert [news.because for news in told] == [Frozen.BOOKS]
    async with shop.behind() as work:
        facts = await work.connection.scalar(sa.select(audit.c.facts).where(audit.c.action == "books.breach"))
    assert facts["rule"] == HELD


async def test_other_tenants_go_on(shop, database, vault):
    other = await Business(database, vault).open()
    await other.paid("100")
    async with shop.work() as work:
        await work.connection.execute(
            wallet(held=accounts.c.held + 1).where(accounts.c.tenant_id == shop.tenant)
        )
    await minute(shop)
    assert not (await other.row(tenants, other.tenant)).payouts_frozen


async def test_what_was_repaired_is_accepted_and_proven_from_anew(shop):
    async with shop.behind() as work:
        await work.connection.execute(wallet(posted=accounts.c.posted + 5))
    await minute(shop)
    async with shop.behind() as work:
        await work.connection.execute(wallet(posted=accounts.c.posted - 5))
        await watch.accept(work)
    assert await found(shop) == []
    await minute(shop)
    assert await found(shop) == []
    async with shop.behind() as work:
        proven = (await work.connection.execute(sa.select(account_proofs.c.posted))).scalars().all()
        posted = (await work.connection.execute(sa.select(accounts.c.posted))).scalars().all()
    assert sorted(proven) == sorted(posted)


async def test_both_checks_are_due_once_and_come_again(shop):
    watching_too = watching(shop)
    for each in (watching_too, watching(shop)):
        await each.begin()
        await each.begin()
    await watching_too.minute()
    await watching_too.night()
    async with shop.behind() as work:
        due = dict(
            (
                await work.connection.execute(
                    sa.select(jobs.c.kind, jobs.c.due_at).where(jobs.c.kind.in_([watch.MINUTE, watch.NIGHT]))
                )
            ).all()
        )
        kinds = (await work.connection.execute(sa.select(book_checks.c.kind))).scalars().all()
    assert due == {watch.MINUTE: shop.now + timedelta(minutes=1), watch.NIGHT: next_night(shop.now)}
    assert sorted(kinds) == [watch.AUDIT, watch.MINUTE, watch.NIGHT]


async def test_whoever_began_before_the_proof_and_commits_after_it_is_neither_missed_nor_an_alarm(
    postgres, vault
):
    """Payments of which some wait in an open transaction, dated long before the proof that overtakes them."""
    business = await Business(postgres, vault).open()
    stop = asyncio.Event()

    async def post(name: str, waits: float) -> None:
        while not stop.is_set():
            began = business.now - timedelta(hours=2)
            async with postgres.transaction(business.tenant) as connection:
                work = Work(connection, vault, business.tenant, began)
                await ledger.post(work, new_id(), [Transfer(name, WALLET, kes("1"), "gift")])
                await ledger.post(work, new_id(), [Transfer(WALLET, PAYMENT_FEES, kes("1"), "gift")])
                await asyncio.sleep(waits)

    posting = [asyncio.create_task(post(f"provider:{n}", 0.004 * n)) for n in range(4)]
    for _ in range(12):
        business.forward(minutes=1)
        await minute(business)
    stop.set()
    await asyncio.gather(*posting)
    assert await found(business) == []
    await minute(business)
    async with business.behind() as work:
        proven = dict(
            (
                await work.connection.execute(sa.select(account_proofs.c.account_id, account_proofs.c.posted))
            ).all()
        )
        posted = dict((await work.connection.execute(sa.select(accounts.c.id, accounts.c.posted))).all())
        count = await work.connection.scalar(sa.select(sa.func.count()).select_from(transfers))
    assert proven == posted
    assert (count or 0) > 25
    assert await work_is_empty(business)


async def work_is_empty(business):
    async with business.behind() as work:
        return await work.connection.scalar(sa.select(sa.func.count()).select_from(breaches)) == 0
