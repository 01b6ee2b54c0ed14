"""Identity: which person an entry of the staff is. Four eyes are held by the person, so that one human
must never become two of them; and two people of the staff are never made one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.errors import InvalidPhone
from services.people.file_parts import StaffPart
from services.people.people import tenant_of
from services.phones import normalize
from services.store.hot import Hot
from services.store.schema import conversations, people, staff
from services.work import Work

PHONE, USER_ID = "conversations.phone", "conversations.user_id"


class OnePersonEach(Exception):
    """An entry of the file (by its place) stands for two people of the staff, or a second time for one."""

    def __init__(self, entry: int, what: str) -> None:
        super().__init__(what)
        self.entry = entry


@dataclass(frozen=True)
class Entry:
    """A member as the file has them, with their phones in E.164."""

    member: StaffPart
    phones: Sequence[str]


async def people_of(work: Work, entries: Sequence[Entry]) -> list[UUID | None]:
    """The person of each entry, None for one who is new. Nothing is written. Raises OnePersonEach.

    Whoever is on the staff already comes first, by a phone, then by the name; who has only been a
    customer on one of the phones comes last.
    """
    known = await _staff(work)
    spoken = [await _speakers(work, entry.phones) for entry in entries]
    claimed = {person for speakers in spoken for person in speakers if person in known}
    found: list[UUID | None] = []
    for place, (entry, speakers) in enumerate(zip(entries, spoken, strict=True)):
        by_phone = [person for person in speakers if person in known]
        by_name = [person for person, row in known.items() if row.name == entry.member.name]
        if by_phone:
            working = [person for person in by_name if known[person].active]
            candidates = list(dict.fromkeys(by_phone + working))
        else:  # a newcomer may have the name that somebody else had before
            candidates = [person for person in by_name if person not in claimed][:1]
        if len(candidates) > 1:
            raise OnePersonEach(place, _two([known[person].name for person in candidates]))
        person = next(iter(candidates or speakers), None)
        if person is not None and person in found:
            raise OnePersonEach(place, "is the same person as an entry above")
        found.append(person)
    return found


class Chat(NamedTuple):
    """A conversation, its person, and when they were heard last."""

    id: UUID
    person_id: UUID
    heard_at: datetime | None


_OF_TENANT = conversations.c.tenant_id == sa.bindparam("tenant")
_CHAT = sa.select(conversations.c.id, conversations.c.person_id, conversations.c.heard_at)
_BY = {
    PHONE: Hot(_CHAT.where(_OF_TENANT, conversations.c.phone_index == sa.bindparam("index"))),
    USER_ID: Hot(_CHAT.where(_OF_TENANT, conversations.c.user_id_index == sa.bindparam("index"))),
}


async def chat_of(work: Work, value: str, column: str = PHONE) -> Chat | None:
    """The conversation of a phone, or of another address; None where there is none."""
    # The newest key last: a row that is marked anew meanwhile is then found by it.
    for index in reversed(work.vault.indexes(value, work.tenant, column)):
        if rows := await _BY[column](work.connection, tenant=work.tenant, index=index):
            return Chat(*rows[0])
    return None


async def member(work: Work, who: str) -> UUID | None:
    """The person of an id or a phone, however it is written; None where there is none."""
    try:
        return UUID(who)
    except ValueError:
        pass
    try:
        chat = await chat_of(work, normalize(who, (await tenant_of(work)).country))
    except InvalidPhone:
        return None
    return chat.person_id if chat is not None else None


async def _speakers(work: Work, phones: Sequence[str]) -> list[UUID]:
    """Who has spoken from these phones, each once."""
    chats = [await chat_of(work, phone) for phone in phones]
    return list(dict.fromkeys(chat.person_id for chat in chats if chat is not None))


async def _staff(work: Work) -> dict[UUID, Any]:
    """Everybody who is or was on the staff; who is comes first."""
    query = (
        sa.select(staff.c.person_id, staff.c.active, people.c.name)
        .join(people, sa.and_(people.c.tenant_id == staff.c.tenant_id, people.c.id == staff.c.person_id))
        .where(staff.c.tenant_id == work.tenant)
        .order_by(staff.c.active.desc(), staff.c.person_id.desc())
    )
    return {row.person_id: row for row in await work.connection.execute(query)}


def _two(names: Sequence[str]) -> str:
    return (
        f"stands for {len(names)} people of the staff: {', '.join(names)}. An entry is one person. To hand a "
        "phone over, first apply a file where nobody has it (who has left stays listed, with active = false)"
    )
