"""Spans, kept by the SDK's own exporter in memory: what they tell, and what they do not."""

import asyncio
import subprocess
import sys
import timeit

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot import tracing
from tests.bot.caller import caller
from tests.bot.door import envelope, opened, text
from tests.bot.market import opened as market_opened
from tests.bot.market import until

PHONE = "712345678"


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    tracing.record(SimpleSpanProcessor(exporter))
    yield lambda name=None: [span for span in exporter.get_finished_spans() if name in (None, span.name)]
    tracing.stop()


def attributes(span):
    return {name.removeprefix("lipachat."): value for name, value in (span.attributes or {}).items()}


async def test_a_request_of_the_api(database, vault, spans):
    async with opened(database, vault) as door:
        kamau = await caller(door, await door.open_shop(), "Kamau")
        await kamau.get("/wallet")
        await kamau.get("/nothing/+254712345678?secret=canary")
    one, other = spans("api")
    told = attributes(one)
    assert (told["method"], told["route"], told["status"]) == ("GET", "/api/v1/wallet", 200)
    assert len(told["request_id"]) == 32
    assert attributes(other)["route"] == "other"
    assert one.end_time > one.start_time


async def test_a_turn_has_its_conversation_and_none_of_its_words(database, vault, spans):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop()
        await door.update(envelope(text("w1", "pay 500")))
        await door.hears()
    played = spans("turn")
    assert {attributes(span)["kind"] for span in played} == {"message"}
    assert len({attributes(span)["conversation_id"] for span in played}) == 1
    assert all(span.status.is_ok or span.status.is_unset for span in played)


async def test_a_payment_is_a_call_and_a_callback(database, vault, spans):
    async with market_opened(database, vault) as market:
        await market.business.pay("500")
        await market.work()
        await market.phone("pay")
        await until(market.hooks)
        await market.work()
    called = attributes(spans("provider")[0])
    assert (called["provider"], called["operation"], called["outcome"]) == ("mpesa", "collect", "accepted")
    assert attributes(spans("callback.received")[0])["status"] == 200
    assert "callback" in attributes(spans("callback")[0])


async def test_nothing_personal_or_secret_is_in_any(database, vault, spans):
    async with market_opened(database, vault) as market:
        await market.business.pay("500")
        await market.work()
        await market.post("f" * 64, b"no such")
    async with opened(database, vault, worker=True) as door:
        shop = await door.open_shop()
        token = await door.mint(shop)
        await door.post(f"/hooks/{token}", b'{"MSISDN": "254712345678"}')
        await door.update(envelope(text("w1", "my canary")))
        await door.hears()
        await asyncio.sleep(0.1)
    shown = " ".join(span.to_json() for span in spans())
    assert len(spans()) > 4
    for secret in (PHONE, token, "f" * 64, "canary", "passkey", "254712"):
        assert secret not in shown


def test_what_an_exception_says_stays_out(spans):
    with pytest.raises(ValueError, match="no route"), tracing.span("turn", to="+254712345678", password="x"):
        raise ValueError("no route to +254712345678")
    (span,) = spans()
    assert PHONE not in span.to_json()
    assert span.status.description == "ValueError"
    assert attributes(span)["password"] == "***"


def test_one_inside_another_is_its_child(spans):
    with tracing.span("turn"), tracing.span("provider") as note:
        note(outcome="accepted")
    inner, outer = spans()
    assert inner.parent.span_id == outer.context.span_id
    assert attributes(inner) == {"outcome": "accepted"}


def test_while_it_is_off_nothing_is_imported_and_nothing_is_spent():
    program = (
        "import sys; import bot.app; print([name for name in sys.modules if name.startswith('opentel')])"
    )
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

    def off():
        with tracing.span("turn", kind="message", seq=7):
            pass

    assert min(timeit.repeat(off, number=10_000, repeat=5)) / 10_000 < 20e-6


async def test_spans_reach_a_collector():
    came = []

    async def collect(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        came.append(head)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tracing.start(f"http://127.0.0.1:{port}")
    with tracing.span("turn"):
        pass
    await asyncio.to_thread(tracing.stop)
    server.close()
    assert came
    assert came[0].startswith(b"POST /v1/traces ")


def test_without_a_collector_nothing_begins():
    tracing.start(None)
    with tracing.span("turn") as note:
        note(outcome="none")
    assert tracing._tracer is None
