"""People: who works here, what they may do, and what they are called. Read from the database each
time: who was suspended a second ago may do nothing now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import MissingScope
from services.errors.approval import ApproverCoolingDown
from services.people.access import APPROVE, OWNER, RECONCILE, granted
from services.store.schema import lendings, people, staff, tenants
from services.work import Work


async def tenant_of(work: Work) -> sa.Row[Any]:
    return (await work.connection.execute(sa.select(tenants).where(tenants.c.id == work.tenant))).one()


async def active_staff(work: Work) -> dict[UUID, frozenset[str]]:
    """The active staff and their scopes, with what was lent to them."""
    rights = await rights_to_approve(work)
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
    rows = await _staff(work)
    own = {row.person_id: _scopes(row, work.now) for row in rows}
    lent: dict[UUID, frozenset[UUID]] = {}
    for row in rows:
        rests = row.approves_from is not None and row.approves_from > work.now
        if row.lent_by is not None and not rests and APPROVE in own.get(row.lent_by, ()):
            lent[row.person_id] = lent.get(row.person_id, frozenset()) | {row.lent_by}
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


async def names_of(work: Work, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """A person without a name is called by an empty one."""
    query = sa.select(people.c.id, people.c.name).where(
        people.c.tenant_id == work.tenant, people.c.id.in_(list(person_ids))
    )
    return {row.id: row.name or "" for row in await work.connection.execute(query)}


async def use_language(work: Work, person_id: UUID, language: str) -> None:
    await work.connection.execute(
        sa.update(people)
        .where(people.c.tenant_id == work.tenant, people.c.id == person_id)
        .values(language=language)
    )


def _scopes(row: sa.Row[Any], now: datetime) -> frozenset[str]:
    rests = row.approves_from is not None and row.approves_from > now
    return granted(row.role, row.scopes) - ({APPROVE} if rests else frozenset())


async def _staff(work: Work) -> list[sa.Row[Any]]:
    lent = sa.and_(
        lendings.c.tenant_id == staff.c.tenant_id,
        lendings.c.borrower_id == staff.c.person_id,
        lendings.c.begins_at <= work.now,
        lendings.c.until > work.now,
        lendings.c.ended_at.is_(None),
    )
    query = (
        sa.select(staff, lendings.c.lender_id.label("lent_by"))
        .outerjoin(lendings, lent)
        .where(staff.c.tenant_id == work.tenant, staff.c.active, staff.c.suspended_at.is_(None))
    )
    return list((await work.connection.execute(query)).all())
