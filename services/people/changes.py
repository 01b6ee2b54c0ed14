"""Changes: a chat may have passed to another person, says WhatsApp: its number, its user id or its key is
another one. What is trusted because of who was there before is trusted no more: saved methods are
forgotten, and rights of the staff rest until the operator has verified who it is."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, handoff, inbox
from services.errors import NotFound
from services.ids import new_id
from services.news import IdentityChanged, IdentityVerified, StaffSuspended
from services.payments import forgetting
from services.people import untold
from services.people.identity import PHONE, USER_ID
from services.people.people import name_of, reconcilers
from services.safety.stepup import COOL_DOWN
from services.store.schema import conversations, orders, payments, people, saved_methods, staff
from services.work import Work


async def changed(work: Work, chat: UUID, phone: str | None, user_id: str | None) -> None:
    """The account behind a chat is another one, or has this new address (one of the two may be unknown).

    The person goes on at the new address. The old one is a stranger's from now on: whoever is given the
    number next must find nothing of theirs.
    """
    theirs = sa.select(conversations.c.person_id).where(*_one(work, conversations, chat))
    person: UUID = (await work.connection.execute(theirs)).scalar_one()
    await untold.forget(work, conversations.c.person_id == person)
    if phone or user_id:
        await _move(work, person, chat, phone, user_id)
    await distrust(work, person)


async def distrust(work: Work, person: UUID) -> None:
    """Forget the saved methods and suspend the rights of a person, and let nobody be answered in their name;
    tells them, and who reconciles, where there was anything to lose."""
    await handoff.close_of(work, person)
    await untold.forget(work, conversations.c.person_id == person)
    forgotten = await forgetting.remove(work, saved_methods.c.person_id == person)
    suspended = await _set_suspended(
        work, person, staff.c.active, staff.c.suspended_at.is_(None), at=work.now
    )
    if not forgotten and not suspended:
        return
    facts = {"methods": forgotten, "rights": suspended}
    await audit.record(work, audit.WHATSAPP, "identity.changed", person, facts, alert=suspended)
    await inbox.tell_people(work, [person], IdentityChanged(methods=bool(forgotten), rights=suspended))
    if suspended:
        await approval.forget(work, person)
        told = await reconcilers(work) - {person}
        await inbox.tell_people(work, told, StaffSuspended(name=await name_of(work, person) or ""))


async def verify(work: Work, person: UUID) -> bool:
    """The operator knows who it is: rights are as they were, but for approving, which waits until the others
    have had a day to object. False where they did not rest; raises NotFound
    for who is not on the staff."""
    mine = staff.c.tenant_id == work.tenant, staff.c.person_id == person
    if await work.connection.scalar(sa.select(staff.c.person_id).where(*mine)) is None:
        raise NotFound("staff")
    if not await _set_suspended(work, person, staff.c.suspended_at.is_not(None), at=None):
        return False
    await work.connection.execute(sa.update(staff).where(*mine).values(approves_from=work.now + COOL_DOWN))
    approves_from = (work.now + COOL_DOWN).isoformat()
    before, after = {"suspended": True}, {"suspended": False, "approves_from": approves_from}
    await audit.record(work, audit.OPERATOR, "identity.verified", person, {}, before=before, after=after)
    await inbox.tell_people(work, [person], IdentityVerified())
    return True


async def _set_suspended(work: Work, person: UUID, *where: sa.ColumnElement[bool], at: Any) -> bool:
    changing = (
        sa.update(staff)
        .where(staff.c.tenant_id == work.tenant, staff.c.person_id == person, *where)
        .values(suspended_at=at)
        .returning(staff.c.person_id)
    )
    return (await work.connection.execute(changing)).first() is not None


async def _move(work: Work, person: UUID, old: UUID, phone: str | None, user_id: str | None) -> None:
    """Where somebody has written from the new address already, they stay who they are."""
    new = new_id()
    row: dict[str, Any] = {"tenant_id": work.tenant, "id": new, "person_id": person, "created_at": work.now}
    for name, value in ((PHONE, phone), (USER_ID, user_id)):
        if value:
            column = name.removeprefix("conversations.")
            row[f"{column}_sealed"] = work.vault.seal(value.encode(), work.tenant, name, str(new))
            row[f"{column}_index"] = work.vault.index(value, work.tenant, name)
    opening = work.insert(conversations).values(row).on_conflict_do_nothing()
    if not (await work.connection.execute(opening.returning(conversations.c.id))).first():
        return
    stranger = new_id()
    await work.connection.execute(
        sa.insert(people).values(tenant_id=work.tenant, id=stranger, created_at=work.now)
    )
    await work.connection.execute(
        sa.update(conversations)
        .where(*_one(work, conversations, old))
        .values(person_id=stranger, user_id_index=None)
    )
    for table in (orders, payments):  # what becomes of them is told at the new address
        await work.connection.execute(
            sa.update(table)
            .where(table.c.tenant_id == work.tenant, table.c.conversation_id == old)
            .values(conversation_id=new)
        )
    before, after = {"conversation_id": str(old)}, {"conversation_id": str(new)}
    await audit.record(work, audit.WHATSAPP, "identity.moved", person, {}, before=before, after=after)


def _one(work: Work, table: sa.Table, row: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.tenant_id == work.tenant, table.c.id == row
