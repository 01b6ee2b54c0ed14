"""Inbox: news for people, as events of their conversations, in the commit of the fact they tell."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from services.ids import new_id
from services.news import News
from services.points import point
from services.store.schema import conversations, inbox
from services.work import Work


async def tell(work: Work, conversation_id: UUID, news: News) -> None:
    """Tell one conversation."""
    await _insert(work, [conversation_id], news)


async def tell_people(work: Work, person_ids: Iterable[UUID], news: News) -> None:
    """Tell each person in every conversation of theirs; who has none hears nothing."""
    listed = sorted(set(person_ids))
    if not listed:
        return
    query = (
        sa.select(conversations.c.id)
        .where(conversations.c.tenant_id == work.tenant, conversations.c.person_id.in_(listed))
        .order_by(conversations.c.id)
    )
    await _insert(work, (await work.connection.execute(query)).scalars().all(), news)


async def tell_all(work: Work, conversation_ids: Iterable[UUID], news: News) -> None:
    """Tell each of these conversations."""
    await _insert(work, conversation_ids, news)


async def _insert(work: Work, conversation_ids: Iterable[UUID], news: News) -> None:
    body = news.model_dump_json().encode()
    rows = []
    for conversation_id in conversation_ids:
        external_id = str(new_id())
        rows.append(
            {
                "tenant_id": work.tenant,
                "kind": "news",
                "external_id": external_id,
                "status": "",
                "conversation_id": conversation_id,
                "state": "waiting",
                "due_at": work.now,
                "received_at": work.now,
                "body_sealed": work.vault.seal(body, work.tenant, "inbox.body", f"news|{external_id}|"),
            }
        )
    if rows:
        await work.connection.execute(sa.insert(inbox), rows)
        point("notice.told")
