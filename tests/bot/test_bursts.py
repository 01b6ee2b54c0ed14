"""Several messages of one person that wait together, on both databases: one answer where one is enough, and
no event, order or effect is lost."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.turns import MOST_TRIES
from services.store.schema import inbox, outbox
from services.store.scope import OWNER
from tests.bot.door import NUMBER, envelope, opened, text
from tests.bot.market import until
from tests.bot.test_turns import Shop

WANJIKU = "254712345678"


@pytest.fixture
async def shop(database, vault):
    return await Shop(database, vault).open()


async def tries(shop):
    async with shop.database.reading(OWNER) as connection:
        return list((await connection.execute(sa.select(inbox.c.tries).order_by(inbox.c.seq))).scalars())


async def test_what_is_said_again_is_said_once_whether_or_not_the_services_are_asked(shop):
    await shop.hears(WANJIKU, "echo 1", "ask 2", "echo 1", "ask 2", "ask 2", "echo 3")
    await shop.until_quiet()
    assert [said for _, said in await shop.said()] == ["heard 1", "heard 1", "heard 2", "heard 3"]
    assert await shop.states() == {"done": 6}
    assert await tries(shop) == [1] * 6


async def test_more_than_is_played_together_is_played_in_order(shop):
    await shop.hears(WANJIKU, *(f"ask {n}" for n in range(30)))
    await shop.until_quiet()
    assert [said for _, said in await shop.said()] == [f"heard {n}" for n in range(30)]
    assert await tries(shop) == [1] * 30


async def test_what_comes_before_a_failing_event_is_kept_and_what_comes_after_waits(shop):
    await shop.hears(WANJIKU, "ask 1", "fall", "ask 2")
    await shop.until_quiet()
    assert [said for _, said in await shop.said()] == ["heard 1"]
    assert await tries(shop) == [1, 1, 0]
    for _ in range(MOST_TRIES):
        shop.clock.now += timedelta(minutes=2)
        await shop.until_quiet()
    assert await shop.states() == {"parked": 1, "done": 2}
    assert [said for _, said in await shop.said()][-1] == "heard 2"


@pytest.mark.parametrize(
    ("messages", "answers"),
    [
        (["hi", "hello", "habari"], 1),
        ([{"type": "audio", "audio": {"id": "1", "voice": True}, "text": None}] * 5, 1),
        ([{"type": "reaction", "reaction": {"emoji": "x"}, "text": None}, "menu"], 1),
        (["pay 500", "pay 700"], 2),
        (["help", "menu"], 2),
    ],
)
async def test_a_post_with_several_messages_of_one_person(database, vault, messages, answers):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(NUMBER)
        told = [
            text(f"wamid.{n}", **({"words": each} if isinstance(each, str) else each))
            for n, each in enumerate(messages)
        ]
        assert (await door.update(envelope(*told))).status == 200

        async def played():
            return await door.stored("state") == ["done"] * len(messages)

        await until(played)
        async with database.reading(OWNER) as connection:
            assert await connection.scalar(sa.select(sa.func.count()).select_from(outbox)) == answers
