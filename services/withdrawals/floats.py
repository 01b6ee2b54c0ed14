"""Floats: the account at the provider is asked before a payout leaves it, of a withdrawal or of a refund.

One that is short holds the payout, which goes on by itself once there is enough; those who reconcile are told
once. One of which nothing is known never blocks: the payout is sent, and the provider refuses by itself what
its account does not hold.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import inbox, jobs
from services.dispatch import Sending, alert
from services.money import Money
from services.news import Held
from services.news.refunds import Way
from services.news.withdrawals import FloatShort
from services.people import people
from services.points import point
from services.providers import PROVIDERS
from services.providers.base import Report
from services.store.schema import payouts, rails, refund_attempts, refunds, withdrawals
from services.work import Work

KNOWN_FOR = timedelta(minutes=5)  # what was told is believed so long, less what was sent since
LOOKS_AGAIN = timedelta(minutes=3)  # what is held
_KNOWN_TO_THE_HELD = timedelta(minutes=2, seconds=30)  # less than that: each time it is asked anew
ANSWERED_WITHIN = timedelta(seconds=60)
_SHORT_FOR = timedelta(minutes=15)  # of one that was short, and of which nothing can be told any more
_TOLD_AGAIN = timedelta(days=1)

_OF_PAYOUT = sa.and_(
    withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
)
_OF_REFUND = sa.and_(
    refunds.c.tenant_id == refund_attempts.c.tenant_id, refunds.c.id == refund_attempts.c.refund_id
)


async def waits(work: Work, one: Sending, held: Callable[[], Awaitable[None]]) -> bool:
    """Whether it is not sent now: its account is short, or is being asked what it holds. `held`: what is done
    with one that is held."""
    row = await _row(work, one.way)
    since = _KNOWN_TO_THE_HELD if one.may_be_short else KNOWN_FOR
    if row is not None and _told_within(work, row, since):
        return row.float_funds < one.amount.minor and await hold(work, one, held)
    if row is None or row.float_asked_at is None or work.now - row.float_asked_at >= since:
        await _ask(work, one)
        return True
    if not _answered(row) and work.now - row.float_asked_at < ANSWERED_WITHIN:
        await jobs.schedule(work, one.job, one.row.id, row.float_asked_at + ANSWERED_WITHIN)
        return True
    short = _told_within(work, row, _SHORT_FOR) and row.float_funds < one.amount.minor
    return short and await hold(work, one, held)


async def taken(work: Work, one: Sending) -> bool:
    """What is sent now is there no more. False where another one was quicker, and too little is left: of
    those at the same moment the row is the referee."""
    way = one.way
    known = sa.and_(rails.c.float_told_at.is_not(None), rails.c.float_told_at > work.now - KNOWN_FOR)
    less = (
        sa.update(rails)
        .where(*_mine(work, way), known, rails.c.float_funds >= one.amount.minor)
        .values(float_funds=rails.c.float_funds - one.amount.minor)
        .returning(rails.c.rail)
    )
    if (await work.connection.execute(less)).first() is not None:
        point("float.taken")
        await _suffices(work, one)
        return True
    row = await _row(work, way)
    return row is None or not _told_within(work, row, KNOWN_FOR)


async def hold(work: Work, one: Sending, held: Callable[[], Awaitable[None]]) -> bool:
    """True: it waits until there is enough."""
    await held()
    point("float.held")
    way = one.way
    known = sa.and_(rails.c.float_short_at.is_not(None), rails.c.float_short_at > work.now - _TOLD_AGAIN)
    first = sa.update(rails).where(*_mine(work, way), ~known).values(float_short_at=work.now)
    funds = await work.connection.scalar(first.returning(rails.c.float_funds))
    if funds is not None:
        there = Money(max(funds, 0), one.amount.currency)
        await alert(work, one, "payouts.float_short", way=way, funds=str(there))
        news = FloatShort(rail=way, provider=one.row.provider, funds=there, needed=one.amount)
        await inbox.tell_people(work, await people.reconcilers(work), news)
    return True


async def reported(work: Work, target_id: UUID, report: Report) -> None:
    """What the account holds, asked for this one. Told twice, or unasked, it changes nothing: it may be old
    by then."""
    way = (await asked_for(work, target_id)).way
    funds = report.facts.get("floats", {}).get(way)
    told = {} if funds is None else {"float_funds": funds.minor, "float_told_at": work.now}
    await _answer(work, way, **told)


async def not_told(work: Work, target_id: UUID) -> None:
    """Nothing can be told of it."""
    await _answer(work, (await asked_for(work, target_id)).way)


@dataclass(frozen=True)
class AskedFor:
    """A payout, or the attempt of a refund, for which the account is asked."""

    provider: str
    way: str
    state: str
    of_refund: bool


async def asked_for(work: Work, target_id: UUID) -> AskedFor:
    mine = (payouts.c.tenant_id == work.tenant, payouts.c.id == target_id)
    query = sa.select(payouts.c.provider, payouts.c.state, withdrawals.c.method_type)
    row = (
        await work.connection.execute(query.join_from(payouts, withdrawals, _OF_PAYOUT).where(*mine))
    ).first()
    if row is not None:
        return AskedFor(row.provider, row.method_type, row.state, of_refund=False)
    theirs = (refund_attempts.c.tenant_id == work.tenant, refund_attempts.c.id == target_id)
    query = sa.select(refund_attempts.c.provider, refund_attempts.c.state).where(*theirs)
    attempt = (await work.connection.execute(query)).one()
    rules = PROVIDERS[attempt.provider].refunds
    way = (rules.otherwise if rules else None) or ""
    return AskedFor(attempt.provider, way, attempt.state, of_refund=True)


async def _ask(work: Work, one: Sending) -> None:
    """Once for all that wait at this moment; they look again when it must have answered."""
    await jobs.schedule(work, one.job, one.row.id, work.now + ANSWERED_WITHIN)
    asked = {"float_asked_at": work.now}
    statement = work.insert(rails).values(tenant_id=work.tenant, rail=one.way, **asked)
    before = sa.or_(rails.c.float_asked_at.is_(None), rails.c.float_asked_at <= work.now - ANSWERED_WITHIN)
    asking = statement.on_conflict_do_update(
        index_elements=[rails.c.tenant_id, rails.c.rail], set_=asked, where=before
    ).returning(rails.c.rail)
    if (await work.connection.execute(asking)).first() is not None:
        await jobs.schedule(work, "float", one.row.id, work.now)
        point("float.asked")


async def _answer(work: Work, way: str, **told: Any) -> None:
    open_question = sa.or_(
        rails.c.float_answered_at.is_(None), rails.c.float_answered_at < rails.c.float_asked_at
    )
    answering = (
        sa.update(rails)
        .where(*_mine(work, way), rails.c.float_asked_at.is_not(None), open_question)
        .values(float_answered_at=work.now, **told)
        .returning(rails.c.rail)
    )
    if (await work.connection.execute(answering)).first() is not None:
        await jobs.hasten(work, "payout", "refund")
        point("float.told")


async def _suffices(work: Work, one: Sending) -> None:
    """Once nothing waits for it any more it is told anew when it is short again. Of refunds nobody keeps why
    they wait, so any that is not sent yet may wait for it."""
    held = (
        sa.select(payouts.c.id)
        .join_from(payouts, withdrawals, _OF_PAYOUT)
        .where(
            payouts.c.tenant_id == work.tenant,
            payouts.c.state == "created",
            payouts.c.held == Held.FLOAT,
            withdrawals.c.method_type == one.way,
        )
    )
    unsent = (
        sa.select(refund_attempts.c.id)
        .join_from(refund_attempts, refunds, _OF_REFUND)
        .where(
            refund_attempts.c.tenant_id == work.tenant,
            refund_attempts.c.state == "created",
            refund_attempts.c.id != one.row.id,
            refund_attempts.c.provider.in_(_paying_back_by(one.way)),
            refunds.c.way == Way.PAYOUT,
        )
    )
    over = sa.update(rails).where(
        *_mine(work, one.way), rails.c.float_short_at.is_not(None), ~held.exists(), ~unsent.exists()
    )
    await work.connection.execute(over.values(float_short_at=None))


def _paying_back_by(way: str) -> list[str]:
    """Providers of which payers are paid out by it."""
    return [name for name, each in PROVIDERS.items() if each.refunds and each.refunds.otherwise == way]


def _told_within(work: Work, row: sa.Row[Any], span: timedelta) -> bool:
    return row.float_told_at is not None and work.now - row.float_told_at < span


def _answered(row: sa.Row[Any]) -> bool:
    """The last question."""
    return row.float_answered_at is not None and row.float_answered_at >= row.float_asked_at


def _mine(work: Work, way: str) -> tuple[sa.ColumnElement[bool], ...]:
    return rails.c.tenant_id == work.tenant, rails.c.rail == way


async def _row(work: Work, way: str) -> sa.Row[Any] | None:
    return (await work.connection.execute(sa.select(rails).where(*_mine(work, way)))).first()
