"""Retention: what has grown old is forgotten, a tenant after another, some rows a transaction, beside
everything else. The books, the audit and who a customer is stay: see `places` and 0055.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.payments import forgetting
from services.privacy.periods import Periods
from services.privacy.sweep import STRUCK
from services.refunds.record import OPEN
from services.safety.vault import Vault
from services.store import schema as tables
from services.store.database import Database
from services.store.schema import NOBODY
from services.work import Via, Work

JOB = "retention"
_BATCH = 1000
_SENT = ("sent", "delivered", "read", "played", "failed")
_RESOLVED = ("succeeded", "failed", "expired")


_ANSWERS = timedelta(days=35)  # of the API, to the same request


@dataclass(frozen=True)
class Rule:
    """Rows of a table that are old, as of a moment: removed (`values` None), or emptied. `remove`: how, where
    somebody else has to forget them first; how many they were."""

    name: str
    table: sa.Table
    old: Callable[[datetime], sa.ColumnElement[bool]]
    values: dict[str, Any] | None = None
    period: str | None = None
    remove: Callable[..., Awaitable[int]] | None = None


def _silent(before: datetime) -> sa.ColumnElement[bool]:
    """Who has neither written nor ordered since then."""
    methods, chats, orders = tables.saved_methods.c, tables.conversations.c, tables.orders.c
    wrote = sa.exists().where(
        chats.tenant_id == methods.tenant_id,
        chats.person_id == methods.person_id,
        sa.func.coalesce(chats.heard_at, chats.created_at) >= before,
    )
    ordered = sa.exists().where(
        orders.tenant_id == methods.tenant_id,
        orders.person_id == methods.person_id,
        orders.created_at >= before,
    )
    return sa.and_(methods.removed_at.is_(None), methods.saved_at < before, ~wrote, ~ordered)


def _customers_place(before: datetime) -> sa.ColumnElement[bool]:
    chats, staff = tables.conversations.c, tables.staff.c
    works_here = sa.exists().where(
        staff.tenant_id == chats.tenant_id, staff.person_id == chats.person_id, staff.active
    )
    return sa.and_(chats.place_sealed.is_not(None), chats.heard_at < before, ~works_here)


def _message(*states: str) -> Callable[[datetime], sa.ColumnElement[bool]]:
    columns = tables.outbox.c
    return lambda before: sa.and_(
        columns.state.in_(states), columns.body_sealed != STRUCK, columns.created_at < before
    )


def _goes_back() -> sa.ColumnElement[bool]:
    """A refund may be paid out to the phone that paid."""
    refunds = tables.refunds.c
    return sa.exists().where(
        refunds.tenant_id == tables.attempts.c.tenant_id,
        refunds.attempt_id == tables.attempts.c.id,
        refunds.status.in_(OPEN),
    )


def _old_webhook(before: datetime) -> sa.ColumnElement[bool]:
    """Whatever waits is not old, but of an endpoint that is no longer there."""
    deliveries, endpoints = tables.webhook_deliveries.c, tables.webhook_endpoints.c
    listened_to = sa.exists().where(
        endpoints.tenant_id == deliveries.tenant_id, endpoints.id == deliveries.endpoint_id
    )
    over = sa.or_(deliveries.state.in_(["delivered", "dead"]), ~listened_to)
    return sa.and_(over, deliveries.created_at < before)


def _of_old_webhooks(before: datetime) -> sa.ColumnElement[bool]:
    deliveries, attempts = tables.webhook_deliveries.c, tables.webhook_attempts.c
    return sa.exists().where(
        deliveries.tenant_id == attempts.tenant_id,
        deliveries.id == attempts.delivery_id,
        _old_webhook(before),
    )


_IN, _ATTEMPTS = tables.inbox.c, tables.attempts.c
_STATUS = _IN.kind.in_(["status", "payment_status"])
_DONE = _IN.state.in_(["done", "kept"])
_CHATS = tables.conversations.c
_HAS_CHAT = sa.exists().where(_CHATS.tenant_id == _IN.tenant_id, _CHATS.id == _IN.conversation_id)
_NUMBERED = sa.case((tables.outbox.c.wamid.is_not(None), "erased-" + sa.cast(tables.outbox.c.seq, sa.Text)))
_SAID = {"body_sealed": STRUCK, "template_sealed": None, "error": None, "wamid": _NUMBERED}
RULES = (
    Rule(
        "messages received",
        tables.inbox,
        lambda before: sa.and_(_DONE, ~_STATUS, _IN.received_at < before),
        period="messages",
    ),
    Rule(
        "statuses of messages",
        tables.inbox,
        lambda before: sa.and_(_DONE, _STATUS, _IN.received_at < before),
        period="statuses",
    ),
    Rule(
        "parked events",
        tables.inbox,
        lambda before: sa.and_(_IN.state == "parked", _IN.received_at < before),
        period="parked",
    ),
    Rule(
        "what was being told to who is erased",
        tables.inbox,
        lambda before: sa.and_(_IN.conversation_id.is_not(None), ~_HAS_CHAT, _IN.received_at < before),
        period="statuses",
    ),
    Rule("messages sent", tables.outbox, _message(*_SENT), _SAID, "messages"),
    Rule("messages never read", tables.outbox, _message("held"), _SAID | {"state": "failed"}, "messages"),
    Rule("places in talks", tables.conversations, _customers_place, {"place_sealed": None}, "messages"),
    Rule("carts", tables.carts, lambda before: tables.carts.c.changed_at < before, period="messages"),
    Rule(
        "talks with the staff",
        tables.handoff_lines,
        lambda before: tables.handoff_lines.c.created_at < before,
        period="talks",
    ),
    Rule(
        "details of payments",
        tables.attempts,
        lambda before: sa.and_(
            _ATTEMPTS.state.in_(_RESOLVED),
            _ATTEMPTS.details_sealed != STRUCK,
            _ATTEMPTS.resolved_at < before,
            ~_goes_back(),
        ),
        {"details_sealed": STRUCK, "reference_sealed": None, "detail": None},
        "details",
    ),
    Rule(
        "lines of files",
        tables.batches,
        lambda before: sa.and_(
            tables.batches.c.lines_sealed.is_not(None), tables.batches.c.ended_at < before
        ),
        {"lines_sealed": None},
        "details",
    ),
    Rule(
        "addresses for answers",
        tables.hooks,
        lambda before: sa.and_(
            tables.hooks.c.target_id != tables.hooks.c.tenant_id,  # those last
            tables.hooks.c.created_at < before,
        ),
        period="details",
    ),
    Rule(
        "saved methods of the silent",
        tables.saved_methods,
        _silent,
        period="methods",
        remove=forgetting.remove,
    ),
    Rule("attempts at webhooks", tables.webhook_attempts, _of_old_webhooks, period="webhooks"),
    Rule("webhooks", tables.webhook_deliveries, _old_webhook, period="webhooks"),
    Rule("answers of the API", tables.api_answers, lambda before: tables.api_answers.c.created_at < before),
)


def _before(rule: Rule, periods: Periods, now: datetime) -> datetime | None:
    """None where it is kept for ever."""
    if rule.period is None:
        return now - _ANSWERS
    days = getattr(periods, f"{rule.period}_days")
    return now - timedelta(days=days) if days else None


async def forget(
    database: Database, vault: Vault, periods: Periods, now: datetime, *, really: bool
) -> dict[UUID, dict[str, int]]:
    """Of every tenant, and of what came in for none: how much is old, by rule; where it is `really` to be
    forgotten, how much was."""
    async with database.long_snapshot() as connection:
        tenants = [*await connection.scalars(sa.select(tables.tenants.c.id).order_by(tables.tenants.c.id))]
    told: dict[UUID, dict[str, int]] = {}
    for tenant in (*tenants, NOBODY):
        for rule in RULES:
            before = _before(rule, periods, now)
            if before is None:
                continue
            old = [rule.table.c.tenant_id == tenant, rule.old(before)]
            async with database.long_snapshot() as connection:
                query = sa.select(*rule.table.primary_key).where(*old)
                keys: Sequence[Any] = (await connection.execute(query)).all()
            many = await _apply(database, vault, tenant, rule, old, keys, now) if really else len(keys)
            if many:
                told.setdefault(tenant, {})[rule.name] = many
    return told


async def _apply(
    database: Database,
    vault: Vault,
    tenant: UUID,
    rule: Rule,
    old: Sequence[sa.ColumnElement[bool]],
    keys: Sequence[Any],
    now: datetime,
) -> int:
    """Those that are old still."""
    primary = tuple(rule.table.primary_key)
    many = 0
    for first in range(0, len(keys), _BATCH):
        batch = [tuple(key) for key in keys[first : first + _BATCH]]
        if len(primary) == 1:
            these = primary[0].in_([key[0] for key in batch])
        else:
            these = sa.tuple_(*primary).in_(batch)
        async with database.transaction(tenant) as connection:
            work = Work(connection, vault, tenant, now, Via("clock", JOB))
            if done := await _forget(work, rule, these, *old):
                facts = {"what": rule.name, "rows": done}
                await audit.record(work, audit.CLOCK, "retention.applied", tenant, facts)
        many += done
    return many


async def _forget(work: Work, rule: Rule, *which: sa.ColumnElement[bool]) -> int:
    if rule.remove is not None:
        return await rule.remove(work, *which)
    statement = (
        sa.delete(rule.table).where(*which)
        if rule.values is None
        else sa.update(rule.table).where(*which).values(**rule.values)
    )
    return (await work.connection.execute(statement)).rowcount
