"""What has grown old is forgotten, and nothing else is."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from services.ids import new_id
from services.news.refunds import Way
from services.privacy.periods import Periods
from services.privacy.retention import forget
from services.store import schema
from services.store.scope import AUDITOR
from tests.services.business import Business
from tests.services.refunding import approved
from tests.services.traced import NAME, WAMID, customer_of, everything

FOR_EVER = Periods(**dict.fromkeys(Periods.model_fields, 0))


async def forgotten(
    business: Business, periods: Periods | None = None, *, really: bool = True
) -> dict[str, int]:
    told = await forget(business.database, business.vault, periods or Periods(), business.now, really=really)
    return told.get(business.tenant, {})


async def rows(business: Business, query: sa.Select[Any]) -> list[Any]:
    async with business.database.reading(AUDITOR) as connection:
        return list((await connection.execute(query)).all())


@pytest.fixture
async def aged(business: Business) -> Business:
    await customer_of(business)
    await business.change(schema.attempts, schema.attempts.c.state == "created", state="failed")
    await business.change(schema.attempts, schema.attempts.c.resolved_at.is_(None), resolved_at=business.now)
    await business.change(schema.conversations, sa.true(), heard_at=business.now)
    return business


async def test_each_kind_is_forgotten_when_its_time_is_over(aged: Business) -> None:
    assert await forgotten(aged) == {}
    aged.forward(days=8)
    assert await forgotten(aged) == {"statuses of messages": 1}
    aged.forward(days=83)
    expected = {"messages received", "messages sent", "messages never read", "carts", "places in talks"}
    found = await forgotten(aged, really=False)
    assert found.keys() <= expected
    assert found["messages sent"] == 2
    assert await forgotten(aged) == found
    assert await forgotten(aged) == {}
    sent = await rows(aged, sa.select(schema.outbox.c.body_sealed, schema.outbox.c.wamid))
    assert {(row.body_sealed, row.wamid) for row in sent} == {(b"", "erased-9001"), (b"", "erased-9002")}
    assert WAMID not in await everything(aged)
    aged.forward(days=90)
    assert await forgotten(aged) == {"talks with the staff": 1}
    aged.forward(days=185)
    assert await forgotten(aged) == {"saved methods of the silent": 1}
    aged.forward(days=180)
    assert await forgotten(aged) == {"details of payments": 2, "addresses for answers": 1}
    assert NAME in await everything(aged)  # who a customer is stays


async def test_what_waits_or_was_said_to_be_kept_stays(aged: Business) -> None:
    aged.forward(days=5000)
    assert (await forgotten(aged, FOR_EVER)) == {}
    await aged.change(schema.inbox, sa.true(), state="waiting")
    await aged.change(schema.outbox, sa.true(), state="waiting")
    await aged.change(schema.attempts, schema.attempts.c.state == "failed", state="unknown")
    found = await forgotten(aged)
    assert found["details of payments"] == 1
    assert not {"messages received", "messages sent", "statuses of messages"} & found.keys()


async def test_a_person_who_writes_keeps_their_methods_and_the_staff_their_place(aged: Business) -> None:
    aged.forward(days=366)
    await aged.change(schema.conversations, sa.true(), heard_at=aged.now)
    found = await forgotten(aged)
    assert not {"saved methods of the silent", "places in talks"} & found.keys()
    aged.forward(days=366)
    staffs = schema.conversations.c.id == aged.chats[aged.manager]
    await forgotten(aged)
    (place,) = await rows(aged, sa.select(schema.conversations.c.place_sealed).where(staffs))
    assert place[0] is not None


def test_nothing_is_forgotten_while_somebody_may_still_tell_of_it() -> None:
    for wrong in ({"messages_days": 7}, {"details_days": 29}, {"talks_days": -1}):
        with pytest.raises(ValidationError):
            Periods.model_validate(wrong)
    assert Periods(messages_days=8, details_days=0).details_days == 0


async def test_the_phone_that_a_refund_is_about_to_be_paid_to_stays(business: Business) -> None:
    sale = await business.paid("500")
    business.forward(days=539)
    refund = await approved(business, sale, "200", Way.PAYOUT)
    business.forward(days=1, minutes=1)
    await forgotten(business)
    assert (await business.row(schema.attempts, sale.attempt)).details_sealed != b""
    assert not await refund.begun()  # it was approved too long ago, and has failed
    await forgotten(business)
    assert (await business.row(schema.attempts, sale.attempt)).details_sealed == b""


async def test_what_is_told_to_a_chat_that_is_gone_is_forgotten_though_nobody_plays_it(
    aged: Business,
) -> None:
    """Whoever told it had found the chat while its person was being erased."""
    row = {"tenant_id": aged.tenant, "kind": "news", "external_id": "late", "status": "", "state": "waiting"}
    when = {"due_at": aged.now, "received_at": aged.now}
    for chat in (new_id(), aged.chats[aged.manager]):
        told = row | {"external_id": str(chat), "conversation_id": chat, "body_sealed": b"x"}
        async with aged.behind() as work:
            await work.connection.execute(sa.insert(schema.inbox).values(**told, **when))
    aged.forward(days=8)
    assert (await forgotten(aged))["what was being told to who is erased"] == 1
    left = sa.select(schema.inbox.c.conversation_id).where(schema.inbox.c.body_sealed == b"x")
    assert await rows(aged, left) == [(aged.chats[aged.manager],)]
