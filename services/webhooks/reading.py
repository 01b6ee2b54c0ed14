"""Reading: what an event says of its object, as it stands in this transaction."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.money import Money
from services.refunds.came_back import STILL_GONE
from services.store.database import padded
from services.store.schema import attempts, payments, refunds, reversals, transfers, withdrawals
from services.webhooks.events import Data, PaymentData, RefundData, WithdrawalData
from services.work import Work

_OF_PAYMENT = (attempts.c.tenant_id == payments.c.tenant_id, attempts.c.payment_id == payments.c.id)
_PAID = attempts.c.state == "succeeded"
# Of whoever was paid by; before that, of whoever was asked last.
_PROVIDER = (
    sa.select(attempts.c.provider)
    .where(*_OF_PAYMENT)
    .order_by(_PAID.desc(), attempts.c.created_at.desc(), attempts.c.id.desc())
    .limit(1)
    .correlate(payments)
    .scalar_subquery()
)
# The attempt that was credited to the wallet.
_CREDITED = (
    sa.exists()
    .where(
        *_OF_PAYMENT,
        transfers.c.tenant_id == attempts.c.tenant_id,
        transfers.c.cause_id == attempts.c.id,
        transfers.c.reason == "sale",
    )
    .correlate(payments, refunds, reversals)
)
_REFUNDED = (
    sa.select(sa.func.coalesce(sa.func.sum(refunds.c.amount), 0))
    .where(
        refunds.c.tenant_id == payments.c.tenant_id,
        refunds.c.status == "completed",
        _CREDITED.where(attempts.c.id == refunds.c.attempt_id),
    )
    .correlate(payments)
    .scalar_subquery()
)
_TAKEN = (
    sa.select(sa.func.coalesce(sa.func.sum(reversals.c.amount), 0))
    .where(
        reversals.c.tenant_id == payments.c.tenant_id,
        STILL_GONE,
        _CREDITED.where(attempts.c.id == reversals.c.attempt_id),
    )
    .correlate(payments)
    .scalar_subquery()
)


async def _payments(work: Work, ids: Sequence[UUID]) -> dict[UUID, Data]:
    query = sa.select(
        payments, _PROVIDER.label("provider"), _REFUNDED.label("refunded"), _TAKEN.label("taken")
    ).where(payments.c.tenant_id == work.tenant, payments.c.id.in_(padded(ids)))
    return {
        row.id: PaymentData(
            id=row.id,
            order_id=row.order_id,
            status=row.status,
            amount=_sum(row, row.amount),
            currency=row.currency,
            provider=row.provider,
            receipt=row.receipt,
            refunded=_sum(row, int(row.refunded) + int(row.taken)),
        )
        for row in await work.connection.execute(query)
    }


async def _refunds(work: Work, ids: Sequence[UUID]) -> dict[UUID, Data]:
    query = sa.select(refunds).where(refunds.c.tenant_id == work.tenant, refunds.c.id.in_(padded(ids)))
    return {
        row.id: RefundData(
            id=row.id,
            payment_id=row.payment_id,
            status=row.status,
            amount=_sum(row, row.amount),
            currency=row.currency,
            way=row.way,
            receipt=row.receipt,
        )
        for row in await work.connection.execute(query)
    }


async def _withdrawals(work: Work, ids: Sequence[UUID]) -> dict[UUID, Data]:
    query = sa.select(withdrawals).where(
        withdrawals.c.tenant_id == work.tenant, withdrawals.c.id.in_(padded(ids))
    )
    return {
        row.id: WithdrawalData(
            id=row.id,
            status=row.status,
            amount=_sum(row, row.amount),
            fee=_sum(row, row.fee),
            net_amount=_sum(row, row.net),
            currency=row.currency,
            method_type=row.method_type,
            receipt=row.receipt,
        )
        for row in await work.connection.execute(query)
    }


READERS: dict[Any, Callable[[Work, Sequence[UUID]], Awaitable[dict[UUID, Data]]]] = {
    PaymentData: _payments,
    RefundData: _refunds,
    WithdrawalData: _withdrawals,
}


def _sum(row: sa.Row[Any], minor: int) -> str:
    return str(Money(minor, row.currency))
