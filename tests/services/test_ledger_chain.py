"""What the chain of the ledger is, and that both databases make the same."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer, chain
from services.store.schema import Moment, accounts
from tests.services.business import Business, kes
from tests.services.test_books_chained import SALES, all_of, found, post


@pytest.fixture
async def shop(database, vault) -> Business:
    shop = await Business(database, vault).open()
    await post(shop, SALES)
    return shop


async def test_each_transfer_is_hashed_behind_the_last_one_of_both_its_accounts(shop):
    """By the format as chain.py describes it, put together here from its words."""
    async with shop.behind() as work:
        rows = await all_of(work)
        stand = dict((await work.connection.execute(sa.select(accounts.c.id, accounts.c.hash))).all())
    last: dict[UUID, bytes] = {}
    for row in rows:
        digest = hashlib.sha256(b"lipachat ledger 1")
        for each in (row.tenant_id, row.source_id, row.target_id, row.id, row.cause_id):
            digest.update(each.bytes)
        digest.update(row.amount.to_bytes(8))
        digest.update(Moment.microseconds(row.created_at).to_bytes(8, signed=True))
        for text in (row.currency, "provider", "mpesa", row.reason):
            digest.update(len(text).to_bytes(4) + text.encode())
        made = hashlib.sha256(last.get(row.source_id, bytes(32)) + last.get(row.target_id, bytes(32)))
        made.update(digest.digest())
        assert row.hash == made.digest()
        last |= {row.source_id: row.hash, row.target_id: row.hash}
    assert len(rows) == 2 * SALES
    assert {account: hash_ for account, hash_ in stand.items() if hash_} == last


def test_the_format_never_changes_for_what_is_there():
    head = chain.head_of(UUID(int=1), UUID(int=2), UUID(int=3))
    at = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
    digest = chain.digest_of(head, UUID(int=4), 5_00, "KES", UUID(int=6), at, "api", None, "sale é")
    assert digest.hex() == "09e5c3b76ac23f0432bcde9f65d5edaff30a08f2c43cbf45e62baeb8f53c2b19"
    made = chain.hash_of(b"s" * 32, b"t" * 32, digest)
    assert made.hex() == "95f413c80457fb01aebd22e870eb391e75b322b4ac0a15d8d84154e66202112d"


async def test_what_one_posting_moves_back_and_forth_is_bound_in_its_order(shop):
    """A transfer follows another of the same posting, in one account, in both, and in neither."""
    moves = [
        ("provider:mpesa", WALLET, "50", "in"),
        (WALLET, "provider:mpesa", "20", "back"),
        (WALLET, "fees:payments", "3", "fee"),
        ("owed", "suspense", "1", "aside"),
        ("suspense", WALLET, "1", "home"),
    ]
    async with shop.work() as work:
        posted = [Transfer(source, target, kes(amount), reason) for source, target, amount, reason in moves]
        await ledger.post(work, new_id(), posted)
    assert await found(shop) == []
    async with shop.behind() as work:
        assert len({row.hash for row in await all_of(work)}) == 2 * SALES + len(moves)
