"""Who has said stop, on both databases: kept once, with the time and by what; and taken back."""

import asyncio

import pytest
import sqlalchemy as sa

from services import errors
from services.people.preferences import may_write_unasked
from services.store.schema import audit, people
from services.store.scope import OWNER
from tests.services.test_payment_requests import ask


async def stopped(business):
    query = sa.select(people.c.stopped_at, people.c.stopped_by).where(people.c.id == business.customer)
    async with business.database.reading(OWNER) as connection:
        return tuple((await connection.execute(query)).one())


async def says(business, verb, **facts):
    async with business.teller(business.customer) as teller:
        return await getattr(teller, verb)(**facts)


async def actions(business):
    query = sa.select(audit.c.action, audit.c.facts).where(audit.c.action.startswith("unasked."))
    async with business.database.reading(OWNER) as connection:
        return [
            (row.action, row.facts["by"]) for row in await connection.execute(query.order_by(audit.c.seq))
        ]


async def test_stop_is_kept_with_its_first_time_and_start_takes_it_back(business):
    at = business.now
    await says(business, "stop_unasked")
    business.forward(minutes=5)
    await says(business, "stop_unasked")
    await says(business, "wishes", unasked=False)
    assert await stopped(business) == (at, "chat")
    assert await says(business, "start_unasked")
    assert not await says(business, "start_unasked")
    assert await stopped(business) == (None, None)
    assert await actions(business) == [("unasked.stopped", "chat"), ("unasked.started", "chat")]


async def test_whatsapps_own_switch_is_the_same(business):
    await says(business, "wishes", unasked=False)
    assert (await stopped(business))[1] == "whatsapp"
    await says(business, "wishes", unasked=True)
    assert await stopped(business) == (None, None)


async def test_two_at_once_are_kept_once(business):
    await asyncio.gather(*(says(business, "stop_unasked") for _ in range(4)))
    assert len(await actions(business)) == 1


async def test_who_has_said_stop_is_asked_for_no_money_and_others_are(business):
    await says(business, "stop_unasked")
    with pytest.raises(errors.WritesUnwanted):
        await ask(business)
    assert await business.news(business.customer) == []
    async with business.work() as work:
        assert await may_write_unasked(work, business.cashier)
    await says(business, "start_unasked")
    await ask(business)
