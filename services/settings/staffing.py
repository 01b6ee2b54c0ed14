"""The staff and what each may do, as a change from inside."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError

from services import audit
from services.errors import InvalidPhone
from services.errors.settings import InvalidChange
from services.facts import Member
from services.people import people
from services.people.access import OWNER, granted
from services.people.file_parts import StaffPart
from services.people.identity import chat_of
from services.people.leaving import leave
from services.people.staffing import join
from services.phones import masked as masked_number
from services.phones import normalize
from services.settings import hands
from services.store.schema import people as people_table
from services.store.schema import staff
from services.work import Work

_TAKES = {
    "add": {"action", "name", "phone", "role", "scopes"},
    "set": {"action", "staff_id", "role", "scopes"},
    "remove": {"action", "staff_id"},
}


async def checked(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    action = wanted.get("action")
    if action not in _TAKES:
        raise InvalidChange("action", f"is one of {', '.join(_TAKES)}")
    for key in wanted:
        if key not in _TAKES[action]:
            raise InvalidChange(key, f"is not known beside {action}")
    if action == "add":
        return await _newcomer(work, wanted)
    member = await _member(work, wanted.get("staff_id"))
    found = {"action": action, "staff_id": str(member.person_id), "name": member.name or ""}
    return found if action == "remove" else found | rights(wanted, member.name or "?")


async def _newcomer(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    country = (await people.tenant_of(work)).country
    member = rights(wanted, wanted.get("name"), name=True)
    try:
        phone = normalize(str(wanted.get("phone") or ""), country)
    except InvalidPhone:
        raise InvalidChange("phone", "is no phone number; write +254712345678") from None
    found = {"action": "add", "phone": phone} | member
    await _refuse_known(work, found)
    return found


async def _refuse_known(work: Work, wanted: dict[str, Any]) -> None:
    """One human must never become two people."""
    chat = await chat_of(work, wanted["phone"])
    members = await _all(work)
    if chat is not None and any(row.person_id == chat.person_id and row.active for row in members):
        raise InvalidChange("phone", "is that of somebody on the staff already")
    if any(row.name == wanted["name"] and row.active for row in members):
        raise InvalidChange("name", "is that of somebody on the staff already")


def rights(wanted: dict[str, Any], called: Any, *, name: bool = False) -> dict[str, Any]:
    given = {key: wanted[key] for key in ("role", "scopes") if wanted.get(key) is not None}
    try:
        part = StaffPart.model_validate({"name": called} | given)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        field = str(wrong["loc"][0]) if wrong["loc"] else "role"
        raise InvalidChange(field, wrong["msg"].removeprefix("Value error, ")) from None
    found = {"role": part.role, "scopes": list(part.scopes)}
    return found | {"name": part.name} if name else found


async def now(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted["action"] == "add":
        return {}
    member = await _member(work, wanted["staff_id"])
    facts = {"name": member.name or "", "role": member.role, "scopes": list(member.scopes)}
    return facts | {"staff_id": wanted["staff_id"], "active": bool(member.active)}


def masked(facts: dict[str, Any]) -> dict[str, str]:
    if not facts:
        return {}
    told = {"name": facts["name"]}
    if "phone" in facts:
        told["phone"] = masked_number(facts["phone"])
    if facts.get("action") == "remove":
        return told | {"rights": "-"}
    role = [facts["role"]] if facts["role"] else []
    return told | {"rights": ", ".join([*role, *facts["scopes"]])}


def safer(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """To become an owner is more than the scopes: owners take back, end and let go on what others may not."""
    if after["action"] != "set":
        return bool(after["action"] == "remove")
    if after["role"] == OWNER != before["role"]:
        return False
    return granted(after["role"], after["scopes"]) <= granted(before["role"], before["scopes"])


async def put(work: Work, after: dict[str, Any]) -> None:
    """No approver leaves whom the largest withdrawal takes: it could never be approved, and changes of the
    rules would take fewer people. Raises LeavesNoTwo."""
    owned, before = bool(await people.owners(work)), await hands.approvers(work)
    if after["action"] == "add":
        await _refuse_known(work, after)
        await join(work, after["name"], after["phone"], after["role"], after["scopes"])
    else:
        person = UUID(after["staff_id"])
        leaves = after["action"] == "remove"
        values = {"active": False} if leaves else {"role": after["role"], "scopes": after["scopes"]}
        mine = (staff.c.tenant_id == work.tenant, staff.c.person_id == person)
        await work.connection.execute(sa.update(staff).where(*mine).values(**values))
        if leaves:
            await leave(work, [person], audit.CLOCK)
    fewer = not before <= await hands.approvers(work)
    await hands.refuse_no_two(work, owned=owned, approvals=await hands.highest(work) if fewer else 0)


def keys(after: dict[str, Any]) -> list[str]:
    return [f"staff.{after['name']}"]


def whose(after: dict[str, Any]) -> UUID | None:
    """Whom it is about, where they are on the staff already."""
    return UUID(after["staff_id"]) if "staff_id" in after else None


async def members(work: Work) -> tuple[Member, ...]:
    """The active staff, by name."""
    found = [
        Member(id=row.person_id, name=row.name or "", role=row.role, scopes=tuple(row.scopes))
        for row in await _all(work)
        if row.active
    ]
    return tuple(sorted(found, key=lambda member: (member.name, member.id)))


async def _member(work: Work, staff_id: Any) -> sa.Row[Any]:
    for row in await _all(work):
        if str(row.person_id) == staff_id and row.active:
            return row
    raise InvalidChange("staff_id", "is nobody on the staff")


async def _all(work: Work) -> list[sa.Row[Any]]:
    names = sa.select(staff, people_table.c.name).join(
        people_table,
        sa.and_(people_table.c.tenant_id == staff.c.tenant_id, people_table.c.id == staff.c.person_id),
    )
    rows = await work.connection.execute(names.where(staff.c.tenant_id == work.tenant))
    return list(rows.all())
