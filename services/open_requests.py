"""Open requests: the operator's file has changed who approves, or how many have to. Whatever waits for fewer
than it takes by now waits for all of them anew, of whatever kind it is."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import sqlalchemy as sa

from services import approval
from services.batches import record as of_batches
from services.news.batches import BatchAsked
from services.news.refunds import RefundRequested
from services.news.schedules import ScheduleAsked
from services.news.settings import ChangeAsked
from services.people import people
from services.refunds import policy as refund_policy
from services.refunds import record as of_refunds
from services.schedules import record as of_schedules
from services.settings import policy as change_policy
from services.settings import record as of_changes
from services.settings.kinds import SETTINGS
from services.store.schema import operations
from services.withdrawals import again
from services.withdrawals.limits import of_sum
from services.work import Work

_Holds = Callable[[Work, UUID], Awaitable[None]]


async def hold_against_now(work: Work, before: set[UUID]) -> None:
    """`before`: who could approve until now; of withdrawals those who may from now on are asked too."""
    await again.hold_against_now(work, before)
    kinds: dict[str, _Holds] = {each.kind.name: _change for each in SETTINGS.values()}
    kinds |= {"batch": _batch, "schedule": _schedule, "refund": _refund}
    query = sa.select(operations.c.id, operations.c.kind).where(
        operations.c.tenant_id == work.tenant,
        operations.c.state == "pending",
        operations.c.expires_at > work.now,
        operations.c.kind.in_(kinds),
    )
    for id_, kind in sorted((row.id, row.kind) for row in await work.connection.execute(query)):
        await kinds[kind](work, id_)


async def _batch(work: Work, batch_id: UUID) -> None:
    row = await of_batches.locked(work, batch_id)
    if row.state != "pending":
        return
    takes, facts = of_sum(await people.tenant_of(work), row.amount), of_batches.facts(work, row)
    if await approval.ask_more(work, of_batches.BATCH, batch_id, facts, takes.approvals):
        news = BatchAsked(batch=await of_batches.shown(work, batch_id))
        await of_batches.tell(work, news, row.maker_id, None)


async def _schedule(work: Work, schedule_id: UUID) -> None:
    row = await of_schedules.locked(work, schedule_id)
    takes = of_sum(await people.tenant_of(work), row.most)
    facts = of_schedules.facts(work, row)
    if await approval.ask_more(work, of_schedules.SCHEDULE, schedule_id, facts, takes.approvals):
        news = ScheduleAsked(schedule=await of_schedules.shown(work, schedule_id))
        await of_schedules.tell(work, news, row.maker_id, None)


async def _refund(work: Work, refund_id: UUID) -> None:
    row = (await of_refunds.locked(work, refund_id)).row
    least = await refund_policy.least_now(work, row)
    if await approval.ask_more(work, of_refunds.KIND, refund_id, of_refunds.facts_of(row), least):
        news = RefundRequested(refund=await of_refunds.shown(work, refund_id))
        await of_refunds.tell(work, row.maker_id, row.maker_id, news)


async def _change(work: Work, change_id: UUID) -> None:
    row, setting = await of_changes.locked(work, change_id)
    facts = of_changes.facts_of(work, row)
    takes = await change_policy.policy(work, setting, row.maker_id, facts["after"])
    if await approval.ask_more(work, setting.kind, change_id, facts, takes.approvals):
        change = await of_changes.shown(work, change_id)
        await of_changes.tell(work, ChangeAsked(change=change), row.maker_id, None)
