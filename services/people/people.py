"""People: who works here, what they may do, and what they are called. Read from the database each
time: who was suspended a second ago may do nothing now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.errors import MissingScope
from services.errors.approval import ApproverCoolingDown
from services.people.access import APPROVE, OWNER, RECONCILE, granted
from services.store.hot import Hot, Named, among
from services.store.schema import Moment, lendings, people, staff, tenants
from services.work import Work

_TENANT = Named(sa.select(tenants).where(tenants.c.id == sa.bindparam("tenant")))


async def tenant_of(work: Work) -> Any:
    """Its row."""
    (row,) = await _TENANT(work.connection, tenant=work.tenant)
    return row


class Member(NamedTuple):
    """One of the active staff, and who has lent them the right to approve now: a row for each of these."""

    person_id: UUID
    role: str | None
    scopes: Sequence[str]
    approves_from: datetime | None
    lent_by: UUID | None


async def active_staff(work: Work) -> dict[UUID, frozenset[str]]:
    """The active staff and their scopes, with what was lent to them."""
    return scopes_of(await _staff(work), work.now)


def scopes_of(members: Sequence[Member], now: datetime) -> dict[UUID, frozenset[str]]:
    """The same, of all who are."""
    rights = _rights(members, now)
    return {
        person: scopes | ({APPROVE} if rights.lent.get(person) else frozenset())
        for person, scopes in rights.own.items()
    }


@dataclass(frozen=True)
class Rights:
    """Of the active staff: the scopes of their own, and of whom who borrowed them have the right to approve
    (only as long as these have it themselves)."""

    own: Mapping[UUID, frozenset[str]]
    lent: Mapping[UUID, frozenset[UUID]]


async def rights_to_approve(work: Work) -> Rights:
    return _rights(await _staff(work), work.now)


def _rights(members: Sequence[Member], now: datetime) -> Rights:
    own = {member.person_id: _scopes(member, now) for member in members}
    lent: dict[UUID, frozenset[UUID]] = {}
    for member in members:
        if member.lent_by is not None and not _rests(member, now) and APPROVE in own.get(member.lent_by, ()):
            lent[member.person_id] = lent.get(member.person_id, frozenset()) | {member.lent_by}
    return Rights(own, lent)


async def with_scope(work: Work, scope: str) -> set[UUID]:
    """The active staff who hold it."""
    return {person for person, scopes in (await active_staff(work)).items() if scope in scopes}


async def owners(work: Work) -> set[UUID]:
    return {row.person_id for row in await _staff(work) if row.role == OWNER}


async def reconcilers(work: Work) -> set[UUID]:
    """Who is told what the books and the provider do not agree on; owners are among them."""
    return await with_scope(work, RECONCILE)


async def refuse_resting(work: Work, person_id: UUID) -> None:
    """Raises ApproverCoolingDown for whose WhatsApp has changed, as long as that is new."""
    for row in await _staff(work):
        if row.person_id == person_id and row.approves_from is not None and row.approves_from > work.now:
            raise ApproverCoolingDown(row.approves_from)


async def require(work: Work, person_id: UUID, scope: str) -> None:
    """Raises MissingScope, for the suspended too."""
    if scope not in (await active_staff(work)).get(person_id, frozenset()):
        raise MissingScope(scope)


async def name_of(work: Work, person_id: UUID | None) -> str | None:
    """None of nobody; a person without a name is called by an empty one."""
    return None if person_id is None else (await names_of(work, [person_id])).get(person_id)


_NAMES = Hot(
    sa.select(people.c.id, people.c.name).where(
        people.c.tenant_id == sa.bindparam("tenant"), among(people.c.id, "persons")
    )
)


async def names_of(work: Work, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """A person without a name is called by an empty one."""
    rows = await _NAMES(work.connection, tenant=work.tenant, persons=list(person_ids))
    return {person: name or "" for person, name in rows}


async def use_language(work: Work, person_id: UUID, language: str) -> None:
    await work.connection.execute(
        sa.update(people)
        .where(people.c.tenant_id == work.tenant, people.c.id == person_id)
        .values(language=language)
    )


def _scopes(member: Member, now: datetime) -> frozenset[str]:
    return granted(member.role, member.scopes) - ({APPROVE} if _rests(member, now) else frozenset())


def _rests(member: Member, now: datetime) -> bool:
    return member.approves_from is not None and member.approves_from > now


_now: sa.BindParameter[datetime] = sa.bindparam("now", type_=Moment)
IS_ACTIVE = sa.and_(staff.c.active, staff.c.suspended_at.is_(None))
IS_LENT = sa.and_(
    lendings.c.tenant_id == staff.c.tenant_id,
    lendings.c.borrower_id == staff.c.person_id,
    lendings.c.begins_at <= _now,
    lendings.c.until > _now,
    lendings.c.ended_at.is_(None),
)
OF_MEMBER = (staff.c.person_id, staff.c.role, staff.c.scopes, staff.c.approves_from, lendings.c.lender_id)
_STAFF = Hot(
    sa.select(*OF_MEMBER)
    .select_from(staff.outerjoin(lendings, IS_LENT))
    .where(staff.c.tenant_id == sa.bindparam("tenant"), IS_ACTIVE)
)


async def _staff(work: Work) -> list[Member]:
    return [Member(*row) for row in await _STAFF(work.connection, tenant=work.tenant, now=work.now)]
