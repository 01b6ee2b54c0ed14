"""What waits although it should be done, what failed for good, and keys of the API that end."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.doctor.keys import keys
from bot.doctor.queues import queues
from bot.parts import Parts
from bot.settings import Settings, WhatsAppSettings
from services.ids import new_id
from services.people import apikeys
from services.people.apply import apply
from services.people.tenant_file import read
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import breakers, jobs, outbox, staff
from services.store.scope import OWNER
from services.work import CLI, Work
from tests.bot.doctor.test_installation import KEY

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FILE = """
[tenant]
slug = "mama-njeri"
[[staff]]
name = "Achieng"
phone = "0722000001"
role = "Owner"
"""


@pytest.fixture
async def tenant(database, vault):
    tenant = new_id()
    async with database.transaction(tenant) as connection:
        await apply(Work(connection, vault, tenant, NOW, CLI), read(FILE))
    return tenant


@pytest.fixture
def parts(database, vault):
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp)
    return Parts(settings, database, vault, TenantBook(database, vault, lambda: NOW), Bell(), lambda: NOW)


async def put(parts, table, **row):
    async with parts.database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(table).values(row))


async def said(findings):
    told = [each async for each in findings]
    assert all(each.fix for each in told)
    return [each.what for each in told]


def message(tenant, **more):
    row = {"tenant_id": tenant, "conversation_id": new_id(), "body_sealed": b"", "due_at": NOW}
    return row | {"created_at": NOW} | more


async def test_what_nobody_takes_is_found_and_what_is_due_later_or_leased_is_not(parts, tenant):
    assert await said(queues(parts)) == []
    late, job = NOW - timedelta(minutes=6), {"tenant_id": tenant, "kind": "collect_check"}
    await put(parts, outbox, **message(tenant, state="waiting"))
    await put(parts, jobs, **job, target_id=new_id(), due_at=NOW)
    await put(parts, jobs, **job, target_id=new_id(), due_at=late, leased_until=NOW + timedelta(seconds=9))
    assert await said(queues(parts)) == []
    await put(parts, outbox, **message(tenant, state="waiting", due_at=late))
    await put(parts, jobs, **job, target_id=new_id(), due_at=late)
    assert await said(queues(parts)) == [
        "messages to be sent that have waited for more than five minutes: 1",
        "provider calls and other jobs that have waited for more than five minutes: 1",
    ]


async def test_messages_that_failed_are_told_for_a_week(parts, tenant):
    await put(parts, outbox, **message(tenant, state="failed", created_at=NOW - timedelta(days=8)))
    assert await said(queues(parts)) == []
    await put(parts, outbox, **message(tenant, state="failed", created_at=NOW - timedelta(days=6)))
    assert await said(queues(parts)) == ["messages that did not arrive in the last seven days: 1"]


async def test_a_breaker_that_is_open_is_told_while_it_says_something(parts, tenant):
    breaker = {"tenant_id": tenant, "provider": "mpesa", "outcomes": "11111", "open_until": NOW}
    await put(parts, breakers, **breaker, operation="prompt", heard_at=NOW)
    await put(parts, breakers, **breaker, operation="payout", heard_at=NOW - timedelta(hours=1))
    assert await said(queues(parts)) == ["mpesa leaves calls unanswered (prompt): 1 accounts rest"]


@pytest.mark.parametrize(
    ("days", "what"),
    [
        (80, None),
        (91, "was not used for 91 days"),
        (352, "expires at 2027-11-24"),
        (366, None),
    ],
)
async def test_keys_that_end_soon_or_that_nobody_uses_are_found(database, vault, parts, tenant, days, what):
    async with database.transaction(tenant) as connection:
        person = await connection.scalar(sa.select(staff.c.person_id).where(staff.c.tenant_id == tenant))
        key = await apikeys.create(Work(connection, vault, tenant, NOW, CLI), person)
    assert key is not None
    later = Parts(
        parts.settings,
        database,
        vault,
        parts.tenants,
        parts.bell,
        lambda: NOW + timedelta(days=days),
    )
    told = await said(keys(later, await parts.tenants.by_id(tenant)))
    assert told == ([f"the API key {key.prefix} {what}"] if what else [])
