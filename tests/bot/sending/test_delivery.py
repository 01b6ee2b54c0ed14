"""Delivery on both databases, against a Graph API that answers as told: order, waits, and what is unknown."""

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.http import open_session
from bot.sending import outbox as outbox_of
from bot.sending.delivery import Delivery
from bot.sending.message import LEASE
from bot.sending.statuses import Statuses
from bot.talk import Outgoing, Person
from bot.whatsapp.client import WhatsApp
from bot.whatsapp.incoming import read
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import conversations, credentials, outbox, tenants
from services.store.scope import OWNER
from tests.bot.canary import CANARY, leaks
from tests.bot.market import until
from tests.bot.test_turns import Shop

TOO_FAST_TO_THEM, TOO_FAST, TOKEN_EXPIRED, WINDOW, UNDELIVERABLE = 131056, 130429, 190, 131047, 131026
UNAVAILABLE = 131016


class Graph:
    """Accepts every message; `answers`, by text, say otherwise, each once."""

    def __init__(self):
        self.got, self.times, self.marks = [], defaultdict(list), []
        self.answers = defaultdict(list)
        self.on_their_way = defaultdict(int)
        self.slow, self.words = 0.0, "no"
        self.reads, self.receipts_fail = [], False
        self.receipts_go_on = asyncio.Event()
        self.receipts_go_on.set()

    async def messages(self, request):
        body = await request.json()
        if body.get("status") == "read":
            self.reads.append(body)
            await self.receipts_go_on.wait()
            if self.receipts_fail:
                request.transport.close()
            return web.json_response({"success": True})
        to = body["to"]
        text = body["template"]["name"] if "template" in body else body["text"]["body"]
        self.on_their_way[to] += 1
        assert self.on_their_way[to] == 1, "two messages to one person at once"
        await asyncio.sleep(self.slow)
        self.on_their_way[to] -= 1
        self.got.append((to, text))
        self.marks.append(body["biz_opaque_callback_data"])
        answer = self.answers[text].pop(0) if self.answers[text] else None
        if answer == "break":
            request.transport.close()
            return web.Response()
        if answer is not None:
            return web.json_response({"error": {"code": answer, "message": self.words}}, status=400)
        return web.json_response({"messages": [{"id": f"wamid.{len(self.got)}"}]})

    async def was_told_of_reading(self):
        return self.reads

    def texts(self, number):
        return [text for to, text in self.got if to == f"+25470000000{number}"]


class Post:
    """People with a conversation each, and what is said to them."""

    def __init__(self, shop, graph, url, http):
        self.shop, self.graph, self.url, self.http = shop, graph, url, http
        self.clock, self.database, self.vault = shop.clock, shop.database, shop.vault
        self.delivery = self.another()

    def another(self, **options):
        whatsapp = WhatsApp(self.http, self.url, "v25.0")
        book = TenantBook(self.database, self.vault, self.clock)
        return Delivery(self.database, self.vault, book, whatsapp, Bell(), self.clock, **options)

    async def open(self, people):
        async with self.database.transaction(OWNER) as connection:
            self.tenant = await connection.scalar(sa.select(tenants.c.id))
            sealed = self.vault.seal(b'{"access_token": "t"}', self.tenant, "credentials.sealed", "whatsapp")
            await connection.execute(
                sa.insert(credentials).values(tenant_id=self.tenant, part="whatsapp", sealed=sealed)
            )
        for n in range(people):
            await self.shop.hears(f"25470000000{n}", "hello")
        await self.writes()
        async with self.database.reading(OWNER) as connection:
            rows = (await connection.execute(sa.select(conversations))).all()
        self.people = sorted((self._person(row) for row in rows), key=lambda person: person.name)
        return self

    def _person(self, row):
        where = (row.tenant_id, "conversations.phone", str(row.id))
        name = self.vault.open(row.phone_sealed, *where).decode()
        sealed = (row.phone_sealed, None, None)
        more = {"heard_at": row.heard_at, "stopped": False, "quiet": False}
        return Person(row.tenant_id, row.id, row.person_id, name, "en", frozenset(), *sealed, **more)

    async def says(self, *texts, to=0, delivery=None, **why):
        """As a turn does: written in a commit, then told to the delivery."""
        person = self.people[to]
        messages = [
            Outgoing(person, json.dumps({"type": "text", "text": {"body": t}}).encode(), **why) for t in texts
        ]
        async with self.database.transaction(OWNER) as connection:
            await written(connection, self.vault, messages, self.clock())
        if delivery is not None:
            delivery.follow([(person.tenant_id, person.conversation_id)])

    async def deliver(self, *deliveries):
        """Until nothing more is due."""
        for delivery in deliveries or (self.delivery,):
            while await delivery.once() or delivery._sending:
                await asyncio.gather(*delivery._sending)

    async def states(self):
        async with self.database.reading(OWNER) as connection:
            return list(
                (await connection.execute(sa.select(outbox.c.state).order_by(outbox.c.seq))).scalars()
            )

    async def writes(self):
        """All of them have just been heard."""
        async with self.database.transaction(OWNER) as connection:
            await connection.execute(sa.update(conversations).values(heard_at=self.clock()))

    async def graph_got(self):
        return self.graph.got

    async def all_sent(self):
        return set(await self.states()) == {"sent"}

    async def says_at_once(self, text, to=0):
        """As a turn does whose person has nothing under way: its delivery is handed the message."""
        said = [
            Outgoing(
                replace(self.people[to], quiet=True),
                json.dumps({"type": "text", "text": {"body": text}}).encode(),
            )
        ]
        async with self.database.transaction(OWNER) as connection:
            room = self.delivery.room
            ours = await written(connection, self.vault, said, self.clock(), room=room)
        self.delivery.hand_over(ours)
        while self.delivery._sending:
            await asyncio.gather(*self.delivery._sending)

    async def hears_status(self, word, *, wamid, opaque=None, **more):
        status = {"id": wamid, "status": word, "timestamp": "1795510800", "recipient_id": "254700000000"}
        status |= {"biz_opaque_callback_data": opaque} if opaque else {}
        status |= more
        metadata = {"phone_number_id": "106540352242922"}
        value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
        change = {"value": value, "field": "messages"}
        envelope = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
        await self.shop.intake.store(read(json.dumps(envelope).encode()))
        while await Statuses(self.database, self.vault, Bell(), self.clock).once():
            pass


@pytest.fixture
async def post(database, vault):
    graph, app = Graph(), web.Application()
    app.router.add_post("/v25.0/106540352242922/messages", graph.messages)
    async with TestServer(app) as server, open_session() as http:
        shop = await Shop(database, vault).open()
        yield await Post(shop, graph, str(server.make_url("")).rstrip("/"), http).open(people=3)


async def test_each_person_gets_their_messages_in_order_whoever_else_waits(post):
    post.graph.slow = 0.005
    for n in range(10):
        for to in range(3):
            await post.says(f"{n}", to=to)
    await post.deliver()
    assert all(post.graph.texts(to) == [f"{n}" for n in range(10)] for to in range(3))
    assert await post.states() == ["sent"] * 30


async def test_what_is_said_behind_a_message_under_way_follows_it_without_a_look_at_all_that_waits(post):
    await post.says("first")
    post.graph.slow = 0.05
    claim = asyncio.create_task(post.delivery.once())
    await asyncio.sleep(0.02)
    await post.says("second", delivery=post.delivery)
    await post.says("third", delivery=post.delivery)
    await claim
    while post.delivery._sending:
        await asyncio.gather(*post.delivery._sending)
    assert post.graph.texts(0) == ["first", "second", "third"]


async def test_what_follows_a_message_that_has_just_been_sent_goes_at_once(post):
    await post.says("first", delivery=post.delivery)
    await until(post.all_sent)
    assert post.graph.texts(0) == ["first"]


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_several_workers_send_each_message_once_and_in_order(post):
    post.graph.slow = 0.002
    workers = [post.another() for _ in range(3)]
    for n in range(15):
        for to in range(3):
            await post.says(f"{n}", to=to, delivery=workers[n % 3])
    async with asyncio.timeout(20):
        while set(await post.states()) != {"sent"}:
            await asyncio.gather(*(worker.once() for worker in workers))
            await asyncio.sleep(0.01)
    assert all(post.graph.texts(to) == [f"{n}" for n in range(15)] for to in range(3))


async def test_too_fast_to_a_person_makes_only_them_wait_and_longer_each_time(post):
    post.graph.answers["a"] = [TOO_FAST_TO_THEM, TOO_FAST_TO_THEM]
    await post.says("a", "b")
    await post.says("c", to=1)
    await post.deliver()
    assert (post.graph.texts(0), post.graph.texts(1)) == (["a"], ["c"])
    post.clock.now += timedelta(seconds=4)
    await post.deliver()
    post.clock.now += timedelta(seconds=15)
    await post.deliver()
    assert post.graph.texts(0) == ["a", "a"]
    post.clock.now += timedelta(seconds=1)
    await post.deliver()
    assert post.graph.texts(0) == ["a", "a", "a", "b"]


@pytest.mark.parametrize(("code", "seconds"), [(TOO_FAST, 5), (TOKEN_EXPIRED, 60)])
async def test_a_tenants_number_rests_and_nobodys_message_is_given_up_for_it(post, code, seconds):
    post.graph.answers["a"] = [code] * 12
    await post.says("a", "b")
    await post.deliver()
    await post.says("c", to=1)
    await post.deliver()
    assert post.graph.got == [("+254700000000", "a")]
    for _ in range(12):
        post.clock.now += timedelta(seconds=seconds)
        await post.deliver()
    assert post.graph.texts(0)[-2:] == ["a", "b"]
    assert post.graph.texts(1) == ["c"]
    assert await post.states() == ["sent"] * 3


async def test_while_a_number_rests_what_turns_say_waits_too(post):
    post.graph.answers["a"] = [TOO_FAST]
    await post.says_at_once("a")
    await post.says_at_once("b", to=1)
    assert post.graph.got == [("+254700000000", "a")]
    post.clock.now += timedelta(seconds=5)
    await post.deliver()
    assert (post.graph.texts(0), post.graph.texts(1)) == (["a", "a"], ["b"])
    async with post.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(sa.func.max(outbox.c.tries))) == 1


async def test_a_message_that_will_never_arrive_is_given_up_with_its_reason_and_lets_the_next_go(post):
    post.graph.answers["a"] = [UNDELIVERABLE]
    await post.says("a", "b")
    await post.deliver()
    assert post.graph.texts(0) == ["a", "b"]
    assert await post.states() == ["failed", "sent"]
    async with post.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(sa.func.min(outbox.c.error))) == f"{UNDELIVERABLE}: no"


async def test_of_what_meta_says_of_a_person_nothing_is_kept(post):
    post.graph.words = CANARY
    post.graph.answers["a"] = [UNDELIVERABLE]
    await post.says("a", "b")
    await post.deliver()
    await post.hears_status("failed", wamid="wamid.2", errors=[{"code": 131026, "title": CANARY}])
    assert await post.states() == ["failed", "failed"]
    async with post.database.reading(OWNER) as connection:
        kept = (await connection.execute(sa.select(outbox.c.error))).scalars().all()
    assert [leaks(error) for error in kept] == [[], []]


async def test_a_closed_window_holds_the_message_until_the_person_writes_again(post):
    post.graph.answers["a"] = [WINDOW]
    await post.says("a")
    await post.deliver()
    assert await post.states() == ["held"]
    post.clock.now += timedelta(hours=1)
    await post.deliver()
    assert await post.states() == ["held"]
    await post.writes()
    await post.deliver()
    assert await post.states() == ["sent"]


async def test_a_window_that_a_status_says_is_closed_holds_the_message_too(post):
    await post.says("a")
    await post.deliver()
    error = {"code": WINDOW, "title": "Re-engagement message", "error_data": {"details": "24 hours"}}
    await post.hears_status("failed", wamid="wamid.1", errors=[error])
    await post.hears_status("sent", wamid="wamid.1")
    post.clock.now += timedelta(hours=1)
    await post.deliver()
    assert await post.states() == ["held"]
    await post.writes()
    await post.deliver()
    assert post.graph.texts(0) == ["a", "a"]
    await post.hears_status("delivered", wamid="wamid.2")
    assert await post.states() == ["delivered"]


async def test_a_message_that_no_key_opens_stops_no_other(post):
    await post.says("a")
    async with post.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(outbox).values(body_sealed=b"\x01gone" + bytes(60)))
    await post.says("b")
    await post.says("c", to=1)
    await post.deliver()
    assert (post.graph.texts(0), post.graph.texts(1)) == (["b"], ["c"])
    assert await post.states() == ["failed", "sent", "sent"]


class AwayAtFirst:
    """A database that is there from the second look on."""

    def __init__(self, database):
        self._database, self._away = database, True

    def transaction(self, whose):
        return self._once_there().transaction(whose)

    def driver(self):
        return self._once_there().driver()

    def _once_there(self):
        if self._away:
            self._away = False
            raise ConnectionResetError
        return self._database


async def test_what_was_sent_is_not_sent_again_where_the_database_was_away_for_a_moment(post):
    post.delivery._database = AwayAtFirst(post.database)
    await post.says_at_once("a")
    for _ in range(3):
        post.clock.now += timedelta(minutes=1)
        await post.deliver(post.another())
    assert post.graph.texts(0) == ["a"]
    assert await post.states() == ["sent"]


async def test_an_unknown_send_is_settled_by_its_status_and_not_sent_again(post):
    post.graph.answers["a"] = ["break"]
    await post.says("a", "b")
    await post.deliver()
    assert await post.states() == ["unknown", "waiting"]
    await post.hears_status("delivered", wamid="wamid.x", opaque=post.graph.marks[0])
    await post.deliver()
    assert await post.states() == ["delivered", "sent"]
    post.clock.now += timedelta(hours=1)
    await post.deliver()
    assert post.graph.texts(0) == ["a", "b"]


async def test_an_unknown_send_without_a_status_is_sent_again_a_few_times_and_then_given_up(post):
    post.graph.answers["a"] = ["break"] * 9
    await post.says("a", "b")
    for _ in range(20):
        await post.deliver()
        post.clock.now += timedelta(minutes=3)
    assert post.graph.texts(0) == ["a", "a", "a", "b"]
    assert await post.states() == ["failed", "sent"]


async def test_what_was_refused_for_a_while_is_not_given_up_at_its_first_unknown_send(post):
    post.graph.answers["a"] = [UNAVAILABLE] * 4 + ["break"]
    await post.says("a")
    for _ in range(20):
        await post.deliver()
        post.clock.now += timedelta(minutes=3)
    assert post.graph.texts(0) == ["a"] * 6
    assert await post.states() == ["sent"]


async def test_what_cannot_be_sent_for_hours_is_sent_once_whatsapp_can_be_reached(post):
    there = post.url
    post.url = "http://127.0.0.1:9"  # nobody listens on the discard port
    await post.says("a", "b")
    away = post.another()
    for _ in range(10):
        await post.deliver(away)
        post.clock.now += timedelta(hours=1)
    assert await post.states() == ["waiting", "waiting"]
    post.url = there
    await post.deliver(post.another())
    assert post.graph.texts(0) == ["a", "b"]


async def test_what_cannot_be_sent_for_a_day_is_given_up(post):
    post.url = "http://127.0.0.1:9"
    await post.says("a")
    post.clock.now += timedelta(hours=24, seconds=1)
    await post.writes()
    await post.deliver(post.another())
    assert await post.states() == ["failed"]


async def test_what_meta_is_too_ill_to_take_is_tried_for_many_minutes(post):
    post.graph.answers["a"] = [UNAVAILABLE] * 11
    await post.says("a")
    began = post.clock.now
    while await post.states() != ["sent"]:
        post.clock.now += timedelta(minutes=1)
        await post.deliver()
    assert post.clock.now - began > timedelta(minutes=15)


async def test_what_a_process_that_died_had_taken_is_sent_after_its_lease(post):
    await post.says("a", "b")
    async with post.database.transaction(OWNER) as connection:
        taken = await outbox_of.claim(connection, post.vault, post.clock(), [], 10)
    assert len(taken) == 1
    await post.deliver()
    assert post.graph.got == []
    post.clock.now += LEASE
    await post.deliver()
    assert post.graph.texts(0) == ["a", "b"]


async def test_a_delivery_that_ends_finishes_what_it_has_begun_and_begins_nothing(post):
    post.graph.slow = 0.05
    await post.says("a", "b")
    await post.delivery.once()
    await post.delivery.drain()
    assert post.graph.texts(0) == ["a"]
    assert await post.states() == ["sent", "waiting"]
    await post.deliver(post.another())
    assert post.graph.texts(0) == ["a", "b"]


async def test_statuses_only_move_forward(post):
    await post.says("a")
    await post.deliver()
    told = []
    for word in ("read", "delivered", "sent", "failed", "played"):
        await post.hears_status(word, wamid="wamid.1")
        told += await post.states()
    assert told == ["read", "read", "read", "read", "played"]


async def test_a_status_brings_nothing_back_of_a_message_that_was_erased(post):
    """The id that Meta has for it holds the number of who was erased."""
    await post.says("a")
    await post.deliver()
    async with post.database.transaction(OWNER) as connection:
        struck = sa.update(outbox).values(body_sealed=b"", wamid="erased-1", error=None)
        await connection.execute(struck)
        seq = await connection.scalar(sa.select(outbox.c.seq))
    reasons = {"errors": [{"code": 131047, "title": "to 254700000000"}]}
    for word, more in (("delivered", {}), ("failed", reasons), ("played", {})):
        await post.hears_status(word, wamid="wamid.1", opaque=str(seq), **more)
    async with post.database.reading(OWNER) as connection:
        left = (await connection.execute(sa.select(outbox.c.wamid, outbox.c.error, outbox.c.state))).all()
    assert left == [("erased-1", None, "sent")]


async def test_a_send_that_failed_later_stays_failed(post):
    await post.says("a")
    await post.deliver()
    await post.hears_status("failed", wamid="wamid.1")
    await post.hears_status("sent", wamid="wamid.1")
    assert await post.states() == ["failed"]


async def written(connection, *said, room=0):
    """As a turn writes what it says."""
    rows, ours = await outbox_of.rows(connection, *said, room=room)
    await outbox_of.INSERT(connection, rows)
    return ours


def waiting(post, *texts, to=0):
    """A turn's messages, of which the first lets the person wait for somebody else."""
    bodies = [json.dumps({"type": "text", "text": {"body": text}}).encode() for text in texts]
    person = replace(post.people[to], quiet=True)
    return [Outgoing(person, bodies[0], "wamid.asked"), *(Outgoing(person, body) for body in bodies[1:])]


async def deliver_at_once(post, messages, delivery=None):
    async with post.database.transaction(OWNER) as connection:
        ours = await written(connection, post.vault, messages, post.clock(), room=10)
    (delivery or post.delivery).hand_over(ours)


async def test_once_a_wait_is_told_the_persons_message_is_read_and_we_are_seen_typing(post):
    await deliver_at_once(post, waiting(post, "wait", "more"))
    await until(post.all_sent)
    await until(post.graph.was_told_of_reading)
    assert post.graph.texts(0) == ["wait", "more"]
    assert [(r["message_id"], r["typing_indicator"]) for r in post.graph.reads] == [
        ("wamid.asked", {"type": "text"})
    ]


async def test_a_receipt_that_fails_costs_nothing(post):
    post.graph.receipts_fail = True
    await deliver_at_once(post, waiting(post, "wait"))
    await until(post.graph.was_told_of_reading)
    await post.delivery.drain()
    assert await post.states() == ["sent"]
    assert post.graph.texts(0) == ["wait"]


async def test_a_receipt_on_its_way_takes_no_messages_place_and_holds_up_no_end(post):
    post.graph.receipts_go_on.clear()
    narrow = post.another(abreast=1)
    await deliver_at_once(post, waiting(post, "wait", "more"), narrow)
    await until(post.graph.was_told_of_reading)
    await until(post.all_sent)

    async def has_room():
        return narrow.room == 1

    await until(has_room)
    async with asyncio.timeout(1):
        await narrow.drain()
    post.graph.receipts_go_on.set()


async def test_there_are_never_more_receipts_on_their_way_than_a_few(post):
    post.graph.receipts_go_on.clear()
    for _ in range(30):
        await deliver_at_once(post, [*waiting(post, "wait"), *waiting(post, "wait", to=1)])
        await until(post.all_sent)
    assert 1 <= len(post.graph.reads) <= 50
    post.graph.receipts_go_on.set()


async def test_a_number_that_rests_sends_no_receipt(post):
    post.graph.slow = 0.1
    post.graph.answers["too fast"] = [TOO_FAST]
    await deliver_at_once(post, waiting(post, "too fast", to=1))
    await asyncio.sleep(0.05)
    await deliver_at_once(post, waiting(post, "wait"))
    while post.delivery._sending:
        await asyncio.gather(*post.delivery._sending)
    await asyncio.sleep(0.05)
    assert post.graph.texts(0) == ["wait"]
    assert post.graph.reads == []


async def test_a_message_that_was_not_sent_marks_nothing_as_read(post):
    post.graph.answers["wait"] = [UNDELIVERABLE]
    await deliver_at_once(post, waiting(post, "wait"))
    await until(post.graph_got)
    while post.delivery._sending:
        await asyncio.gather(*post.delivery._sending)
    assert post.graph.reads == []
