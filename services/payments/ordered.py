"""Ordered: orders that the merchant's own programs make for a customer, and have paid."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from services import audit, hooks, inbox
from services.errors import AlreadyPaid, InvalidMethodDetails, NotPending, ProviderNotConfigured
from services.facts import Checkout, Shop, Started, Way
from services.news import PaymentMethod
from services.news.requests import PaymentRequested
from services.payments import methods, start
from services.payments.asked import phone_of
from services.people import customers
from services.people.preferences import may_write_unasked
from services.phones import masked
from services.rails import charges, opens_page
from services.shop import orders as shop_orders
from services.shop.facts import Order, Priced, Wanted, summary
from services.store.schema import payments
from services.work import Work

_PAID = ("paid", "fulfilled", "refunded")


async def order(
    work: Work, by: UUID, person_id: UUID, wanted: Sequence[Wanted | Priced], note: str | None = None
) -> Order:
    """Make it, and ask the customer to pay it. Raises NotFound, and what `services.shop.orders.place`
    raises."""
    await customers.one(work, person_id)
    made = await shop_orders.place(work, person_id, None, wanted, note)
    if await may_write_unasked(work, person_id):
        news = PaymentRequested(
            order_id=made.id, number=made.number, amount=made.total, reason=summary(made.lines)
        )
        await inbox.tell_people(work, [person_id], news)
    facts = {"number": made.number, "amount": str(made.total)}
    await audit.record(work, by, "order.made", made.id, facts)
    return made


async def checkout(
    work: Work, by: UUID, shop: Shop, order_id: UUID, way: str | UUID
) -> tuple[Started, PaymentMethod]:
    """Have the customer asked to pay the order, by this provider or with this saved method. A saved card is
    charged on a tap of theirs alone: they are sent the order with it, and nothing starts before.

    Its state is decided before the way. Raises NotFound, NotPending, AlreadyPaid, PaymentUnderWay, and
    what `start` raises; InvalidMethodDetails where the customer has told no number to ask.
    """
    found = await shop_orders.read(work, order_id)
    chosen = await _saved(work, found.person_id, way) if isinstance(way, UUID) else None
    await _refuse_closed(work, found)
    if chosen is None:
        chosen = await _by(work, found.person_id, str(way))
    provider = chosen.method.provider
    if provider not in shop.collects_by:
        raise ProviderNotConfigured(provider)
    asked = Checkout(order_id=found.id, amount=found.total, number=found.number)
    payer = start.Payer(found.person_id, None)
    if chosen.method_id is not None and charges(provider):
        started = await start.offer(work, payer, asked, chosen.method)
        news = PaymentRequested(
            order_id=found.id,
            number=found.number,
            amount=found.total,
            reason=summary(found.lines),
            method_id=chosen.method_id,
        )
        await inbox.tell_people(work, [found.person_id], news)
    else:
        started = await start.start(work, payer, asked, chosen)
    facts = {"number": found.number, "amount": str(found.total), "method": chosen.method.label}
    await audit.record(work, by, "payment.asked", started.payment_id, facts)
    return started, chosen.method


async def page_of(work: Work, public_url: str, started: Started, method: PaymentMethod) -> str | None:
    """The address that leads to the page once it is open; None where it is paid in another way."""
    if not opens_page(method.provider) or method.label:
        return None
    return f"{public_url.rstrip('/')}/pay/{await hooks.mint(work, hooks.PAGE, started.payment_id)}"


async def payment_of(work: Work, order_id: UUID) -> UUID | None:
    """The order's one payment; None where nobody has tried to pay it."""
    query = sa.select(payments.c.id).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order_id
    )
    return await work.connection.scalar(query)


async def _refuse_closed(work: Work, found: Order) -> None:
    if found.status == "canceled":
        raise NotPending(found.status)
    payment_id = await payment_of(work, found.id)
    if found.status in _PAID:
        query = sa.select(payments.c.receipt).where(
            payments.c.tenant_id == work.tenant, payments.c.id == payment_id
        )
        raise AlreadyPaid(found.number, await work.connection.scalar(query))
    if payment_id is not None:
        await start.refuse_under_way(work, payment_id, found.number)


async def _saved(work: Work, person_id: UUID, method_id: UUID) -> Way:
    """Raises NotFound for a method that is not the customer's."""
    method, _ = await methods.details_of(work, person_id, method_id)
    return Way(method=method, method_id=method_id)


async def _by(work: Work, person_id: UUID, provider: str) -> Way:
    """Who asks phones asks the number of the chat; where WhatsApp hides it, the saved one that is offered
    first."""
    if opens_page(provider):
        return Way(method=PaymentMethod(provider=provider, label=""))
    phone = await phone_of(work, person_id)
    if phone is not None:
        return Way(method=PaymentMethod(provider=provider, label=masked(phone)), phone=phone)
    saved = [each for each in await methods.listed(work, person_id) if each.method.provider == provider]
    if not saved:
        raise InvalidMethodDetails(missing=("phone_number",))
    return Way(method=saved[0].method, method_id=saved[0].id)
