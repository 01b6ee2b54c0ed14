"""Door: takes the one request that Meta sends all day by a short way, and leaves the rest to aiohttp.

What is taken here is a plain POST of updates that has come as a whole: exact first line, no header twice,
none that changes how a body is read, Content-Length bytes and nothing after them. Anything else is handed
to aiohttp with every byte that came, and so is all that this connection sends later. So what needs care is
read by aiohttp's parser, and what is read here can be read in one way only. Both ways end in
`MetaWebhook.take`. (aiohttp's own way costs a third of a message's time; see docs/decisions.)

https://www.rfc-editor.org/rfc/rfc9112#section-6
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from aiohttp.helpers import rfc822_formatted_time

from bot.answers import Answer

log = structlog.get_logger()

_START = b"POST /webhooks/whatsapp HTTP/1.1\r\n"
# A line: a token, and visible words between spaces. No line is folded, and none is empty. Nothing that was
# matched is given back, so that no head takes longer than its length.
_LINE = rb"([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+((?:[!-~]++(?:[ \t]++[!-~]++)*+)?+)[ \t]*+\r\n"
_LINES, _HEAD = re.compile(_LINE), re.compile(rb"(?:" + _LINE + rb")++")
_MOST_OF_A_HEAD, _MOST_AHEAD = 8192, 65536
_LENGTH = re.compile(rb"[0-9]{1,6}")
_CHANGING = frozenset((b"transfer-encoding", b"content-encoding", b"expect", b"upgrade", b"te", b"trailer"))
_IDLE_SECONDS = 75.0
_SWEEP_SECONDS = 15.0


def plain_update(data: bytes) -> tuple[str | None, bytes] | None:
    """The signature header and the body, where this is exactly one plain POST of updates; else None."""
    if not data.startswith(_START):
        return None
    end = data.find(b"\r\n\r\n", len(_START), _MOST_OF_A_HEAD) + 2
    head, body = data[len(_START) : end], data[end + 2 :]
    if _HEAD.fullmatch(head) is None:  # as an empty one, where the end has not come
        return None
    lines = _LINES.findall(head)
    headers = {name.lower(): value for name, value in lines}
    if len(headers) < len(lines) or not _CHANGING.isdisjoint(headers):
        return None
    length = headers.get(b"content-length", b"")
    if _LENGTH.fullmatch(length) is None or int(length) != len(body) or b"host" not in headers:
        return None
    if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    signature = headers.get(b"x-hub-signature-256")
    return None if signature is None else signature.decode("ascii"), body


class Meta(Protocol):
    """See `bot.webhooks.MetaWebhook`."""

    def take(self, body: bytes, signature: str | None) -> Answer | asyncio.Future[None]: ...

    def stored(self, stored: "asyncio.Future[None]") -> Answer: ...


class Door(asyncio.Protocol):
    """One connection. `others` makes aiohttp's protocol for what is not for us."""

    def __init__(self, meta: Meta, others: Callable[[], Any], doors: "set[Door]") -> None:
        self._meta, self._others, self._doors = meta, others, doors
        self._came = b""
        self._answering = self._closing = self._deaf = False
        self.gone = asyncio.Event()
        self.quiet_since = time.monotonic()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._doors.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        self._came += data
        if not self._answering:
            self._take()
        elif len(self._came) > _MOST_AHEAD:
            self._deafen()

    def pause_writing(self) -> None:
        """Whoever does not read what we answer is not read either."""
        self._deafen()

    def resume_writing(self) -> None:
        self._listen()

    def _listen(self) -> None:
        if self._deaf and not self._transport.is_closing():
            self._transport.resume_reading()
        self._deaf = False

    def _deafen(self) -> None:
        if not self._deaf and not self._transport.is_closing():
            self._transport.pause_reading()
            self._deaf = True

    @property
    def idle(self) -> bool:
        return not self._answering

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
        self._came, self._answering = b"", True
        signature, body = update
        answer = self._asked(body, signature)
        if isinstance(answer, asyncio.Future):
            answer.add_done_callback(self._stored)
        else:
            self._answer(answer)

    def _asked(self, body: bytes, signature: str | None) -> "Answer | asyncio.Future[None]":
        try:
            return self._meta.take(body, signature)
        except Exception:  # a bug: nothing was stored, so Meta is to send it again
            log.exception("door.failed")
            return Answer(500, "Something went wrong here. Please send this again.")

    def _hand_over(self) -> None:
        """aiohttp may find a whole request, a part of one, or nonsense; it is used to all of them."""
        self._leave()
        self._listen()
        other = self._others()
        other.connection_made(self._transport)
        self._transport.set_protocol(other)
        other.data_received(self._came)

    def _leave(self) -> None:
        self._doors.discard(self)
        self.gone.set()

    def _stored(self, stored: "asyncio.Future[None]") -> None:
        self._answer(self._meta.stored(stored))

    def _answer(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        if answer.status == HTTPStatus.OK and not self._closing:
            self._transport.write(_stored_answer(rfc822_formatted_time()))
        else:
            self._transport.write(self._written(answer))
        self._answering, self.quiet_since = False, time.monotonic()
        if self._closing:
            self._transport.close()
            return
        self._listen()
        if self._came:
            self._take()

    def _written(self, answer: Answer) -> bytes:
        text = answer.text.encode()
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        lines = [f"HTTP/1.1 {status}", f"Date: {rfc822_formatted_time()}", f"Content-Length: {len(text)}"]
        lines += ["Content-Type: text/plain; charset=utf-8"] if text else []
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += ["Connection: close"] if self._closing else []
        return "\r\n".join((*lines, "\r\n")).encode() + text


@lru_cache(maxsize=1)
def _stored_answer(date: str) -> bytes:
    """The usual one, made once a second."""
    return f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()


class Doors:
    """All connections of one listening socket."""

    def __init__(self, meta: Meta, others: Callable[[], Any]) -> None:
        self._meta, self._others = meta, others
        self._open: set[Door] = set()

    def __call__(self) -> Door:
        return Door(self._meta, self._others, self._open)

    async def sweep(self) -> None:
        """For ever: closes what nobody has used for a while."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.close_idle()

    def close_idle(self) -> None:
        oldest = time.monotonic() - _IDLE_SECONDS
        for door in [door for door in self._open if door.idle and door.quiet_since < oldest]:
            door.close()

    async def close(self, seconds: float) -> None:
        """Whoever waits for an answer gets it, within this time."""
        doors = list(self._open)
        for door in doors:
            door.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for door in doors:
                    await door.gone.wait()
        for door in list(self._open):
            door.abort()
