"""What messages are charged as, by the statuses that tell it, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import metrics
from bot.parts import CannotRun
from bot.sending import prices
from bot.whatsapp.prices import price_of
from services.ids import new_id
from services.store.schema import conversations, message_rates, outbox, tenants
from services.store.scope import OWNER
from tests.bot.sending.test_delivery import post as post  # noqa: PLC0414  a fixture

REGULAR = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}


async def priced(post):
    columns = (outbox.c.state, outbox.c.price_category, outbox.c.price_type, outbox.c.price_country)
    query = sa.select(*columns).order_by(outbox.c.seq)
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
    assert await priced(post) == [("read", "service", "regular", "KE"), ("sent", "utility", "", "KE")]
    assert told_of("service", "regular") == before + 1
    assert told_of("utility", "other") >= 1


@pytest.mark.parametrize(
    "pricing", [None, [], "service", {}, {"category": 5}, {"category": "a\x00b"}, {"category": "X" * 99}]
)
async def test_a_price_that_cannot_be_read_costs_nothing_but_itself(post, pricing):
    await post.says("a")
    await post.deliver()
    await post.hears_status("delivered", wamid="wamid.1", pricing=pricing)
    assert await priced(post) == [("delivered", None, None, None)]


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
    unknown = {"country": None, "currency": None, "cost": None}
    service = unknown | {"category": "service", "type": "regular", "country": "KE", "messages": 2}
    untold = unknown | {"category": None, "type": None, "messages": 1}
    assert november["messages"] == 3
    assert sorted(november["prices"], key=str) == sorted([service, untold], key=str)
    assert [day["day"] for day in november["days"]] == ["2026-11-30"]
    december = await counted()
    assert december["month"] == "2026-12"
    nothing = {"country": "KE", "messages": 1, "currency": None, "cost": "0.00"}
    assert december["prices"] == [{"category": "service", "type": "free_entry_point"} | nothing]
    assert (december["totals"], december["without_cost"]) == ([], 0)
    assert (await counted("2026-10"))["messages"] == 0
    with pytest.raises(CannotRun):
        await counted("October")


async def rate(post, **what):
    row = {"id": new_id(), "category": "service", "countries": "", "currency": "USD", "millionths": 4_000}
    async with post.database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(message_rates).values(row | what))


def cost_of(category, currency="USD"):
    return metrics.message_costs.labels(category, currency)._value.get()


def unknown_of(category):
    return metrics.messages_without_cost.labels(category)._value.get()


async def test_what_messages_cost_is_counted_once_and_what_nobody_has_told_apart(post):
    await rate(post)
    await rate(post, category="utility", countries="NG ZA", currency="EUR", millionths=6_700)
    before = cost_of("service"), cost_of("utility", "EUR"), unknown_of("utility")
    await post.says("a", "b", "c", "d")
    await post.deliver()
    for word in ("sent", "delivered"):
        await post.hears_status(word, wamid="wamid.1", pricing=REGULAR)
    nigerian = {"recipient_user_id": "NG.13491208655302741918", "pricing": REGULAR | {"category": "utility"}}
    await post.hears_status("sent", wamid="wamid.2", **nigerian)
    await post.hears_status("sent", wamid="wamid.3", pricing=REGULAR | {"category": "utility"})
    await post.hears_status("sent", wamid="wamid.4", pricing=REGULAR | {"type": "free_customer_service"})
    after = cost_of("service"), cost_of("utility", "EUR"), unknown_of("utility")
    assert [round(b - a, 6) for a, b in zip(before, after, strict=True)] == [0.004, 0.0067, 1]


@pytest.mark.parametrize(
    ("status", "country"),
    [
        ({"recipient_id": "254700000000", "recipient_user_id": "UG.1349"}, "UG"),
        ({"recipient_id": "254700000000"}, "KE"),
        ({"recipient_id": "12025550123"}, "US"),
        ({"recipient_id": "254"}, ""),
        ({"recipient_id": 5, "recipient_user_id": ["KE.1"]}, ""),
        ({"recipient_user_id": "ke.1"}, ""),
        ({}, ""),
    ],
)
def test_the_country_is_of_who_gets_it(status, country):
    told = price_of(status | {"pricing": REGULAR})
    assert told == ("service", "regular", country)


async def test_a_month_is_summed_at_the_rates_of_its_days(post):
    post.clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    noon = post.clock.now + timedelta(hours=3)
    await rate(post, valid_until=noon)
    await rate(post, millionths=1_000_000, currency="KES", valid_from=noon)
    await rate(post, category="utility", only_for=new_id())  # of another tenant
    await post.says("a", "b", "c")
    await post.deliver()
    for n in (1, 2):
        await post.hears_status("sent", wamid=f"wamid.{n}", pricing=REGULAR)
    await post.hears_status("sent", wamid="wamid.3", pricing=REGULAR | {"category": "utility"})
    post.clock.now = noon
    await post.says("d")
    await post.deliver()
    await post.hears_status("sent", wamid="wamid.4", pricing=REGULAR)
    async with post.database.reading(OWNER) as connection:
        slug = await connection.scalar(sa.select(tenants.c.slug))
        told = await prices.counted(connection, slug, None, post.clock())
    service = {"category": "service", "type": "regular", "country": "KE"}
    lines = [
        service | {"messages": 2, "currency": "USD", "cost": "0.008"},
        service | {"messages": 1, "currency": "KES", "cost": "1.00"},
        service | {"category": "utility", "messages": 1, "currency": None, "cost": None},
    ]
    assert sorted(told["prices"], key=str) == sorted(lines, key=str)
    assert [day["day"] for day in told["days"]] == ["2026-11-24"]
    assert sorted(told["days"][0]["prices"], key=str) == sorted(lines, key=str)
    assert told["totals"] == [
        {"currency": "KES", "messages": 1, "cost": "1.00"},
        {"currency": "USD", "messages": 2, "cost": "0.008"},
    ]
    assert (told["messages"], told["without_cost"]) == (4, 1)
