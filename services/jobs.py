"""Jobs: what is due. A row by target and kind; whoever does it claims it by a lease.

| kind              | target     | does                                                        |
|-------------------|------------|-------------------------------------------------------------|
| collect           | attempt    | sends the prompt                                            |
| collect_check     | attempt    | asks the provider what became of the prompt                 |
| collect_expire    | attempt    | gives up a prompt that nothing can be asked about           |
| page_close        | attempt    | ends a page, and has the provider asked for the last time   |
| forget            | method     | has the provider forget a saved method that was removed     |
| payout            | payout     | sends the money                                             |
| payout_check      | payout     | asks the provider what became of it                         |
| float             | payout     | asks the provider what there is to pay it from              |
| refund            | refund's attempt | asks the provider to give money back                  |
| refund_check      | refund's attempt | asks the provider what became of it                   |
| payment_check     | attempt    | asks the provider whether a payment stands                  |
| refund_expire     | refund     | closes a refund that nobody decided                         |
| order_expire      | order      | closes an order that nobody paid, and gives its stock back  |
| request_expire    | order      | closes what the staff asked for and nobody paid             |
| remind            | order      | reminds the customer of it, where that is allowed           |
| summary           | tenant     | tells the staff what the day has brought                    |
| withdrawal_expire | withdrawal | closes a request that nobody decided                        |
| settlement_expire | settlement | closes what somebody said and nobody approved              |
| batch_fetch       | batch      | fetches the file that was sent in a chat                    |
| batch_expire      | batch      | closes a batch that nobody sent on, or nobody decided       |
| schedule_run      | schedule   | asks for the withdrawal of this day                         |
| schedule_expire   | schedule   | closes a schedule that nobody approved                      |
| batch_done        | batch      | ends a batch of which every line has ended                  |
| change_due        | change     | puts an approved change of settings into effect             |
| change_expire     | change     | closes a change that nobody approved                        |
| handoff_end       | handoff    | gives a customer back to the bot whom nobody answers        |
| books_minute      | nobody     | proves what has changed in the books, of all tenants        |
| books_night       | nobody     | proves the books in full, one tenant after another          |
| reconcile         | nobody     | compares the books with providers' statements, every night  |
| by_hand           | nobody     | finds who paid to a till without being asked, all day       |
| retention         | nobody     | forgets what has grown old, every night, of all tenants     |
| audit_anchor      | nobody     | signs the heads of the audit; one for the installation      |
| watching          | nobody     | finds what lasts that should not, and who is to be written  |
| tokens            | nobody     | asks how long access tokens of WhatsApp live, once a day    |
| mail_alert        | recipient  | sends an e-mail with the alerts that wait for them          |
| mail_approval     | recipient  | sends one with what waits for their decision                |

`tries` counts the waits gone by on the job's ladder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.ending import wake
from services.store.hot import Hot, Named, among
from services.store.schema import Moment, jobs
from services.work import INSERTS, Work

MAIL_ALERT, MAIL_APPROVAL = "mail_alert", "mail_approval"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

# A person waits with the phone in the hand; Daraja's prompt lives for about a minute.
COLLECT_LADDER = (10 * SECOND, 20 * SECOND, 30 * SECOND, 60 * SECOND, 2 * MINUTE, 5 * MINUTE)
PAYOUT_LADDER = (15 * SECOND, 45 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)
# Who comes back from a page has the provider asked at once; this is for who does not.
PAGE_LADDER = (MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE)
# What provably never left may be sent again, as long as the person still waits for it.
SEND_LADDER = (2 * SECOND, 5 * SECOND, 15 * SECOND)
# Whether a payment stands, where the question itself was lost.
STANDS_LADDER = (MINUTE, 5 * MINUTE, HOUR, 6 * HOUR)
# An order that is left unpaid; who does not answer by the next morning is not pursued.
REMIND_LADDER = (2 * HOUR, 18 * HOUR)


@dataclass(frozen=True)
class Job:
    """One that is claimed."""

    tenant_id: UUID
    target_id: UUID
    kind: str
    tries: int


def _scheduling(insert: Callable[[sa.Table], Any]) -> Any:
    new = insert(jobs).values(
        {name: sa.bindparam(name) for name in ("tenant_id", "target_id", "kind", "due_at")}
    )
    return new.on_conflict_do_update(
        index_elements=["tenant_id", "target_id", "kind"],
        set_={"due_at": new.excluded.due_at, "leased_until": sa.null()},
    )


_SCHEDULE = Hot(_scheduling(INSERTS["sqlite"]), postgres=_scheduling(INSERTS["postgresql"]))


async def schedule(work: Work, kind: str, target_id: UUID, due_at: datetime) -> None:
    """Due then, instead of whenever it was due before; its place on the ladder stays."""
    new = {"tenant_id": work.tenant, "target_id": target_id, "kind": kind, "due_at": due_at}
    await _SCHEDULE(work.connection, **new)
    if due_at <= work.now:
        wake(work.connection, "jobs")


async def again(work: Work, kind: str, target_id: UUID, ladder: Sequence[timedelta]) -> bool:
    """Due after the next wait of the ladder; False, and nothing changed, where there is none left."""
    mine = (jobs.c.tenant_id == work.tenant, jobs.c.target_id == target_id, jobs.c.kind == kind)
    tries = await work.connection.scalar(sa.select(jobs.c.tries).where(*mine)) or 0
    if tries >= len(ladder):
        return False
    await schedule(work, kind, target_id, work.now + ladder[tries])
    await work.connection.execute(sa.update(jobs).where(*mine).values(tries=tries + 1))
    return True


async def keep(work: Work, kind: str, target_id: UUID, ladder: Sequence[timedelta]) -> None:
    """Due after the wait that was under way: what was done in between is no rung of the ladder."""
    mine = (jobs.c.tenant_id == work.tenant, jobs.c.target_id == target_id, jobs.c.kind == kind)
    tries = await work.connection.scalar(sa.select(jobs.c.tries).where(*mine)) or 0
    await schedule(work, kind, target_id, work.now + ladder[max(tries - 1, 0)])


async def hasten(work: Work, *kinds: str) -> None:
    """All of the tenant's that wait are due now; what somebody does at this moment is left to them."""
    free = sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= work.now)
    waiting = (
        sa.select(jobs.c.target_id, jobs.c.kind)
        .where(jobs.c.tenant_id == work.tenant, jobs.c.kind.in_(kinds), jobs.c.due_at > work.now, free)
        .with_for_update(skip_locked=True)
    )
    for row in (await work.connection.execute(waiting)).all():
        await schedule(work, row.kind, row.target_id, work.now)


async def nudge(work: Work, kind: str, target_id: UUID) -> None:
    """Due now where it waits; who is at it in this moment is not waited for, since they may wait for us."""
    mine = (jobs.c.tenant_id == work.tenant, jobs.c.target_id == target_id, jobs.c.kind == kind)
    free = sa.select(jobs.c.kind).where(*mine).with_for_update(skip_locked=True)
    if (await work.connection.execute(free)).first() is not None:
        await schedule(work, kind, target_id, work.now)


_FINISH = Hot(
    sa.delete(jobs).where(
        jobs.c.tenant_id == sa.bindparam("tenant"),
        jobs.c.target_id == sa.bindparam("target"),
        among(jobs.c.kind, "kinds"),
    )
)


async def finish(work: Work, target_id: UUID, *kinds: str) -> None:
    """These are due no more, whether they were or not."""
    await _FINISH(work.connection, tenant=work.tenant, target=target_id, kinds=kinds)


async def rest(work: Work, target_id: UUID, kind: str) -> None:
    """Due no more, unless somebody has made it due at once meanwhile."""
    later = jobs.c.due_at > work.now
    mine = (jobs.c.tenant_id == work.tenant, jobs.c.target_id == target_id, jobs.c.kind == kind)
    await work.connection.execute(sa.delete(jobs).where(*mine, later))


_now: sa.BindParameter[datetime] = sa.bindparam("now", type_=Moment)
_DUE = Named(
    sa.select(jobs)
    .where(jobs.c.due_at <= _now, sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= _now))
    .order_by(jobs.c.due_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)


_LEASE = Hot(
    sa.update(jobs)
    .where(
        jobs.c.tenant_id == sa.bindparam("tenant"),
        jobs.c.target_id == sa.bindparam("target"),
        jobs.c.kind == sa.bindparam("kind"),
    )
    .values(leased_until=sa.bindparam("until"))
)


async def claim(connection: AsyncConnection, now: datetime, lease: timedelta, limit: int) -> list[Job]:
    """Due jobs that nobody has leased, of all tenants; nobody else is given them until the lease ends."""
    rows = await _DUE(connection, now=now, most=limit)
    for row in rows:
        one = {"tenant": row.tenant_id, "target": row.target_id, "kind": row.kind}
        await _LEASE(connection, **one, until=now + lease)
    return [Job(row.tenant_id, row.target_id, row.kind, row.tries) for row in rows]
