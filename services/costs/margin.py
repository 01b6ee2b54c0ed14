"""Margin: what tenants have paid for moving money, what providers have charged, and what is left of it.

Read out of the ledger: each line is a sum of transfers, by what caused them, and all of them together are
what the accounts of fees and of costs have gained and lost. Read in one snapshot.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.books.scope import whole
from services.costs import COLLECTION, COST, LESS, MORE, REVERSAL
from services.providers import PROVIDERS
from services.store.schema import accounts, attempts, payouts, refunds, transfers, withdrawals

_MOVED = ("sale", "suspense", "payout", "refund")
_PRICES, _PRICES_BACK = ("sale_fee", "withdrawal_fee"), "withdrawal_fee_returned"


class DoesNotAddUp(Exception):
    """The lines are not what the accounts have gained and lost: a bug, and no report."""


@dataclass(frozen=True)
class Line:
    """Of one rail in one currency, in minor units. `without_cost`: of the items, those whose cost nobody has
    told."""

    provider: str
    rail: str
    currency: str
    items: int
    volume: int
    price: int
    cost: int
    without_cost: int

    @property
    def margin(self) -> int:
        return self.price - self.cost


async def lines(connection: AsyncConnection, tenant: UUID, since: datetime, until: datetime) -> list[Line]:
    """Of what was posted from `since` on and before `until`. Raises DoesNotAddUp."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for provider, kind, currency, *sums in await connection.execute(_by_rail(tenant, since, until)):
        key = (provider or "", _rail(provider or "", kind), currency)
        before = found.get(key, [0] * len(sums))
        found[key] = [a + b for a, b in zip(before, sums, strict=True)]
    told = [Line(*key, *sums) for key, sums in sorted(found.items())]
    await _refuse_difference(connection, tenant, since, until, told)
    return told


def _rail(provider: str, kind: str) -> str:
    """A refund that was paid out went by the provider's way out."""
    rules = PROVIDERS[provider].refunds if provider in PROVIDERS else None
    return rules.otherwise if kind == "refund" and rules and rules.otherwise else kind


def _of_same(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == transfers.c.tenant_id, table.c.id == transfers.c.cause_id)


def _by_rail(tenant: UUID, since: datetime, until: datetime) -> sa.Select[Any]:
    def total(*reasons: str) -> sa.ColumnElement[int]:
        return sa.case((transfers.c.reason.in_(reasons), transfers.c.amount), else_=0)

    paid_back, late = attempts.alias("paid_back"), payouts.alias("late")
    provider = sa.func.coalesce(
        attempts.c.provider, late.c.provider, payouts.c.provider, paid_back.c.provider
    )
    kind = sa.case(
        (attempts.c.id.is_not(None), COLLECTION),
        (refunds.c.way == "reversal", REVERSAL),
        (refunds.c.id.is_not(None), "refund"),
        else_=sa.func.coalesce(withdrawals.c.method_type, "other"),
    )
    other = transfers.alias("other")
    costed = (
        sa.select(other.c.id)
        .where(
            other.c.tenant_id == transfers.c.tenant_id,
            other.c.cause_id == transfers.c.cause_id,
            other.c.reason.in_([COST, MORE]),
        )
        .exists()
    )
    moved = transfers.c.reason.in_(_MOVED)
    return (
        sa.select(
            provider,
            kind,
            transfers.c.currency,
            whole(sa.func.sum(sa.case((moved, 1), else_=0))),
            whole(sa.func.sum(total(*_MOVED))),
            whole(sa.func.sum(total(*_PRICES) - total(_PRICES_BACK))),
            whole(sa.func.sum(total(COST, MORE) - total(LESS))),
            whole(sa.func.sum(sa.case((sa.and_(moved, ~costed), 1), else_=0))),
        )
        .select_from(transfers)
        .outerjoin(attempts, _of_same(attempts))
        .outerjoin(late, _of_same(late))  # what was paid after all
        .outerjoin(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == transfers.c.tenant_id,
                withdrawals.c.id == sa.func.coalesce(late.c.withdrawal_id, transfers.c.cause_id),
            ),
        )
        .outerjoin(
            payouts,
            sa.and_(
                payouts.c.tenant_id == withdrawals.c.tenant_id,
                payouts.c.withdrawal_id == withdrawals.c.id,
                payouts.c.state == "succeeded",
            ),
        )
        .outerjoin(refunds, _of_same(refunds))
        .outerjoin(
            paid_back,
            sa.and_(paid_back.c.tenant_id == refunds.c.tenant_id, paid_back.c.id == refunds.c.attempt_id),
        )
        .where(
            *_within(tenant, since, until),
            transfers.c.reason.in_([*_MOVED, *_PRICES, _PRICES_BACK, COST, MORE, LESS]),
        )
        .group_by(provider, kind, transfers.c.currency)
    )


def _within(tenant: UUID, since: datetime, until: datetime) -> Sequence[sa.ColumnElement[bool]]:
    return (transfers.c.tenant_id == tenant, transfers.c.created_at >= since, transfers.c.created_at < until)


async def _refuse_difference(
    connection: AsyncConnection, tenant: UUID, since: datetime, until: datetime, told: Sequence[Line]
) -> None:
    """The accounts themselves, however what moved them is called."""
    for kind, sums in (("fees:", _sums(told, "price", 1)), ("costs:", _sums(told, "cost", -1))):
        gains = sa.case(
            (transfers.c.target_id == accounts.c.id, transfers.c.amount), else_=-transfers.c.amount
        )
        query = (
            sa.select(transfers.c.currency, whole(sa.func.sum(gains)))
            .join(
                accounts,
                sa.and_(
                    accounts.c.tenant_id == transfers.c.tenant_id,
                    accounts.c.id.in_([transfers.c.source_id, transfers.c.target_id]),
                ),
            )
            .where(*_within(tenant, since, until), accounts.c.name.startswith(kind))
            .group_by(transfers.c.currency)
        )
        gained = {currency: total for currency, total in await connection.execute(query) if total}
        if gained != sums:
            raise DoesNotAddUp(f"{tenant}: {kind} gained {gained}, and the lines say {sums}")


def _sums(told: Sequence[Line], what: str, sign: int) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for line in told:
        sums[line.currency] += sign * getattr(line, what)
    return {currency: total for currency, total in sums.items() if total}
