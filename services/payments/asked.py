"""Asked: who of the staff asked for a payment, and is told what came of it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import inbox
from services.news import News
from services.news.requests import RequestPaid
from services.payments.record import Attempt
from services.people import people
from services.people.identity import PHONE
from services.phones import masked
from services.store.hot import Named, among
from services.store.schema import conversations
from services.work import Work


async def tell_paid(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """To who asked for it, where anybody did."""
    if attempt.asked_by is None:
        return
    customer = await called(work, attempt.person_id)
    news = RequestPaid(number=attempt.number, amount=attempt.amount, customer=customer, receipt=receipt)
    await tell_asker(work, attempt.asked_by, news)


async def tell_asker(work: Work, asker: UUID, news: News) -> None:
    """As long as they work here."""
    if asker in await people.active_staff(work):
        await inbox.tell_people(work, [asker], news)


async def called(work: Work, person_id: UUID) -> str:
    """The customer's name, else their number masked."""
    return (await all_called(work, {person_id}))[person_id]


async def all_called(work: Work, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """The same of many."""
    names = await people.names_of(work, person_ids)
    phones = await _phones_of(work, [person for person in person_ids if not names.get(person)])
    return {person: names.get(person) or masked(phones.get(person, "")) for person in person_ids}


async def number_of(work: Work, person_id: UUID) -> str:
    """Masked; empty where none of their chats tells one."""
    return masked(await phone_of(work, person_id) or "")


async def phone_of(work: Work, person_id: UUID) -> str | None:
    """In E.164; None where none of their chats tells one."""
    return (await _phones_of(work, [person_id])).get(person_id)


_PHONES = Named(
    sa.select(conversations.c.person_id, conversations.c.id, conversations.c.phone_sealed)
    .where(
        conversations.c.tenant_id == sa.bindparam("tenant"),
        among(conversations.c.person_id, "persons"),
        conversations.c.phone_sealed.is_not(None),
    )
    .order_by(conversations.c.id.desc())
)


async def _phones_of(work: Work, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """In E.164, of each the one of their oldest chat that tells it."""
    if not person_ids:
        return {}
    rows = await _PHONES(work.connection, tenant=work.tenant, persons=person_ids)
    return {person: _phone(work, row) for person, row in {row.person_id: row for row in rows}.items()}


def label(work: Work, row: Any) -> str:
    """Of a conversation with its person's name."""
    if row.name or row.phone_sealed is None:
        return row.name or ""
    return masked(_phone(work, row))


def _phone(work: Work, row: Any) -> str:
    return work.vault.open(row.phone_sealed, work.tenant, PHONE, str(row.id)).decode()
