"""Asked: what waits for others than its maker, whatever it is, as approvers read it by e-mail.

The audit says that something was asked for, and its operation who asked and until when: so a kind needs
nothing of its own here but how it is read and said.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from flows.staff.approve import Decide
from flows.staff.batch_decide import BatchShown
from flows.staff.change_decide import ChangeShown
from flows.staff.lend import LendingShown
from flows.staff.letters import Asked
from flows.staff.refund_decide import DecideRefund
from flows.staff.schedule_decide import ScheduleShown
from flows.staff.settle import SettlementShown
from flows.step import Step
from services import approval
from services.approval import lending
from services.batches import record as batches
from services.people import people
from services.refunds import record as refunds
from services.review import record as review
from services.schedules import record as schedules
from services.settings import record as settings
from services.settings.kinds import SETTINGS
from services.store.schema import operations
from services.withdrawals import record as withdrawals
from services.work import Work

# What the audit calls it that a kind is asked for.
_VERBS = ("requested", "asked", "asked_again")


class Way(NamedTuple):
    """`of`: the thing itself, by its id; `step`: what the chat shows of it."""

    kind: approval.Kind
    of: Callable[[Work, UUID], Awaitable[Any]]
    step: Callable[[Any], Step]


WAYS = {
    way.kind.name: way
    for way in (
        Way(withdrawals.WITHDRAWAL, withdrawals.shown, lambda one: Decide(withdrawal=one)),
        Way(batches.BATCH, batches.shown, lambda one: BatchShown(batch=one)),
        Way(refunds.KIND, refunds.shown, lambda one: DecideRefund(refund=one)),
        Way(schedules.SCHEDULE, schedules.shown, lambda one: ScheduleShown(schedule=one)),
        Way(lending.LENDING, lending.one, lambda one: LendingShown(lending=one)),
        Way(review.KIND, review.shown, lambda one: SettlementShown(settlement=one)),
        *(Way(each.kind, settings.shown, lambda one: ChangeShown(change=one)) for each in SETTINGS.values()),
    )
}
SCOPES = {way.kind.approve for way in WAYS.values()}
ACTIONS = tuple(f"{name}.{verb}" for name in WAYS for verb in _VERBS)


def scope_of(action: str) -> str:
    """Whose decision it is that an action of ACTIONS asks for."""
    return WAYS[action.rpartition(".")[0]].kind.approve


async def waiting_for(work: Work, person: UUID, ids: Iterable[UUID]) -> list[Asked]:
    """Which of them still wait for this person, who has not approved them yet and may."""
    scopes = [scope for scope in SCOPES if person in await people.with_scope(work, scope)]
    kinds = [name for name, way in WAYS.items() if way.kind.approve in scopes]
    query = (
        sa.select(operations)
        .where(
            operations.c.tenant_id == work.tenant,
            operations.c.id.in_(list(ids)),
            operations.c.kind.in_(kinds),
            operations.c.state == "pending",
            operations.c.expires_at > work.now,
            operations.c.maker_id != person,
        )
        .order_by(operations.c.created_at, operations.c.id)
    )
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {row.maker_id for row in rows})
    found = []
    for row in rows:
        if person not in await approval.given(work, row):
            way = WAYS[row.kind]
            says = way.step(await way.of(work, row.id)).says()
            found.append(Asked(names.get(row.maker_id) or "", row.expires_at, says))
    return found
