"""Signed events of Stripe come in once by their own id, from Stripe alone, and lately."""

import asyncio
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from stripe import WebhookSignature

from services.store.schema import inbox
from services.store.scope import OWNER

SECRET = "whsec_market"
SETTINGS = {"secret_key": "sk_test_market", "webhook_secret": f"whsec_before, {SECRET}"}
ANOTHER = {"secret_key": "sk_test_other", "webhook_secret": "whsec_other"}


@pytest.fixture
async def market(market):
    await market.set_up(SETTINGS, "stripe")
    return market


def event(name="evt_1", **changes):
    told = {"id": name, "object": "event", "type": "plan.created", "livemode": False, "pending_webhooks": 2}
    return json.dumps(told | changes).encode()


async def tell(market, body, secret=SECRET, ago=0, **headers):
    at = int((market.clock() - timedelta(seconds=ago)).timestamp())
    signed = WebhookSignature.generate_signature_header(body.decode(), secret, at)
    url = f"{market.app_url}/hooks/stripe/{market.business.slug}"
    given = {"Stripe-Signature": signed} | headers
    async with market._outside.post(url, data=body, headers=given) as answer:
        return answer.status


async def kept(market):
    async with market.database.reading(OWNER) as connection:
        query = sa.select(inbox.c.external_id, inbox.c.state).where(inbox.c.kind == "hook")
        return sorted(tuple(row) for row in await connection.execute(query.order_by(inbox.c.seq)))


async def test_an_event_that_is_told_twice_in_other_bytes_is_one(market):
    both = event(), event(pending_webhooks=1)
    assert [await tell(market, body) for body in both] == [200, 200]
    assert (
        await asyncio.gather(*(tell(market, event(pending_webhooks=left)) for left in range(5))) == [200] * 5
    )
    await market.work()
    assert await tell(market, event()) == 200
    assert await kept(market) == [("stripe:evt_1", "kept")]


async def test_two_events_in_the_same_words_are_two(market):
    assert [await tell(market, event(name)) for name in ("evt_2", "evt_1")] == [200, 200]
    assert [name for name, _ in await kept(market)] == ["stripe:evt_1", "stripe:evt_2"]


@pytest.mark.parametrize("name", [None, "", 1.5, "x" * 101, ["evt_1"]])
async def test_one_without_an_id_is_known_by_its_bytes(market, name):
    body = event(name)
    assert [await tell(market, body), await tell(market, body)] == [200, 200]
    ((known, _),) = await kept(market)
    assert len(known.removeprefix("stripe:")) == 64


async def test_it_is_let_in_by_each_secret_and_by_no_other(market):
    assert await tell(market, event("evt_1"), "whsec_before") == 200
    assert await tell(market, event("evt_2"), "whsec_other") == 401
    assert await tell(market, event("evt_3"), **{"Stripe-Signature": ""}) == 401
    assert await tell(market, event("evt_4"), **{"Stripe-Signature": "t=1,v1=" + "0" * 64}) == 401
    assert [name for name, _ in await kept(market)] == ["stripe:evt_1"]


async def test_a_replay_outside_the_tolerance_is_not_let_in(market):
    assert await tell(market, event("evt_1"), ago=299) == 200
    assert await tell(market, event("evt_2"), ago=301) == 401
    assert await tell(market, event("evt_3"), ago=-60) == 200  # our clock is behind
    assert [name for name, _ in await kept(market)] == ["stripe:evt_1", "stripe:evt_3"]


async def test_without_the_endpoints_secret_nothing_is_let_in(market):
    await market.set_up({"secret_key": "sk_test_market"}, "stripe")
    assert await tell(market, event()) == 401
    await market.set_up(None, "stripe")
    assert await tell(market, event()) == 401


async def test_what_is_signed_and_no_event_is_parked(market):
    assert await tell(market, b'{"id": "evt_1"}') == 200
    await market.work()
    assert await kept(market) == [("stripe:evt_1", "parked")]
