"""By hand: who pays to the till without being asked on the phone, and types the order's number, has paid
that order.

Two tell of it. What the provider itself lists counts, once nothing else can explain it: an attempt of ours
that may still be told of, or that has succeeded without a receipt, is that very payment as far as anybody
knows. Before that the provider may have told of it by a call that nobody signs, at the tenant's own lasting
address: that counts as the call of a prompt does, and above the tenant's limit once a query has said yes.
Whichever comes first, one receipt pays once. What does not fit (another amount, an order that is paid) moves
nothing, and is left to who reconciles.
"""

from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.ids import new_id
from services.money import Money
from services.news import Doubt, OrderInDoubt
from services.payments import doubt
from services.payments.record import in_the_way, lock_order, locked
from services.payments.settle import settle
from services.people import people
from services.providers.base import Succeeded
from services.providers.listing import Kind, Line
from services.store.schema import attempts, orders, payments
from services.store.schema import audit as entries
from services.store.schema import jobs as due_jobs
from services.work import Work

PROVIDERS = frozenset({"mpesa"})  # that take money of whom nobody has asked
# Longer than the provider is asked about an attempt of ours, and than a person needs to type.
SETTLED = timedelta(minutes=20)
_PATIENCE = timedelta(hours=2)  # longer than a page of another provider stays open
_CLOCKS = timedelta(minutes=10)  # how far theirs and ours may be apart
_UNPAID = ("open", "awaiting_payment")
_MISFIT = "payment.by_hand_misfit"


class TooSoon(Exception):
    """What else may explain it is not over yet: it is looked at again later."""


class _Fit(Enum):
    FREE = "free"  # the order waits for exactly this
    KNOWN = "known"  # it has been told of
    OPEN = "open"  # an attempt that may still be answered may be this very payment
    OTHER = "other"  # there is such an order, and this is not its price, or it waits for nothing
    NONE = "none"  # it names no order


def may_be(line: Line) -> bool:
    """Whether it is worth looking for an order."""
    return line.kind == Kind.PAID and line.reference is not None and line.receipt is not None


async def take(work: Work, provider: str, line: Line) -> bool:
    """Whether the line, of the provider's own list, has paid an order now."""
    if not may_be(line) or work.now - line.at < SETTLED:
        return False
    fit, order = await _fit(work, provider, line)
    if fit is _Fit.KNOWN:
        return await _proven(work, provider, line)
    return fit is _Fit.FREE and await _paid(work, provider, order, line)


async def told(work: Work, provider: str, line: Line, confirm_above: Money | None = None) -> None:
    """Take what a call says that nobody signs. One above `confirm_above` is asked about before it counts.
    Raises TooSoon."""
    line = replace(line, at=min(line.at, work.now))
    if not may_be(line):
        return
    fit, order = await _fit(work, provider, line)
    match fit:
        case _Fit.OPEN if work.now - line.at < _PATIENCE:
            raise TooSoon
        case _Fit.FREE if confirm_above is not None and line.amount > confirm_above:
            await _ask_about(work, provider, order, line)
        case _Fit.FREE:
            await _paid(work, provider, order, line)
        case _Fit.OPEN | _Fit.OTHER if not await _said(work, order.id, line):
            await _misfit(work, order, line)


async def _misfit(work: Work, order: Any, line: Line) -> None:
    """Nothing moved: somebody should look. A wrong amount is told to those who reconcile at once."""
    facts = {"order": line.reference, "told": str(line.amount), "receipt": line.receipt}
    await audit.record(work, audit.PROVIDER, _MISFIT, order.id, facts, alert=True)
    amount = Money(order.total, order.currency)
    if order.status in _UNPAID and amount != line.amount:
        because, receipt = Doubt.OTHER_AMOUNT, line.receipt
        news = OrderInDoubt(
            number=order.number, amount=amount, receipt=receipt, because=because, told=line.amount
        )
        await inbox.tell_people(work, await people.reconcilers(work), news)


async def _said(work: Work, order_id: UUID, line: Line) -> bool:
    """Whether somebody was asked to look at this very payment before."""
    query = sa.select(entries.c.facts).where(
        entries.c.tenant_id == work.tenant, entries.c.action == _MISFIT, entries.c.target == str(order_id)
    )
    known = (await work.connection.execute(query)).scalars()
    return any(facts.get("receipt") == line.receipt for facts in known)


async def _fit(work: Work, provider: str, line: Line) -> tuple[_Fit, Any]:
    """With the order that it names, locked: two that tell of one payment come one after the other."""
    order = await lock_order(work, orders.c.number == line.reference)
    if await _known(work, provider, line.receipt) is not None:
        return _Fit.KNOWN, order
    if order is None or line.at < order.created_at - _CLOCKS:
        return _Fit.NONE, order
    explained = await _explained(work, provider, order)
    if explained is not None:
        return explained, order
    fits = order.status in _UNPAID and Money(order.total, order.currency) == line.amount
    return _Fit.FREE if fits else _Fit.OTHER, order


async def _paid(work: Work, provider: str, order: Any, line: Line) -> bool:
    payment_id = await _payment(work, order)
    attempt_id = await _attempt(work, provider, payment_id, line)
    return await settle(work, attempt_id, Succeeded(line.receipt, line.amount))


async def _ask_about(work: Work, provider: str, order: Any, line: Line) -> None:
    payment_id = await _payment(work, order)
    doubtful = {"receipt": line.receipt, "doubt": Doubt.UNCONFIRMED}
    attempt_id = await _attempt(work, provider, payment_id, line, **doubtful)
    await doubt.keep(work, await locked(work, attempt_id), Succeeded(line.receipt, line.amount))
    await jobs.schedule(work, "payment_check", attempt_id, work.now)
    facts = {"payment_id": str(payment_id), "amount": str(line.amount), "receipt": line.receipt}
    await audit.record(work, audit.PROVIDER, "payment.told_by_hand", attempt_id, facts)


async def _proven(work: Work, provider: str, line: Line) -> bool:
    """What a call told, and no query could confirm, the provider's own list does."""
    known = await _known(work, provider, line.receipt)
    if known is None or known.doubt != Doubt.UNCONFIRMED:
        return False
    return await settle(work, known.id, Succeeded(line.receipt, line.amount))


async def _known(work: Work, provider: str, receipt: str | None) -> Any:
    """The attempt that it was told of, by whatever."""
    query = sa.select(attempts.c.id, attempts.c.doubt).where(
        attempts.c.tenant_id == work.tenant, attempts.c.provider == provider, attempts.c.receipt == receipt
    )
    return (await work.connection.execute(query)).first()


async def _explained(work: Work, provider: str, order: Any) -> _Fit | None:
    """By an attempt whose end is not known, or whose receipt is not."""
    payment_id = await _payment_of(work, order.id)
    if payment_id is None:
        return None
    asked_about = sa.exists().where(
        due_jobs.c.tenant_id == attempts.c.tenant_id,
        due_jobs.c.target_id == attempts.c.id,
        due_jobs.c.kind == "collect_check",
    )
    query = sa.select(attempts.c.state, asked_about.label("asked_about")).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.payment_id == payment_id,
        attempts.c.provider == provider,
        sa.or_(sa.and_(attempts.c.state == "succeeded", attempts.c.receipt.is_(None)), asked_about),
    )
    found = (await work.connection.execute(query)).all()
    if await in_the_way(work, payment_id) or any(each.state != "succeeded" for each in found):
        return _Fit.OPEN
    return _Fit.KNOWN if found else None


async def _payment_of(work: Work, order_id: UUID) -> UUID | None:
    query = sa.select(payments.c.id).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order_id
    )
    found: UUID | None = await work.connection.scalar(query)
    return found


async def _payment(work: Work, order: sa.Row[Any]) -> UUID:
    """The order's one; made where nobody has tried to pay it. The order is locked."""
    known = await _payment_of(work, order.id)
    if known is not None:
        return known
    row = {
        "tenant_id": work.tenant,
        "id": new_id(),
        "order_id": order.id,
        "person_id": order.person_id,
        "conversation_id": order.conversation_id,
        "status": "pending",
        "amount": order.total,
        "currency": order.currency,
        "created_at": work.now,
    }
    await work.connection.execute(sa.insert(payments).values(row))
    return UUID(str(row["id"]))


async def _attempt(work: Work, provider: str, payment_id: UUID, line: Line, **known: object) -> UUID:
    """Of a payment that nobody was asked for: there is nothing to ask by, and nothing to charge again."""
    attempt_id = new_id()
    await work.connection.execute(
        sa.insert(attempts).values(
            tenant_id=work.tenant,
            id=attempt_id,
            payment_id=payment_id,
            provider=provider,
            details_sealed=b"",
            label=line.party or "",
            state="pending",
            created_at=line.at,
            **known,
        )
    )
    return attempt_id
