"""Policy: how many others a refund takes, or saying what became of one or of a payout, and whether each types
a one-time code.

A refund takes what a withdrawal of the same sum would: what counts is all that is open, or was given back in
the last 24 hours, with this one. Settling takes what sending took. Where fewer others may approve at this
moment, all of them; and never fewer than one. Who asks is none of them, nor the customer, who may be one of
the staff.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import ledger
from services.money import Money
from services.news.refunds import Way
from services.people import people
from services.people.access import RECONCILE
from services.refunds.record import OPEN
from services.store.schema import operations, payments, refunds
from services.withdrawals.limits import DAY, Policy, of_sum
from services.work import Work


async def policy(work: Work, maker: UUID, customer: UUID, amount: Money, way: Way) -> Policy:
    """For one that is asked for now. What is kept as a sale leaves nobody, and takes one other. The wallet is
    locked, so that no two are counted each without the other."""
    if way == Way.SALE:
        return Policy(1, step_up=False)
    await ledger.lock_wallet(work, amount.currency)
    given_back = sa.and_(refunds.c.status == "completed", refunds.c.done_at > work.now - DAY)
    given = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(refunds.c.amount), 0), sa.BigInteger)).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.currency == amount.currency,
        refunds.c.way != str(Way.SALE),
        sa.or_(refunds.c.status.in_(OPEN), given_back),
    )
    today = int(await work.connection.scalar(given) or 0) + amount.minor
    return await possible(work, of_sum(await people.tenant_of(work), today), maker, customer)


async def as_sent(work: Work, maker: UUID, operation_id: UUID | None) -> Policy:
    """What the operation took by which it was sent."""
    query = sa.select(operations.c.approvals_needed, operations.c.step_up).where(
        operations.c.tenant_id == work.tenant, operations.c.id == operation_id
    )
    sent = (await work.connection.execute(query)).first()
    took = Policy(sent.approvals_needed, bool(sent.step_up)) if sent else Policy(1, step_up=False)
    return await possible(work, took, maker)


async def enough_now(work: Work, refund: sa.Row[Any]) -> bool:
    """Whether as many had to approve it as it takes by now."""
    query = sa.select(operations.c.approvals_needed).where(
        operations.c.tenant_id == work.tenant, operations.c.id == refund.id
    )
    needed: int = (await work.connection.execute(query)).scalar_one()
    return needed >= await least_now(work, refund)


async def least_now(work: Work, refund: sa.Row[Any]) -> int:
    """What its own amount takes by what the tenant has set by now; kept as a sale it leaves nobody."""
    if refund.way == Way.SALE:
        return 1
    mine = (payments.c.tenant_id == work.tenant, payments.c.id == refund.payment_id)
    customer: UUID = (
        await work.connection.execute(sa.select(payments.c.person_id).where(*mine))
    ).scalar_one()
    wanted = of_sum(await people.tenant_of(work), refund.amount)
    return (await possible(work, wanted, refund.maker_id, customer)).approvals


async def possible(work: Work, wanted: Policy, *besides: UUID) -> Policy:
    """As much of it as those others can give who may approve at this moment."""
    own = (await people.rights_to_approve(work)).own
    others = {person for person, scopes in own.items() if RECONCILE in scopes}.difference(besides)
    return Policy(max(1, min(wanted.approvals, len(others))), wanted.step_up)
