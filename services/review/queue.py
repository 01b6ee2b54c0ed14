"""Queue: what is undecided, and which of it somebody has already said something of."""

from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound
from services.errors.review import NotUndecided
from services.news.review import ReviewQueue, Undecided
from services.review.record import OPEN, UNPAID, of_payments, of_payouts, of_refunds, read
from services.store.schema import attempts, orders, payouts, refund_attempts, settlements
from services.work import Work

_MOST_OF_ORDER = 9  # attempts, the latest; who is asked more often pays nothing


async def queue(work: Work) -> ReviewQueue:
    doubted = await of_payments(work, attempts.c.state.in_(UNPAID), attempts.c.doubt.is_not(None))
    return ReviewQueue(
        undecided=(*await _sent(work), *(each for each in doubted if each.since is not None)),
        settlements=tuple(await read(work, settlements.c.state == "pending")),
        asking=sum(each.since is None for each in doubted),
    )


async def of_order(work: Work, number: str) -> ReviewQueue:
    """What of an order's payment may be said, of attempts too that merely expired. Raises NotFound, and
    NotUndecided where it is known, asked about, or nobody was asked to pay."""
    query = sa.select(orders.c.id).where(orders.c.tenant_id == work.tenant, orders.c.number == number)
    order_id = await work.connection.scalar(query)
    if order_id is None:
        raise NotFound("order")
    every = await of_payments(work, orders.c.id == order_id)
    ids = [each.id for each in every]
    waits = await read(work, settlements.c.state == "pending", settlements.c.payment_attempt_id.in_(ids))
    left = [each for each in every if each.since is not None][-_MOST_OF_ORDER:]
    if not left and not waits:
        raise NotUndecided(_known(every))
    return ReviewQueue(undecided=tuple(left), settlements=tuple(waits))


def _known(every: list[Undecided]) -> str:
    """How attempts stand of which nobody can say more."""
    states = {each.state for each in every}
    if not states:
        return "unasked"
    if "succeeded" in states:
        return "succeeded"
    return "failed" if states == {"failed"} else "pending"


async def one(work: Work, attempt_id: UUID) -> Undecided:
    """Raises NotFound for what is not undecided."""
    came = await of_payments(work, attempts.c.state.in_(UNPAID), attempts.c.id == attempt_id)
    for each in (*await _sent(work, attempt_id), *came):
        if each.since is not None:
            return each
    raise NotFound("undecided_payout")


async def _sent(work: Work, attempt_id: UUID | None = None) -> list[Undecided]:
    """Payouts, then refunds, each the oldest first; few at any time."""
    lists = []
    for table, described in ((payouts, of_payouts), (refund_attempts, of_refunds)):
        where = [table.c.state.in_(OPEN), table.c.undecided_at.is_not(None)]
        lists += await described(work, *where, *([] if attempt_id is None else [table.c.id == attempt_id]))
    return lists


async def mark(work: Work, table: sa.Table, row_id: UUID) -> None:
    """The provider was asked often enough: from now on it stands here."""
    mine = (table.c.tenant_id == work.tenant, table.c.id == row_id, table.c.undecided_at.is_(None))
    await work.connection.execute(sa.update(table).where(*mine).values(undecided_at=work.now))
