"""An erasure gives way to whoever is at work with the same rows: nobody is broken off for it."""

import asyncio

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands.persons import erased
from bot.parts import CannotRun, parts_of
from bot.settings import Settings, WhatsAppSettings
from services.store import schema
from services.store.scope import OWNER
from tests.conftest import BOTH
from tests.services.business import Business

pytestmark = pytest.mark.parametrize("database", BOTH[1:], indirect=True)
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
async def business(database, vault):
    """Its customer has chats with messages."""
    business = await Business(database, vault).open()
    async with database.transaction(OWNER) as connection:
        for seq in (1, 2):
            row = {"seq": seq, "tenant_id": business.tenant, "body_sealed": b"x", "state": "unknown"}
            chat = {"conversation_id": business.chats[business.customer]}
            when = {"due_at": business.now, "created_at": business.now}
            await connection.execute(sa.insert(schema.outbox).values(row | chat | when))
    return business


@pytest.fixture
async def parts(postgres_url):
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    made = parts_of(Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp, database_url=postgres_url))
    yield made
    await made.bell.close()
    await made.database.close()


async def waits(business):
    """Until somebody waits for a lock."""
    query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10):
        while True:
            async with business.database.transaction(OWNER) as connection:
                if await connection.scalar(query):
                    return
            await asyncio.sleep(0.01)


def erasing(parts, business, **tries):
    return asyncio.create_task(
        erased(parts, business.tenant, business.customer, lambda _line: None, 0, **tries)
    )


async def test_who_has_a_message_and_wants_its_chat_is_not_broken_off(business, parts):
    """As a status does that tells that the window is closed: the message first, then the chat. An erasure has
    the chat first, and then the messages."""
    chat = schema.conversations.c.id == business.chats[business.customer]
    async with business.behind() as work:
        mine = sa.select(schema.outbox.c.seq).where(schema.outbox.c.seq == 2).with_for_update()
        await work.connection.execute(mine)
        erases = erasing(parts, business)
        await waits(business)
        await work.connection.execute(sa.update(schema.conversations).where(chat).values(heard_at=None))
    assert (await erases)["erased"]
    async with business.behind() as work:
        left = sa.select(schema.outbox.c.state, schema.outbox.c.body_sealed)
        assert (await work.connection.execute(left)).all() == [("failed", b"")] * 2


async def test_who_is_never_let_in_is_told_so_and_nothing_is_erased(business, parts):
    async with business.behind() as work:
        await work.connection.execute(sa.select(schema.outbox.c.seq).with_for_update())
        with pytest.raises(CannotRun, match="Others are at work"):
            await erasing(parts, business, tries=2)
    row = await business.row(schema.people, business.customer)
    assert row.erased_at is None
