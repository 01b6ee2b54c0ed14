"""Detach: the first step of an erasure. Nobody is found by their number any more: whoever writes from it is
new. What nobody pays is closed, and who answers them is told.

Processes remember chats by their numbers, as long as the tenant's version is the one that they know; so it
is counted up here, and the next step comes after `SEEN`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, handoff
from services.payments.record import lock_order, under_way
from services.people import untold
from services.privacy.traces import Traces
from services.shop import orders as shop_orders
from services.shop.facts import UNPAID
from services.store.schema import conversations, is_open, orders, outbox, people, tenants
from services.work import Work

SEEN = timedelta(seconds=60)  # longer than a process looks away, a commit may take, or a message is sent


async def traces_of(work: Work, person_id: UUID) -> Traces:
    """How they may be named."""
    name = await work.connection.scalar(
        sa.select(people.c.name).where(people.c.tenant_id == work.tenant, people.c.id == person_id)
    )
    chats = await chats_of(work, person_id)
    return Traces(
        phones={_opened(work, chat, "phone") for chat in chats if chat.phone_sealed},
        user_ids={_opened(work, chat, "user_id") for chat in chats if chat.user_id_sealed},
        names={name} if name else set(),
    )


async def chats_of(work: Work, person_id: UUID) -> Sequence[Any]:
    query = sa.select(conversations).where(
        conversations.c.tenant_id == work.tenant, conversations.c.person_id == person_id
    )
    return (await work.connection.execute(query.order_by(conversations.c.id))).all()


async def detach(work: Work, person_id: UUID) -> None:
    """Whoever calls has seen that nothing stands in the way. Done again it changes nothing more."""
    chats = [chat.id for chat in await chats_of(work, person_id)]
    mine = (conversations.c.tenant_id == work.tenant, conversations.c.id.in_(chats))
    lock = sa.select(conversations.c.id).where(*mine).order_by(conversations.c.id).with_for_update()
    await work.connection.execute(lock)  # no turn of theirs is played meanwhile
    await handoff.close_of(work, person_id)
    await untold.forget(work, conversations.c.person_id == person_id)
    await work.connection.execute(
        sa.update(conversations).where(*mine).values(phone_index=None, user_id_index=None, key_index=None)
    )
    waiting = (outbox.c.tenant_id == work.tenant, outbox.c.conversation_id.in_(chats), is_open(outbox))
    await work.connection.execute(
        sa.update(outbox).where(*waiting).values(state="failed", error="its person is being erased")
    )
    await close_orders(work, person_id)
    await audit.record(work, audit.OPERATOR, "person.detached", person_id, {})
    known = sa.update(tenants).where(tenants.c.id == work.tenant)
    await work.connection.execute(known.values(version=tenants.c.version + 1))


async def close_orders(work: Work, person_id: UUID) -> None:
    """Those that nobody pays; what they reserved is free again."""
    query = sa.select(orders.c.id).where(
        orders.c.tenant_id == work.tenant,
        orders.c.person_id == person_id,
        orders.c.status.in_(UNPAID),
    )
    for order_id in (await work.connection.execute(query.order_by(orders.c.id))).scalars().all():
        await lock_order(work, orders.c.id == order_id)
        if not await under_way(work, order_id):
            await shop_orders.cancel(work, order_id)


def _opened(work: Work, chat: Any, what: str) -> str:
    sealed = getattr(chat, f"{what}_sealed")
    return work.vault.open(sealed, work.tenant, f"conversations.{what}", str(chat.id)).decode()
