"""Customers: who can be told and asked to pay. Whoever exists is never changed from outside the chat: what
is saved of them must not pass to a number or a user id that somebody merely named."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound, TwoCustomers
from services.ids import new_id
from services.payments.asked import number_of
from services.people.changes import USER_ID
from services.people.identity import PHONE, chat_of
from services.store.schema import conversations, people
from services.work import Work


@dataclass(frozen=True)
class Known:
    """A customer; the phone masked, None where WhatsApp hides it."""

    id: UUID
    name: str | None
    phone: str | None


async def one(work: Work, person_id: UUID) -> Known:
    """Raises NotFound, for another tenant's too, and for who was erased."""
    query = sa.select(people.c.name).where(
        people.c.tenant_id == work.tenant, people.c.id == person_id, people.c.erased_at.is_(None)
    )
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("customer")
    return Known(person_id, row.name, await number_of(work, person_id) or None)


async def by_phone(work: Work, phone: str) -> Known | None:
    """Of a number in E.164."""
    chat = await chat_of(work, phone)
    return await one(work, chat.person_id) if chat else None


async def add(
    work: Work, phone: str | None, user_id: str | None, name: str | None = None
) -> tuple[Known, bool]:
    """Who has this phone (E.164) or WhatsApp user id, and whether they are new. Raises TwoCustomers."""
    known = await _known(work, phone, user_id)
    if known is not None:
        return await one(work, known), False
    chat, new = await opened(work, phone, user_id, name)
    return await one(work, chat.person_id), new


async def opened(
    work: Work, phone: str | None, user_id: str | None = None, name: str | None = None
) -> tuple[Any, bool]:
    """The conversation (id, person_id) of an address that never wrote, and whether it is new: whoever
    writes at this very moment has opened it, and then it is theirs."""
    person_id, chat_id = new_id(), new_id()
    stranger = {"tenant_id": work.tenant, "id": person_id, "name": name, "created_at": work.now}
    await work.connection.execute(sa.insert(people).values(**stranger))
    row: dict[str, Any] = {
        "tenant_id": work.tenant,
        "id": chat_id,
        "person_id": person_id,
        "created_at": work.now,
    }
    for column, value in ((PHONE, phone), (USER_ID, user_id)):
        if value is not None:
            short = column.removeprefix("conversations.")
            row[f"{short}_sealed"] = work.vault.seal(value.encode(), work.tenant, column, str(chat_id))
            row[f"{short}_index"] = work.vault.index(value, work.tenant, column)
    new = work.insert(conversations).values(row).on_conflict_do_nothing()
    won = (await work.connection.execute(new.returning(conversations.c.id))).first() is not None
    if not won:
        unused = people.c.tenant_id == work.tenant, people.c.id == person_id
        await work.connection.execute(sa.delete(people).where(*unused))
    return await _chat(work, phone, user_id), won


async def _known(work: Work, phone: str | None, user_id: str | None) -> UUID | None:
    by_number = await _chat(work, phone, None)
    by_user = await _chat(work, None, user_id)
    if by_number and by_user and by_number.person_id != by_user.person_id:
        raise TwoCustomers
    chat = by_number or by_user
    return chat.person_id if chat else None


async def _chat(work: Work, phone: str | None, user_id: str | None) -> Any:
    if phone is not None and (chat := await chat_of(work, phone)) is not None:
        return chat
    if user_id is None:
        return None
    query = sa.select(conversations.c.id, conversations.c.person_id).where(
        conversations.c.tenant_id == work.tenant,
        conversations.c.user_id_index.in_(work.vault.indexes(user_id, work.tenant, USER_ID)),
    )
    return (await work.connection.execute(query)).first()
