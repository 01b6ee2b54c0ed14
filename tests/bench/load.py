"""Load: one process that plays Meta. It signs and posts text messages, and is the Graph API that the
replies come to, so that a turn is measured from the webhook sent to the reply received.

    python -m tests.bench.load '{"how": "turns", "port": 8080, "graph_port": 8081, "seconds": 5, ...}'

`how` is
  acks     closed loop: the next message right after the 200
  turns    closed loop: the next message of a conversation after the reply to its last one
  overload like acks, and the replies are counted and waited for
With `rate` arrivals are scheduled, whatever the answers do, and latency counts from the schedule.
Prints one JSON object. Raw protocols instead of a client library: what is measured is the other side.
"""

import asyncio
import hmac
import itertools
import json
import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvloop

_HEAD = (
    b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: facebookexternalua"
    b"\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n"
)
_BODY = (
    b'{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{'
    b'"messaging_product":"whatsapp","metadata":{"display_phone_number":"254711000100",'
    b'"phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Wanjiku"},"wa_id":"%s",'
    b'"user_id":"KE.%s"}],"messages":[{"from":"%s","from_user_id":"KE.%s","id":"wamid.HBgM%sFQIAEhgU%s",'
    b'"timestamp":"%d",%s}]},"field":"messages"}]}]}'
)
_TEXT = b'"type":"text","text":{"body":"%s"}'
_VOICE_NOTE = (
    b'"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","sha256":"cm9vdA==","id":"1","voice":true}'
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TO = re.compile(rb'"(?:to|recipient)": ?"(?:KE\.)?\+?(\d+)"')


@dataclass
class Plan:
    how: str
    port: int
    graph_port: int
    seconds: float
    warmup: float = 1.0
    connections: int = 32
    conversations: int = 32
    rate: float | None = None
    text: str | None = "menu"  # a # in it is a number that no other message has; None: a voice note
    path: str = "/webhooks/whatsapp"
    secret: str = "app-secret"
    first_phone: int = 254712000000


@dataclass
class Told:
    """What was measured. Times are seconds since the loop's zero."""

    acks: list[tuple[float, float]] = field(default_factory=list)  # when, how long
    turns: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    sent: int = 0
    replies: int = 0


class Meta:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.told = plan, Told()
        self.begun: dict[bytes, deque[float]] = {}  # by phone: when its open messages were sent
        self.idle: asyncio.Queue[Sender] = asyncio.Queue()
        self.free: deque[bytes] = deque()  # conversations without an open message
        self.run_id = f"{time.time_ns():X}".encode()
        self.ids = itertools.count()
        self.stopping = False

    def message(self, phone: bytes) -> bytes:
        plan = self.plan
        number = b"%06d" % next(self.ids)
        wamid = self.run_id + number
        content = _VOICE_NOTE if plan.text is None else _TEXT % plan.text.encode().replace(b"#", number)
        body = _BODY % (phone, phone, phone, phone, phone, wamid, int(time.time()), content)
        signature = hmac.digest(plan.secret.encode(), body, "sha256").hex().encode()
        return _HEAD % (plan.path.encode(), signature, len(body)) + body

    def answered(self, sender: "Sender", status: int, waited: float) -> None:
        self.told.acks.append((time.perf_counter(), waited))
        self.told.refused += status != 200
        if self.plan.rate is not None:
            self.idle.put_nowait(sender)
        elif not self.stopping and self.plan.how != "turns":
            sender.send(next(self._phones))
        else:
            sender.free = True
            self._next_turn()

    def replied(self, phone: bytes) -> None:
        now = time.perf_counter()
        self.told.replies += 1
        waiting = self.begun.get(phone)
        if waiting:
            self.told.turns.append((now, now - waiting.popleft()))
        if self.plan.how == "turns" and self.plan.rate is None:
            self.free.append(phone)
            self._next_turn()

    def _next_turn(self) -> None:
        """A conversation goes on when its reply is there and its connection is free."""
        if self.stopping or self.plan.how != "turns" or self.plan.rate is not None:
            return
        for sender in self.senders:
            if not self.free:
                return
            if sender.free:
                sender.free = False
                sender.send(self.free.popleft())

    async def run(self) -> dict[str, Any]:
        loop, plan = asyncio.get_running_loop(), self.plan
        graph = await loop.create_server(lambda: Graph(self), "127.0.0.1", plan.graph_port)
        phones = [str(plan.first_phone + n).encode() for n in range(plan.conversations)]
        self._phones: Iterator[bytes] = itertools.cycle(phones)
        self.senders = []
        for _ in range(plan.connections):
            _, sender = await loop.create_connection(lambda: Sender(self), "127.0.0.1", plan.port)
            self.senders.append(sender)
        start = time.perf_counter()
        await self._send_until(start + plan.warmup + plan.seconds, phones)
        end = time.perf_counter()
        self.stopping = True
        drained = await self._drain()
        graph.close()
        return self._summary(start + plan.warmup, end, drained)

    async def _send_until(self, end: float, phones: list[bytes]) -> None:
        if self.plan.rate is not None:
            for sender in self.senders:
                self.idle.put_nowait(sender)
            await self._on_schedule(end)
            return
        if self.plan.how == "turns":
            self.free.extend(phones)
            for sender in self.senders:
                sender.free = True
            self._next_turn()
        else:
            for sender in self.senders:
                sender.send(next(self._phones))
        await asyncio.sleep(end - time.perf_counter())

    async def _on_schedule(self, end: float) -> None:
        assert self.plan.rate is not None
        at = time.perf_counter()
        while at < end:
            at += 1 / self.plan.rate
            if (wait := at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            (await self.idle.get()).send(next(self._phones), at)

    async def _drain(self) -> float:
        """Seconds until every message has its reply, or no more come."""
        start = time.perf_counter()
        if self.plan.how == "acks":
            return 0.0
        last, since = -1, start
        while self.told.replies < self.told.sent and time.perf_counter() - since < 5:
            if self.told.replies != last:
                last, since = self.told.replies, time.perf_counter()
            await asyncio.sleep(0.05)
        return since - start if self.told.replies < self.told.sent else time.perf_counter() - start

    def _summary(self, start: float, end: float, drained: float) -> dict[str, Any]:
        acks = [waited for at, waited in self.told.acks if start <= at <= end]
        turns = [waited for at, waited in self.told.turns if start <= at <= end]
        return {
            "acks_per_second": len(acks) / (end - start),
            "replies_per_second": len(turns) / (end - start),
            "ack_ms": quantiles(acks),
            "turn_ms": quantiles(turns),
            "sent": self.told.sent,
            "replies": self.told.replies,
            "refused": self.told.refused,
            "drained_seconds": drained,
        }


class Sender(asyncio.Protocol):
    """A keep-alive connection of Meta's; one request at a time."""

    def __init__(self, meta: Meta) -> None:
        self._meta, self._read, self._at, self.free = meta, b"", 0.0, False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def send(self, phone: bytes, at: float | None = None) -> None:
        self._at = at if at is not None else time.perf_counter()
        self._meta.told.sent += 1
        if self._meta.plan.how != "acks":
            self._meta.begun.setdefault(phone, deque()).append(self._at)
        self._transport.write(self._meta.message(phone))

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, blank, body = self._read.partition(b"\r\n\r\n")
        if not blank:
            return
        length = _LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self._read = b""
        self._meta.answered(self, int(head[9:12]), time.perf_counter() - self._at)


class Graph(asyncio.Protocol):
    """The Graph API: every message is accepted at once."""

    def __init__(self, meta: Meta) -> None:
        self._meta, self._read = meta, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while True:
            head, blank, body = self._read.partition(b"\r\n\r\n")
            length = _LENGTH.search(head) if blank else None
            if length is None or len(body) < int(length[1]):
                return
            self._read = body[int(length[1]) :]
            self._answer(body[: int(length[1])])

    def _answer(self, body: bytes) -> None:
        if b'"status"' in body:
            self._write(b'{"success":true}')
            return
        to = _TO.search(body)
        phone = to[1] if to else b""
        wamid = self._meta.run_id + b"%06d" % next(self._meta.ids)
        self._write(
            b'{"messaging_product":"whatsapp","contacts":[{"input":"%s","wa_id":"%s"}],'
            b'"messages":[{"id":"wamid.OUT%s"}]}' % (phone, phone, wamid)
        )
        self._meta.replied(phone)

    def _write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


def quantiles(waits: list[float]) -> dict[str, float]:
    listed = sorted(waits) or [0.0]
    return {
        name: round(listed[min(int(len(listed) * share), len(listed) - 1)] * 1000, 3)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


if __name__ == "__main__":
    told = uvloop.run(Meta(Plan(**json.loads(sys.argv[1]))).run())
    sys.stdout.write(json.dumps(told))
