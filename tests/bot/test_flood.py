"""Who floods a shop: told once to wait; what matters is heard all the same, and others feel nothing of it."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.chat import Chat
from bot.commands import events
from bot.flood import BEGINS, GOES_ON, Flood
from bot.intake import Intake
from bot.parts import Parts
from bot.rate import Rate
from bot.sending import outbox as outbox_of
from bot.turns import Turns
from flows.lipachat import SCRIPT
from services.store.schema import inbox, outbox, people
from services.store.scope import OWNER
from tests.bot.door import settings_of
from tests.bot.market import NOWHERE
from tests.bot.test_turns import Nobody, Shop

WANJIKU, BARAKA = "254712345678", "254712345679"
TOLD = "You are writing faster than I can answer."


class Watched(Shop):
    """With a limit of five messages a minute."""

    def __init__(self, database, vault):
        super().__init__(database, vault)
        self.intake = self.another_intake(Rate(self.clock))

    def another_intake(self, rate):
        flood = Flood(rate, 5, bytes(32))
        return Intake(self.database, self.vault, self.tenants, self.bell, self.clock, flood=flood)

    def worker(self):
        chat = Chat(SCRIPT, self.vault, self.tenants, self.clock)
        return Turns(self.database, self.vault, chat, Nobody(), self.bell, self.clock)

    async def told(self, phone):
        """What was said to Wanjiku, who writes first, or to the other."""
        async with self.database.reading(OWNER) as connection:
            chats = await connection.execute(sa.select(inbox.c.conversation_id).order_by(inbox.c.seq))
            ids = list(dict.fromkeys(chats.scalars()))
            query = sa.select(outbox).order_by(outbox.c.seq)
            rows = (await connection.execute(query)).all()
        whose = ids[0 if phone == WANJIKU else 1]
        return [
            words_of(json.loads(outbox_of.opened(self.vault, row.tenant_id, row.seq, row.body_sealed)))
            for row in rows
            if row.conversation_id == whose
        ]


def words_of(message):
    match message:
        case {"text": {"body": words}} | {"interactive": {"body": {"text": words}}}:
            return words


@pytest.fixture
async def shop(database, vault):
    return await Watched(database, vault).open()


async def stopped(shop):
    async with shop.database.reading(OWNER) as connection:
        query = sa.select(sa.func.count()).where(people.c.stopped_at.is_not(None))
        return await connection.scalar(query)


async def test_who_floods_is_told_once_and_heard_again_a_minute_later(shop):
    for n in range(12):
        await shop.hears(WANJIKU, f"hello {n}")
    await shop.until_quiet()
    said = await shop.told(WANJIKU)
    assert [words.startswith(TOLD) for words in said].count(True) == 1
    assert await shop.states() == {"done": 5, "kept": 7}
    async with shop.database.reading(OWNER) as connection:
        marks = (await connection.execute(sa.select(inbox.c.error).order_by(inbox.c.seq))).scalars().all()
    assert marks == [None] * 5 + [BEGINS] + [GOES_ON] * 6
    shop.clock.now += timedelta(minutes=1)
    await shop.hears(WANJIKU, "menu")
    await shop.until_quiet()
    assert len(await shop.told(WANJIKU)) > len(said)


async def test_who_goes_on_is_not_told_again_each_minute(shop):
    for _ in range(4):
        for n in range(10):
            await shop.hears(WANJIKU, f"hello {n}")
        await shop.until_quiet()
        shop.clock.now += timedelta(minutes=1)
    told = [words for words in await shop.told(WANJIKU) if words.startswith(TOLD)]
    assert len(told) <= 2  # four minutes are in two spans of ten at most


@pytest.mark.parametrize("word", ["stop", "ACHA", "Arrêter"])
async def test_stop_is_heard_however_fast_it_comes(shop, word):
    await shop.hears(WANJIKU, *(f"hello {n}" for n in range(20)))
    await shop.hears(WANJIKU, word)
    await shop.hears(WANJIKU, "hello", "hello")
    await shop.until_quiet()
    assert await stopped(shop) == 1


async def test_others_of_the_shop_are_answered_as_ever(shop):
    await shop.hears(WANJIKU, *(f"hello {n}" for n in range(100)))
    await shop.hears(BARAKA, "menu")
    await shop.until_quiet()
    assert len(await shop.told(BARAKA)) == 1
    assert not (await shop.told(BARAKA))[0].startswith(TOLD)


async def test_an_operator_has_what_was_not_heard_played_again(shop):
    await shop.hears(WANJIKU, *("menu" for _ in range(8)))
    await shop.until_quiet()
    book = (shop.database, shop.vault, shop.tenants, shop.bell, shop.clock)
    parts = Parts(settings_of(NOWHERE), *book)
    for event in await events.listed(parts, events.Wanted(state="kept")):
        await events.replayed(parts, event["seq"])
    await shop.until_quiet()
    assert await shop.states() == {"done": 8}


@pytest.mark.redis
async def test_with_a_redis_all_processes_count_together_and_nobodys_number_goes_there(shop, redis_url):
    from redis.asyncio import Redis

    redis = Redis.from_url(redis_url)
    one, two = (shop.another_intake(Rate(shop.clock, Redis.from_url(redis_url))) for _ in range(2))
    for n in range(4):
        shop.intake = one if n % 2 else two
        await shop.hears(WANJIKU, f"hello {n}", f"and {n}")
    await shop.until_quiet()
    assert await shop.states() == {"done": 5, "kept": 3}
    names = [name.decode() async for name in redis.scan_iter("lipachat:rate:*")]
    assert names
    assert not [name for name in names if WANJIKU[3:] in name]
    await redis.delete(*names)
    for each in (one, two):
        await each._flood._rate.aclose()
    await redis.aclose()


async def test_a_limit_of_nothing_is_none(database, vault):
    shop = await Watched(database, vault).open()
    shop.intake = Intake(
        database, vault, shop.tenants, shop.bell, shop.clock, flood=Flood(Rate(shop.clock), 0, bytes(32))
    )
    await shop.hears(WANJIKU, *(f"hello {n}" for n in range(20)))
    await shop.until_quiet()
    assert await shop.states() == {"done": 20}
