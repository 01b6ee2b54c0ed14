"""Held: all that is kept of a person, to be given to them: the right of access. Tokens of cards are left out,
since they are no use to anybody but the provider."""

import json
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.audit import private
from services.money import Money
from services.payments.details import shown
from services.privacy import detach
from services.safety.rotation import SEALED
from services.safety.vault import Unopenable
from services.store import schema as tables
from services.work import Work

_SEALED = {each.column: each for each in SEALED}


async def held(work: Work, person_id: UUID) -> dict[str, Any]:
    """By what it is. Raises sqlalchemy's NoResultFound where there is no such person."""
    mine = (tables.people.c.tenant_id == work.tenant, tables.people.c.id == person_id)
    person = (await work.connection.execute(sa.select(tables.people).where(*mine))).one()
    chats = await detach.chats_of(work, person_id)
    return {
        "person": {
            "id": str(person.id),
            "name": person.name,
            "language": person.language,
            "preferred_provider": person.preferred_provider,
            "wants_nothing_unasked_since": person.stopped_at,
            "known_since": person.created_at,
        },
        "chats": [_chat(work, chat) for chat in chats],
        "saved_methods": await _methods(work, person_id),
        "cart": [row.lines for row in await _rows(work, tables.carts, person_id)],
        "orders": await _orders(work, person_id),
        "payments": await _payments(work, person_id),
        "refunds_asked_for": await _wishes(work, person_id),
        "talks_with_the_staff": await _talks(work, person_id),
        "messages": await _messages(work, [chat.id for chat in chats]),
        "record": await _record(work, person_id),
    }


async def _rows(work: Work, table: sa.Table, person_id: UUID) -> list[Any]:
    query = sa.select(table).where(table.c.tenant_id == work.tenant, table.c.person_id == person_id)
    return list((await work.connection.execute(query.order_by(*table.primary_key))).all())


def _opened(work: Work, column: sa.Column[Any], row: Any) -> str | None:
    """None where there is nothing, or no key of ours opens it."""
    how, sealed = _SEALED[column], row._mapping[column]  # noqa: SLF001
    if not sealed:
        return None
    try:
        return work.vault.open(sealed, work.tenant, how.name, how.row(row)).decode("utf-8", "replace")
    except Unopenable:
        return None


def _chat(work: Work, chat: Any) -> dict[str, Any]:
    columns = tables.conversations.c
    return {
        "phone": _opened(work, columns.phone_sealed, chat),
        "whatsapp_user_id": _opened(work, columns.user_id_sealed, chat),
        "last_wrote_at": chat.heard_at,
        "known_since": chat.created_at,
    }


async def _methods(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    found = []
    for row in await _rows(work, tables.saved_methods, person_id):
        details = json.loads(_opened(work, tables.saved_methods.c.details_sealed, row) or "{}")
        masked = shown(row.provider, details) if details else {}
        found.append({"provider": row.provider, "details": masked, "saved_at": row.saved_at})
    return found


async def _orders(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "number": row.number,
            "status": row.status,
            "total": str(Money(row.total, row.currency)),
            "currency": row.currency,
            "lines": row.lines,
            "note": row.note,
            "at": row.created_at,
        }
        for row in await _rows(work, tables.orders, person_id)
    ]


async def _payments(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    attempts, payments = tables.attempts, tables.payments
    query = (
        sa.select(attempts, payments.c.amount, payments.c.currency)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
        )
        .where(payments.c.tenant_id == work.tenant, payments.c.person_id == person_id)
        .order_by(attempts.c.created_at, attempts.c.id)
    )
    return [
        {
            "amount": str(Money(row.amount, row.currency)),
            "currency": row.currency,
            "provider": row.provider,
            "method": row.label,
            "state": row.state,
            "receipt": row.receipt,
            "at": row.created_at,
        }
        for row in await work.connection.execute(query)
    ]


async def _wishes(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    rows = await _rows(work, tables.refund_wishes, person_id)
    return [{"reason": row.reason, "state": row.state, "at": row.created_at} for row in rows]


async def _talks(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    lines = tables.handoff_lines
    found = []
    for talk in await _rows(work, tables.handoffs, person_id):
        query = sa.select(lines).where(lines.c.tenant_id == work.tenant, lines.c.handoff_id == talk.id)
        said = (await work.connection.execute(query.order_by(lines.c.created_at, lines.c.id))).all()
        listed = [
            {
                "by": "them" if line.person_id == person_id else "the staff",
                "words": json.loads(_opened(work, lines.c.words_sealed, line) or "null"),
                "at": line.created_at,
            }
            for line in said
        ]
        found.append({"began_at": talk.created_at, "lines": listed})
    return found


async def _messages(work: Work, chats: list[UUID]) -> list[dict[str, Any]]:
    """In the order of time: what they wrote, and what they were sent."""
    came, went = tables.inbox, tables.outbox
    found = []
    for table, at, what in ((came, "received_at", "received"), (went, "created_at", "sent")):
        query = sa.select(table).where(table.c.tenant_id == work.tenant, table.c.conversation_id.in_(chats))
        for row in (await work.connection.execute(query.order_by(table.c.seq))).all():
            if getattr(row, "kind", "message") == "news":  # ours; what is said of it is among what was sent
                continue
            body = _opened(work, table.c.body_sealed, row)
            found.append({what: _parsed(body), "at": getattr(row, at)})
    return sorted(found, key=lambda each: str(each["at"]))


def _parsed(body: str | None) -> Any:
    try:
        return json.loads(body or "null")
    except ValueError:
        return body


async def _record(work: Work, person_id: UUID) -> list[dict[str, Any]]:
    """What the audit has of their own deeds, and of what was done to them."""
    rows = tables.audit
    mine = sa.or_(rows.c.actor == str(person_id), rows.c.target == str(person_id))
    query = sa.select(rows).where(rows.c.tenant_id == work.tenant, mine).order_by(rows.c.seq)
    found = []
    for row in (await work.connection.execute(query)).all():
        words = await private.opened(work, row.private) if row.private else None
        found.append({"action": row.action, "facts": row.facts, "in_words": words, "at": row.at})
    await audit.record(work, audit.OPERATOR, "person.shown", person_id, {})
    return found
