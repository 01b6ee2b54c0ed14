"""Record: a change's row, what its approvals approve, how it is shown, and who hears of it."""

import hashlib
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox
from services.errors import NotFound
from services.news import News
from services.news.settings import Change, ChangeMoved
from services.people import people
from services.people.access import APPROVE
from services.settings.kinds import SETTINGS, Facts, Setting
from services.store.schema import approvals, changes, operations
from services.transitions import transition
from services.work import Work, canonical

COLUMN = "changes.facts"
OPEN = ("pending", "cooling")


async def locked(work: Work, change_id: UUID) -> tuple[sa.Row[Any], Setting]:
    """The operation is locked first, then the change. Raises NotFound."""
    mine = (changes.c.tenant_id == work.tenant, changes.c.id == change_id)
    kind = await work.connection.scalar(sa.select(changes.c.kind).where(*mine))
    if kind is None:
        raise NotFound("change")
    setting = SETTINGS[kind]
    await approval.locked(work, setting.kind, change_id)
    query = _whole(work, changes.c.id == change_id).with_for_update(key_share=True, of=changes)
    return (await work.connection.execute(query)).one(), setting


def facts_of(work: Work, row: Any) -> Facts:
    """What was asked for (`after`), and upon what (`upon`, a hash of how it was then)."""
    found: Facts = work.open(row.facts_sealed, COLUMN, row.id)
    return found


def hashed(now: Facts) -> str:
    return hashlib.sha256(canonical(now).encode()).hexdigest()


async def read(work: Work, *where: sa.ColumnElement[bool], latest: int | None = None) -> list[Change]:
    """The latest first."""
    query = _whole(work, *where).order_by(changes.c.created_at.desc(), changes.c.id.desc()).limit(latest)
    rows = (await work.connection.execute(query)).all()
    given = await _approved(work, [row.id for row in rows])
    others = {person for people_ in given.values() for person in people_}
    names = await people.names_of(work, others | {row.maker_id for row in rows})
    return [_shown(row, names, given.get(row.id, [])) for row in rows]


async def shown(work: Work, change_id: UUID) -> Change:
    """Raises NotFound."""
    for found in await read(work, changes.c.id == change_id):
        return found
    raise NotFound("change")


async def move(work: Work, change_id: UUID, before: str, state: str, **values: Any) -> bool:
    """False where it stood in another state."""
    return await transition(work, changes.c.state, change_id, (before,), {"state": state, **values})


async def tell(work: Work, news: News, maker: UUID, by: UUID | None) -> None:
    """The owners, the maker and the approvers. Who has done it in chat has the answer on the screen; who did
    it by a program is told too, since the key may be in other hands."""
    known = by if work.via.channel != "api" else None
    concerned = await people.owners(work) | await people.with_scope(work, APPROVE) | {maker}
    await inbox.tell_people(work, concerned - {known}, news)


async def moved(work: Work, change_id: UUID, by: UUID | None = None, reason: str | None = None) -> Change:
    """As it is now; those whom it concerns are told."""
    change = await shown(work, change_id)
    news = ChangeMoved(change=change, by=await people.name_of(work, by), reason=reason)
    await tell(work, news, change.maker_id, by)
    return change


async def _approved(work: Work, change_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """Who has approved each, as it was asked for last."""
    mine = sa.and_(
        operations.c.tenant_id == approvals.c.tenant_id,
        operations.c.id == approvals.c.operation_id,
        operations.c.round == approvals.c.round,
    )
    query = (
        sa.select(approvals.c.operation_id, approvals.c.approver_id)
        .join(operations, mine)
        .where(approvals.c.tenant_id == work.tenant, approvals.c.operation_id.in_(change_ids))
        .order_by(approvals.c.created_at, approvals.c.approver_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in await work.connection.execute(query):
        found.setdefault(row.operation_id, []).append(row.approver_id)
    return found


def _whole(work: Work, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    mine = sa.and_(operations.c.tenant_id == changes.c.tenant_id, operations.c.id == changes.c.id)
    told = (
        operations.c.maker_id,
        operations.c.digest,
        operations.c.expires_at,
        operations.c.approvals_needed.label("needed"),
    )
    query = sa.select(changes, *told).join(operations, mine)
    return query.where(changes.c.tenant_id == work.tenant, *where)


def _shown(row: sa.Row[Any], names: dict[UUID, str], approved: list[UUID]) -> Change:
    keys = ("id", "kind", "before", "after", "maker_id", "cools", "state", "digest", "created_at")
    more = ("expires_at", "due_at", "because", "needed")
    told = {key: getattr(row, key) for key in (*keys, *more)}
    by = {person: names.get(person, "") for person in approved}
    return Change(maker=names.get(row.maker_id, ""), approved_by=by, **told)
