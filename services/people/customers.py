"""Customers: who can be told and asked to pay. Whoever exists is never changed from outside the chat: what
is saved of them must not pass to a number or a user id that somebody merely named."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound, TwoCustomers
from services.ids import new_id
from services.people.identity import PHONE, USER_ID, Chat, chat_of
from services.phones import masked
from services.store.hot import Hot
from services.store.schema import conversations, people
from services.work import INSERTS, Work


@dataclass(frozen=True)
class Known:
    """A customer; the phone masked, None where WhatsApp hides it."""

    id: UUID
    name: str | None
    phone: str | None


_chat = conversations.c
_ONE = Hot(
    sa.select(people.c.name, _chat.id, _chat.phone_sealed)
    .select_from(
        people.outerjoin(
            conversations,
            sa.and_(
                _chat.tenant_id == people.c.tenant_id,
                _chat.person_id == people.c.id,
                _chat.phone_sealed.is_not(None),
            ),
        )
    )
    .where(
        people.c.tenant_id == sa.bindparam("tenant"),
        people.c.id == sa.bindparam("person"),
        people.c.erased_at.is_(None),
    )
    .order_by(_chat.id)
    .limit(sa.literal_column("1"))
)


async def one(work: Work, person_id: UUID) -> Known:
    """Raises NotFound, for another tenant's too, and for who was erased."""
    rows = await _ONE(work.connection, tenant=work.tenant, person=person_id)
    if not rows:
        raise NotFound("customer")
    ((name, chat_id, sealed),) = rows
    phone = work.vault.open(sealed, work.tenant, PHONE, str(chat_id)).decode() if sealed else None
    return Known(person_id, name, masked(phone) if phone else None)


async def by_phone(work: Work, phone: str) -> Known | None:
    """Of a number in E.164."""
    chat = await chat_of(work, phone)
    return await one(work, chat.person_id) if chat else None


async def add(
    work: Work, phone: str | None, user_id: str | None, name: str | None = None
) -> tuple[Known, bool]:
    """Who has this phone (E.164) or WhatsApp user id, and whether they are new. Raises TwoCustomers."""
    chat, new = await _known(work, phone, user_id), False
    if chat is None:
        chat, new = await opened(work, phone, user_id, name)
    if not new:
        return await one(work, chat.person_id), False
    return Known(chat.person_id, name, masked(phone) if phone else None), True


_NEW_PERSON = sa.insert(people)
_NEW_CHAT = {
    name: insert(conversations).on_conflict_do_nothing().returning(_chat.id)
    for name, insert in INSERTS.items()
}


async def opened(
    work: Work, phone: str | None, user_id: str | None = None, name: str | None = None
) -> tuple[Chat, bool]:
    """The conversation of an address that never wrote, and whether it is new: whoever writes at this very
    moment has opened it, and then it is theirs. Raises TwoCustomers."""
    person_id, chat_id = new_id(), new_id()
    made = {"tenant_id": work.tenant, "created_at": work.now}
    await work.connection.execute(_NEW_PERSON, made | {"id": person_id, "name": name})
    row: dict[str, Any] = made | {"id": chat_id, "person_id": person_id}
    for column, value in ((PHONE, phone), (USER_ID, user_id)):
        if value is not None:
            short = column.removeprefix("conversations.")
            row[f"{short}_sealed"] = work.vault.seal(value.encode(), work.tenant, column, str(chat_id))
            row[f"{short}_index"] = work.vault.index(value, work.tenant, column)
    new = _NEW_CHAT[work.connection.dialect.name]
    if (await work.connection.execute(new, row)).first() is not None:
        return Chat(chat_id, person_id, None), True
    unused = people.c.tenant_id == work.tenant, people.c.id == person_id
    await work.connection.execute(sa.delete(people).where(*unused))
    chat = await _known(work, phone, user_id)
    if chat is None:
        raise RuntimeError("who was in the way of a new conversation is gone")
    return chat, False


async def _known(work: Work, phone: str | None, user_id: str | None) -> Chat | None:
    """Raises TwoCustomers."""
    by_number = await chat_of(work, phone) if phone is not None else None
    by_user = await chat_of(work, user_id, USER_ID) if user_id is not None else None
    if by_number and by_user and by_number.person_id != by_user.person_id:
        raise TwoCustomers
    return by_number or by_user
