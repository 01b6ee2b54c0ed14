"""Lending: an approver who is away lends the right to approve to another of the staff, for some days.

It is an operation itself, so that a third person says yes to it; who borrowed may not lend on, and never
approves what the lender has asked for. One right stays one approval, whoever uses it.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.approval.asking import ask
from services.approval.deciding import add, cancel, may_approve, reject
from services.approval.record import Kind, locked
from services.errors import FourEyesViolation, MissingScope, NotFound
from services.errors.approval import NotLendable
from services.ids import new_id
from services.news.approval import Lending, LendingAsked, LendingMoved, RightLent
from services.people import people
from services.people.access import APPROVE
from services.store.schema import lendings, operations
from services.work import Work

LENDING = Kind("lending", ask=APPROVE, approve=APPROVE, lendable=False)
MOST = timedelta(days=14)
_ANSWER_WITHIN = timedelta(hours=24)


async def lend(work: Work, lender: UUID, borrower: UUID, until: datetime, id_: UUID | None = None) -> Lending:
    """Ask another approver that it may be lent; the owners and all who may agree are told.

    Raises MissingScope (a borrowed right is not lent on), NotFound, NotLendable.
    """
    rights = await people.rights_to_approve(work)
    if APPROVE not in rights.own.get(lender, ()):
        raise MissingScope(APPROVE)
    if borrower not in rights.own:
        raise NotFound("staff")
    if borrower == lender or APPROVE in rights.own[borrower]:
        raise NotLendable("they may approve already")
    if not work.now < until <= work.now + MOST:
        raise NotLendable("it is lent for 14 days at most, and not for the past")
    id_ = id_ or new_id()
    row = {"lender_id": lender, "borrower_id": borrower, "until": until}
    expires_at = min(until, work.now + _ANSWER_WITHIN)
    step_up = await _takes_code(work)
    await ask(work, LENDING, id_, lender, _facts(row), needed=1, expires_at=expires_at, step_up=step_up)
    await work.connection.execute(sa.insert(lendings).values(tenant_id=work.tenant, id=id_, **row))
    await audit.record(work, lender, "lending.requested", id_, _facts(row))
    asked = await one(work, id_)
    told = await people.owners(work) | await people.with_scope(work, APPROVE)
    await inbox.tell_people(work, told - {lender}, LendingAsked(lending=asked))
    return asked


async def agree(
    work: Work, approver: UUID, lending_id: UUID, shown_digest: str, code: str | None = None
) -> Lending:
    """A third person says yes, with a one-time code wherever codes are in use, and it holds from now on;
    owners and both of them are told. Raises what `may_approve` raises; a tried self-approval is recorded and
    a wrong code counted before it is refused, so the transaction must still be committed."""
    await locked(work, LENDING, lending_id)
    row = await _row(work, lending_id)
    _refuse_borrower(row, approver)
    told = _facts(row._asdict())
    step_up = await _takes_code(work)
    guessed = partial(_moved, work, lending_id, approver)
    operation = await may_approve(
        work, LENDING, approver, lending_id, shown_digest, told, code=code, step_up=step_up, guessed=guessed
    )
    if await add(work, LENDING, approver, operation):
        await _change(work, lending_id, begins_at=work.now)
        names = await people.names_of(work, [row.lender_id, row.borrower_id])
        concerned = await people.owners(work) | {row.lender_id, row.borrower_id}
        news = RightLent(lender=names[row.lender_id], borrower=names[row.borrower_id], until=row.until)
        await inbox.tell_people(work, concerned, news)
    return await one(work, lending_id)


async def refuse(work: Work, approver: UUID, lending_id: UUID, reason: str) -> Lending:
    """A third person says no, by a right of their own. Raises MissingScope, NotFound, FourEyesViolation,
    NotPending, BlankReason."""
    operation = await locked(work, LENDING, lending_id)
    if approver == operation.maker_id:
        raise FourEyesViolation
    _refuse_borrower(await _row(work, lending_id), approver)
    if APPROVE not in (await people.rights_to_approve(work)).own.get(approver, ()):
        raise MissingScope(APPROVE)
    await reject(work, LENDING, approver, lending_id, reason)
    return await _moved(work, lending_id, approver)


def _refuse_borrower(row: sa.Row[Any], approver: UUID) -> None:
    """Who would gain the right decides nothing about it, whatever rights they have meanwhile."""
    if approver == row.borrower_id:
        raise FourEyesViolation


async def _takes_code(work: Work) -> bool:
    """As any change that would add an approver: wherever codes are in use at all."""
    return (await people.tenant_of(work)).totp_above is not None


async def end(work: Work, person: UUID, lending_id: UUID) -> Lending:
    """Take it back, before it was agreed to or after: the lender, or any approver. Raises MissingScope,
    NotFound, NotPending."""
    operation = await locked(work, LENDING, lending_id)
    if operation.state != "approved":
        await cancel(work, LENDING, person, lending_id)
        return await _moved(work, lending_id, person)
    if APPROVE not in (await people.rights_to_approve(work)).own.get(person, ()):
        raise MissingScope(APPROVE)
    await _change(work, lending_id, ended_at=work.now)
    await audit.record(work, person, "lending.ended", lending_id, {})
    return await _moved(work, lending_id, person)


async def _moved(work: Work, lending_id: UUID, by: UUID) -> Lending:
    """As it is now; those whom it concerns are told."""
    found = await one(work, lending_id)
    concerned = await people.owners(work) | {found.lender_id}
    if found.state == "over":
        concerned |= {found.borrower_id}
    await inbox.tell_people(work, concerned - {by}, LendingMoved(lending=found))
    return found


async def one(work: Work, lending_id: UUID) -> Lending:
    """Raises NotFound."""
    found = await every(work, lendings.c.id == lending_id)
    if not found:
        raise NotFound("lending")
    return found[0]


async def every(work: Work, *where: sa.ColumnElement[bool]) -> list[Lending]:
    """The latest first."""
    mine = sa.and_(operations.c.tenant_id == lendings.c.tenant_id, operations.c.id == lendings.c.id)
    query = (
        sa.select(lendings, operations.c.state, operations.c.digest, operations.c.expires_at)
        .join(operations, mine)
        .where(lendings.c.tenant_id == work.tenant, *where)
        .order_by(lendings.c.id.desc())
    )
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {each for row in rows for each in (row.lender_id, row.borrower_id)})
    return [
        Lending(
            id=row.id,
            lender_id=row.lender_id,
            lender=names[row.lender_id],
            borrower_id=row.borrower_id,
            borrower=names[row.borrower_id],
            until=row.until,
            state=_state(row, work.now),
            digest=row.digest,
        )
        for row in rows
    ]


def _state(row: sa.Row[Any], now: datetime) -> Any:
    if row.state == "approved":
        return "lent" if row.ended_at is None and now < row.until else "over"
    if row.state == "pending" and row.expires_at <= now:
        return "expired"
    return row.state


def _facts(row: dict[str, Any]) -> dict[str, str]:
    return {
        "lender": str(row["lender_id"]),
        "borrower": str(row["borrower_id"]),
        "until": row["until"].isoformat(),
    }


async def _row(work: Work, lending_id: UUID) -> sa.Row[Any]:
    query = sa.select(lendings).where(lendings.c.tenant_id == work.tenant, lendings.c.id == lending_id)
    return (await work.connection.execute(query)).one()


async def _change(work: Work, lending_id: UUID, **values: datetime) -> None:
    await work.connection.execute(
        sa.update(lendings)
        .where(lendings.c.tenant_id == work.tenant, lendings.c.id == lending_id)
        .values(**values)
    )
