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
    ours = await _ours(work, attempt_id)
    matched = _matched(ours, reports)
    found = {each.row.id for each in matched.values()}
    for name, known in matched.items():
        report = next(each for each in reports if each.facts["reference"] == name)
        if known.is_nameless:
            await REFUND.accepted(work, known.row, reference=name)
        await told(work, known.row.id, report)
    surely = not any(each.is_nameless and each.row.id not in found for each in ours)
    for report in reports:
        if report.facts["reference"] not in matched:
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


def _matched(ours: Sequence[_Ours], reports: Sequence[Report]) -> dict[str, _Ours]:
    """Whose each refund is, by its id there. One of ours is one of theirs: by the id it is known by, else the
    oldest with our note. Another with the same note was made besides, and is like anybody else's."""
    matched = dict[str, _Ours]()
    oldest_first = sorted(reports, key=lambda each: (len(each.facts["reference"]), each.facts["reference"]))
    for one in sorted(ours, key=lambda each: each.row.id):
        by_id = [each for each in oldest_first if each.facts["reference"] in one.named]
        by_note = [each for each in oldest_first if one.row.reference is None and one.named & each.references]
        free = (each.facts["reference"] for each in by_id or by_note)
        if (name := next((each for each in free if each not in matched), None)) is not None:
            matched[name] = one
    return matched


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
