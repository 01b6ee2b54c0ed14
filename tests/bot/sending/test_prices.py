"""What messages are charged as, by the statuses that tell it, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import metrics
from bot.parts import CannotRun
from bot.sending import prices
from services.store.schema import conversations, outbox, tenants
from services.store.scope import OWNER
from tests.bot.sending.test_delivery import post as post  # noqa: PLC0414  a fixture

REGULAR = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}


async def priced(post):
    query = sa.select(outbox.c.state, outbox.c.price_category, outbox.c.price_type).order_by(outbox.c.seq)
    async with post.database.reading(OWNER) as connection:
        return [tuple(row) for row in await connection.execute(query)]


def told_of(category, type_):
    return metrics.priced.labels(category, type_)._value.get()


async def test_what_a_message_is_charged_as_is_kept_once_however_often_it_is_told(post):
    before = told_of("service", "regular")
    await post.says("a", "b")
    await post.deliver()
    await post.hears_status("delivered", wamid="wamid.1")
    await post.hears_status("sent", wamid="wamid.1", pricing=REGULAR)  # late, and so no news of its state
    await post.hears_status("read", wamid="wamid.1", pricing=REGULAR | {"category": "marketing"})
    await post.hears_status("sent", wamid="wamid.2", pricing={"category": "utility", "billable": False})
    assert await priced(post) == [("read", "service", "regular"), ("sent", "utility", "")]
    assert told_of("service", "regular") == before + 1
    assert told_of("utility", "other") >= 1


@pytest.mark.parametrize(
    "pricing", [None, [], "service", {}, {"category": 5}, {"category": "a\x00b"}, {"category": "X" * 99}]
)
async def test_a_price_that_cannot_be_read_costs_nothing_but_itself(post, pricing):
    await post.says("a")
    await post.deliver()
    await post.hears_status("delivered", wamid="wamid.1", pricing=pricing)
    assert await priced(post) == [("delivered", None, None)]


async def test_messages_are_counted_by_price_in_the_days_of_the_tenant(post):
    post.clock.now = datetime(2026, 11, 30, 20, 59, 50, tzinfo=UTC)  # ten seconds before December there
    async with post.database.transaction(OWNER) as connection:  # they have just written
        await connection.execute(sa.update(conversations).values(heard_at=post.clock.now))
    await post.says("a", "b", "c")
    await post.deliver()
    for n in (1, 2):
        await post.hears_status("sent", wamid=f"wamid.{n}", pricing=REGULAR)
    post.clock.now += timedelta(seconds=20)
    await post.says("d", "never sent")
    await post.delivery.once()
    await post.delivery.drain()
    free = {"type": "free_entry_point", "category": "service"}
    await post.hears_status("sent", wamid="wamid.4", pricing=free)

    async def counted(month=None):
        async with post.database.reading(OWNER) as connection:
            slug = await connection.scalar(sa.select(tenants.c.slug))
            return await prices.counted(connection, slug, month, post.clock())

    november = await counted("2026-11")
    service = {"category": "service", "type": "regular", "messages": 2}
    untold = {"category": None, "type": None, "messages": 1}
    assert november["messages"] == 3
    assert sorted(november["prices"], key=str) == sorted([service, untold], key=str)
    assert [day["day"] for day in november["days"]] == ["2026-11-30"]
    december = await counted()
    assert december["month"] == "2026-12"
    assert december["prices"] == [{"category": "service", "type": "free_entry_point", "messages": 1}]
    assert (await counted("2026-10"))["messages"] == 0
    with pytest.raises(CannotRun):
        await counted("October")
