"""Methods: the ways to pay that a customer has saved, the preferred one first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.errors import NotFound
from services.facts import Way
from services.ids import new_id
from services.news import PaymentMethod
from services.payments import forgetting
from services.payments.details import expired, same_by, token_of
from services.store.schema import people, saved_methods
from services.work import Work

COLUMN = "saved_methods.details"


@dataclass(frozen=True)
class Saved:
    """A saved method."""

    id: UUID
    method: PaymentMethod
    details: dict[str, str] = field(repr=False)
    saved_at: datetime
    is_default: bool


async def listed(work: Work, person_id: UUID) -> tuple[Saved, ...]:
    """The saved ones of this person as they are offered: those of the preferred provider first, of these
    the default, then the latest."""
    preferred = (
        sa.select(people.c.preferred_provider)
        .where(people.c.tenant_id == work.tenant, people.c.id == person_id)
        .scalar_subquery()
    )
    order = (
        sa.case((saved_methods.c.provider == preferred, 0), else_=1),
        saved_methods.c.is_default.desc(),
        saved_methods.c.saved_at.desc(),
        saved_methods.c.id.desc(),
    )
    query = sa.select(saved_methods).where(_of(work, person_id)).order_by(*order)
    return tuple(
        Saved(
            id=row.id,
            method=PaymentMethod(provider=row.provider, label=row.label),
            details=work.open(row.details_sealed, COLUMN, row.id),
            saved_at=row.saved_at,
            is_default=row.is_default,
        )
        for row in await work.connection.execute(query)
    )


async def ways(work: Work, person_id: UUID) -> tuple[Way, ...]:
    """The same as ways to pay."""
    return tuple(
        Way(method=each.method, method_id=each.id, expired=expired(each.details, work.now))
        for each in await listed(work, person_id)
    )


async def details_of(work: Work, person_id: UUID, method_id: UUID) -> tuple[PaymentMethod, dict[str, str]]:
    """Raises NotFound for a method that is not this person's."""
    query = sa.select(saved_methods).where(_of(work, person_id), saved_methods.c.id == method_id)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("payment_method")
    details = work.open(row.details_sealed, COLUMN, row.id)
    return PaymentMethod(provider=row.provider, label=row.label), details


async def save(work: Work, person_id: UUID, method: PaymentMethod, details: dict[str, str]) -> PaymentMethod:
    """Save as the default, its provider as the preferred one; the same again replaces what was saved."""
    async with _recorded(work, "method.saved", person_id, person_id):
        method_id, _ = await _put(work, person_id, method, details)
        await _make_default(work, person_id, method_id)
    return method


async def put(
    work: Work,
    person_id: UUID,
    method: PaymentMethod,
    details: dict[str, str],
    by: UUID,
    *,
    default: bool = False,
) -> tuple[UUID, bool]:
    """Save it: its id, and whether it is new; the same method again replaces what was saved of it, and
    keeps its place. The first is the default, and its provider preferred where none is yet. `by`: who does
    it, the customer or one of the staff; `default`: it is the default from now on."""
    async with _recorded(work, "method.saved", person_id, by):
        method_id, new = await _put(work, person_id, method, details)
        if default:
            await _make_default(work, person_id, method_id)
    return method_id, new


async def _put(
    work: Work, person_id: UUID, method: PaymentMethod, details: dict[str, str]
) -> tuple[UUID, bool]:
    await _lock(work, person_id)
    known = await _find(work, person_id, method.provider, details)
    method_id = known.id if known else new_id()
    # What was removed a moment ago is not to be forgotten now.
    await work.connection.execute(
        sa.delete(saved_methods).where(
            saved_methods.c.tenant_id == work.tenant,
            saved_methods.c.person_id == person_id,
            saved_methods.c.provider == method.provider,
            saved_methods.c.removed_at.is_not(None),
            saved_methods.c.details_index.in_(work.indexes(token_of(method.provider, details), COLUMN)),
        )
    )
    if known:
        details = await _over(work, known, method.provider, details)
    values: dict[str, Any] = {
        "details_sealed": work.seal(details, COLUMN, method_id),
        "details_index": work.index(same_by(method.provider, details), COLUMN),
        "label": method.label,
        "saved_at": work.now,
    }
    if known:
        same = sa.update(saved_methods).where(_of(work, person_id), saved_methods.c.id == method_id)
        await work.connection.execute(same.values(**values))
        return method_id, False
    first = await _first(work, person_id) is None
    new = sa.insert(saved_methods).values(
        tenant_id=work.tenant,
        id=method_id,
        person_id=person_id,
        provider=method.provider,
        is_default=first,
        **values,
    )
    await work.connection.execute(new)
    if first and await preferred_provider(work, person_id) is None:
        await _prefer(work, person_id, method.provider)
    return method_id, True


async def preferred_provider(work: Work, person_id: UUID) -> str | None:
    """Chosen by the customer with a method, or by the shop for them."""
    query = sa.select(people.c.preferred_provider).where(
        people.c.tenant_id == work.tenant, people.c.id == person_id
    )
    return await work.connection.scalar(query)


async def prefer(work: Work, person_id: UUID, provider: str, by: UUID) -> None:
    """Its methods are offered first; which one is the default stays."""
    async with _recorded(work, "method.provider_preferred", person_id, by):
        await _prefer(work, person_id, provider)


async def _prefer(work: Work, person_id: UUID, provider: str) -> None:
    await work.connection.execute(
        sa.update(people)
        .where(people.c.tenant_id == work.tenant, people.c.id == person_id)
        .values(preferred_provider=provider)
    )


async def make_default(work: Work, person_id: UUID, method_id: UUID, by: UUID) -> None:
    """Prefer it, and its provider. Raises NotFound for a method that is not this person's."""
    async with _recorded(work, "method.default", person_id, by):
        await _make_default(work, person_id, method_id)


async def _make_default(work: Work, person_id: UUID, method_id: UUID) -> None:
    await _lock(work, person_id)
    mine = _of(work, person_id)
    chosen = sa.select(saved_methods.c.provider).where(mine, saved_methods.c.id == method_id)
    provider = await work.connection.scalar(chosen)
    if provider is None:
        raise NotFound("payment_method")
    # Two statements: at no moment are there two preferred ones, which the index refuses.
    await work.connection.execute(
        sa.update(saved_methods).where(mine, saved_methods.c.is_default).values(is_default=False)
    )
    await work.connection.execute(
        sa.update(saved_methods).where(mine, saved_methods.c.id == method_id).values(is_default=True)
    )
    await _prefer(work, person_id, provider)


async def remove(work: Work, person_id: UUID, method_id: UUID, by: UUID) -> None:
    """Forget it; where it was the default, the first saved of the others is from now on. Raises NotFound."""
    async with _recorded(work, "method.removed", person_id, by):
        await _remove(work, person_id, method_id)


async def _remove(work: Work, person_id: UUID, method_id: UUID) -> None:
    await _lock(work, person_id)
    mine = (_of(work, person_id), saved_methods.c.id == method_id)
    known = (await work.connection.execute(sa.select(saved_methods).where(*mine))).first()
    if known is None:
        raise NotFound("payment_method")
    await forgetting.remove(work, *mine)
    first = await _first(work, person_id)
    if known.is_default and first is not None:
        await _make_default(work, person_id, first)


async def is_saved(work: Work, person_id: UUID, provider: str, details: dict[str, str]) -> bool:
    return await _find(work, person_id, provider, details) is not None


async def renew(work: Work, person_id: UUID, method: PaymentMethod, details: dict[str, str]) -> bool:
    """A saved card was paid with anew, under another token perhaps, which takes the first one's place. False
    where it is not saved."""
    known = await _find(work, person_id, method.provider, details)
    if known is None:
        return False
    before = work.open(known.details_sealed, COLUMN, known.id)
    if token_of(method.provider, before) != token_of(method.provider, details):
        async with _recorded(work, "method.renewed", person_id, person_id):
            await _put(work, person_id, method, details)
    return True


@asynccontextmanager
async def _recorded(work: Work, action: str, person_id: UUID, by: UUID) -> AsyncIterator[None]:
    """One entry for all that is done within, with what was saved before and after, masked."""
    await _lock(work, person_id)
    before = await _shown(work, person_id)
    yield
    after = await _shown(work, person_id)
    await audit.record(work, by, action, person_id, {}, before=before, after=after)


async def _shown(work: Work, person_id: UUID) -> dict[str, Any]:
    query = sa.select(saved_methods).where(_of(work, person_id)).order_by(saved_methods.c.id)
    saved = [
        {"provider": row.provider, "label": row.label, "default": row.is_default}
        for row in await work.connection.execute(query)
    ]
    return {"methods": saved, "preferred_provider": await preferred_provider(work, person_id)}


async def _first(work: Work, person_id: UUID) -> UUID | None:
    """The one that was saved first: ids are in the order of their making."""
    query = sa.select(saved_methods.c.id).where(_of(work, person_id)).order_by(saved_methods.c.id).limit(1)
    return await work.connection.scalar(query)


async def _find(work: Work, person_id: UUID, provider: str, details: dict[str, str]) -> sa.Row[Any] | None:
    """By what makes it the same, else by its token."""
    same, token = same_by(provider, details), token_of(provider, details)
    query = sa.select(saved_methods).where(_of(work, person_id), saved_methods.c.provider == provider)
    for row in (await work.connection.execute(query.order_by(saved_methods.c.id))).all():
        known = work.open(row.details_sealed, COLUMN, row.id)
        if same_by(provider, known) == same or token_of(provider, known) == token:
            return row
    return None


async def _over(work: Work, known: sa.Row[Any], provider: str, details: dict[str, str]) -> dict[str, str]:
    """What is kept of a method that is there: what its provider told of it before, of the same token. Another
    token of the same card takes the place of the first, which the provider forgets."""
    before: dict[str, str] = work.open(known.details_sealed, COLUMN, known.id)
    if token_of(provider, before) == token_of(provider, details):
        return before | details
    await forgetting.replaced(work, known)
    return details


async def _lock(work: Work, person_id: UUID) -> None:
    """Two savings at once would both be the preferred one."""
    await work.connection.execute(
        sa.select(people.c.id)
        .where(people.c.tenant_id == work.tenant, people.c.id == person_id)
        .with_for_update(key_share=True)
    )


def _of(work: Work, person_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(
        saved_methods.c.tenant_id == work.tenant,
        saved_methods.c.person_id == person_id,
        saved_methods.c.removed_at.is_(None),
    )
