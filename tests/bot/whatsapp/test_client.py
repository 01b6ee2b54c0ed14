import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.whatsapp.client import NotSent, Refused, Sent, UnknownSend, WhatsApp
from bot.whatsapp.errors import Verdict, verdict


@pytest.fixture
async def graph(aiohttp_server):
    """A Graph API that answers what the test tells it."""

    async def answer(request):
        seen.append((request.path, request.headers["Authorization"], await request.json()))
        act: Any = answers.pop(0)
        if act == "drop":
            request.transport.close()
            return web.Response()
        status, body = act
        return web.Response(status=status, body=body if isinstance(body, bytes) else json.dumps(body))

    seen: list[object] = []
    answers: list[object] = []
    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    server = await aiohttp_server(app)
    async with aiohttp.ClientSession() as http:
        yield WhatsApp(http, str(server.make_url("")), "v25.0"), answers, seen


async def test_an_accepted_message_has_an_id(graph):
    whatsapp, answers, seen = graph
    answers.append((200, {"messages": [{"id": "wamid.1"}]}))
    assert await whatsapp.send("106", "token", b'{"type": "text"}') == Sent("wamid.1")
    assert seen == [("/v25.0/106/messages", "Bearer token", {"type": "text"})]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 131056, Verdict.PAUSE_PAIR),
        (429, 130429, Verdict.PAUSE_NUMBER),
        (401, 190, Verdict.STOP_AND_ALERT),
        (403, 200, Verdict.STOP_AND_ALERT),
        (400, 131047, Verdict.WINDOW_CLOSED),
        (400, 131026, Verdict.GIVE_UP),
        (400, 131062, Verdict.GIVE_UP),
        (500, 131000, Verdict.RETRY),
        (400, 999999, Verdict.GIVE_UP),
        (429, 999999, Verdict.PAUSE_NUMBER),
        (503, 999999, Verdict.RETRY),
    ],
)
async def test_a_refusal_carries_what_to_do(graph, status, code, expected):
    whatsapp, answers, _ = graph
    error = {"code": code, "message": "(#1) no", "error_data": {"details": "because"}}
    answers.append((status, {"error": error}))
    assert await whatsapp.send("106", "token", b"{}") == Refused(expected, "because", code)


@pytest.mark.parametrize("answer", ["drop", (500, b"<html>"), (200, b"{"), (200, {}), (200, []), (502, b"")])
async def test_what_is_not_told_plainly_is_unknown(graph, answer):
    whatsapp, answers, _ = graph
    answers.append(answer)
    assert isinstance(await whatsapp.send("106", "token", b"{}"), UnknownSend)


async def test_nobody_there_means_not_sent():
    async with aiohttp.ClientSession() as http:
        whatsapp = WhatsApp(http, "http://127.0.0.1:9", "v25.0")
        assert isinstance(await whatsapp.send("106", "token", b"{}"), NotSent)
        assert not await whatsapp.mark_read("106", "token", "wamid.1")


async def test_no_connection_in_time_means_not_sent():
    reached = asyncio.Event()

    async def never_answers(reader, writer):
        reached.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answers, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    one = aiohttp.TCPConnector(limit=1)
    async with server, aiohttp.ClientSession(connector=one) as http:
        timeout = aiohttp.ClientTimeout(total=0.2, connect=0.1)
        whatsapp = WhatsApp(http, url, "v25.0", timeout=timeout)
        first = asyncio.create_task(whatsapp.send("106", "token", b"{}"))
        await reached.wait()
        assert isinstance(await whatsapp.send("106", "token", b"{}"), NotSent)
        assert isinstance(await first, UnknownSend)


async def test_a_read_receipt_shows_that_we_are_typing(graph):
    whatsapp, answers, seen = graph
    answers.append((200, {"success": True}))
    assert await asyncio.wait_for(whatsapp.mark_read("106", "token", "wamid.1"), 5)
    assert seen[0][2]["typing_indicator"] == {"type": "text"}


def test_a_429_without_a_code_rests_the_number():
    assert verdict(429, None) is Verdict.PAUSE_NUMBER
    assert verdict(404, None) is Verdict.GIVE_UP
