"""Names of tenants' endpoints: whose name server says nothing keeps no other tenant waiting."""

import asyncio
import socket
import threading

import pytest

from bot.webhooks_out.names import Names

_FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


@pytest.fixture
def silent(monkeypatch):
    """The name servers of these names answer once they are let."""
    let = threading.Event()

    def look(host, *_, **__):
        if host.startswith("silent"):
            let.wait(10)
        return _FOUND

    monkeypatch.setattr(socket, "getaddrinfo", look)
    yield let
    let.set()


async def test_a_name_that_nobody_answers_takes_one_thread_however_often_it_is_asked(silent):
    names = Names()
    waiting = [asyncio.create_task(names.resolve("silent.example.org", 443)) for _ in range(40)]
    await asyncio.sleep(0)
    waiting.pop().cancel()  # whoever gives up takes nobody along
    (found,) = await asyncio.wait_for(names.resolve("shop.example.org", 443), 2)
    assert found["host"] == "192.0.2.1"
    silent.set()
    assert {found["hostname"] for (found,) in await asyncio.gather(*waiting)} == {"silent.example.org"}
    await names.close()


async def test_it_is_looked_up_anew_each_time(silent, monkeypatch):
    names = Names()
    await names.resolve("shop.example.org", 443)
    another = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.2", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: another)
    (found,) = await names.resolve("shop.example.org", 443)
    assert found["host"] == "192.0.2.2"
    await names.close()
