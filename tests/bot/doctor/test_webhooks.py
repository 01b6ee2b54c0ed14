"""What doctor says of tenants' own systems: each that takes nothing is named, and how that is put right."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.doctor.webhooks import webhooks
from bot.parts import Parts
from bot.settings import Settings, WhatsAppSettings
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import webhook_deliveries, webhook_endpoints
from services.store.scope import OWNER
from services.webhooks import endpoints
from services.webhooks.deliveries import LEASE, Outcome
from tests.bot.doctor.test_installation import KEY
from tests.services.business import Business
from tests.services.webhooks.listening import AWAY, URL, Listening


@pytest.fixture
async def business(database, vault):
    return await Business(database, vault).open()


@pytest.fixture
async def listening(business):
    return await Listening.at(business)


async def found(business):
    def clock():
        return business.now

    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp)
    book = TenantBook(business.database, business.vault, clock)
    parts = Parts(settings, business.database, business.vault, book, Bell(), clock)
    tenant = await book.by_id(business.tenant)
    return [(each.level, each.what, each.fix) async for each in webhooks(parts, tenant)]


async def test_a_tenant_without_any_is_told_nothing_of(business):
    assert await found(business) == []


async def test_one_that_takes_what_it_is_told_is_good(business, listening):
    await business.paid("100")
    good = [("good", "webhooks to shop.example: all that it was told is taken", None)]
    assert await found(business) == good  # just now
    await listening.took()
    assert await found(business) == good


async def test_one_that_takes_nothing_is_named_with_the_age_of_the_oldest(business, listening):
    for _ in range(3):
        await business.paid("100")
    await listening.took(AWAY)
    business.forward(hours=3, minutes=59)
    ((level, what, fix),) = await found(business)
    assert level == "warning"
    assert what == (
        "webhooks to shop.example: nothing is taken since 2026-11-24 09:00 UTC; 3 wait, the oldest for 3 h"
    )
    assert fix == (
        "its system must answer 2xx within 15 seconds; look: python main.py webhooks deliveries "
        f"--tenant {business.slug} --endpoint {listening.endpoint}"
    )


async def test_one_that_is_disabled_is_named_with_how_it_is_put_right(business, listening):
    await business.paid("100")
    await listening.took(Outcome(410, "http_410"))
    ((level, what, fix),) = await found(business)
    off = "webhooks to shop.example are off since 2026-11-24 09:00 UTC"
    assert (level, what) == ("warning", f"{off}: it answered that it is gone for good (410)")
    assert fix.startswith("once it works, its staff enable it by the API (PUT /webhooks/endpoints/")
    assert fix.endswith(
        f"replay --tenant {business.slug} --endpoint {listening.endpoint} --since 2026-11-23T09:00"
    )
    async with business.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(webhook_endpoints).values(disabled_because="failing"))
    assert (await found(business))[0][1].endswith(": it took nothing for three days")


async def test_one_that_its_staff_have_switched_off_is_no_fault(business, listening):
    async with business.work() as work:
        await endpoints.change(work, business.owner, listening.endpoint, URL, None, enabled=False)
    await business.paid("100")
    what = "webhooks to shop.example: its staff have switched them off, at 2026-11-24 09:00 UTC"
    assert await found(business) == [("good", what, None)]


async def test_what_nobody_sends_asks_for_a_worker(business, listening):
    await business.paid("100")
    business.forward(minutes=6)
    ((_, what, fix),) = await found(business)
    assert what == "webhooks to shop.example: 1 wait, the oldest for 6 min, and nobody sends them"
    assert fix == "start a worker: python main.py work, or serve without --no-worker"
    await listening.claimed()
    assert (await found(business))[0][0] == "good"  # it is being sent
    business.forward(seconds=LEASE.total_seconds() + 301)
    assert "nobody sends them" in (await found(business))[0][1]


async def test_one_event_that_is_refused_again_and_again_beside_others_that_are_taken(business, listening):
    await business.paid("100")
    for _ in range(5):
        await listening.took(AWAY)
        await business.paid("100")
        (sent,) = [each for each in await listening.claimed() if each.number == 1]
        await listening.answered(sent)
        business.forward(minutes=16)
    (first,) = [row for row in await listening.written() if row.state == "waiting"]
    async with business.database.transaction(OWNER) as connection:
        later = sa.update(webhook_deliveries).where(webhook_deliveries.c.id == first.id)
        await connection.execute(later.values(due_at=business.now + timedelta(hours=1)))
    ((_, what, _),) = await found(business)
    assert what == "webhooks to shop.example: 1 wait, the oldest for 1 h, though it takes others"


async def test_what_was_given_up_lately_is_counted(business, listening):
    await business.paid("100")
    await listening.took()
    async with business.database.transaction(OWNER) as connection:
        dead = {"state": "dead", "because": "http_500", "ended_at": business.now}
        await connection.execute(sa.update(webhook_deliveries).values(**dead))
    ((level, what, fix),) = await found(business)
    assert (level, what) == (
        "warning",
        "webhooks to shop.example: 1 were given up in the last seven days",
    )
    assert "--state dead; then run: python main.py webhooks replay" in fix
    business.forward(days=8)
    assert (await found(business))[0][0] == "good"
