"""WhatsApp's window of 24 hours: when it was last opened, as far as can be told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.store.schema import conversations
from services.store.scope import OWNER
from tests.bot.test_turns import Shop

PHONE = "254712345678"
A_SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(database, vault):
    return await Shop(database, vault).open()


async def heard_at(shop):
    await shop.until_quiet()
    async with shop.database.reading(OWNER) as connection:
        return await connection.scalar(sa.select(conversations.c.heard_at))


def written(shop, ago=timedelta(0)):
    return str(int((shop.clock() - ago).timestamp()))


@pytest.mark.parametrize("ago", [timedelta(hours=30), timedelta(days=7), timedelta(minutes=1)])
async def test_it_opens_when_the_message_was_written_however_late_it_comes(shop, ago):
    at = shop.clock() - ago
    await shop.hears(PHONE, "echo 1", timestamp=written(shop, ago))
    assert at <= await heard_at(shop) <= at + A_SECOND  # Meta tells whole seconds


async def test_it_opens_when_the_message_was_written_however_late_it_is_played(shop):
    at = shop.clock()
    await shop.hears(PHONE, "echo 1", timestamp=written(shop))
    shop.clock.now += timedelta(hours=30)
    assert at <= await heard_at(shop) <= at + A_SECOND


async def test_it_never_opens_in_the_future(shop):
    await shop.hears(PHONE, "echo 1", timestamp=written(shop, -timedelta(hours=2)))
    assert await heard_at(shop) == shop.clock()


@pytest.mark.parametrize("timestamp", [None, "", "soon", "9" * 30, [], "-1", "0"])
async def test_a_message_whose_time_cannot_be_believed_opens_it_when_it_came(shop, timestamp):
    """Meta keeps what it could not deliver for a week."""
    at = shop.clock()
    await shop.hears(PHONE, "echo 1", timestamp=timestamp)
    shop.clock.now += timedelta(hours=1)
    assert at <= await heard_at(shop) <= at + A_SECOND


async def test_an_older_message_that_comes_later_closes_nothing(shop):
    at = shop.clock()
    await shop.hears(PHONE, "echo 1", timestamp=written(shop))
    await shop.hears(PHONE, "echo 2", timestamp=written(shop, timedelta(hours=20)))
    assert await heard_at(shop) >= at
