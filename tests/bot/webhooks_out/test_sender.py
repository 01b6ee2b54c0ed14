"""The worker that posts to tenants' systems: in order, beside others, and nobody held up by anybody."""

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot import metrics
from bot.webhooks_out import http
from bot.webhooks_out.sender import Sender
from services.payments import settle
from services.providers.base import Succeeded
from services.store.bell import Bell
from services.store.schema import webhook_attempts
from services.webhooks.deliveries import LANES
from tests.bot.webhooks_out.receiver import receiving
from tests.services.business import Business, kes
from tests.services.webhooks.listening import Listening


@pytest.fixture
async def business(database, vault):
    return await Business(database, vault).open()


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@asynccontextmanager
async def sending(business, **more):
    async with http.open_session(loopback=True) as session:
        clock = lambda: business.now  # noqa: E731
        yield Sender(business.database, business.vault, session, Bell(), clock, **more)


def types(receiver):
    return [json.loads(got.body)["type"] for got in receiver.got]


def counted():
    samples = (sample for family in metrics.webhooks.collect() for sample in family.samples)
    return Counter({each.labels["outcome"]: each.value for each in samples if each.name.endswith("_total")})


async def test_it_is_posted_signed_and_written_down(business, receiver):
    listening = await Listening.at(business, receiver.url)
    await business.paid("500")
    async with sending(business) as sender:
        assert await sender.once()
        assert not await sender.once()
    (got,), (row,) = receiver.got, await listening.written()
    assert (row.state, got.body) == ("delivered", row.body.encode())
    at = business.now
    signature = Webhook(listening.secret).sign(got.headers["webhook-id"], at, got.body.decode())
    assert got.headers["webhook-signature"] == signature
    async with business.behind() as work:
        (tried,) = (await work.connection.execute(webhook_attempts.select())).all()
    assert (tried.number, tried.status, tried.because) == (1, 204, None)


async def test_those_of_an_object_come_in_order_whatever_is_answered(business, receiver):
    await Listening.at(business, receiver.url)
    paying = await business.pay("300")
    await paying.sent()
    async with business.work() as work:
        await settle.expire(work, paying.attempt)
    await paying.called(Succeeded("UKO1", kes("300")))
    receiver.answers += [web.Response(status=500), web.Response(status=503)]
    before = counted()
    async with sending(business) as sender:
        await sender.once()
        assert types(receiver) == ["payment.expired"]
        business.forward(minutes=1)
        await sender.once()
        business.forward(minutes=2)
        await sender.once()
    assert types(receiver) == ["payment.expired"] * 3 + ["payment.succeeded"]
    assert counted() - before == {"http_5xx": 2, "delivered": 2}
    assert len({got.headers["webhook-id"] for got in receiver.got[:3]}) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got[:3]}) == 3


async def test_a_receiver_that_says_nothing_holds_up_no_other(business, receiver):
    other = await Business(business.database, business.vault).open()
    receiver.hold = asyncio.Event()
    await Listening.at(business, receiver.url)
    for _ in range(2 * LANES):
        await business.paid("100")
    async with receiving() as quick, sending(business) as sender:
        theirs = await Listening.at(other, quick.url)
        for _ in range(3):
            await other.paid("100")
        running = asyncio.create_task(sender.run())
        async with asyncio.timeout(10):
            while await theirs.states() != ["delivered"] * 3:  # noqa: ASYNC110  a table rings no bell
                await asyncio.sleep(0.02)
        assert receiver.most_at_once == len(receiver.got) == LANES
        receiver.hold.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await sender.drain()


async def test_workers_beside_each_other_post_each_once(business, receiver):
    listening = await Listening.at(business, receiver.url)
    for _ in range(3 * LANES):
        await business.paid("100")
    async with sending(business) as one, sending(business) as other:
        for _ in count():
            found = await asyncio.gather(one.once(), other.once())
            if not any(found):
                break
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(ids) == len(set(ids)) == 3 * LANES
    assert set(await listening.states()) == {"delivered"}
    assert receiver.most_at_once <= LANES


async def test_whoever_is_told_to_stop_takes_no_more(business, receiver):
    listening = await Listening.at(business, receiver.url)
    receiver.hold = asyncio.Event()
    for _ in range(LANES + 2):
        await business.paid("100")
    async with sending(business) as sender:
        running = asyncio.create_task(sender.run())
        async with asyncio.timeout(10):
            while receiver.under_way < LANES:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        receiver.hold.set()
        await sender.drain()
    assert sorted(await listening.states()) == ["delivered"] * LANES + ["waiting"] * 2


async def test_gone_is_gone(business, receiver):
    listening = await Listening.at(business, receiver.url)
    receiver.answers.append(web.Response(status=410))
    await business.paid("100")
    await business.paid("100")
    async with sending(business, abreast=1) as sender:
        await sender.once()
        assert not await sender.once()
    assert await listening.states() == ["dead", "dead"]
    assert (await listening.row()).disabled_because == "gone"
