"""Inbox: news for people, as events of their conversations, in the commit of the fact they tell."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from services.ids import new_id
from services.news import News
from services.points import point
from services.store.bulk import BulkInsert
from services.store.ending import wake
from services.store.hot import Hot, among
from services.store.schema import conversations, inbox
from services.work import Work


async def tell(work: Work, conversation_id: UUID, news: News) -> None:
    """Tell one conversation."""
    await _insert(work, [conversation_id], news)


_CHATS = Hot(
    sa.select(conversations.c.id)
    .where(conversations.c.tenant_id == sa.bindparam("tenant"), among(conversations.c.person_id, "persons"))
    .order_by(conversations.c.id)
)
_NEWS = BulkInsert(
    inbox,
    "tenant_id",
    "kind",
    "external_id",
    "status",
    "conversation_id",
    "state",
    "due_at",
    "received_at",
    "body_sealed",
)


async def tell_people(work: Work, person_ids: Iterable[UUID], news: News) -> None:
    """Tell each person in every conversation of theirs; who has none hears nothing."""
    listed = sorted(set(person_ids))
    if not listed:
        return
    chats = await _CHATS(work.connection, tenant=work.tenant, persons=listed)
    await _insert(work, [chat for (chat,) in chats], news)


async def tell_all(work: Work, conversation_ids: Iterable[UUID], news: News) -> None:
    """Tell each of these conversations."""
    await _insert(work, conversation_ids, news)


async def _insert(work: Work, conversation_ids: Iterable[UUID], news: News) -> None:
    body = news.model_dump_json().encode()
    rows = []
    for conversation_id in conversation_ids:
        name = str(new_id())
        sealed = work.vault.seal(body, work.tenant, "inbox.body", f"news|{name}|")
        what = (work.tenant, "news", name, "", conversation_id)
        rows.append((*what, "waiting", work.now, work.now, sealed))
    if rows:
        await _NEWS(work.connection, rows)
        wake(work.connection, "turns")
        point("notice.told")
