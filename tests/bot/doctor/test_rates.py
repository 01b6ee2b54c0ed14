"""Messages that WhatsApp charges and whose cost nobody can tell."""

from datetime import timedelta

from bot.doctor.rates import rates
from services.ids import new_id
from services.store.schema import message_rates, outbox
from tests.bot.doctor.test_queues import NOW, message, put
from tests.bot.doctor.test_queues import parts as parts  # noqa: PLC0414  a fixture
from tests.bot.doctor.test_queues import tenant as tenant  # noqa: PLC0414  another

CHARGED = {"state": "sent", "price_category": "service", "price_type": "regular", "price_country": "KE"}
SERVICE = {"category": "service", "countries": "", "currency": "USD", "millionths": 4_000}


async def told(parts):
    return [each async for each in rates(parts)]


async def test_where_no_rate_is_told_at_all_that_is_said_and_is_no_fault(parts, tenant):
    await put(parts, outbox, **message(tenant, **CHARGED))
    [found] = await told(parts)
    assert (found.level, found.what.partition(" (")[0]) == ("good", "what messages cost is not told")
    assert "python main.py costs apply" in found.what


async def test_what_was_charged_lately_and_has_no_rate_is_found(parts, tenant):
    await put(parts, message_rates, id=new_id(), **SERVICE)
    await put(parts, outbox, **message(tenant, **CHARGED))
    utility = CHARGED | {"price_category": "utility"}
    for more in (
        utility | {"price_country": "UG"},
        utility | {"price_country": None, "created_at": NOW - timedelta(days=6)},
        utility | {"price_type": "free_customer_service"},
        CHARGED | {"price_category": "marketing", "created_at": NOW - timedelta(days=8)},
    ):
        await put(parts, outbox, **message(tenant, **more))
    [found] = await told(parts)
    assert found.level == "warning"
    assert found.what == (
        "mama-njeri: WhatsApp charged messages of the last seven days as utility that have no rate: 2 (UG)"
    )
    await put(parts, message_rates, id=new_id(), **SERVICE | {"category": "utility"})
    assert [each.level for each in await told(parts)] == ["good"]


async def test_the_rate_of_another_tenant_or_of_another_time_is_none(parts, tenant):
    await put(parts, message_rates, id=new_id(), **SERVICE, only_for=new_id())
    await put(parts, outbox, **message(tenant, **CHARGED))
    assert [each.level for each in await told(parts)] == ["warning"]
    await put(parts, message_rates, id=new_id(), **SERVICE, valid_until=NOW)
    assert [each.level for each in await told(parts)] == ["warning"]
    await put(parts, message_rates, id=new_id(), **SERVICE, only_for=tenant)
    assert [each.level for each in await told(parts)] == ["good"]
