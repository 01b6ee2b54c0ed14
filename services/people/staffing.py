"""Staffing: the staff of a tenant's file, each entry one person (see `identity`). Whoever is no
longer there is no longer active, and a phone that was taken away speaks for nobody of the staff. What
waits to be told to either is forgotten."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.ids import new_id
from services.people import mailboxes, untold
from services.people.file_parts import StaffPart, TenantFile
from services.people.identity import PHONE, Entry, OnePersonEach, chat_of, people_of
from services.people.leaving import come_back, leave
from services.people.people import names_of
from services.phones import normalize
from services.store.schema import conversations, people, staff
from services.work import Work

__all__ = ["OnePersonEach", "staff_changed"]


async def staff_changed(work: Work, file: TenantFile) -> tuple[list[str], list[dict[str, str | None]]]:
    """What was changed, and the staff as they are now: [{"id", "name", "role"}].

    Raises OnePersonEach, having written nothing.
    """
    country = file.tenant.country
    entries = [
        Entry(member, [normalize(phone, country) for phone in member.all_phones]) for member in file.staff
    ]
    changed: list[str] = []
    listed: list[dict[str, str | None]] = []
    present: set[UUID] = set()
    for entry, known in zip(entries, await people_of(work, entries), strict=True):
        member = entry.member
        person_id = known or await _make(work, member)
        present.add(person_id)
        if await _differs(work, person_id, member) | await _phones_differ(work, person_id, entry.phones):
            changed.append(f"staff.{member.name}")
        listed.append({"id": str(person_id), "name": member.name, "role": member.role})
    changed += [f"staff.{name}" for name in await _let_go(work, present)]
    return list(dict.fromkeys(changed)), listed


async def join(work: Work, name: str, phone: str, role: str | None, scopes: list[str]) -> UUID:
    """One more on the staff, who speaks from this phone (in E.164); who was a customer there, or on the staff
    once, stays the same person. The phone is nobody's on the active staff."""
    chat = await chat_of(work, phone)
    member = StaffPart.model_validate({"name": name, "role": role, "scopes": scopes})
    person_id: UUID = chat.person_id if chat is not None else await _make(work, member)
    await _differs(work, person_id, member)
    if chat is None:
        await _open_chat(work, person_id, phone)
    return person_id


async def _let_go(work: Work, present: set[UUID]) -> list[str]:
    """Names of those who are no longer in the file."""
    gone = (
        sa.update(staff)
        .where(staff.c.tenant_id == work.tenant, staff.c.active, staff.c.person_id.not_in(present))
        .values(active=False)
        .returning(staff.c.person_id)
    )
    left = (await work.connection.execute(gone)).scalars().all()
    await leave(work, left, audit.OPERATOR)
    names = await names_of(work, left)
    return [names[person_id] for person_id in left]


async def _make(work: Work, member: StaffPart) -> UUID:
    person_id = new_id()
    await work.connection.execute(
        sa.insert(people).values(tenant_id=work.tenant, id=person_id, name=member.name, created_at=work.now)
    )
    return person_id


async def _differs(work: Work, person_id: UUID, member: StaffPart) -> bool:
    """Name, language, notices, e-mail and rights; whether any was another one. Where the file says nothing of
    language or notices, what the person chose in chat stays."""
    person = (people.c.tenant_id == work.tenant, people.c.id == person_id)
    row = (await work.connection.execute(sa.select(people.c.name, people.c.language).where(*person))).one()
    called: dict[str, Any] = {"name": member.name}
    if member.language is not None:
        called["language"] = member.language
    different = any(getattr(row, key) != value for key, value in called.items())
    if different:
        await work.connection.execute(sa.update(people).where(*person).values(**called))
    rights = {"role": member.role, "scopes": list(member.scopes), "active": member.active}
    if member.tell is not None:
        rights["tell"] = list(member.tell)
    mine = (staff.c.tenant_id == work.tenant, staff.c.person_id == person_id)
    known = (await work.connection.execute(sa.select(staff).where(*mine))).first()
    if known is None:
        new = {"tenant_id": work.tenant, "person_id": person_id} | rights
        new["email_sealed"] = mailboxes.sealed(work, person_id, member.email)
        await work.connection.execute(sa.insert(staff).values(**new))
        return True
    if mailboxes.of(work, known) != member.email:
        new_email = {"email_sealed": mailboxes.sealed(work, person_id, member.email)}
        await work.connection.execute(sa.update(staff).where(*mine).values(**new_email))
        different = True
    if any(getattr(known, key) != value for key, value in rights.items()):
        await work.connection.execute(sa.update(staff).where(*mine).values(**rights))
        if not member.active:
            await leave(work, [person_id], audit.OPERATOR)
        elif not known.active:
            await come_back(work, person_id)
        return True
    return different


async def _phones_differ(work: Work, person_id: UUID, phones: Sequence[str]) -> bool:
    """Each phone speaks for this person, and no other phone does."""
    different = False
    kept = []
    for phone in phones:
        chat = await chat_of(work, phone)
        if chat is None:
            kept.append(await _open_chat(work, person_id, phone))
            different = True
            continue
        kept.append(chat.id)
        if chat.person_id != person_id:
            await _speak_for(work, chat.id, person_id)
            different = True
    query = sa.select(conversations.c.id).where(
        conversations.c.tenant_id == work.tenant,
        conversations.c.person_id == person_id,
        conversations.c.phone_index.is_not(None),
        conversations.c.id.not_in(kept),
    )
    for chat_id in (await work.connection.execute(query)).scalars().all():
        stranger = new_id()
        await work.connection.execute(
            sa.insert(people).values(tenant_id=work.tenant, id=stranger, created_at=work.now)
        )
        await _speak_for(work, chat_id, stranger)
        different = True
    return different


async def _open_chat(work: Work, person_id: UUID, phone: str) -> UUID:
    """So that the person can be told things, and is known from the first word."""
    chat_id = new_id()
    await work.connection.execute(
        sa.insert(conversations).values(
            tenant_id=work.tenant,
            id=chat_id,
            person_id=person_id,
            phone_sealed=work.vault.seal(phone.encode(), work.tenant, PHONE, str(chat_id)),
            phone_index=work.vault.index(phone, work.tenant, PHONE),
            created_at=work.now,
        )
    )
    return chat_id


async def _speak_for(work: Work, chat_id: UUID, person_id: UUID) -> None:
    """What was going on in this chat was another person's: it starts afresh."""
    await untold.forget(work, conversations.c.id == chat_id)
    await work.connection.execute(
        sa.update(conversations)
        .where(conversations.c.tenant_id == work.tenant, conversations.c.id == chat_id)
        .values(person_id=person_id, place_sealed=None)
    )
