"""The door over real sockets: what it takes itself, and that it answers as aiohttp's way does."""

import asyncio
import contextlib
import json
import logging
import socket
import struct
import time

import pytest
import structlog
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import META
from bot.door import Doors, plain_update
from bot.intake import Intake
from bot.run import bind, listening
from bot.webhooks import MOST_BYTES, MetaWebhook
from tests.bot.door import envelope, signed, text

PATH, SECRET = "/webhooks/whatsapp", b"the app secret"
START = f"POST {PATH} HTTP/1.1"


def update(id_="w1"):
    return json.dumps(envelope(text(id_))).encode()


def post(*lines, body=None, start=START, host="Host: pay.example", signature=None, length=None):
    """A plain one, unless told otherwise; a `lines` of bytes is sent as it is."""
    body = update() if body is None else body
    length = f"Content-Length: {len(body)}" if length is None else length
    signature = f"X-Hub-Signature-256: {signed(body, SECRET)}" if signature is None else signature
    told = (start, host, "Content-Type: application/json", length, signature, *lines)
    head = [line if isinstance(line, bytes) else line.encode() for line in told if line]
    return b"\r\n".join((*head, b"", body))


# --- what is taken


SIZE = len(update())
RIGHT = f"X-Hub-Signature-256: {signed(update(), SECRET)}"
WRONG = "X-Hub-Signature-256: sha256=" + "0" * 64

TAKEN = {
    "as Meta sends it": post(),
    "names in another case": post("ACCEPT: */*", length=f"content-LENGTH: {SIZE}", host="hOST: x"),
    "spaces and tabs around values": post(length=f"Content-Length: \t {SIZE} \t", host="Host:\tx"),
    "no space after the colon": post(length=f"Content-Length:{SIZE}", host="Host:x"),
    "an empty value": post("X-Nothing:", "X-Spaces:   "),
    "an empty host": post(host="Host:"),
    "every sign a name may have": post("!#$%&'*+-.^_`|~09azAZ: x"),
    "a value like another line": post("X-A: Content-Length: 5"),
    "zeros before the length": post(length=f"Content-Length: {SIZE:06}"),
    "a wish to stay": post("Connection: Keep-Alive"),
    "a length on both sides of another": post("X-Content-Length: 3", "Content-Length-X: 3"),
    "no signature": post(signature=""),
    "an empty signature": post(signature="X-Hub-Signature-256:"),
    "the old signature only": post(signature="X-Hub-Signature: sha1=" + "0" * 40),
    "a wrong signature": post(signature=WRONG),
    "no JSON": post(body=b"so long"),
    "a list": post(body=b"[]"),
    "nothing to store": post(body=b'{"entry":[]}'),
    "an empty body": post(body=b""),
    "a body that ends a head": post(body=b"\r\n\r\n"),
    "a body like another request": post(body=post()),
}

LEFT = {
    "a query": post(start=f"POST {PATH}?x=1 HTTP/1.1"),
    "a fragment": post(start=f"POST {PATH}#x HTTP/1.1"),
    "a path in other letters": post(start="POST /webhooks/%77hatsapp HTTP/1.1"),
    "a path with dots": post(start="POST /webhooks/./whatsapp HTTP/1.1"),
    "a path with one slash more": post(start=f"POST {PATH}/ HTTP/1.1"),
    "another path": post(start="POST /nowhere HTTP/1.1"),
    "an absolute address": post(start=f"POST http://pay.example{PATH} HTTP/1.1"),
    "HTTP/1.0": post(start=f"POST {PATH} HTTP/1.0"),
    "HTTP/1.0 that stays": post("Connection: keep-alive", start=f"POST {PATH} HTTP/1.0"),
    "HTTP/2.0": post(start=f"POST {PATH} HTTP/2.0"),
    "HTTP in small letters": post(start=f"POST {PATH} http/1.1"),
    "a method in small letters": post(start=f"post {PATH} HTTP/1.1"),
    "another method": post(start=f"PUT {PATH} HTTP/1.1"),
    "two spaces in the first line": post(start=f"POST  {PATH} HTTP/1.1"),
    "a space after the first line": post(start=f"{START} "),
    "a space before the first line": b" " + post(),
    "an empty line before the first": b"\r\n" + post(),
    "the handshake": b"GET /webhooks/whatsapp?hub.mode=subscribe HTTP/1.1\r\nHost: x\r\n\r\n",
    "no headers": f"{START}\r\n\r\n".encode(),
    "a head that ends in bare line feeds": post().replace(b"\r\n", b"\n"),
    "a bare line feed": post("X-A: b\nX-B: c"),
    "a bare carriage return": post("X-A: b\rX-B: c"),
    "an end of bare line feeds within": post("X-A: b\n\nX-B: c"),
    "a folded line": post("X-A: b\r\n c"),
    "a folded length": post(length="Content-Length:\r\n " + str(SIZE)),
    "a folded first line": post(b" X-A: b", host=""),
    "a NUL in a value": post("X-A: b\0c"),
    "a NUL in a name": post("X\0A: b"),
    "DEL in a value": post("X-A: b\x7f"),
    "a bell in a value": post("X-A: b\x07"),
    "no ASCII in a value": post("X-A: ü"),
    "no UTF-8 in a value": post(b"X-A: \xff\xfe"),
    "no ASCII in a name": post("Xü: a"),
    "no ASCII in the signature": post(signature="X-Hub-Signature-256: sha256=ü"),
    "a space before the colon": post(length=f"Content-Length : {SIZE}"),
    "a space within a name": post("X A: b"),
    "a line without a name": post(": b"),
    "a line without a colon": post("X-A"),
    "no host": post(host=""),
    "two hosts": post("Host: other.example"),
    "no length": post(length=""),
    "an empty length": post(length="Content-Length:"),
    "a length with a plus": post(length=f"Content-Length: +{SIZE}"),
    "a length below nothing": post(length="Content-Length: -1"),
    "two lengths in one": post(length=f"Content-Length: {SIZE}, {SIZE}"),
    "two lengths with a space": post(length=f"Content-Length: {SIZE} {SIZE}"),
    "a length of sixteens": post(length=f"Content-Length: 0x{SIZE:x}"),
    "a length with a line under it": post(length="Content-Length: 1_0"),
    "a length in other digits": post(length="Content-Length: ٣"),
    "a length of eight digits": post(length=f"Content-Length: {SIZE:08}"),
    "a length too large for any machine": post(length="Content-Length: " + "9" * 30),
    "the length twice": post(f"Content-Length: {SIZE}"),
    "another length before": post(f"content-length: {SIZE}", length="Content-Length: 5"),
    "chunks": post("Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n", length=""),
    "chunks and a length": post("Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks of another name": post("Transfer-Encoding: xchunked"),
    "chunks with a tab": post("Transfer-Encoding:\tchunked", body=b"0\r\n\r\n"),
    "chunks twice": post("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "no chunks": post("Transfer-Encoding: identity"),
    "a coding": post("Content-Encoding: gzip"),
    "an upgrade to a web socket": post("Connection: Upgrade", "Upgrade: websocket"),
    "an upgrade to HTTP/2": post("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A"),
    "a key of an old web socket": post("Sec-WebSocket-Key1: x"),
    "a wish to close": post("Connection: close"),
    "a wish to close and to stay": post("Connection: close, keep-alive"),
    "a wish to close, as of old": post("Proxy-Connection: close"),
    "an empty wish": post("Connection:"),
    "trailers": post("TE: trailers", "Trailer: X-A"),
    "the right signature, then a wrong one": post(WRONG),
    "a wrong signature, then the right one": post(RIGHT, signature=WRONG),
    "any line twice": post("X-A: b", "x-a: b"),
    "more lines than anybody sends": post(*(f"X-{n}: x" for n in range(120))),
    "more lines than aiohttp takes": post(*(f"X-{n}: x" for n in range(200))),
    "a long line": post("X-A: " + "x" * 8100),
    "a line that is too long": post("X-A: " + "x" * 9000),
    "a name that is too long": post("x" * 9000 + ": y"),
    "a long head": post(*(f"X-{n}: {'x' * 400}" for n in range(50))),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "nonsense": b"\0\r\n\r\n",
}

SEVERAL = {
    "two at once": (post() + post(body=update("w2")), 2),
    "many at once": (b"".join(post(body=update(f"w{n}")) for n in range(100)), 100),
    "one after which it closes": (post("Connection: close") + post(), 2),
    "a wrong one between": (post() + post(signature=WRONG) + post(body=update("w2")), 3),
    "one, then the handshake": (post() + LEFT["the handshake"], 2),
    "one, then nonsense": (post() + LEFT["nonsense"], 2),
    "chunks that hide another": (
        post("Transfer-Encoding: chunked", body=b"0\r\n\r\n" + post(), length="Content-Length: 5"),
        2,
    ),
    "a body that is longer than told": (post(body=b"{}" + post(), length="Content-Length: 2"), 2),
}


@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN)
def test_a_plain_post_is_taken(data):
    assert plain_update(data) is not None


@pytest.mark.parametrize(
    "data", [*LEFT.values(), *(data for data, _ in SEVERAL.values())], ids=[*LEFT, *SEVERAL]
)
def test_anything_else_is_left_to_aiohttp(data):
    assert plain_update(data) is None


def test_nothing_less_than_a_whole_one_is_taken():
    whole = post()
    assert not any(plain_update(whole[:size]) for size in range(len(whole)))


HOSTILE = {
    "spaces": b"X-A:" + b" " * 200_000 + b"\0",
    "words": b"X-A:" + b" x" * 100_000 + b"\0",
    "a name": b"x" * 200_000 + b"\0",
    "colons": b":" * 200_000,
    "lines": b"x:\r\n" * 50_000 + b"\0",
    "carriage returns": b"X-A:" + b"\r" * 200_000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("size", [7_000, 200_000])
def test_no_head_takes_longer_than_it_is_long(line, size):
    data = post(line[:size] + line[-1:])
    begun = time.process_time()
    for _ in range(100):
        assert plain_update(data) is None
    assert time.process_time() - begun < 1  # of the order of a millisecond


# --- both ways alike


class Shelf(Intake):
    """Keeps the names of what comes; says so at once, or when the test does."""

    def __init__(self):
        self.kept, self.asked, self.at_once, self.bug = [], [], True, None

    def submit(self, events):
        if self.bug is not None:
            raise self.bug
        self.kept += [event.external_id for event in events]
        self.asked.append(asyncio.get_running_loop().create_future())
        if self.at_once:
            self.asked[-1].set_result(None)
        return self.asked[-1]


@contextlib.asynccontextmanager
async def site(*, short=True, host="127.0.0.1", patience=15.0, idle=75.0):
    """The webhook as it is run; without `short` by aiohttp alone."""
    shelf = Shelf()
    meta = MetaWebhook(shelf, [SECRET], "the verify token", patience)
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_get(PATH, meta.handshake)
    app.router.add_post(PATH, meta.updates)
    if short:
        app[META] = meta
    bound = bind(host, 0)
    async with listening(app, bound, idle):
        yield shelf, bound.getsockname()


class Peer:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data):
        self.writer.write(data)

    async def answer(self):
        """(status, text); None where the connection has ended instead."""
        async with asyncio.timeout(10):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
                status = int(head.split()[1])
                if status == 100:
                    return await self.answer()
                lines = head.decode().lower().split("\r\n")
                (size,) = (int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
                return status, (await self.reader.readexactly(size)).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def answers(self, number):
        return [await self.answer() for _ in range(number)]


@contextlib.asynccontextmanager
async def peer(address):
    reader, writer = await asyncio.open_connection(*address[:2])
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def told(data, number=1, **how):
    """What is answered to this and to a plain one after it on the same connection, and what was kept."""
    async with site(**how) as (shelf, address), peer(address) as one:
        one.send(data)
        answers = await one.answers(number)
        one.send(post(body=update("after")))
        return [*answers, await one.answer()], shelf.kept


@pytest.mark.parametrize("data", [*TAKEN.values(), *LEFT.values()], ids=[*TAKEN, *LEFT])
async def test_both_ways_answer_alike(data):
    assert await told(data) == await told(data, short=False)


@pytest.mark.parametrize(("data", "number"), SEVERAL.values(), ids=SEVERAL)
async def test_both_ways_answer_several_alike(data, number):
    assert await told(data, number) == await told(data, number, short=False)


async def test_what_is_answered():
    """So that both ways are not wrong alike."""
    assert await told(post()) == ([(200, ""), (200, "")], ["w1", "after"])
    assert await told(post(signature=WRONG)) == (
        [(401, "The signature is missing or wrong."), (200, "")],
        ["after"],
    )
    assert await told(LEFT["a wish to close"]) == ([(200, ""), None], ["w1"])
    ((answer, end), kept) = await told(LEFT["chunks and a length"])
    assert (answer[0], end, kept) == (400, None, [])


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("cut", [1, 20, len(START), 100, post().index(b"\r\n\r\n") + 2, len(post()) - 1])
async def test_what_comes_in_two_pieces_is_answered_once_it_is_whole(cut, short):
    async with site(short=short) as (shelf, address), peer(address) as one:
        one.send(post()[:cut])
        await asyncio.sleep(0.05)
        one.send(post()[cut:] + post(body=update("w2")))
        assert await one.answers(2) == [(200, "")] * 2
    assert shelf.kept == ["w1", "w2"]


@pytest.mark.parametrize("short", [True, False])
async def test_what_is_too_large_is_413_before_it_has_come(short):
    async with site(short=short) as (shelf, address), peer(address) as one:
        one.send(post(length=f"Content-Length: {MOST_BYTES + 1}"))
        assert (await one.answer())[0] == 413
    assert shelf.kept == []


async def test_a_large_one_in_pieces_is_taken():
    body = json.dumps(envelope(*(text(f"w{n}") for n in range(800)))).encode()
    async with site() as (shelf, address), peer(address) as one:
        whole = post(body=body)
        for start in range(0, len(whole), 50_000):
            one.send(whole[start : start + 50_000])
            await asyncio.sleep(0.005)
        assert await one.answer() == (200, "")
    assert shelf.kept == [f"w{n}" for n in range(800)]


async def test_leave_to_go_on_is_given():
    async with site() as (shelf, address), peer(address) as one:
        whole = post("Expect: 100-continue")
        end = whole.index(b"\r\n\r\n") + 4
        one.send(whole[:end])
        assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        one.send(whole[end:])
        assert await one.answer() == (200, "")
    assert shelf.kept == ["w1"]


async def test_one_connection_goes_from_the_short_way_to_the_long_one():
    async with site() as (shelf, address), peer(address) as one:
        for data, status in ((post(), 200), (LEFT["the handshake"], 403), (post(body=update("w2")), 200)):
            one.send(data)
            assert (await one.answer())[0] == status
    assert shelf.kept == ["w1", "w2"]


async def test_it_answers_over_ipv6():
    assert await told(post(), host="::1") == ([(200, ""), (200, "")], ["w1", "after"])


FAILURES = {
    "away": (OSError("the database"), 503),
    "cancelled": (asyncio.CancelledError(), 503),
    "a bug": (RuntimeError("a bug"), 500),
}


@pytest.mark.parametrize(("error", "status"), FAILURES.values(), ids=FAILURES)
async def test_both_ways_say_alike_that_nothing_was_stored(error, status):
    answers = []
    for short in (True, False):
        async with site(short=short) as (shelf, address), peer(address) as one:
            shelf.at_once = False
            one.send(post())
            await until(lambda shelf=shelf: shelf.asked)
            if isinstance(error, asyncio.CancelledError):
                shelf.asked[0].cancel()
            else:
                shelf.asked[0].set_exception(error)
            answers.append(await one.answer())
    assert answers[0] == answers[1]
    assert answers[0][0] == status


# --- every other byte


NAMES = """
Host host Content-Length content-length X-Hub-Signature-256 Connection Proxy-Connection Transfer-Encoding
Content-Encoding Upgrade Expect TE Trailer Sec-WebSocket-Key1 X-A Accept
"""
VALUES = """
0 2 02 +2 2,2 2_0 keep-alive Keep-Alive close upgrade chunked identity websocket gzip 100-continue sha256=ab
"""
_NAMES = st.sampled_from(NAMES.split()) | st.text("aZ0-_ :\0ü", max_size=3)
_VALUES = st.sampled_from(["", "\ta b ", *VALUES.split()]) | st.text(max_size=4)
_COLONS = st.sampled_from([":"] * 8 + [": ", ":\t ", " :", ""])
_LINES = st.builds("".join, st.tuples(_NAMES, _COLONS, _VALUES, st.just("\r\n")))
_ODD = st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"0", b"POST"])


@st.composite
def nearly_plain(draw):
    body = draw(st.sampled_from([b"", b"{}", b"\r\n", b"0\r\n\r\n"]) | st.binary(max_size=4))
    usual = f"Host: a\r\nContent-Length: {len(body)}\r\n" if draw(st.integers(0, 4)) else ""
    head = f"{START}\r\n{usual}{''.join(draw(st.lists(_LINES, max_size=3)))}\r\n"
    data = head.encode("utf-8", "surrogatepass") + body
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 3)))
        data = data[:start] + draw(_ODD | st.just(b"") | st.binary(max_size=2)) + data[stop:]
    return data


@pytest.mark.parametrize("parser", [HttpRequestParser, HttpRequestParserPy])
@given(data=nearly_plain())
@settings(max_examples=500)  # a tenth of them is taken
def test_what_is_taken_is_what_aiohttp_reads(parser, data):
    taken = plain_update(data)
    if taken is not None:
        assert taken == read_by(parser, data)


@pytest.mark.parametrize("parser", [HttpRequestParser, HttpRequestParserPy])
@given(
    names=st.lists(st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}", fullmatch=True), max_size=5),
    values=st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.just("\t")), min_size=5),
    body=st.binary(),
)
def test_a_plain_post_of_any_lines_is_taken_and_read_alike(parser, names, values, body):
    lines = {name.lower(): f"X-{name}:{value}" for name, value in zip(names, values, strict=False)}
    data = post(*lines.values(), body=body)
    assert plain_update(data) == (signed(body, SECRET), body)
    assert read_by(parser, data) == (signed(body, SECRET), body)


def read_by(parser, data):
    """The signature and the body, where that is one request as ours with nothing after it."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        reading = parser(BaseProtocol(loop), loop, 2**16, auto_decompress=False)
        ((message, body),), upgraded, tail = reading.feed_data(data)
        assert f"{message.method} {message.path} HTTP/{'.'.join(map(str, message.version))}" == START
        assert not any((upgraded, tail, message.should_close, message.chunked, message.compression))
        assert body.is_eof()
        return message.headers.get("X-Hub-Signature-256"), loop.run_until_complete(body.read())


# --- whoever means no good


async def until(seen):
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110  a socket rings no bell
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def doors(others=None, send_buffer=None, meta=MetaWebhook):
    """The door alone, to look inside; `others` is for what is not for it."""
    shelf = Shelf()
    opened = Doors(meta(shelf, [SECRET], "the verify token"), others or no_others)
    bound = bind("127.0.0.1", 0)
    if send_buffer:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = await asyncio.get_running_loop().create_server(opened, sock=bound)
    try:
        yield shelf, opened, bound.getsockname()
    finally:
        server.close()
        await opened.close(1)
        await until(lambda: not opened._open)


def no_others():
    raise AssertionError("nothing here is for aiohttp")


async def test_whoever_sends_on_without_an_answer_is_not_read_for_ever():
    async with doors() as (shelf, opened, address), peer(address) as one:
        shelf.at_once = False
        one.send(post())
        await until(lambda: shelf.asked)
        one.send(b"x" * 30_000_000)
        left, (door,) = None, opened._open
        while left != one.writer.transport.get_write_buffer_size():
            left = one.writer.transport.get_write_buffer_size()
            await asyncio.sleep(0.1)
        assert left > 1_000_000
        assert len(door._came) < 1_000_000


async def test_whatever_was_sent_ahead_is_answered_in_the_end():
    """aiohttp takes a connection over that is not read at the moment."""
    ahead = [post(body=json.dumps(envelope(text(f"w{n}", "x" * 100_000))).encode()) for n in range(200)]
    async with site() as (shelf, address), peer(address) as one:
        shelf.at_once = False
        one.send(post())
        await until(lambda: shelf.asked)
        one.send(b"".join(ahead))
        await asyncio.sleep(0.1)
        shelf.at_once = True
        shelf.asked[0].set_result(None)
        assert await one.answers(201) == [(200, "")] * 201
    assert shelf.kept == ["w1", *(f"w{n}" for n in range(200))]


async def test_whoever_never_reads_an_answer_is_let_go():
    loop = asyncio.get_running_loop()
    async with doors(send_buffer=4096) as (shelf, opened, address):
        with socket.socket() as deaf:
            deaf.setblocking(False)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(deaf, address)
            await until(lambda: opened._open)
            with contextlib.suppress(ConnectionError):
                for n in range(1, 10_000):
                    await loop.sock_sendall(deaf, post())
                    await until(lambda n=n: len(shelf.kept) == n or not opened._open)
                    if not opened._open:
                        break
            assert not opened._open
            assert 100 < len(shelf.kept) < 5000


async def test_whoever_has_said_all_still_gets_its_answer():
    async with doors() as (shelf, _, address), peer(address) as one:
        shelf.at_once = False
        one.send(post())
        one.writer.write_eof()
        await until(lambda: shelf.asked)
        await asyncio.sleep(0.02)
        shelf.asked[0].set_result(None)
        assert await one.answers(2) == [(200, ""), None]


async def test_whoever_says_nothing_and_goes_leaves_nothing_behind():
    async with doors() as (_, opened, address), peer(address) as one:
        await until(lambda: opened._open)
        one.writer.write_eof()
        assert await one.answer() is None
        await until(lambda: not opened._open)


@pytest.mark.parametrize("how", ["politely", "at once"])
async def test_whoever_goes_before_its_answer_is_missed_by_nobody(caplog, how):
    async with doors() as (shelf, opened, address):
        shelf.at_once = False
        async with peer(address) as one:
            one.send(post())
            await until(lambda: shelf.asked)
            if how == "at once":
                reset = struct.pack("ii", 1, 0)
                one.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        await asyncio.sleep(0.02)
        assert bool(opened._open) == (how == "politely")  # it may only have said all
        shelf.asked[0].set_result(None)
        await until(lambda: not opened._open)
    assert shelf.kept == ["w1"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("short", [True, False])
async def test_a_bug_is_logged_and_answered_500(short):
    async with site(short=short) as (shelf, address), peer(address) as one:
        shelf.bug = RuntimeError("a bug")
        with structlog.testing.capture_logs() as logs:
            one.send(post())
            assert (await one.answer())[0] == 500
    assert [line["event"] for line in logs] == ["webhook.failed"] * short  # aiohttp has its own line


class Broken(MetaWebhook):
    def stored(self, stored):
        raise RuntimeError("a bug")


async def test_a_bug_after_the_storing_is_logged_and_answered_500():
    async with doors(meta=Broken) as (shelf, _, address), peer(address) as one:
        with structlog.testing.capture_logs() as logs:
            one.send(post())
            assert (await one.answer())[0] == 500
    assert (shelf.kept, [line["event"] for line in logs]) == (["w1"], ["webhook.failed"])


async def test_a_bug_in_the_handing_over_is_logged_and_ends_the_connection():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    async with doors() as (_, opened, address), peer(address) as one:
        one.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await one.answer() is None
        await until(lambda: not opened._open)
    assert [str(error) for error in told] == ["nothing here is for aiohttp"]


# --- time


async def test_whatever_nobody_uses_is_let_go_but_not_what_waits_for_its_answer():
    async with doors() as (shelf, opened, address), peer(address) as idle, peer(address) as waiting:
        shelf.at_once = False
        waiting.send(post())
        await until(lambda: shelf.asked)
        sweeping = asyncio.create_task(opened.sweep(every=0.02, idle=0.1))
        assert await idle.answer() is None
        await asyncio.sleep(0.2)
        shelf.asked[0].set_result(None)
        assert await waiting.answers(2) == [(200, ""), None]
        sweeping.cancel()


async def test_whoever_is_in_use_is_not_let_go():
    async with doors() as (_, opened, address), peer(address) as one:
        sweeping = asyncio.create_task(opened.sweep(every=0.02, idle=0.3))
        for _ in range(10):
            one.send(post())
            assert await one.answer() == (200, "")
            await asyncio.sleep(0.06)
        sweeping.cancel()


async def test_a_head_that_never_ends_is_let_go_by_aiohttp():
    async with site(idle=0.2) as (_, address), peer(address) as one:
        one.send(START.encode() + b"\r\nX-A: ")
        async with asyncio.timeout(10):
            while not one.writer.is_closing():
                one.send(b"x")
                await asyncio.sleep(0.02)


async def test_a_body_that_never_comes_is_408():
    async with site(patience=0.1) as (shelf, address), peer(address) as one:
        one.send(post()[:-1])
        assert (await one.answer())[0] == 408
    assert shelf.kept == []


# --- the end


async def test_whoever_waits_gets_its_answer_and_whoever_does_not_is_let_go_at_the_end():
    async with doors() as (shelf, opened, address), peer(address) as idle, peer(address) as waiting:
        shelf.at_once = False
        waiting.send(post())
        await until(lambda: shelf.asked and len(opened._open) == 2)
        closing = asyncio.create_task(opened.close(5))
        assert await idle.answer() is None
        waiting.send(post(body=update("too late")))
        await asyncio.sleep(0.02)
        shelf.asked[0].set_result(None)
        head = await waiting.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in head
        assert await waiting.answer() is None
        await closing
    assert shelf.kept == ["w1"]


async def test_the_end_does_not_wait_for_ever():
    async with doors() as (shelf, opened, address), peer(address) as waiting:
        shelf.at_once = False
        waiting.send(post())
        await until(lambda: shelf.asked)
        async with asyncio.timeout(5):
            await opened.close(0.05)
        assert await waiting.answer() is None
        shelf.asked[0].set_result(None)


@pytest.mark.parametrize("line", [(), ("Connection: keep-alive, x",)], ids=["the short way", "aiohttp's"])
async def test_the_site_ends_once_all_are_answered(line):
    async with contextlib.AsyncExitStack() as stack:
        shelf, address = await stack.enter_async_context(site())
        async with peer(address) as idle, peer(address) as left, peer(address) as waiting:
            left.send(LEFT["the handshake"])
            assert (await left.answer())[0] == 403
            shelf.at_once = False
            waiting.send(post(*line))
            await until(lambda: shelf.asked)
            closing = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0.1)
            assert not closing.done()
            shelf.asked[0].set_result(None)
            assert await waiting.answers(2) == [(200, ""), None]
            assert (await idle.answer(), await left.answer()) == (None, None)
            async with asyncio.timeout(5):
                await closing
