"""Record: breaks as they are kept. What is found again stays, with its type of now; what is found no more has
been explained by a later line or posting; what a person has closed stays closed while its sums stay."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound
from services.ids import new_id
from services.money import Money
from services.news.reconciliation import BreakReopened
from services.people import people
from services.providers.listing import Kind
from services.reconciliation.facts import Break, State, Type
from services.reconciliation.seen import Seen
from services.store.schema import breaks
from services.work import Work

_AT_ONCE = 300
_SUMS = ("ours", "ours_currency", "theirs", "theirs_currency")
_FOUND_AGAIN = ("type", "at", *_SUMS, "label", "item_id")


@dataclass(frozen=True)
class Kept:
    new: int
    explained: int


async def keep(work: Work, provider: str, found: Iterable[Break], asked: Iterable[str]) -> Kept:
    """`asked`: the subjects of those that were open when the run looked."""
    found = list(found)
    new = 0
    for start in range(0, len(found), _AT_ONCE):
        new += await _put(work, provider, found[start : start + _AT_ONCE])
    gone = sorted(set(asked) - {each.subject for each in found})
    for start in range(0, len(gone), _AT_ONCE):
        await work.connection.execute(
            sa.update(breaks)
            .where(
                breaks.c.tenant_id == work.tenant,
                breaks.c.provider == provider,
                breaks.c.state == State.OPEN,
                breaks.c.subject.in_(gone[start : start + _AT_ONCE]),
            )
            .values(state=State.EXPLAINED, explained_at=work.now)
        )
    return Kept(new, len(gone))


async def _put(work: Work, provider: str, found: list[Break]) -> int:
    rows = [_row(work, provider, each) for each in found]
    await _reopen(work, provider, {row["subject"]: row for row in rows})
    statement = work.insert(breaks).values(rows)
    changed = {name: statement.excluded[name] for name in _FOUND_AGAIN}
    # What is back after it was explained has not been told of yet.
    told_at = sa.case((breaks.c.state == State.OPEN, breaks.c.told_at), else_=None)
    again = statement.on_conflict_do_update(
        index_elements=["tenant_id", "provider", "subject"],
        set_=changed | {"state": State.OPEN.value, "explained_at": None, "told_at": told_at},
        where=breaks.c.state != State.CLOSED,
    )
    ids = {row["id"] for row in rows}
    put = await work.connection.execute(again.returning(breaks.c.id))
    return len(ids & set(put.scalars()))


async def _reopen(work: Work, provider: str, found: dict[str, dict[str, Any]]) -> None:
    """A reason explains the sums that its person saw, and no others."""
    query = sa.select(breaks).where(
        breaks.c.tenant_id == work.tenant,
        breaks.c.provider == provider,
        breaks.c.state == State.CLOSED,
        breaks.c.subject.in_(found),
    )
    for row in (await work.connection.execute(query.order_by(breaks.c.id).with_for_update())).all():
        now = found[row.subject]
        seen = {name: getattr(row, name) for name in _SUMS}
        if all(seen[name] == now[name] for name in _SUMS):
            continue
        await work.connection.execute(
            sa.update(breaks)
            .where(breaks.c.tenant_id == work.tenant, breaks.c.id == row.id)
            .values(state=State.OPEN, closed_at=None, closed_by=None, reason=None, told_at=work.now)
        )
        facts = {"provider": provider, "type": now["type"], "receipt": row.receipt, "reason": row.reason}
        before, after = ({name: _fact(sums[name]) for name in _SUMS} for sums in (seen, now))
        await audit.record(
            work, audit.CLOCK, "break.reopened", row.id, facts, before=before, after=after, alert=True
        )
        side = "ours" if now["theirs"] is None else "theirs"
        news = BreakReopened(
            provider=provider,
            amount=Money(now[side], now[f"{side}_currency"]),
            by=await people.name_of(work, row.closed_by),
            reason=row.reason,
        )
        await inbox.tell_people(work, await people.reconcilers(work), news)


def _fact(value: int | str | None) -> str | None:
    return None if value is None else str(value)


def _row(work: Work, provider: str, each: Break) -> dict[str, Any]:
    return {
        "tenant_id": work.tenant,
        "id": new_id(),
        "provider": provider,
        "subject": each.subject,
        "type": each.type,
        "kind": each.kind,
        "at": each.at,
        "ours": each.ours and each.ours.minor,
        "ours_currency": each.ours and each.ours.currency,
        "theirs": each.theirs and each.theirs.minor,
        "theirs_currency": each.theirs and each.theirs.currency,
        "item_id": each.item,
        "line_key": each.line,
        "receipt": each.receipt,
        "label": each.label,
        "party": each.party,
        "state": State.OPEN,
        "found_at": work.now,
    }


async def read(
    work: Work, *where: sa.ColumnElement[bool], limit: int | None = None, latest: bool = False
) -> list[Seen]:
    """The oldest first; or the `latest` found."""
    query = sa.select(breaks).where(breaks.c.tenant_id == work.tenant, *where)
    order = (breaks.c.id.desc(),) if latest else (breaks.c.at, breaks.c.id)
    rows = (await work.connection.execute(query.order_by(*order).limit(limit))).all()
    names = await people.names_of(work, {row.closed_by for row in rows if row.closed_by})
    return [_seen(row, names) for row in rows]


async def shown(work: Work, break_id: UUID) -> Seen:
    """Raises NotFound."""
    found = await read(work, breaks.c.id == break_id)
    if not found:
        raise NotFound("break")
    return found[0]


def _seen(row: Any, names: dict[UUID, str]) -> Seen:
    return Seen(
        id=row.id,
        provider=row.provider,
        type=Type(row.type),
        kind=Kind(row.kind),
        at=row.at,
        ours=None if row.ours is None else Money(row.ours, row.ours_currency),
        theirs=None if row.theirs is None else Money(row.theirs, row.theirs_currency),
        receipt=row.receipt,
        label=row.label,
        party=row.party,
        state=State(row.state),
        found_at=row.found_at,
        closed_by=names.get(row.closed_by),
        closed_at=row.closed_at,
        reason=row.reason,
    )
