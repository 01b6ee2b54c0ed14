"""Documents on their way: made and uploaded by the delivery, against a Graph API that answers as told."""

import asyncio
import json
import math
import threading
from collections import deque
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.http import open_session
from bot.paper import papers
from bot.talk import Outgoing
from bot.whatsapp.client import NotSent
from services import ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.money import Money
from services.store.scope import OWNER
from services.work import Work
from tests.bot.sending.test_delivery import Post, written
from tests.bot.test_turns import Shop

CODE = {"kind": "QrCode", "media": "image", "content": "https://wa.me/254700000000?text=pay"}
BODY = {"_paper": CODE, "type": "image", "image": {"caption": "Scan it"}}


class Graph:
    """Takes uploads and messages; `uploads` and `sends` hold what is answered instead, each once."""

    def __init__(self):
        self.files, self.got = [], []
        self.uploads: deque[Any] = deque()
        self.sends: deque[Any] = deque()

    async def media(self, request):
        form = await request.post()
        self.files.append((form["file"].filename, form["type"], form["messaging_product"]))
        if self.uploads:
            return self.no(request, self.uploads.popleft())
        return web.json_response({"id": f"media-{len(self.files)}"})

    async def messages(self, request):
        body = await request.json()
        self.got.append(body[body["type"]])
        if self.sends:
            return self.no(request, self.sends.popleft())
        return web.json_response({"messages": [{"id": f"wamid.{len(self.got)}"}]})

    def no(self, request, answer):
        if answer == "break":
            request.transport.close()
            return web.Response()
        if answer == "nonsense":
            return web.json_response({"id": None})
        return web.json_response({"error": {"code": answer, "message": "no"}}, status=400)


@pytest.fixture
async def post(database, vault):
    graph, app = Graph(), web.Application()
    app.router.add_post("/v25.0/106540352242922/media", graph.media)
    app.router.add_post("/v25.0/106540352242922/messages", graph.messages)
    async with TestServer(app) as server, open_session() as http:
        shop = await Shop(database, vault).open()
        yield await Post(shop, graph, str(server.make_url("")).rstrip("/"), http).open(people=2)


async def say(post, body=BODY, to=0):
    async with post.database.transaction(OWNER) as connection:
        said = [Outgoing(post.people[to], json.dumps(body).encode())]
        await written(connection, post.vault, said, post.clock())


async def deliver(post, delivery=None, tries=1):
    """As often as it takes, with the waits between."""
    for _ in range(tries):
        await post.deliver(*([delivery] if delivery else []))
        post.clock.now += timedelta(minutes=11)


async def test_a_file_is_uploaded_and_named_in_the_message(post):
    await say(post)
    await deliver(post)
    assert post.graph.files == [("picture.png", "image/png", "whatsapp")]
    assert post.graph.got == [{"caption": "Scan it", "id": "media-1"}]
    assert await post.states() == ["sent"]


async def test_the_same_file_again_is_not_uploaded_again_while_meta_keeps_it(post):
    await say(post)
    await say(post, to=1)
    await deliver(post)
    await say(post)
    await deliver(post)
    assert len(post.graph.files) < 3
    before = len(post.graph.files)
    post.clock.now += timedelta(days=29)
    await post.writes()
    await say(post)
    await deliver(post)
    assert len(post.graph.files) == before + 1
    assert len(post.graph.got) == 4


async def test_after_a_crash_another_process_makes_and_uploads_it_anew(post):
    post.graph.sends.append("break")  # unknown: waits for a status, then goes out again
    await say(post)
    await deliver(post)
    await deliver(post, post.another(), tries=2)
    assert len(post.graph.files) == 2
    assert await post.states() == ["sent"]


@pytest.mark.parametrize("trouble", ["break", "nonsense", 131000, 131053, 130429, 190])
async def test_an_upload_that_fails_is_tried_again_and_nothing_is_sent_without_it(post, trouble):
    post.graph.uploads.extend([trouble] * 2)
    await say(post)
    await deliver(post, tries=2)
    assert post.graph.got == []
    await deliver(post)
    assert [each["id"] for each in post.graph.got] == ["media-3"]
    assert await post.states() == ["sent"]


async def test_an_upload_that_is_refused_for_good_is_given_up(post):
    post.graph.uploads.append(100)
    await say(post)
    await deliver(post, tries=2)
    assert (len(post.graph.files), post.graph.got) == (1, [])
    assert await post.states() == ["failed"]


async def test_a_refusal_of_the_message_uploads_anew(post):
    post.graph.sends.append(131053)
    await say(post)
    await deliver(post, tries=2)
    assert [each["id"] for each in post.graph.got] == ["media-1", "media-2"]
    assert await post.states() == ["sent"]


@pytest.fixture
def queue():
    """Keeps whoever makes papers busy until it is set."""
    free = threading.Event()
    papers._making.submit(free.wait)
    yield free
    free.set()


async def test_other_messages_go_out_while_a_page_is_made(post, queue):
    sheet = {
        "kind": "Sheet",
        "media": "document",
        "heading": "Mama Njeri",
        "title": "Receipt",
        "facts": [],
        "columns": ["Item", "Quantity", "Price", "Total"],
        "rows": [["Soap", "1", "1", "1"]] * 50,
        "total": ["Total", "50"],
        "at": "2026-11-24T09:00:00+00:00",
    }
    body = {"_paper": sheet, "type": "document", "document": {"caption": "c", "filename": "r.pdf"}}
    await say(post, body)
    await say(post, {"type": "text", "text": {"body": "Hi"}}, to=1)
    delivering = asyncio.create_task(post.deliver())
    while not post.graph.got:
        assert not delivering.done()
        await asyncio.sleep(0)
    assert (post.graph.files, post.graph.got) == ([], [{"body": "Hi"}])
    queue.set()
    await delivering
    assert post.graph.files == [("r.pdf", "application/pdf", "whatsapp")]


async def test_a_file_behind_many_others_outlives_no_lease_and_is_tried_again(post, queue):
    """However long the others take; and alone it is made, however slow the machine."""
    delivery = post.delivery
    tenant = await delivery._tenants.by_id(post.tenant)
    asked = (tenant, "106540352242922", "t", json.dumps(BODY).encode())

    def within(seconds):
        return papers.Papers(delivery._whatsapp, post.clock, delivery._papers._statements, seconds)

    assert await within(0.01).named(*asked) == NotSent("its file waits for those of others")
    assert post.graph.files == []
    queue.set()
    assert isinstance(await within(math.inf).named(*asked), bytes)


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("pdf", "application/pdf"),
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
async def test_a_statement_is_read_when_it_is_sent(post, form, media_type):
    since, until = post.clock.now, post.clock.now + timedelta(minutes=1)
    paper = {
        "kind": "StatementFile",
        "media": "document",
        "form": form,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "language": "sw",
    }
    name = f"statement.{form}"
    await say(post, {"_paper": paper, "type": "document", "document": {"caption": "c", "filename": name}})
    async with post.database.transaction(OWNER) as connection:
        sale = Transfer("provider:mpesa", WALLET, Money(500_00, "KES"), "sale")
        await ledger.post(Work(connection, post.vault, post.tenant, since), new_id(), [sale])
    await deliver(post)
    assert post.graph.files == [(name, media_type, "whatsapp")]
    assert post.graph.got == [{"caption": "c", "filename": name, "id": "media-1"}]
