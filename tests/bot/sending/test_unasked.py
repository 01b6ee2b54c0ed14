"""Stop and start through the real webhook, on both databases."""

import pytest
import sqlalchemy as sa

from services.store.schema import people
from services.store.scope import OWNER
from tests.bot.door import NUMBER, envelope, opened, text
from tests.bot.market import until
from tests.bot.whatsapp.test_incoming import PREFERENCE, preferences


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(NUMBER)
        yield door


async def stopped_by(door):
    query = sa.select(people.c.stopped_by).where(people.c.stopped_by.is_not(None))
    async with door.database.reading(OWNER) as connection:
        return list((await connection.execute(query)).scalars())


async def test_stop_is_confirmed_by_one_message_and_start_by_another(door):
    await door.update(envelope(text("w1", "STOP")))
    (told,) = await door.hears(1)
    assert "no more reminders" in told["text"]["body"]
    assert await stopped_by(door) == ["chat"]
    await door.update(envelope(text("w2", "anza")))
    assert "Welcome back" in (await door.hears(2))[1]["text"]["body"]
    assert await stopped_by(door) == []


async def test_whatsapps_own_switch_is_heard_in_silence(door):
    await door.update(preferences(PREFERENCE))
    await until(lambda: stopped_by(door))
    assert await stopped_by(door) == ["whatsapp"]
    await door.update(preferences(PREFERENCE | {"value": "resume", "timestamp": 1731705722}))
    await door.update(envelope(text("w1", "start")))
    (answer,) = await door.hears(1)
    assert "What would you like to do" in answer["interactive"]["body"]["text"]
