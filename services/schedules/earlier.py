"""Earlier: runs of the day before that do not stand in the way of today's.

Of two runs at the same hour the later one may come up before the 24 hours are over: clocks jitter, what was
sent needs a while to arrive, and once a year the clocks are put forward.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import payouts, schedule_runs, schedules
from services.withdrawals.limits import DAY
from services.work import Work

_OVER = timedelta(hours=22)  # less than that is no day before


async def over(work: Work, hour: int) -> list[UUID]:
    """Withdrawals of schedules that come up at this hour: those that have arrived so long ago that their day
    is as good as over. What came late, or was held back, counts for the whole of it."""
    ran = sa.and_(schedules.c.tenant_id == work.tenant, schedules.c.id == schedule_runs.c.schedule_id)
    sent = sa.and_(
        payouts.c.tenant_id == work.tenant, payouts.c.withdrawal_id == schedule_runs.c.withdrawal_id
    )
    query = (
        sa.select(schedule_runs.c.withdrawal_id)
        .join_from(schedule_runs, schedules, ran)
        .join(payouts, sent)
        .where(
            schedule_runs.c.tenant_id == work.tenant,
            schedules.c.hour == hour,
            payouts.c.state == "succeeded",
            payouts.c.resolved_at.between(work.now - DAY, work.now - _OVER),
        )
    )
    return list((await work.connection.execute(query)).scalars())
