"""Requests: the staff ask a customer to pay. An order that the shop made for them, and one message."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.errors import NotFound, RequestsOpen, WritesUnwanted
from services.facts import Asked, Checkout, Customer
from services.news.requests import PaymentRequested
from services.payments import reminders, start
from services.payments.asked import label
from services.payments.closing import OPEN_FOR
from services.people import people
from services.people.access import EDIT_ORDERS
from services.people.customers import opened
from services.people.identity import chat_of
from services.people.preferences import may_write_unasked
from services.people.window import is_open
from services.store import schema
from services.store.schema import conversations, orders, staff
from services.work import Work

MOST_OPEN = 3  # of one customer, whoever of the staff asked
_RECENT = 8  # in one list, beside what else is offered there


async def request(work: Work, asker: UUID, customer: Customer, checkout: Checkout) -> Asked:
    """Make the order and tell the customer. The same checkout again does nothing more.

    Raises MissingScope, NotFound, WritesUnwanted, RequestsOpen.
    """
    await people.require(work, asker, EDIT_ORDERS)
    chat = await _chat(work, customer)
    by_template = "payment_request" in (await people.tenant_of(work)).templates
    reads_now = by_template or is_open(chat.heard_at, work.now)
    known = await _number(work, checkout.order_id)
    if known is not None:
        return Asked(number=known, reads_now=reads_now)
    await _refuse_too_many(work, chat.person_id)
    payer = start.Payer(chat.person_id, chat.id)
    order = await start.made(work, payer, checkout, asked_by=asker)
    news = PaymentRequested(
        order_id=order.id, number=order.number, amount=checkout.amount, reason=checkout.summary or ""
    )
    await inbox.tell(work, chat.id, news)
    await jobs.schedule(work, "request_expire", order.id, work.now + OPEN_FOR)
    await reminders.begin(work, order.id)
    facts = {"number": order.number, "amount": str(checkout.amount)}
    await audit.record(work, asker, "payment.requested", order.id, facts)
    return Asked(number=order.number, reads_now=reads_now)


async def recent(work: Work) -> tuple[Customer, ...]:
    """The customers who wrote last; one whose name and number we do not know cannot be told apart."""
    works_here = sa.exists().where(
        staff.c.tenant_id == conversations.c.tenant_id,
        staff.c.person_id == conversations.c.person_id,
        staff.c.active,
    )
    query = (
        sa.select(conversations, schema.people.c.name)
        .join(
            schema.people,
            sa.and_(
                schema.people.c.tenant_id == conversations.c.tenant_id,
                schema.people.c.id == conversations.c.person_id,
            ),
        )
        .where(
            conversations.c.tenant_id == work.tenant,
            conversations.c.heard_at.is_not(None),
            sa.or_(schema.people.c.name.is_not(None), conversations.c.phone_sealed.is_not(None)),
            ~works_here,
        )
        .order_by(conversations.c.heard_at.desc(), conversations.c.id.desc())
        .limit(_RECENT)
    )
    rows = await work.connection.execute(query)
    return tuple(Customer(label=label(work, row), conversation_id=row.id) for row in rows)


async def _chat(work: Work, customer: Customer) -> Any:
    """The conversation (id, person_id, heard_at) of the customer; opened for a number that never wrote."""
    if customer.phone is not None:
        return await chat_of(work, customer.phone) or (await opened(work, customer.phone))[0]
    query = sa.select(conversations.c.id, conversations.c.person_id, conversations.c.heard_at).where(
        conversations.c.tenant_id == work.tenant, conversations.c.id == customer.conversation_id
    )
    chat = (await work.connection.execute(query)).first()
    if chat is None:
        raise NotFound("customer")
    return chat


async def _refuse_too_many(work: Work, person_id: UUID) -> None:
    """Under the person's lock, so that two of the staff at once are counted one after the other."""
    if not await may_write_unasked(work, person_id):
        raise WritesUnwanted
    person = (schema.people.c.tenant_id == work.tenant, schema.people.c.id == person_id)
    await work.connection.execute(
        sa.select(schema.people.c.id).where(*person).with_for_update(key_share=True)
    )
    open_ones = sa.select(sa.func.count()).where(
        orders.c.tenant_id == work.tenant,
        orders.c.person_id == person_id,
        orders.c.asked_by.is_not(None),
        orders.c.status.in_(["open", "awaiting_payment"]),
    )
    if (await work.connection.scalar(open_ones) or 0) >= MOST_OPEN:
        raise RequestsOpen(MOST_OPEN)


async def _number(work: Work, order_id: UUID) -> str | None:
    query = sa.select(orders.c.number).where(orders.c.tenant_id == work.tenant, orders.c.id == order_id)
    return await work.connection.scalar(query)
