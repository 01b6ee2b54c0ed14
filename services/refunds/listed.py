"""Listed: all refunds of a payment, as a provider tells them that has a list of them. Those of ours are taken
to theirs; what somebody has made at the provider itself is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.dispatch import REFUND
from services.news.refunds import Way
from services.payments.record import locked
from services.providers.base import Failed, Report, Succeeded
from services.refunds import taken_back
from services.refunds.settle import told
from services.store.schema import refund_attempts, refunds, reversals
from services.work import Work

_SENT = ("submitting", "pending", "unknown")


async def listed(work: Work, attempt_id: UUID, reports: Sequence[Report]) -> None:
    """`attempt_id`: of the payment. While one of ours was asked for and nobody knows which of them it is, any
    other may be that one; then nothing is booked."""
    await locked(work, attempt_id)
    ours, others, found = await _ours(work, attempt_id), list[Report](), set[UUID]()
    for report in reports:
        known = next((each for each in ours if each.named & report.references), None)
        if known is None:
            others.append(report)
            continue
        found.add(known.row.id)
        if known.is_nameless:
            await REFUND.accepted(work, known.row, reference=report.facts["reference"])
        await told(work, known.row.id, report)
    surely = not any(each.is_nameless and each.row.id not in found for each in ours)
    for report in others:
        await _others(work, attempt_id, report, surely=surely)


async def _others(work: Work, attempt_id: UUID, report: Report, *, surely: bool) -> None:
    name, word = report.facts["called"], report.word
    match word:
        case Succeeded(amount=amount) if amount is not None and surely:
            await taken_back.taken_back(work, attempt_id, name, amount, surely=True)
        case Succeeded(amount=amount) if amount is not None:
            await taken_back.unmatched(work, attempt_id, name, amount)
        case Failed() if await _booked(work, name):
            await taken_back.unclear(work, attempt_id, f"{name}, which was made, is told to have failed")


@dataclass(frozen=True)
class _Ours:
    """The attempt of one of our refunds of the payment, by which it is to be reversed."""

    row: sa.Row[Any]

    @property
    def named(self) -> frozenset[str]:
        """By us, by them, and by the people who have looked it up."""
        return frozenset({str(self.row.id), self.row.reference, self.row.receipt} - {None})

    @property
    def is_nameless(self) -> bool:
        """It was sent, and they have not told how they call it."""
        return self.row.reference is None and self.row.state in _SENT


async def _ours(work: Work, attempt_id: UUID) -> list[_Ours]:
    query = (
        sa.select(refund_attempts)
        .join(
            refunds,
            sa.and_(
                refunds.c.tenant_id == refund_attempts.c.tenant_id,
                refunds.c.id == refund_attempts.c.refund_id,
            ),
        )
        .where(
            refunds.c.tenant_id == work.tenant,
            refunds.c.attempt_id == attempt_id,
            refunds.c.way == Way.REVERSAL,
        )
    )
    return [_Ours(row) for row in (await work.connection.execute(query)).all()]


async def _booked(work: Work, name: str) -> bool:
    mine = (reversals.c.tenant_id == work.tenant, reversals.c.reference == name)
    query = sa.select(reversals.c.id).where(*mine)
    return (await work.connection.execute(query)).first() is not None
