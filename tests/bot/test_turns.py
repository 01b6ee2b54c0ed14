"""Turns on both databases: order, failure, parking, and many workers at once."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.chat import Chat
from bot.claims import due, read_waiting
from bot.intake import Intake
from bot.sending import outbox as outbox_of
from bot.turns import MOST_TRIES, Turns
from bot.whatsapp.incoming import read
from flows.lipachat import SCRIPT
from flows.script import Script
from flows.step import Step
from flows.text import Text
from flows.words import Word
from services.ids import new_id
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import credentials, inbox, outbox, tenants
from services.store.scope import OWNER
from tests.bot.canary import CANARY, leaks

NUMBER = "106540352242922"


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def __call__(self):
        return self.now


class Waits(Step):
    def says(self):
        return Text("Please wait. " * 400)

    @property
    def waits(self):
        return True


class Said(Step):
    what: str

    def says(self):
        return Text("{what}", what=self.what)


async def fall(_teller, _rest: str = "") -> Said:
    raise RuntimeError(f"a bug with {CANARY}")


async def ask(teller, rest: str = "") -> Said:
    """Needs the services, so that it is played in a transaction of its own."""
    await teller.ways()
    return Said(what=f"heard {rest}")


async def wait(_teller, _rest: str = "") -> Waits:
    return Waits()


async def echo(_teller, rest: str = "") -> Said:
    return Said(what=f"heard {rest}")


async def nothing(_thread, _teller) -> Said | None:
    return None


BUGGY = Script(
    home=SCRIPT.home,
    lost=SCRIPT.lost,
    words=(
        Word(("fall",), fall),
        Word(("ask",), ask, takes_rest=True),
        Word(("echo",), echo, takes_rest=True),
        Word(("wait",), wait),
    ),
    told={},
    revive=nothing,
)


class Nobody:
    """A delivery that is full: messages stay where they were written."""

    room = 0

    def hand_over(self, messages):
        assert not messages

    def follow(self, chats):
        pass


class Shop:
    def __init__(self, database, vault):
        self.database, self.vault, self.clock, self.bell = database, vault, Clock(), Bell()
        self.tenants = TenantBook(database, vault, self.clock)
        self.intake = Intake(database, vault, self.tenants, self.bell, self.clock)
        self.turns = self.worker()
        self._ids = iter(range(10**6))

    def worker(self):
        chat = Chat(BUGGY, self.vault, self.tenants, self.clock)
        return Turns(self.database, self.vault, chat, Nobody(), self.bell, self.clock)

    async def open(self, number=NUMBER):
        tenant = new_id()
        async with self.database.transaction(OWNER) as connection:
            await connection.execute(
                sa.insert(tenants).values(
                    id=tenant,
                    slug=f"shop-{number}",
                    name="Shop",
                    active=True,
                    currency="KES",
                    country="KE",
                    timezone="Africa/Nairobi",
                    language="en",
                    payment_fee_ppm=0,
                    phone_number_id=number,
                    templates={},
                    approvals=1,
                    approval_hours=24,
                    new_destination_hours=0,
                    version=1,
                    created_at=self.clock(),
                )
            )
        return self

    async def hears(self, phone, *texts, number=NUMBER, timestamp="1795510800"):
        messages = [
            {"from": phone, "id": f"wamid.{next(self._ids)}", "timestamp": timestamp, "type": "text"}
            | {"text": {"body": text}}
            for text in texts
        ]
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": number},
            "messages": messages,
        }
        update = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}],
        }
        await self.intake.store(read(json.dumps(update).encode()))

    async def until_quiet(self, *workers):
        self.clock.now += timedelta(seconds=1)

        async def drain(worker):
            while await worker.once():
                pass

        await asyncio.gather(*(drain(worker) for worker in workers or (self.turns,)))

    async def said(self):
        async with self.database.reading(OWNER) as connection:
            rows = (await connection.execute(sa.select(outbox).order_by(outbox.c.seq))).all()
        bodies = [outbox_of.opened(self.vault, row.tenant_id, row.seq, row.body_sealed) for row in rows]
        return [
            (row.conversation_id, json.loads(body)["text"]["body"])
            for row, body in zip(rows, bodies, strict=True)
        ]

    async def errors(self):
        async with self.database.reading(OWNER) as connection:
            query = sa.select(inbox.c.error).where(inbox.c.error.is_not(None))
            return list((await connection.execute(query)).scalars())

    async def states(self):
        async with self.database.reading(OWNER) as connection:
            return Counter((await connection.execute(sa.select(inbox.c.state))).scalars())


@pytest.fixture
async def shop(database, vault):
    return await Shop(database, vault).open()


async def test_events_of_one_person_are_played_in_order(shop):
    await shop.hears("254712345678", *(f"{'ask' if n % 3 else 'echo'} {n}" for n in range(12)))
    await shop.until_quiet()
    assert [text for _, text in await shop.said()] == [f"heard {n}" for n in range(12)]
    async with shop.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(sa.func.max(inbox.c.tries))) == 1


async def test_a_question_that_came_after_another_persons_is_answered_with_it(shop):
    await shop.hears("254712345678", "echo 1")
    await shop.hears("254712345679", "ask 2")
    await shop.hears("254712345678", "ask 3")
    await shop.until_quiet()
    assert sorted(text for _, text in await shop.said()) == ["heard 1", "heard 2", "heard 3"]


async def test_a_turn_that_fails_is_tried_again_and_parked_with_an_apology(shop):
    await shop.hears("254712345678", "fall")
    await shop.hears("254712345679", "echo 1")
    for _ in range(MOST_TRIES):
        await shop.until_quiet()
        shop.clock.now += timedelta(minutes=2)
    assert await shop.states() == {"parked": 1, "done": 1}
    assert [leaks(error) for error in await shop.errors()] == [[]]
    texts = [text for _, text in await shop.said()]
    assert texts[0] == "heard 1"
    assert len(texts) == 2
    assert texts[1].startswith("Sorry, something went wrong on our side")


async def test_a_tenant_whose_credentials_no_key_opens_stops_no_other(shop):
    await shop.open(number="2")
    sealed = b"\x01gone" + bytes(60)
    async with shop.database.transaction(OWNER) as connection:
        lost = await connection.scalar(sa.select(tenants.c.id).where(tenants.c.phone_number_id == "2"))
        await connection.execute(
            sa.insert(credentials).values(tenant_id=lost, part="whatsapp", sealed=sealed)
        )
    await shop.hears("254712345678", "echo 1", number="2")
    await shop.hears("254712345678", "echo 2")
    for _ in range(MOST_TRIES):
        await shop.until_quiet()
        shop.clock.now += timedelta(minutes=2)
    assert [text for _, text in await shop.said()] == ["heard 2"]
    assert await shop.states() == {"parked": 1, "done": 1}


async def test_what_comes_after_a_failing_event_waits_for_it(shop):
    await shop.hears("254712345678", "fall", "echo 2")
    await shop.until_quiet()
    assert await shop.said() == []
    for _ in range(MOST_TRIES):
        shop.clock.now += timedelta(minutes=2)
        await shop.until_quiet()
    assert [text for _, text in await shop.said()][-1] == "heard 2"


async def test_a_process_that_dies_in_a_turn_leaves_its_try_counted(shop):
    await shop.hears("254712345678", "echo 1")
    async with shop.database.transaction(OWNER) as connection:  # what earlier deaths left
        await connection.execute(sa.update(inbox).values(tries=MOST_TRIES))
    await shop.until_quiet()
    assert await shop.states() == {"parked": 1}


class UnrungBell(Bell):
    """Nothing ever rings, and no time passes."""

    def __init__(self):
        super().__init__()
        self.waited = asyncio.Event()

    async def wait(self, topic, seconds):
        self.waited.set()
        await asyncio.Future()


async def until_it_waits(shop):
    shop.bell = UnrungBell()
    running = asyncio.create_task(shop.worker().run())
    async with asyncio.timeout(30):
        await shop.bell.waited.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_more_than_a_batch_is_taken_without_being_rung_for_again(shop):
    await asyncio.gather(*(shop.hears(f"2547120000{n:02}", *["echo"] * 6) for n in range(50)))
    await until_it_waits(shop)
    assert await shop.states() == {"done": 300}


async def test_what_waits_behind_a_turn_of_its_own_is_taken_without_being_rung_for_again(shop):
    await shop.hears("254712345678", "ask", "echo 1", "ask", "echo 2")
    await until_it_waits(shop)
    assert await shop.states() == {"done": 4}


async def test_the_last_message_of_a_turn_that_waits_knows_what_it_answers(shop):
    """The others do not: the sign of typing would go with the next message."""
    await shop.hears("254712345678", "wait", "echo 1")
    async with shop.database.transaction(OWNER) as connection:
        read = await read_waiting(connection, *await due(connection, shop.clock()))
    chat = Chat(BUGGY, shop.vault, shop.tenants, shop.clock)
    played = [await chat.play(read.people[event.conversation_id], event, None) for event in read.events]
    assert [[m.reads for m in turn.messages] for turn in played] == [[None, "wamid.0"], [None]]


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_many_workers_play_each_event_once_and_in_order(shop):
    people = [f"2547123456{n:02}" for n in range(20)]
    for round_ in range(6):
        for phone in people:
            await shop.hears(phone, f"ask {2 * round_}", f"echo {2 * round_ + 1}")
    await shop.until_quiet(*(shop.worker() for _ in range(4)))
    while (await shop.states())["waiting"]:
        shop.clock.now += timedelta(seconds=11)
        await shop.until_quiet(*(shop.worker() for _ in range(4)))
    assert await shop.states() == {"done": 240}
    by_chat: dict[object, list[str]] = {}
    for chat, text in await shop.said():
        by_chat.setdefault(chat, []).append(text)
    expected = [f"heard {n}" for n in range(12)]
    assert all(texts == expected for texts in by_chat.values())
    assert len(by_chat) == 20
    async with shop.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(sa.func.max(inbox.c.tries))) == 1
