"""Door: takes the one request that Meta sends all day by a short way, and leaves the rest to aiohttp.

What is taken here is a plain POST of updates that has come as a whole: exact first line, no header twice,
none that changes how a body is read, Content-Length bytes and nothing after them. Anything else is handed
to aiohttp with every byte that came, and so is all that this connection sends later. So what needs care is
read by aiohttp's parser, and what is read here can be read in one way only. Both ways end in
`MetaWebhook.take`. (aiohttp's own way costs a third of a message's time; see docs/decisions/0010.)

https://www.rfc-editor.org/rfc/rfc9112#section-6
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp.helpers import rfc822_formatted_time

from bot.answers import Answer
from bot.headers import SAFE
from bot.webhooks import MetaWebhook

log = structlog.get_logger()

_START = b"POST /webhooks/whatsapp HTTP/1.1\r\n"
# Lines of a token, a colon and visible ASCII: none is folded, and none is empty. Nothing that was matched is
# given back, so that reading takes no longer than a head is long; and a long one is not for us.
_NAME, _VALUE = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++", rb"[\t -~]*+"
_HEAD = re.compile(re.escape(_START) + rb"(?:" + _NAME + rb":" + _VALUE + rb"\r\n){1,100}\r\n")
_LINE = re.compile(rb"(" + _NAME + rb"):(" + _VALUE + rb")\r\n")
_MOST_OF_A_HEAD, _MOST_AHEAD = 8 * 1024, 64 * 1024
_LENGTH = re.compile(rb"[0-9]{1,6}")
_SAFE = "".join(f"{name}: {value}\r\n" for name, value in SAFE.items())
_CHANGING = frozenset(
    b"transfer-encoding content-encoding expect upgrade te trailer"
    b" proxy-connection sec-websocket-key1".split()  # these two are aiohttp's own
)


def plain_update(data: bytes) -> tuple[str | None, bytes] | None:
    """The signature header and the body, where this is exactly one plain POST of updates; else None."""
    head = _HEAD.match(data, 0, _MOST_OF_A_HEAD)
    if head is None:
        return None
    body, lines = data[head.end() :], _LINE.findall(data, len(_START), head.end())
    headers = {name.lower(): value.strip(b" \t") for name, value in lines}
    if len(headers) < len(lines) or not _CHANGING.isdisjoint(headers):
        return None
    length = headers.get(b"content-length", b"")
    if _LENGTH.fullmatch(length) is None or int(length) != len(body) or b"host" not in headers:
        return None
    if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    signature = headers.get(b"x-hub-signature-256")
    return None if signature is None else signature.decode("ascii"), body


class Door(asyncio.Protocol):
    """One connection. `others` makes aiohttp's protocol for what is not for us."""

    def __init__(self, meta: MetaWebhook, others: Callable[[], Any], doors: "set[Door]") -> None:
        self._meta, self._others, self._doors = meta, others, doors
        self._came = b""
        self._closing = False
        self.gone = asyncio.Event()
        self.idle, self.quiet_since = True, time.monotonic()  # idle: no answer is under way

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._doors.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        self._came += data
        if self.idle:
            self._take()
        elif len(self._came) > _MOST_AHEAD:
            self._transport.pause_reading()  # until that is answered

    def eof_received(self) -> bool:
        """Whoever has said all that it will still gets its answer."""
        self.close()
        return True

    def pause_writing(self) -> None:
        """Hundreds of answers lie unread, and it goes on asking: nobody whom an answer would reach."""
        self.abort()

    def close(self) -> None:
        """After the answer that is under way."""
        self._closing = True
        if self.idle:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _take(self) -> None:
        update = plain_update(self._came)
        if update is None:
            self._hand_over()
            return
        self._came, self.idle = b"", False
        signature, body = update
        self._ask(self._meta.take, body, signature)

    def _ask(self, meta: "Callable[..., Answer | asyncio.Future[None]]", *told: Any) -> None:
        """A bug is logged and answered too: nobody waits for ever, and Meta sends it again."""
        try:
            answer = meta(*told)
        except Exception:
            log.exception("webhook.failed")
            answer = Answer(500, "Something went wrong here. Please send this again.")
        if isinstance(answer, asyncio.Future):
            answer.add_done_callback(self._stored)
        else:
            self._answer(answer)

    def _stored(self, stored: "asyncio.Future[None]") -> None:
        self._ask(self._meta.stored, stored)

    def _hand_over(self) -> None:
        """aiohttp may find a whole request, a part of one, or nonsense; it is used to all of them."""
        other = self._others()
        self._leave()
        other.connection_made(self._transport)
        self._transport.set_protocol(other)
        other.data_received(self._came)

    def _leave(self) -> None:
        self._doors.discard(self)
        self.gone.set()

    def _answer(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        if answer.status == HTTPStatus.OK and not self._closing:
            self._transport.write(_stored_answer(rfc822_formatted_time()))
        else:
            self._transport.write(self._written(answer))
        self.idle, self.quiet_since = True, time.monotonic()
        if self._closing:
            self._transport.close()
        elif self._came:
            self._transport.resume_reading()
            self._take()

    def _written(self, answer: Answer) -> bytes:
        text = answer.text.encode()
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        lines = [f"HTTP/1.1 {status}", f"Date: {rfc822_formatted_time()}", f"Content-Length: {len(text)}"]
        lines += ["Content-Type: text/plain; charset=utf-8"] if text else []
        lines += [f"{name}: {value}" for name, value in (SAFE | dict(answer.headers)).items()]
        lines += ["Connection: close"] if self._closing else []
        return "\r\n".join((*lines, "\r\n")).encode() + text


@lru_cache(maxsize=1)
def _stored_answer(date: str) -> bytes:
    """The usual one, made once a second."""
    return f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n{_SAFE}\r\n".encode()


class Doors:
    """All connections of one listening socket."""

    def __init__(self, meta: MetaWebhook, others: Callable[[], Any]) -> None:
        self._meta, self._others = meta, others
        self._open: set[Door] = set()

    def __call__(self) -> Door:
        return Door(self._meta, self._others, self._open)

    async def sweep(self, idle: float, every: float = 15.0) -> None:
        """For ever: lets go of what nobody has used for `idle` seconds; at once, since closing would wait for
        whoever never reads its answer."""
        while True:
            await asyncio.sleep(every)
            oldest = time.monotonic() - idle
            for door in [door for door in self._open if door.idle and door.quiet_since < oldest]:
                door.abort()

    async def close(self, seconds: float) -> None:
        """Whoever waits for an answer gets it, within this time."""
        await asyncio.sleep(0)  # who has just been let in
        doors = list(self._open)
        for door in doors:
            door.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for door in doors:
                    await door.gone.wait()
        for door in list(self._open):
            door.abort()
