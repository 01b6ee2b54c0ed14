"""Erase: the last step. What is theirs is removed, or emptied where the books need the row, in one commit
with the entry of the audit, which names nobody.

What the law makes one keep stays, and points to a person without a name: orders, payments, their attempts
with receipts, refunds, and the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.payments import forgetting
from services.people.people import tenant_of
from services.privacy import detach
from services.privacy.sweep import STRUCK, masked
from services.privacy.traces import Traces
from services.store import schema as tables
from services.work import Work

# What is shown instead of a name, in the language of the tenant.
NAMELESS = {"en": "erased customer", "fr": "client effacé", "sw": "mteja aliyefutwa"}
METHOD = "********"  # what is shown instead of a masked number
KEPT = {
    "orders": "number, lines, amounts and times: books of sales, which tax law has one keep",
    "payments, attempts": "amounts, states, providers and receipts: records of payments",
    "refunds, refund_attempts, reversals": "amounts, states and receipts: records of payments",
    "transfers, accounts, holds": "the ledger, which knows ids alone",
    "audit": "who did what, by ids; what it held of the person in words is removed",
}


@dataclass(frozen=True)
class Step:
    """Rows of a table that are removed (`values` None), or emptied."""

    table: sa.Table
    where: tuple[sa.ColumnElement[bool], ...]
    values: dict[str, Any] | None = None

    def count(self) -> sa.Select[Any]:
        return sa.select(sa.func.count()).select_from(self.table).where(*self.where)

    def statement(self) -> sa.Delete | sa.Update:
        if self.values is None:
            return sa.delete(self.table).where(*self.where)
        return sa.update(self.table).where(*self.where).values(**self.values)


async def steps(work: Work, person_id: UUID) -> list[Step]:
    """In an order in which no row points to one that is gone."""
    chats = [chat.id for chat in await detach.chats_of(work, person_id)]
    tenant = await tenant_of(work)

    def of(table: sa.Table, *where: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[bool], ...]:
        return (table.c.tenant_id == work.tenant, *where)

    def theirs(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        return of(table, table.c.person_id == person_id)

    def in_chats(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        return of(table, table.c.conversation_id.in_(chats))

    saved = tables.saved_methods.c.removed_at.is_(None)
    paid = sa.select(tables.payments.c.id).where(*theirs(tables.payments))
    receipts = sa.select(tables.attempts.c.receipt).where(
        *of(tables.attempts, tables.attempts.c.payment_id.in_(paid), tables.attempts.c.receipt.is_not(None))
    )
    answered = sa.select(tables.handoffs.c.id).where(*theirs(tables.handoffs))
    nobody = {"name": NAMELESS.get(tenant.language, NAMELESS["en"]), "erased_at": work.now}
    said = {"body_sealed": STRUCK, "template_sealed": None, "error": None, "about": None}
    ends = tables.outbox.c.state.in_(["waiting", "sending", "unknown", "held"])
    over = sa.case((ends, "failed"), else_=tables.outbox.c.state)
    sent = sa.case((tables.outbox.c.wamid.is_not(None), "erased-" + sa.cast(tables.outbox.c.seq, sa.Text)))
    return [
        Step(tables.handoff_lines, of(tables.handoff_lines, tables.handoff_lines.c.handoff_id.in_(answered))),
        Step(tables.handoffs, theirs(tables.handoffs)),
        # One that is charged is gone once its provider has forgotten it.
        Step(tables.saved_methods, (*theirs(tables.saved_methods), saved)),
        Step(tables.carts, theirs(tables.carts)),
        Step(tables.refund_wishes, theirs(tables.refund_wishes), {"reason": ""}),
        Step(tables.refunds, of(tables.refunds, tables.refunds.c.payment_id.in_(paid)), {"reason": ""}),
        Step(
            tables.attempts,
            of(tables.attempts, tables.attempts.c.payment_id.in_(paid)),
            {
                "method_id": None,
                "details_sealed": STRUCK,
                "label": METHOD,
                "detail": None,
                "reference_sealed": None,
                "page_sealed": None,
            },
        ),
        *(
            Step(table, of(table, table.c.receipt.in_(receipts)), {"party": None})
            for table in (tables.statement_lines, tables.breaks)
        ),
        Step(tables.payments, theirs(tables.payments), {"conversation_id": None}),
        Step(tables.orders, theirs(tables.orders), {"conversation_id": None, "note": None}),
        Step(tables.inbox, in_chats(tables.inbox)),
        Step(tables.outbox, in_chats(tables.outbox), said | {"wamid": sent, "state": over}),
        Step(tables.conversations, theirs(tables.conversations)),
        Step(
            tables.people,
            of(tables.people, tables.people.c.id == person_id),
            nobody | dict.fromkeys(("language", "preferred_provider", "stopped_at", "stopped_by")),
        ),
        Step(
            tables.audit_private,
            of(tables.audit_private, tables.audit_private.c.subject_id == person_id),
        ),
    ]


async def counted(work: Work, person_id: UUID) -> dict[str, int]:
    """How many rows each step is about."""
    found = {
        step.table.name: int(await work.connection.scalar(step.count()) or 0)
        for step in await steps(work, person_id)
    }
    return {name: many for name, many in found.items() if many}


async def lock(work: Work, person_id: UUID) -> None:
    """Nobody plays a turn of theirs, orders for them or has an order of theirs paid, until the commit."""
    for table, whose in (
        (tables.conversations, tables.conversations.c.person_id),
        (tables.people, tables.people.c.id),
        (tables.orders, tables.orders.c.person_id),
    ):
        mine = sa.select(table.c.id).where(table.c.tenant_id == work.tenant, whose == person_id)
        await work.connection.execute(mine.order_by(table.c.id).with_for_update())


async def erase(work: Work, person_id: UUID, traces: Traces, swept: dict[str, int]) -> dict[str, int]:
    """How many rows were removed or emptied. Whoever calls has locked them, and has seen after that that
    nothing is in the way."""
    await detach.close_orders(work, person_id)
    await _mask_lines(work, person_id, traces)
    removed = await forgetting.remove(work, tables.saved_methods.c.person_id == person_id)
    done = {tables.saved_methods.name: removed} if removed else {}
    for step in await steps(work, person_id):
        many = (await work.connection.execute(step.statement())).rowcount
        if many:
            done[step.table.name] = done.get(step.table.name, 0) + many
    facts = {"removed_or_emptied": done, "elsewhere": swept}
    await audit.record(work, audit.OPERATOR, "person.erased", person_id, facts)
    return done


async def _mask_lines(work: Work, person_id: UUID, traces: Traces) -> None:
    """What the staff typed into an order of theirs, beside the goods of the shop."""
    orders = tables.orders
    query = sa.select(orders.c.id, orders.c.lines).where(
        orders.c.tenant_id == work.tenant, orders.c.person_id == person_id
    )
    rows: Sequence[Any] = (await work.connection.execute(query)).all()
    for row in rows:
        lines = [line if line.get("sku") else masked(traces, line, name=True) for line in row.lines]
        if lines != row.lines:
            mine = (orders.c.tenant_id == work.tenant, orders.c.id == row.id)
            await work.connection.execute(sa.update(orders).where(*mine).values(lines=lines))
