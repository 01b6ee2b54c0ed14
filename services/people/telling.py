"""Telling: what of the shop's business each of the staff wants to be told of.

Each of these costs money, so each person hears it in one chat, and only as long as WhatsApp lets us write
there, or by the merchant's template `summary`: kept for later, they would come in a heap.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import MissingScope
from services.facts import Notices
from services.money import Money
from services.people import people
from services.people.access import NOTICES, OF_OWNERS, OWNER, granted
from services.people.window import OPEN_FOR
from services.store.schema import conversations, staff
from services.work import Work


async def chats(work: Work, notice: str, but: Collection[UUID | None] = ()) -> list[UUID]:
    """The conversations, one a person, of those who want this notice and can read it now."""
    query = sa.select(staff).where(
        staff.c.tenant_id == work.tenant, staff.c.active, staff.c.suspended_at.is_(None)
    )
    rows = await work.connection.execute(query)
    wanting = [row.person_id for row in rows if notice in _wanted(row) and row.person_id not in but]
    if not wanting:
        return []
    heard = (
        sa.select(conversations.c.person_id, conversations.c.id)
        .where(conversations.c.tenant_id == work.tenant, conversations.c.person_id.in_(wanting))
        .order_by(conversations.c.heard_at.nulls_first())
    )
    if not _at_any_time(await people.tenant_of(work)):
        heard = heard.where(conversations.c.heard_at > work.now - OPEN_FOR)
    latest = {row.person_id: row.id for row in await work.connection.execute(heard)}
    return sorted(latest.values())


async def of(work: Work, person_id: UUID) -> Notices:
    """What one of the staff may be told of, and is. Raises MissingScope where that is nothing."""
    return await _notices(work, await _member(work, person_id))


async def switch(work: Work, person_id: UUID, notice: str, *, on: bool) -> Notices:
    """Tell them of it from now on, or no more; the same again changes nothing. Raises MissingScope."""
    row = await _member(work, person_id)
    if notice not in _may(row):
        raise MissingScope(min(NOTICES[notice]))
    wanted = _wanted(row) | {notice} if on else _wanted(row) - {notice}
    chosen = [each for each in NOTICES if each in wanted]
    changed = (
        sa.update(staff)
        .where(staff.c.tenant_id == work.tenant, staff.c.person_id == person_id)
        .values(tell=chosen)
        .returning(staff)
    )
    return await _notices(work, (await work.connection.execute(changed)).one())


async def _member(work: Work, person_id: UUID) -> Any:
    """Locked, so that two taps at once both hold."""
    query = (
        sa.select(staff)
        .where(
            staff.c.tenant_id == work.tenant,
            staff.c.person_id == person_id,
            staff.c.active,
            staff.c.suspended_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    row = (await work.connection.execute(query)).first()
    if row is None or not _may(row):
        raise MissingScope(min(NOTICES["sale"]))
    return row


async def _notices(work: Work, row: Any) -> Notices:
    tenant = await people.tenant_of(work)
    limit = None if tenant.low_balance is None else Money(tenant.low_balance, tenant.currency)
    wanted = _wanted(row)
    return Notices(
        of=tuple((each, each in wanted) for each in _may(row)),
        summary_at=tenant.summary_at,
        low_balance=limit,
        at_any_time=_at_any_time(tenant),
    )


def _at_any_time(tenant: Any) -> bool:
    return "summary" in tenant.templates


def _may(row: Any) -> list[str]:
    scopes = granted(row.role, row.scopes)
    return [notice for notice, takes in NOTICES.items() if takes & scopes]


def _wanted(row: Any) -> set[str]:
    """As they chose, or the tenant's file says for them; else owners hear of the day and of a low balance."""
    usual = OF_OWNERS if row.role == OWNER else ()
    return set(usual if row.tell is None else row.tell) & set(_may(row))
