"""Measured: what a scrape reads out of the database. It is the same whichever process answers, and survives
their restarts; what was measured last stands while the database is away.

Queues are read at each scrape, from partial indexes of what is open. How the last day went is read once a
minute at most. Both take milliseconds (`tests/bot/test_measured.py` looks at the plans).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncConnection

from services import breakers
from services.store import schema
from services.store.database import Database
from services.store.schema.traffic import OPEN_OUTBOX, WAITS_FOR_TURN
from services.store.scope import AUDITOR
from services.withdrawals import measure

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_SECONDS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 24 * 3600.0)

# Of each: what it says, and its labels.
NAMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "lipachat_queue_depth": ("Rows that wait", ("queue",)),
    "lipachat_queue_age_seconds": ("Age of the oldest row that waits", ("queue",)),
    "lipachat_open": ("Payments, payouts and refunds under way at a provider", ("kind",)),
    "lipachat_open_age_seconds": ("Age of the oldest of them", ("kind",)),
    "lipachat_approvals_waiting": ("What waits for the approval of others", ("kind",)),
    "lipachat_approvals_waiting_age_seconds": ("Age of the oldest of them", ("kind",)),
    "lipachat_breakers_open": (
        "Accounts of tenants at a provider that are not called, since they left calls unanswered",
        ("provider", "operation"),
    ),
    "lipachat_books_proven_age_seconds": ("Since what the last proof of the books has seen", ("check",)),
    "lipachat_books_breaches": ("Rules broken in the books, not repaired", ()),
    "lipachat_payouts_stopped": ("Tenants whose payouts are stopped altogether", ()),
    "lipachat_payments_ended": (
        "Payments of the last hour by how they ended; method: saved, or told anew",
        ("provider", "method", "outcome"),
    ),
    "lipachat_withdrawals_ended": ("Payouts of the last 24 hours by how they ended", ("rail", "outcome")),
    "lipachat_withdrawal_seconds": (
        "Withdrawals that arrived in the last 24 hours: how long after the request, or the last approval",
        ("rail", "since"),
    ),
    "lipachat_four_eyes_withdrawals": ("Withdrawals that arrived in the last 24 hours", ()),
    "lipachat_four_eyes_approvals": ("Approvals by others than the maker that they had", ()),
    "lipachat_four_eyes_violations": ("Those that lacked an approval of another person; 0 is right", ()),
    "lipachat_fees_checked": ("Withdrawals that arrived in the last hour, held against the table", ()),
    "lipachat_fees_wrong": ("Those charged another fee than the table has; 0 is right", ()),
}
# The labels of the windows, so that what did not happen is 0 and no gap.
_OPEN = {
    "payment": (schema.attempts, schema.LIVE_ATTEMPT),
    "payout": (schema.payouts, schema.UNDER_WAY),
    "refund": (schema.refund_attempts, schema.LIVE_REFUND),
}


class Measured(Collector):
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._now: list[Metric] = []
        self._lately: list[Metric] = []
        self._lately_at: datetime | None = None

    def collect(self) -> Iterator[Metric]:
        """What was measured last."""
        yield from (*self._now, *self._lately)

    async def measure(self) -> None:
        """Anew. Raises what the database raises."""
        now = self._clock()
        async with self._database.reading(AUDITOR) as connection:
            self._now = [each async for each in _now(connection, now)]
            if self._lately_at is None or not timedelta(0) <= now - self._lately_at < _MINUTE:
                self._lately = [each async for each in _lately(connection, now)]
                self._lately_at = now


async def _now(connection: AsyncConnection, now: datetime) -> Any:
    depth, age = _gauge("lipachat_queue_depth"), _gauge("lipachat_queue_age_seconds")
    for name, query in _queues(now).items():
        await _waiting(connection, query, now, (name,), depth, age)
    many, oldest = _gauge("lipachat_open"), _gauge("lipachat_open_age_seconds")
    for name, (table, is_open) in _OPEN.items():
        query = sa.select(sa.func.count(), sa.func.min(table.c.created_at)).where(is_open)
        await _waiting(connection, query, now, (name,), many, oldest)
    waiting, since = _gauge("lipachat_approvals_waiting"), _gauge("lipachat_approvals_waiting_age_seconds")
    for kind, count, first in await connection.execute(_APPROVALS):
        waiting.add_metric((kind,), count)
        since.add_metric((kind,), (now - first).total_seconds())
    resting = _gauge("lipachat_breakers_open")
    for key, accounts in (await breakers.counted(connection, now)).items():
        resting.add_metric(key, accounts)
    proven = _gauge("lipachat_books_proven_age_seconds")
    for check in await connection.execute(sa.select(schema.book_checks)):
        proven.add_metric((check.kind,), (now - check.snapshot_at).total_seconds())
    for family in (depth, age, many, oldest, waiting, since, resting, proven):
        yield family
    yield _single("lipachat_books_breaches", await connection.scalar(_BREACHES))
    yield _single("lipachat_payouts_stopped", await connection.scalar(_STOPPED))


async def _lately(connection: AsyncConnection, now: datetime) -> Any:
    paid = _gauge("lipachat_payments_ended")
    for provider, saved, outcome, count in await connection.execute(_payments(now - _HOUR)):
        paid.add_metric((provider, "saved" if saved else "asked", outcome), count)
    yield paid
    ended, name = _gauge("lipachat_withdrawals_ended"), "lipachat_withdrawal_seconds"
    took = GaugeHistogramMetricFamily(name, NAMES[name][0], labels=NAMES[name][1])
    for each in await measure.ended(connection, now - _DAY, _SECONDS):
        ended.add_metric((each.rail, each.outcome), each.count)
        for since, span in each.took.items() if each.outcome == "succeeded" else ():
            took.add_metric((each.rail, since), _buckets(span), gsum_value=span.seconds)
    yield ended
    yield took
    names = ("withdrawals", "approvals", "violations")
    for what, value in zip(names, await measure.four_eyes(connection, now - _DAY), strict=True):
        yield _single(f"lipachat_four_eyes_{what}", value)
    checked, wrong = await measure.fee_accuracy(connection, now - _HOUR)
    yield _single("lipachat_fees_checked", checked)
    yield _single("lipachat_fees_wrong", wrong)


def _queues(now: datetime) -> dict[str, Any]:
    inbox, outbox, jobs, mails = schema.inbox.c, schema.outbox.c, schema.jobs.c, schema.mails.c
    webhooks = schema.webhook_deliveries.c
    count = sa.func.count()
    return {
        "turns": sa.select(count, sa.func.min(inbox.received_at)).where(WAITS_FOR_TURN),
        "parked": sa.select(count, sa.func.min(inbox.received_at)).where(sa.text("state = 'parked'")),
        "outbox": sa.select(count, sa.func.min(outbox.created_at)).where(OPEN_OUTBOX),
        "held": sa.select(count, sa.func.min(outbox.created_at)).where(sa.text("state = 'held'")),
        "jobs": sa.select(count, sa.func.min(jobs.due_at)).where(jobs.due_at <= now),
        "mails": sa.select(count, sa.func.min(mails.created_at)),
        "webhooks": sa.select(count, sa.func.min(webhooks.created_at)).where(
            schema.is_undelivered(schema.webhook_deliveries)
        ),
    }


_APPROVALS = (
    sa.select(schema.operations.c.kind, sa.func.count(), sa.func.min(schema.operations.c.created_at))
    .where(schema.PENDING_OPERATION)
    .group_by(schema.operations.c.kind)
)
_BREACHES = (
    sa.select(sa.func.count()).select_from(schema.breaches).where(schema.breaches.c.repaired_at.is_(None))
)
_STOPPED = sa.select(sa.func.count()).select_from(schema.tenants).where(schema.tenants.c.payouts_frozen)


def _payments(since: datetime) -> Any:
    attempts = schema.attempts.c
    saved = attempts.method_id.is_not(None)
    return (
        sa.select(attempts.provider, saved, attempts.state, sa.func.count())
        .where(attempts.resolved_at > since)
        .group_by(attempts.provider, saved, attempts.state)
    )


async def _waiting(
    connection: AsyncConnection,
    query: Any,
    now: datetime,
    labels: Sequence[str],
    depth: GaugeMetricFamily,
    age: GaugeMetricFamily,
) -> None:
    count, oldest = (await connection.execute(query)).one()
    depth.add_metric(labels, count)
    age.add_metric(labels, (now - oldest).total_seconds() if oldest else 0)


def _buckets(took: measure.Took) -> list[tuple[str, float]]:
    within = [(str(bound), float(many)) for bound, many in zip(_SECONDS, took.within, strict=True)]
    return [*within, ("+Inf", float(took.count))]


def _gauge(name: str) -> GaugeMetricFamily:
    says, labels = NAMES[name]
    return GaugeMetricFamily(name, says, labels=labels)


def _single(name: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, NAMES[name][0], value=value or 0)
