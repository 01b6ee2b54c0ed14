"""Door: the short way takes what can be read in one way only, and answers as aiohttp's way does."""

import asyncio
import contextlib
import json
import re
import time

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Answer
from bot.door import Doors, plain_update
from tests.bot import door as doors

UPDATE = json.dumps(doors.envelope(doors.text("wamid.1"))).encode()


def head(*lines, body=UPDATE, start="POST /webhooks/whatsapp HTTP/1.1", signature=None, length=None):
    signature = signature or doors.signed(body, doors.NEW_SECRET)
    usual = (
        "Host: pay.example",
        "User-Agent: facebookexternalua",
        "Content-Type: application/json",
        f"X-Hub-Signature-256: {signature}",
        f"Content-Length: {len(body) if length is None else length}",
    )
    return "\r\n".join((start, *usual, *lines, "\r\n")).encode()


def request(*lines, body=UPDATE, **options):
    return head(*lines, body=body, **options) + body


# --- what is taken ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Accept: */*",),
        ("Accept:",),
        ("X-Forwarded-For:  \t1.2.3.4, 5.6.7.8 ",),
        ("Connection: Keep-Alive",),
    ],
)
def test_a_plain_post_of_updates_is_taken(lines):
    assert plain_update(request(*lines)) == (doors.signed(UPDATE, doors.NEW_SECRET), UPDATE)


OTHERS = {
    "another path": request(start="POST /webhooks/whatsapp/ HTTP/1.1"),
    "a query": request(start="POST /webhooks/whatsapp?x HTTP/1.1"),
    "an absolute address": request(start="POST http://pay.example/webhooks/whatsapp HTTP/1.1"),
    "the old protocol": request(start="POST /webhooks/whatsapp HTTP/1.0"),
    "another method": request(start="GET /webhooks/whatsapp HTTP/1.1"),
    "a body in chunks": request("Transfer-Encoding: chunked"),
    "a compressed body": request("Content-Encoding: gzip"),
    "a wish to be asked first": request("Expect: 100-continue"),
    "another protocol": request("Upgrade: websocket", "Connection: Upgrade"),
    "an end after this": request("Connection: close"),
    "a length twice": request(f"Content-Length: {len(UPDATE)}"),
    "two lengths in one": request(length=f"{len(UPDATE)}, {len(UPDATE)}"),
    "a length with a sign": request(length=f"+{len(UPDATE)}"),
    "a length in other digits": request(length="\u0661"),
    "no length": request(length=""),
    "a length of millions": request(length="99999999"),
    "two signatures": request("x-hub-signature-256: sha256=00"),
    "two hosts": request("Host: other.example"),
    "no host": request().replace(b"Host: pay.example\r\n", b""),
    "a folded line": request("X-A: b\r\n c"),
    "a bare line feed": request("X-A: b\nX-B: c"),
    "a bare carriage return": request("X-A: b\rc"),
    "a NUL": request("X-A: b\0"),
    "a byte that is no ASCII": request("X-A: \u00e9"),
    "a space before the colon": request("X-A : b"),
    "a line without a name": request(": b"),
    "a line without a colon": request("X-A"),
    "an empty first line": b"\r\n" + request(),
    "less than the head": head()[:-1],
    "less than the body": request()[:-1],
    "more than the body": request() + b"G",
    "two at once": request() * 2,
    "a head that is too long": request("X-A: " + "b" * 9000),
    "nothing": b"",
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_is_left_to_aiohttp(name):
    assert plain_update(OTHERS[name]) is None


_NAMES = (
    "Host",
    "host",
    "Content-Length",
    "X-Hub-Signature-256",
    "X-A",
    "TE",
    "Connection",
    "Accept",
    "X A",
    "",
)
_VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "5",
            "05",
            "7",
            "a",
            "a b",
            "\ta ",
            "keep-alive",
            "close",
            "chunked",
            "sha256=ab",
            "a\0",
            "\u00e9",
        ]
    ),
    st.text(max_size=5),
)
_LINES = st.lists(
    st.tuples(st.sampled_from(_NAMES), st.sampled_from([":", ": ", " :", ""]), _VALUES), max_size=5
)
_ENDS = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n "])


@given(
    lines=_LINES,
    ends=st.lists(_ENDS, min_size=8, max_size=8),
    body=st.binary(max_size=8),
    told=st.integers(0, 8),
)
def test_what_is_taken_is_read_by_aiohttp_in_the_same_way(lines, ends, body, told):
    told = told if told < 5 else len(body)
    written = [f"{name}{colon}{value}" for name, colon, value in lines]
    usual = ["Host: a", f"Content-Length: {told}", *written]
    text = "POST /webhooks/whatsapp HTTP/1.1\r\n" + "".join(map("".join, zip(usual, ends, strict=False)))
    data = text.encode("utf-8", "surrogatepass") + b"\r\n" + body
    taken = plain_update(data)
    if taken is not None:
        assert taken == read_by_aiohttp(data)


def read_by_aiohttp(data):
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16)
        ((message, body),), upgraded, tail = parser.feed_data(data)
        assert (message.method, message.path, tuple(message.version)) == (
            "POST",
            "/webhooks/whatsapp",
            (1, 1),
        )
        assert not any((upgraded, tail, message.should_close, message.chunked, message.compression))
        assert body.is_eof()
        return message.headers.get("X-Hub-Signature-256"), loop.run_until_complete(body.read())


@pytest.mark.parametrize(
    "filler", [b"X-A:" + b" " * 200_000 + b"\0", b"X-A: " + b"a " * 100_000 + b"\0", b"a" * 200_000]
)
def test_no_head_takes_longer_than_its_length(filler):
    start = time.process_time()
    assert plain_update(request().replace(b"Host:", filler + b"\r\nHost:")) is None
    assert plain_update(request().replace(b"Host:", filler[:7000] + b"\0\r\nHost:")) is None
    assert (
        time.process_time() - start < 1
    )  # a second for what takes microseconds; squared it would be minutes


# --- how it is answered -------------------------------------------------------------------------------


class Line:
    """A connection, byte by byte."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self):
        """Status, text and whether the connection goes on."""
        async with asyncio.timeout(5):
            told = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", told, re.IGNORECASE)
            text = await self.reader.readexactly(int(length[1])) if length else b""
        return int(told[9:12]), text.decode(), b"connection: close" not in told.lower()

    async def is_closed(self):
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


@pytest.fixture
async def open_door(sqlite, vault):
    async with doors.opened(sqlite, vault) as door:
        await door.open_shop()
        yield door


@contextlib.asynccontextmanager
async def line_to(url):
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def line(open_door):
    async with line_to(open_door.url) as line:
        yield line


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (UPDATE, None),
        (b"{}", None),
        (b"[]", None),
        (b"no json", None),
        (b"", None),
        (b"[" * 100 + b"]" * 100, None),
        (UPDATE, "sha256=" + "0" * 64),
        (UPDATE, "nonsense"),
    ],
)
async def test_both_ways_give_the_same_answer(open_door, body, signature):
    answers = []
    for cut in (0, 40):  # in one piece the short way, in two aiohttp's
        async with line_to(open_door.url) as line:
            data = request(body=body, signature=signature)
            await line.send(data[:cut])
            await asyncio.sleep(0.05)
            await line.send(data[cut:])
            answers.append(await line.answer())
    assert answers[0] == answers[1]


async def test_one_connection_goes_on_from_the_short_way_to_the_long_one(open_door, line):
    for n in range(3):
        await line.send(request(body=json.dumps(doors.envelope(doors.text(f"wamid.{n}"))).encode()))
        assert await line.answer() == (200, "", True)
    await line.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await line.answer())[0] == 200
    await line.send(request(body=json.dumps(doors.envelope(doors.text("wamid.9"))).encode()))
    assert await line.answer() == (200, "", True)
    assert await open_door.stored("external_id") == ["wamid.0", "wamid.1", "wamid.2", "wamid.9"]


async def test_requests_sent_before_the_answer_are_answered_in_order(open_door, line):
    bodies = [json.dumps(doors.envelope(doors.text(f"wamid.{n}"))).encode() for n in range(5)]
    await line.send(request(body=bodies[0]))
    await line.send(b"".join(request(body=body) for body in bodies[1:]) + request(signature="sha256=00"))
    assert [(await line.answer())[0] for _ in range(6)] == [200] * 5 + [401]
    assert await open_door.stored("external_id") == [f"wamid.{n}" for n in range(5)]


async def test_a_large_update_that_comes_in_pieces_is_taken(open_door, line):
    body = json.dumps(doors.envelope(*(doors.text(f"wamid.{n}") for n in range(800)))).encode()
    data = request(body=body)
    for start in range(0, len(data), 50_000):
        await line.send(data[start : start + 50_000])
        await asyncio.sleep(0.005)
    assert await line.answer() == (200, "", True)
    assert len(await open_door.stored("external_id")) == 800


async def test_nonsense_is_400_and_the_connection_ends(line):
    await line.send(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert (await line.answer())[0] == 400
    assert await line.is_closed()


# --- a slow or failing inside -------------------------------------------------------------------------


class Meta:
    """Answers when the test says so."""

    def __init__(self):
        self.taken, self.fails = [], False

    def take(self, _body, _signature):
        if self.fails:
            raise RuntimeError("a bug")
        self.taken.append(asyncio.get_running_loop().create_future())
        return self.taken[-1]

    def stored(self, _stored):
        return Answer(200)


@pytest.fixture
async def slow():
    meta = Meta()
    opened = Doors(meta, lambda: pytest.fail("nothing here is for aiohttp"))
    server = await asyncio.get_running_loop().create_server(opened, "127.0.0.1", 0)
    async with line_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as line:
        yield meta, opened, line
    server.close()
    await opened.close(1)


async def until(look):
    async with asyncio.timeout(5):
        while not look():  # noqa: ASYNC110  a socket rings no bell
            await asyncio.sleep(0.005)


async def test_a_bug_is_500_so_that_meta_sends_it_again(slow):
    meta, _, line = slow
    meta.fails = True
    await line.send(request())
    assert await line.answer() == (500, "Something went wrong here. Please send this again.", True)


async def test_who_sends_on_without_an_answer_is_not_read_without_end(slow):
    meta, opened, line = slow
    await line.send(request())
    await until(lambda: meta.taken)
    flood = asyncio.create_task(line.send(b"x" * 50_000_000))
    await asyncio.sleep(0.3)
    (door,) = opened._open
    assert len(door._came) < 1_000_000
    flood.cancel()
    line.writer.transport.abort()


async def test_an_answer_under_way_is_given_before_the_end(slow):
    meta, opened, line = slow
    await line.send(request())
    await until(lambda: meta.taken)
    closing = asyncio.create_task(opened.close(5))
    await asyncio.sleep(0.02)
    meta.taken[0].set_result(None)
    assert await line.answer() == (200, "", False)
    await closing
    assert await line.is_closed()


async def test_who_waits_without_a_request_is_let_go_at_the_end(slow):
    _, opened, line = slow
    await until(lambda: opened._open)
    await opened.close(5)
    assert await line.is_closed()


async def test_who_has_gone_is_not_answered(slow):
    meta, opened, line = slow
    await line.send(request())
    await until(lambda: meta.taken)
    line.writer.transport.abort()
    await until(lambda: not opened._open)
    meta.taken[0].set_result(None)
    await asyncio.sleep(0.02)


async def test_connections_that_nobody_uses_are_swept_away(slow):
    meta, opened, line = slow
    await line.send(request())
    await until(lambda: meta.taken)
    (door,) = opened._open
    door.quiet_since -= 1000
    opened.close_idle()
    assert opened._open == {door}  # it has an answer to give
    meta.taken[0].set_result(None)
    await line.answer()
    door.quiet_since -= 1000
    opened.close_idle()
    assert await line.is_closed()
