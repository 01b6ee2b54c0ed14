"""The providers' callback addresses, and the pages for machines, over real HTTP on both databases."""

import asyncio
import json
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.webhooks import MOST_BYTES, Hooks
from services.store.bell import Bell
from services.store.schema import inbox
from services.store.scope import OWNER
from tests.bot.door import envelope, now, opened, text


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def token(door):
    return await door.mint(await door.open_shop())


async def bodies(door):
    """Of the callbacks that were stored, opened."""
    async with door.database.reading(OWNER) as connection:
        rows = (await connection.execute(sa.select(inbox).order_by(inbox.c.seq))).all()
    return [await door.body(row.external_id) for row in rows if row.kind == "hook"]


# --- callbacks


@pytest.mark.parametrize(
    "wrong",
    ["0" * 64, "0" * 63, "0" * 65, "x", "../livez", "%00", "%FF%FE", "ü" * 64, "0" * 5000, " "],
    ids=lambda wrong: wrong[:8],
)
async def test_a_token_that_is_unknown_or_malformed_is_404_and_stores_nothing(door, token, wrong):
    path = "/hooks/" + (wrong if "%" in wrong else quote(wrong, safe=""))
    assert (await door.post(path, b"{}")).status == 404
    assert (await door.get(path)).status == 404
    assert await bodies(door) == []


async def test_who_guesses_at_addresses_is_named_in_the_log_as_a_proxy_of_ours_tells_it(door, token):
    with structlog.testing.capture_logs() as logs:
        await door.post("/hooks/" + "0" * 64, b"{}")
        await door.post("/hooks/" + "0" * 64, b"{}", **{"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
        await door.get("/webhooks/whatsapp")
    told = [(line["event"], line["client"]) for line in logs if "client" in line]
    assert told == [
        ("hooks.unknown_token", "127.0.0.1"),
        ("hooks.unknown_token", "203.0.113.7"),
        ("webhook.handshake_refused", "127.0.0.1"),
    ]


async def test_a_token_that_is_nearly_right_is_404(door, token):
    other_end = token[:-1] + ("1" if token[-1] == "0" else "0")
    for nearly in (f"A{token[1:]}", token[:-1], token + "0", other_end):
        assert (await door.post(f"/hooks/{nearly}", b"{}")).status == 404
    assert await bodies(door) == []


@pytest.mark.parametrize(
    "body",
    [b'{"Body":{}}', b"", b"no json", b"\xff\x00\xfe", b"[]", b"<xml/>", b"x" * MOST_BYTES],
    ids=lambda body: repr(body[:12]),
)
async def test_any_body_on_a_known_token_is_200_and_stored_as_it_came(door, token, body):
    answer = await door.post(f"/hooks/{token}", body)
    assert answer.status == 200
    assert json.loads(answer.text)["ResultCode"] == 0
    assert await bodies(door) == [body]


async def test_the_same_body_twice_is_stored_once_and_another_beside_it(door, token):
    for body in (b'{"a":1}', b'{"a":1}', b'{"a":2}', b'{"a":1}'):
        assert (await door.post(f"/hooks/{token}", body)).status == 200
    assert await bodies(door) == [b'{"a":1}', b'{"a":2}']


async def test_the_same_body_on_two_addresses_is_two_events(door, token):
    other = await door.mint(await door.open_shop("777"))
    for address in (token, other):
        assert (await door.post(f"/hooks/{address}", b"{}")).status == 200
    assert await bodies(door) == [b"{}", b"{}"]


async def test_a_body_above_the_limit_is_413_and_not_stored(door, token):
    assert (await door.post(f"/hooks/{token}", b"x" * (MOST_BYTES + 1))).status == 413

    async def pieces():
        for _ in range(MOST_BYTES // 65536 + 1):
            yield b"x" * 65536

    assert (await door.post(f"/hooks/{token}", pieces())).status == 413
    assert await bodies(door) == []


async def test_a_body_that_dribbles_in_is_408_and_no_fault_of_the_database(door, token, vault):
    hooks, app = Hooks(door.database, vault, Bell(), now, 0.3), web.Application()
    app.router.add_post("/hooks/{token}", hooks.called)
    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(f"POST /hooks/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        with structlog.testing.capture_logs() as logs:
            answer = asyncio.create_task(reader.readuntil(b"in time."))
            while not answer.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
        writer.close()
        assert (await answer).startswith(b"HTTP/1.1 408 ")
    assert await bodies(door) == []
    assert logs == []


@pytest.mark.parametrize("path", ["/hooks/{token}", "/webhooks/whatsapp"])
async def test_whoever_hangs_up_amid_a_body_is_no_error_of_ours(door, token, path, caplog):
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
        head = f"POST {path.format(token=token)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode() + b"x")
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert await bodies(door) == []
    assert (logs, caplog.records) == ([], [])


async def test_what_is_told_by_get_stands_in_the_query_and_is_stored(door, token):
    for number in ("1", "2", "2"):
        answer = await door.get(f"/hooks/{token}", OrderTrackingId="abc", n=number)
        assert answer.status == 200
    assert await bodies(door) == [b"OrderTrackingId=abc&n=1", b"OrderTrackingId=abc&n=2"]


async def test_below_an_address_the_same_token_counts(door, token):
    assert (await door.post(f"/hooks/{token}/timeout", b"{}")).status == 200
    assert (await door.post(f"/hooks/{'0' * 64}/timeout", b"{}")).status == 404
    assert await bodies(door) == [b"{}"]


async def test_other_methods_and_addresses_are_refused(door, token):
    async with door.http.put(f"{door.url}/hooks/{token}", data=b"{}") as answer:
        assert answer.status == 405
    assert (await door.get("/")).status == 404
    assert (await door.get("/hooks/")).status == 404


# --- for machines


async def test_a_good_process_is_alive_and_ready(door):
    assert json.loads((await door.get("/livez")).text) == {"status": "alive"}
    ready = await door.get("/readyz")
    assert (ready.status, json.loads(ready.text)) == (200, {"status": "ready"})


async def test_the_numbers_tell_how_much_waits(door, token):
    await door.update(envelope(text("w1"), text("w2")))
    numbers = await door.get("/metrics")
    assert numbers.status == 200
    assert numbers.headers["Content-Type"].startswith("text/plain")
    assert 'lipachat_queue_depth{queue="turns"} 2.0' in numbers.text


async def test_no_phone_and_no_token_is_among_the_numbers(door, token):
    await door.update(envelope(text("w1", "my secret wish")))
    await door.post(f"/hooks/{token}", b"{}")
    numbers = (await door.get("/metrics")).text
    assert not any(secret in numbers for secret in ("712345678", token, "wish"))
