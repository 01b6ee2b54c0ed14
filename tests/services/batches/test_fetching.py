"""A file that was sent in a chat is read once it is there, and its sender is told what it comes to."""

import pytest

from services.batches import asking, fetching, record
from services.errors import MissingScope
from services.ids import new_id
from services.jobs import SEND_LADDER
from services.news.batches import BatchRead

WAYS = ("mpesa",)
ONE = b"to,number,amount\nphone,0712345678,500\n"


async def taken(business):
    async with business.work() as work:
        chat = business.chats[business.cashier]
        return await asking.take(work, business.cashier, chat, new_id(), "pay 0712345678.csv", "media-1")


async def told(business):
    return [each for each in await business.news(business.cashier) if isinstance(each, BatchRead)]


async def test_what_it_comes_to_is_told_once_and_its_sender_asks_others(business):
    await business.paid("1000")
    batch = await taken(business)
    assert batch.name == "pay ******5678.csv"
    for _ in range(2):  # two workers
        async with business.work() as work:
            await fetching.came(work, batch.id, ONE, WAYS)
    (read,) = await told(business)
    assert (read.batch.state, read.batch.count) == ("draft", 1)
    assert "batch_fetch" not in await business.jobs(batch.id)
    async with business.work() as work:
        assert await fetching.wanted(work, batch.id) is None
        assert (await asking.ask(work, business.cashier, batch.id, WAYS)).state == "pending"


async def test_a_fault_or_a_short_wallet_is_told_and_nothing_is_kept(business):
    await business.paid("100")
    for content in (b"\xff\xfe", ONE):
        batch = await taken(business)
        async with business.work() as work:
            await fetching.came(work, batch.id, content, WAYS)
            assert (await record.shown(work, batch.id)).state == "faulty"
    faulty, short = await told(business)
    assert (faulty.count, str(short.available), str(short.required)) == (1, "100.00", "500.00")


async def test_what_does_not_come_is_tried_again_and_then_given_up(business):
    batch = await taken(business)
    for _ in SEND_LADDER:
        async with business.work() as work:
            await fetching.lost(work, batch.id, again=True)
        assert await told(business) == []
    async with business.work() as work:
        await fetching.lost(work, batch.id, again=True)
    assert [each.lost for each in await told(business)] == [True]


async def test_who_may_not_ask_for_withdrawals_sends_none(business):
    with pytest.raises(MissingScope):
        async with business.work() as work:
            await asking.take(work, business.customer, new_id(), new_id(), "pay.csv", "media-1")
