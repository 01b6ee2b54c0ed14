"""Ages: what stands in the accounts that should come back to zero, and since when.

Of what a provider holds, what no statement has confirmed yet is old from the end of what is covered, or from
the oldest break. A limit of an account is how old it may grow before somebody is told, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.ledger import account_id
from services.money import Money
from services.reconciliation.facts import State
from services.refunds.came_back import STILL_GONE
from services.store.schema import (
    accounts,
    breaks,
    payouts,
    refund_attempts,
    refunds,
    reversals,
    statement_coverages,
    transfers,
    withdrawals,
)
from services.work import Work

IN_FLIGHT = "in flight"
UNDER_WAY = ("submitting", "pending", "unknown")
LIMITS = {
    "provider": timedelta(days=3),
    IN_FLIGHT: timedelta(days=1),
    "suspense": timedelta(days=3),
    "owed": timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`stands`: what is in the account, or on its way; `since`: the oldest of it that nothing has resolved;
    `until`: up to when the provider's statements tell of it."""

    account: str
    stands: Money
    since: datetime | None
    until: datetime | None = None

    @property
    def limit(self) -> timedelta:
        return LIMITS[self.account.partition(":")[0]]

    def too_old(self, now: datetime) -> bool:
        return self.since is not None and now - self.since > self.limit


async def standing(connection: AsyncConnection, tenant: UUID) -> list[Standing]:
    """Those in which anything stands; of providers all."""
    query = sa.select(accounts).where(
        accounts.c.tenant_id == tenant,
        sa.or_(accounts.c.name.in_(["suspense", "owed"]), accounts.c.name.startswith("provider:")),
    )
    found = []
    for row in (await connection.execute(query.order_by(accounts.c.name))).all():
        stands = Money(row.posted, row.currency)
        if row.name.startswith("provider:"):
            found.append(await _at_provider(connection, tenant, row, stands))
        elif stands:
            since = await (_suspended if row.name == "suspense" else _owed)(connection, tenant, row)
            found.append(Standing(row.name, stands, since))
    return [*found, *await _in_flight(connection, tenant)]


async def _at_provider(connection: AsyncConnection, tenant: UUID, row: Any, stands: Money) -> Standing:
    provider = row.name.removeprefix("provider:")
    covered: datetime | None = await connection.scalar(
        sa.select(sa.func.max(statement_coverages.c.until)).where(
            statement_coverages.c.tenant_id == tenant, statement_coverages.c.provider == provider
        )
    )
    touched = sa.or_(transfers.c.source_id == row.id, transfers.c.target_id == row.id)
    after = sa.select(sa.func.min(transfers.c.created_at)).where(transfers.c.tenant_id == tenant, touched)
    if covered is not None:
        after = after.where(transfers.c.created_at >= covered)
    broken = sa.select(sa.func.min(breaks.c.at)).where(
        breaks.c.tenant_id == tenant, breaks.c.provider == provider, breaks.c.state == State.OPEN
    )
    moments = [await connection.scalar(after), await connection.scalar(broken)]
    return Standing(row.name, stands, min((each for each in moments if each), default=None), covered)


async def _suspended(connection: AsyncConnection, tenant: UUID, row: Any) -> datetime | None:
    """The oldest that went neither back nor to the wallet."""
    resolved = (
        sa.exists().where(
            refunds.c.tenant_id == tenant,
            refunds.c.attempt_id == transfers.c.cause_id,
            refunds.c.source == "suspense",
            refunds.c.status == "completed",
        ),
        sa.select(sa.func.coalesce(sa.func.sum(reversals.c.amount), 0))
        .where(
            reversals.c.tenant_id == tenant,
            reversals.c.attempt_id == transfers.c.cause_id,
            reversals.c.source == "suspense",
            STILL_GONE,
        )
        .scalar_subquery()
        >= transfers.c.amount,
    )
    query = sa.select(sa.func.min(transfers.c.created_at)).where(
        transfers.c.tenant_id == tenant, transfers.c.target_id == row.id, sa.not_(sa.or_(*resolved))
    )
    found: datetime | None = await connection.scalar(query)
    return found


async def _owed(connection: AsyncConnection, tenant: UUID, row: Any) -> datetime | None:
    """What is paid pays the oldest first: the newest debts that make up what is left."""
    query = (
        sa.select(transfers.c.amount, transfers.c.created_at)
        .where(transfers.c.tenant_id == tenant, transfers.c.source_id == row.id)
        .order_by(transfers.c.created_at.desc(), transfers.c.id.desc())
    )
    left, since = -row.posted, None
    for debt in await connection.execute(query):
        if left <= 0:
            break
        left, since = left - debt.amount, debt.created_at
    return since


async def _in_flight(connection: AsyncConnection, tenant: UUID) -> list[Standing]:
    """Payouts and refunds that were handed over and of which nobody has told what became."""
    sent = (
        sa.select(payouts.c.created_at, withdrawals.c.net.label("amount"), withdrawals.c.currency)
        .join(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
            ),
        )
        .where(payouts.c.tenant_id == tenant, payouts.c.state.in_(UNDER_WAY))
    )
    given = (
        sa.select(refund_attempts.c.created_at, refunds.c.amount, refunds.c.currency)
        .join(
            refunds,
            sa.and_(
                refunds.c.tenant_id == refund_attempts.c.tenant_id,
                refunds.c.id == refund_attempts.c.refund_id,
            ),
        )
        .where(refund_attempts.c.tenant_id == tenant, refund_attempts.c.state.in_(UNDER_WAY))
    )
    each = sa.union_all(sent, given).subquery()
    query = sa.select(
        each.c.currency,
        sa.cast(sa.func.sum(each.c.amount), sa.BigInteger).label("total"),
        sa.func.min(each.c.created_at).label("since"),
    ).group_by(each.c.currency)
    return [
        Standing(IN_FLIGHT, Money(row.total, row.currency), row.since)
        for row in await connection.execute(query)
    ]


async def tell_old(work: Work) -> list[Standing]:
    """One alert for each that has grown too old, once for as long as the same stands there."""
    told = []
    for each in await standing(work.connection, work.tenant):
        if each.since is None or not each.too_old(work.now) or _never_told(each):
            continue
        target = account_id(work.tenant, each.account, each.stands.currency)
        if await audit.alerted(work, "clearing.aged", target=target, since=each.since):
            continue
        facts = {
            "account": each.account,
            "stands": f"{each.stands} {each.stands.currency}",
            "since": each.since.isoformat(),
            "days": str((work.now - each.since).days),
        }
        await audit.record(work, audit.CLOCK, "clearing.aged", target, facts, alert=True)
        told.append(each)
    return told


def _never_told(each: Standing) -> bool:
    """No statement was ever read of this provider: `doctor` says so, and not every night."""
    return each.account.startswith("provider:") and each.until is None
