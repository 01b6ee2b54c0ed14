"""Request: one of the staff asks that a payment goes back, in whole or in part. The amount is held at once,
and the others who reconcile are told.

The fee of the sale is not given back: the merchant's wallet bears the refund in full, and the approver is
shown the fee. What was paid twice never was in the wallet, and goes back as a whole from suspense.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, jobs, ledger, webhooks
from services.errors import BelowMinimum, NotFound
from services.errors.refunds import AlreadyRefunded, MoreThanRemains, NotRefundable
from services.facts import Shop
from services.ledger import SUSPENSE, WALLET
from services.money import Money
from services.news.refunds import Refund, RefundRequested, Way
from services.payments.record import Attempt
from services.payments.record import locked as locked_attempt
from services.people import people
from services.people.access import RECONCILE
from services.phones import without_numbers
from services.points import point
from services.providers import PROVIDERS
from services.providers.refunds import RefundRules
from services.rails import RAILS, refuse_closed_way_out
from services.readable import refuse_blank
from services.refunds import wishes
from services.refunds.policy import policy
from services.refunds.record import (
    KIND,
    credited,
    facts_of,
    gone,
    left_in_suspense,
    shown,
    suspended,
    tell,
    unpaid,
    why_gone,
)
from services.store.schema import refunds
from services.work import Work

MOST_REASON = 300


async def request(
    work: Work,
    shop: Shop,
    maker: UUID,
    refund_id: UUID,
    payment_id: UUID,
    reason: str,
    amount: Money | None = None,
    way: Way | None = None,
) -> Refund:
    """Ask that the payment goes back; all that is left of it where no amount is said, and by the way that the
    provider has for it where none is.

    Raises MissingScope, BlankReason, NotFound, NotPaid, AlreadyRefunded, MoreThanRemains, NotRefundable,
    ProviderNotConfigured, InsufficientBalance, and what the rail refuses.
    """
    await people.require(work, maker, RECONCILE)
    if await _stands(work, maker, refund_id):
        return await shown(work, refund_id)
    attempt = await _paid(work, payment_id)
    refuse_blank(reason)
    left = Money(attempt.amount.minor - await gone(work, attempt.id), attempt.amount.currency)
    if left.minor <= 0:
        raise AlreadyRefunded(attempt.number, await why_gone(work, attempt.id))
    wanted = amount or left
    if wanted > left:
        raise MoreThanRemains(left, wanted)
    by = way_for(shop, attempt, wanted, way, work.now - attempt.created_at)
    return await _ask(work, maker, refund_id, attempt, _Wanted(wanted, by, WALLET, reason))


async def resolve_twice(
    work: Work, shop: Shop, maker: UUID, refund_id: UUID, attempt_id: UUID, reason: str, *, keep: bool
) -> Refund:
    """What was paid twice: ask that it goes back, or that it is kept as another sale.

    Raises MissingScope, BlankReason, NotFound, AlreadyRefunded, NotRefundable, ProviderNotConfigured.
    """
    await people.require(work, maker, RECONCILE)
    if await _stands(work, maker, refund_id):
        return await shown(work, refund_id)
    if not await suspended(work, attempt_id):
        raise NotFound("suspended_payment")
    attempt = await locked_attempt(work, attempt_id)
    refuse_blank(reason)
    left = await left_in_suspense(work, attempt)
    if not left:
        raise AlreadyRefunded(attempt.number, await why_gone(work, attempt_id))
    way = Way.SALE if keep else way_for(shop, attempt, left, None, work.now - attempt.created_at)
    return await _ask(work, maker, refund_id, attempt, _Wanted(left, way, SUSPENSE, reason))


def way_for(shop: Shop, attempt: Attempt, amount: Money, way: Way | None, age: timedelta) -> Way:
    """The payment itself is reversed where the provider can; else the payer is paid out.

    Raises NotRefundable, ProviderNotConfigured, and what the way refuses of the amount.
    """
    known = PROVIDERS.get(attempt.provider)
    rules = known.refunds if known else None
    if known is None or rules is None:
        raise NotRefundable("unable")
    otherwise = rules.otherwise is not None
    because = why_not(rules, attempt.receipt, age, whole=amount == attempt.amount)
    chosen = way or (Way.PAYOUT if because and otherwise else Way.REVERSAL)
    if chosen == Way.SALE or (chosen == Way.PAYOUT and not otherwise):
        raise NotRefundable("unable")
    if chosen == Way.REVERSAL and because:
        raise NotRefundable(because, Way.PAYOUT if otherwise else None)
    if chosen == Way.PAYOUT and not attempt.details:  # erased: nobody knows where to
        raise NotRefundable("erased")
    if rules.otherwise is not None:
        refuse_closed_way_out(shop, rules.otherwise)
    if limits := known.collects.get(amount.currency):
        limits.refuse_beyond(amount)
    if chosen == Way.PAYOUT and rules.otherwise is not None:
        least = Money(RAILS[rules.otherwise].minimum, amount.currency)
        if amount < least:
            raise BelowMinimum(least, amount)
    return chosen


def why_not(rules: RefundRules, receipt: str | None, age: timedelta, *, whole: bool) -> str | None:
    """Why the provider does not give the payment itself back; None where it does."""
    if receipt is None:
        return "no_receipt"
    if rules.within is not None and age > rules.within:
        return "too_old"
    return "partial" if rules.whole and not whole else None


@dataclass(frozen=True)
class _Wanted:
    amount: Money
    way: Way
    source: str
    reason: str


async def _ask(work: Work, maker: UUID, refund_id: UUID, attempt: Attempt, wanted: _Wanted) -> Refund:
    tenant = await people.tenant_of(work)
    row: dict[str, Any] = {
        "tenant_id": work.tenant,
        "id": refund_id,
        "payment_id": attempt.payment_id,
        "attempt_id": attempt.id,
        "maker_id": maker,
        "source": wanted.source,
        "way": str(wanted.way),
        "amount": wanted.amount.minor,
        "currency": wanted.amount.currency,
        "reason": without_numbers(" ".join(wanted.reason.split())[:MOST_REASON]),
        "status": "pending",
        "created_at": work.now,
        "expires_at": work.now + timedelta(hours=tenant.approval_hours),
    }
    takes = await policy(work, maker, attempt.person_id, wanted.amount, wanted.way)
    if wanted.source == WALLET and not await ledger.hold(work, refund_id, wanted.amount):
        raise RuntimeError(f"{refund_id} holds something else")
    inserted = sa.insert(refunds).values(row).returning(refunds)
    made = (await work.connection.execute(inserted)).one()
    await approval.ask(
        work,
        KIND,
        refund_id,
        maker,
        facts_of(made),
        needed=takes.approvals,
        expires_at=made.expires_at,
        step_up=takes.step_up,
    )
    await jobs.schedule(work, "refund_expire", refund_id, made.expires_at)
    await wishes.taken(work, maker, attempt.payment_id)
    facts = facts_of(made) | {"order": attempt.number}
    private = audit.Private(attempt.person_id, {"reason": facts.pop("reason")})
    await audit.record(work, maker, "refund.requested", refund_id, facts, private=private)
    webhooks.tell(work, "refund.requested", refund_id)
    refund = await shown(work, refund_id)
    await tell(work, maker, maker, RefundRequested(refund=refund))
    point("refund.requested")
    return refund


async def _stands(work: Work, maker: UUID, refund_id: UUID) -> bool:
    query = sa.select(refunds.c.maker_id).where(refunds.c.tenant_id == work.tenant, refunds.c.id == refund_id)
    before = await work.connection.scalar(query)
    if before not in (None, maker):
        raise NotFound("refund")
    return before is not None


async def _paid(work: Work, payment_id: UUID) -> Attempt:
    """The attempt that paid it, with its order locked. Raises NotFound, NotPaid."""
    attempt_id = await credited(work, payment_id)
    if attempt_id is not None:
        return await locked_attempt(work, attempt_id)
    raise await unpaid(work, payment_id)
