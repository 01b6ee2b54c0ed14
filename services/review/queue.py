"""Queue: what is undecided, and which of it somebody has already said something of."""

from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound
from services.news.review import ReviewQueue, Undecided
from services.review.record import OPEN, UNPAID, of_payments, of_payouts, of_refunds, read
from services.store.schema import attempts, payouts, refund_attempts, settlements
from services.work import Work


async def queue(work: Work) -> ReviewQueue:
    return ReviewQueue(
        undecided=tuple(await undecided(work)),
        settlements=tuple(await read(work, settlements.c.state == "pending")),
    )


async def undecided(work: Work, attempt_id: UUID | None = None) -> list[Undecided]:
    """Payouts, refunds, then payments of which a success was told, each the oldest first; few at any time."""
    lists = []
    for table, described in ((payouts, of_payouts), (refund_attempts, of_refunds)):
        where = [table.c.state.in_(OPEN), table.c.undecided_at.is_not(None)]
        which = [] if attempt_id is None else [table.c.id == attempt_id]
        lists += await described(work, *where, *which)
    doubted = [attempts.c.doubt.is_not(None)] if attempt_id is None else [attempts.c.id == attempt_id]
    unpaid = await of_payments(work, attempts.c.state.in_(UNPAID), *doubted)
    return lists + [each for each in unpaid if each.since is not None]


async def one(work: Work, attempt_id: UUID) -> Undecided:
    """Raises NotFound for what is not undecided."""
    for each in await undecided(work, attempt_id):
        return each
    raise NotFound("undecided_payout")


async def mark(work: Work, table: sa.Table, row_id: UUID) -> None:
    """The provider was asked often enough: from now on it stands here."""
    mine = (table.c.tenant_id == work.tenant, table.c.id == row_id, table.c.undecided_at.is_(None))
    await work.connection.execute(sa.update(table).where(*mine).values(undecided_at=work.now))
