"""Ending: what holds after every scenario of the contract, whatever went wrong in it."""

from collections import Counter

import sqlalchemy as sa

from services import books
from services.ledger import provider_account
from services.news import PaidTwice, PaymentSettled
from services.news.refunds import RefundMade
from services.store.schema import accounts, attempts, payments, refunds, transfers
from services.store.scope import OWNER
from tests.bot.market import until
from tests.contract.stand import Stand


async def agree(till: Stand) -> None:
    """Raises AssertionError, which names the provider."""
    market = till.market
    await _taken(till)
    async with market.database.transaction(OWNER) as connection:
        assert await books.check(connection) == [], till.name
        posted = (await connection.execute(sa.select(accounts.c.name, accounts.c.posted))).all()
        moved = (await connection.execute(sa.select(transfers.c.cause_id, transfers.c.reason))).all()
        tried = (await connection.execute(_ATTEMPTS)).all()
        given_back = await connection.scalar(_REFUNDS)
    assert sum(row.posted for row in posted) == 0, f"{till.name}: the ledger sums to zero"
    reasons = Counter(row.reason for row in moved)
    credited = Counter(row.cause_id for row in moved if row.reason in ("sale", "suspense"))
    succeeded = [row for row in tried if row.state == "succeeded"]
    assert credited == Counter(row.id for row in succeeded), f"{till.name}: each success is credited once"
    receipts = [row.receipt for row in succeeded if row.receipt and row.provider == till.name]
    theirs = await till.receipts()
    assert not Counter(receipts) - Counter(theirs), f"{till.name}: credited by receipts of its own, each once"
    doubted = sum(row.amount for row in tried if row.doubt and row.state != "succeeded")
    ours = -sum(row.posted for row in posted if row.name == provider_account(till.name))
    assert await till.held() == ours + doubted, f"{till.name}: its own book has what ours has"
    heard = Counter(type(news) for news in await till.business.news(till.business.customer))
    assert heard[PaymentSettled] == reasons["sale"], f"{till.name}: the customer hears of each sale once"
    assert heard[PaidTwice] == reasons["suspense"], f"{till.name}: and of what was paid twice"
    assert heard[RefundMade] == given_back, f"{till.name}: and of each refund"


async def _taken(till: Stand) -> None:
    """Nothing that it told is left, though it may be telling still."""

    async def none_waits() -> bool:
        await till.market.work()
        return all(row.state != "waiting" for row in await till.market.hooks())

    await until(none_waits)


_ATTEMPTS = sa.select(
    attempts.c.id,
    attempts.c.state,
    attempts.c.doubt,
    attempts.c.receipt,
    attempts.c.provider,
    payments.c.amount,
).join(
    payments,
    sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
)
_REFUNDS = sa.select(sa.func.count()).where(refunds.c.status == "completed")
