"""Credit: what a success moves. Whoever calls has moved the attempt to it, and so comes once."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from services import audit, costs, inbox, ledger, webhooks
from services.ledger import PAYMENT_FEES, SUSPENSE, WALLET, Transfer, provider_account
from services.news import OrderPaidTwice, PaidTwice, PaymentSettled
from services.news.staff import SaleMade
from services.payments import asked, methods
from services.payments.details import can_be_saved
from services.payments.record import (
    NOT_SUCCEEDED,
    SETTLED,
    Attempt,
    alert,
    locked,
    move,
    move_order,
    move_payment,
    tell,
)
from services.people import people, telling
from services.shop import carts, stock
from services.shop.facts import read_lines
from services.store.schema import attempts, orders, transfers
from services.work import Work

_CLOCKS = timedelta(minutes=2)  # how far theirs and ours may be apart
# Nobody was asked: there is nothing to ask by, and nothing to charge again.
_BY_HAND = (attempts.c.reference_sealed.is_(None), attempts.c.details_sealed == b"")


async def credit(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """To the merchant's wallet; what comes for an order that is paid already is kept apart."""
    if attempt.paid:
        await _suspend(work, attempt, receipt)
    else:
        await _sell(work, attempt, receipt)


async def told_again(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """A query knows no receipt; the callback after it fills it in."""
    if receipt is None or receipt == attempt.receipt:
        return
    if attempt.receipt is not None:
        await alert(work, attempt, "payment.receipt_changed", receipt=receipt, before=attempt.receipt)
        return
    await move(work, attempt, "succeeded", receipt=receipt)
    sale = sa.select(transfers.c.id).where(
        transfers.c.tenant_id == work.tenant,
        transfers.c.cause_id == attempt.id,
        transfers.c.reason == "sale",
    )
    if (await work.connection.execute(sale)).first() is not None:
        await move_payment(work, attempt, *SETTLED, receipt=receipt)


async def told_of_another(work: Work, attempt: Attempt, receipt: str | None) -> bool:
    """Whether the success is of money that another attempt has been credited with, or has the receipt of. One
    of the same payment is the same money, told in two ways; of any other somebody should look."""
    if receipt is None:
        return await _paid_by_hand(work, attempt)
    query = sa.select(attempts.c.payment_id).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.provider == attempt.provider,
        attempts.c.receipt == receipt,
        attempts.c.id != attempt.id,
    )
    payment_id = await work.connection.scalar(query)
    if payment_id not in (None, attempt.payment_id):
        await alert(work, attempt, "payment.receipt_reused", receipt=receipt)
    return payment_id is not None or await _found_paid(work, attempt, receipt)


async def _paid_by_hand(work: Work, attempt: Attempt) -> bool:
    """Whether somebody has paid by hand since it was asked for: a query's yes, which knows no receipt, may be
    about that very money. Another payment has a receipt of its own, and will be told of."""
    mine = _credited_beside(work, attempt)
    since = attempts.c.created_at >= attempt.created_at - _CLOCKS
    query = sa.select(attempts.c.id).where(*mine, attempts.c.receipt.is_not(None), since, *_BY_HAND)
    return attempt.state != "succeeded" and (await work.connection.execute(query)).first() is not None


async def _found_paid(work: Work, attempt: Attempt, receipt: str) -> bool:
    """The other way round: one by hand is what a query has said yes to before, and tells its receipt."""
    paid = await counted_as(work, attempt)
    if paid is None:
        return False
    ended = {"state": "expired", "receipt": None, "doubt": None, "resolved_at": work.now}
    await move(work, attempt, *NOT_SUCCEEDED, **ended)
    await told_again(work, await locked(work, paid), receipt)
    return True


async def counted_as(work: Work, attempt: Attempt) -> UUID | None:
    """The attempt without a receipt that was credited with what one by hand tells of."""
    if attempt.state == "succeeded" or attempt.reference is not None or attempt.details:
        return None
    until = attempts.c.created_at <= attempt.created_at + _CLOCKS
    query = sa.select(attempts.c.id).where(
        *_credited_beside(work, attempt),
        attempts.c.receipt.is_(None),
        until,
        attempts.c.details_sealed != b"",
    )
    found: UUID | None = await work.connection.scalar(query.order_by(attempts.c.created_at.desc()).limit(1))
    return found


def _credited_beside(work: Work, attempt: Attempt) -> tuple[sa.ColumnElement[bool], ...]:
    """Other attempts of its payment, by its provider."""
    return (
        attempts.c.tenant_id == work.tenant,
        attempts.c.payment_id == attempt.payment_id,
        attempts.c.provider == attempt.provider,
        attempts.c.state == "succeeded",
        attempts.c.id != attempt.id,
    )


async def _sell(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """The sale to the merchant's wallet, less the fee that the merchant agreed to."""
    tenant = await people.tenant_of(work)
    moves = [Transfer(provider_account(attempt.provider), WALLET, attempt.amount, "sale")]
    fee = attempt.amount.share(tenant.payment_fee_ppm)
    if fee:
        moves.append(Transfer(WALLET, PAYMENT_FEES, fee, "sale_fee"))
    moves += await costs.moves(work, attempt.provider, costs.COLLECTION, attempt.amount)
    await ledger.post(work, attempt.id, moves)
    await move_payment(
        work,
        attempt,
        "awaiting_customer",
        "pending",
        "failed",
        "expired",
        "canceled",
        status="succeeded",
        receipt=receipt,
        paid_at=work.now,
    )
    webhooks.tell(work, "payment.succeeded", attempt.payment_id)
    await _record(work, attempt, receipt, str(fee))
    await _sold(work, attempt)
    known = attempt.details
    new = can_be_saved(attempt.provider, known) and not await methods.renew(
        work, attempt.person_id, attempt.method, known
    )
    news = PaymentSettled(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        receipt=receipt,
        paid_at=work.now,
        method=attempt.method,
        can_save=new,
        late=not attempt.live and attempt.payment_status != "canceled",
    )
    await tell(work, attempt, news)
    await asked.tell_paid(work, attempt, receipt)
    await _tell_staff(work, attempt)


async def _record(work: Work, attempt: Attempt, receipt: str | None, fee: str) -> None:
    facts = {
        "payment_id": str(attempt.payment_id),
        "order": attempt.number,
        "amount": str(attempt.amount),
        "fee": fee,
        "currency": attempt.amount.currency,
        "provider": attempt.provider,
        "receipt": receipt,
    }
    before, after = {"status": attempt.payment_status}, {"status": "succeeded"}
    action = "payment.credited"
    await audit.record(work, audit.PROVIDER, action, attempt.id, facts, before=before, after=after)


async def _tell_staff(work: Work, attempt: Attempt) -> None:
    """Those who want to hear of each sale; not who paid, nor who asked for it and was told of it."""
    chats = await telling.chats(work, "sale", but=(attempt.person_id, attempt.asked_by))
    if chats:
        news = SaleMade(
            number=attempt.number,
            amount=attempt.amount,
            customer=await asked.called(work, attempt.person_id),
            provider=attempt.provider,
            method=attempt.label,
        )
        await inbox.tell_all(work, chats, news)


async def _sold(work: Work, attempt: Attempt) -> None:
    """The order is paid, and what it reserved is sold."""
    reserved = await move_order(work, attempt.order_id, "open", "awaiting_payment", to="paid")
    if reserved or await move_order(work, attempt.order_id, "canceled", to="paid"):
        query = sa.select(orders.c.lines).where(
            orders.c.tenant_id == work.tenant, orders.c.id == attempt.order_id
        )
        lines = read_lines(await work.connection.scalar(query) or [], attempt.amount.currency)
        await stock.sell(work, lines, reserved=reserved)
        await carts.bought(work, attempt.order_id, lines)


async def _suspend(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """A second success for an order that is paid: kept apart from the wallet, to be given back."""
    suspense = Transfer(provider_account(attempt.provider), SUSPENSE, attempt.amount, "suspense")
    cost = await costs.moves(work, attempt.provider, costs.COLLECTION, attempt.amount)
    await ledger.post(work, attempt.id, [suspense, *cost])
    await alert(work, attempt, "payment.paid_twice", receipt=receipt)
    webhooks.tell(work, "payment.paid_twice", attempt.payment_id)
    news = PaidTwice(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        receipt=receipt,
    )
    await tell(work, attempt, news)
    for_staff = OrderPaidTwice(number=attempt.number, amount=attempt.amount, receipt=receipt)
    await inbox.tell_people(work, await people.reconcilers(work), for_staff)
