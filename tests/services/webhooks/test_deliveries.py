"""Deliveries: in order, again and again for a day, never more at once than an endpoint takes."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import MissingScope, NotFound
from services.errors.webhooks import EndpointDisabled, TooManyEndpoints
from services.news.webhooks import EndpointDropped, EndpointSet
from services.payments import settle
from services.providers.base import Succeeded
from services.safety.vault import Vault
from services.store.schema import webhook_attempts, webhook_deliveries, webhook_endpoints
from services.webhooks import deliveries, endpoints, replaying
from services.webhooks.deliveries import LADDER, LANES, LEASE, Outcome
from tests.services.business import Business, kes
from tests.services.webhooks.listening import AWAY, TAKEN, URL, Listening

GONE = Outcome(410, "http_410")


@pytest.fixture
async def listening(business):
    return await Listening.at(business)


async def told_twice(business):
    """A payment that expired, and came late."""
    paying = await business.pay("300")
    await paying.sent()
    async with business.work() as work:
        await settle.expire(work, paying.attempt)
    await paying.called(Succeeded(next(business.receipts), kes("300")))
    return paying


async def test_a_later_event_of_an_object_waits_for_the_earlier_and_others_go_on(business, listening):
    slow = await told_twice(business)
    (first,) = await listening.claimed()
    assert await listening.type(first) == "payment.expired"
    await business.paid("100")
    (other,) = await listening.claimed()
    assert await listening.type(other) == "payment.succeeded"
    assert (await business.row(webhook_deliveries, other.delivery_id)).object_id != slow.started.payment_id
    await listening.answered(other)
    assert await listening.claimed() == []
    await listening.answered(first, AWAY)
    assert await listening.claimed() == []
    business.forward(seconds=6)
    assert await listening.took() == ["payment.expired", "payment.succeeded"]


async def test_it_is_tried_again_for_a_day_and_then_given_up_and_the_next_one_goes(business, listening):
    await told_twice(business)
    began, waits = business.now, []
    while True:
        (sent,) = await listening.claimed()
        await listening.answered(sent, AWAY)
        first, second = await listening.written()
        if first.state == "dead":
            break
        wait = first.due_at - business.now
        waits.append(wait)
        assert second.state == "waiting"
        business.forward(seconds=wait.total_seconds())
    assert len(waits) == len(LADDER)
    for wait, rung in zip(waits, LADDER, strict=True):
        assert rung * 0.9 <= wait <= rung * 1.1
    assert len({wait / rung for wait, rung in zip(waits, LADDER, strict=True)}) > 5
    assert timedelta(hours=22) < business.now - began < timedelta(hours=28)
    assert (first.because, first.sends) == ("http_503", len(LADDER) + 1)
    assert await listening.took() == ["payment.succeeded"]
    async with business.behind() as work:
        rows = (await work.connection.execute(sa.select(webhook_attempts.c.status))).scalars().all()
    assert sorted(rows) == [200] + [503] * (len(LADDER) + 1)


async def test_a_receiver_may_ask_us_to_wait_but_not_for_ever(business, listening):
    await business.paid("100")
    (sent,) = await listening.claimed()
    await listening.answered(sent, Outcome(429, "http_429", timedelta(minutes=3)))
    assert await listening.until_next() == timedelta(minutes=3)
    business.forward(minutes=3)
    (sent,) = await listening.claimed()
    await listening.answered(sent, Outcome(429, "http_429", timedelta(days=365)))
    assert await listening.until_next() == timedelta(hours=12)


async def test_what_a_killed_process_had_taken_is_taken_again_and_its_late_answer_changes_nothing(
    business, listening
):
    await business.paid("100")
    (lost,) = await listening.claimed()
    business.forward(seconds=LEASE.total_seconds() - 1)
    assert await listening.claimed() == []
    business.forward(seconds=1)
    (again,) = await listening.claimed()
    assert (again.delivery_id, again.message_id) == (lost.delivery_id, lost.message_id)
    assert (lost.number, again.number) == (1, 2)
    await listening.answered(lost, GONE)
    assert await listening.states() == ["sending"]
    assert (await listening.row()).disabled_at is None
    await listening.answered(again)
    assert await listening.states() == ["delivered"]
    await listening.answered(lost, AWAY)
    assert await listening.states() == ["delivered"]


async def test_one_whose_process_dies_at_every_try_is_given_up_after_ten_and_the_next_one_goes(
    business, listening
):
    await told_twice(business)
    began, tries = business.now, 0
    while (await listening.written())[0].state != "dead":
        assert tries <= len(LADDER) + 1
        if await listening.claimed():
            tries += (await listening.written())[0].state == "sending"
            business.forward(seconds=LEASE.total_seconds())
        else:
            wait = (await listening.written())[0].due_at - business.now
            business.forward(seconds=wait.total_seconds())
    assert tries == len(LADDER) + 1
    assert timedelta(hours=22) < business.now - began < timedelta(hours=28)
    first, second = await listening.written()
    assert (first.because, first.sends) == ("broken_off", tries)
    assert second.state == "sending"  # claimed by who gave up the first
    assert (await listening.row()).failing_since is None  # nothing is known against it
    async with business.behind() as work:
        its = webhook_attempts.c.delivery_id == first.id
        tried = (await work.connection.execute(sa.select(webhook_attempts).where(its))).all()
    assert {(each.status, each.because) for each in tried} == {(None, None)}
    async with business.work() as work:
        await replaying.replay(work, business.owner, first.id)
    assert await listening.took() == ["payment.expired", "payment.succeeded"]


async def test_a_try_that_was_broken_off_waits_its_turn_in_no_lane(business, listening):
    """Whoever comes back after it was put off changes nothing."""
    for _ in range(2):
        await business.paid("100")
    for _ in range(3):  # the third wait is longer than a lease
        lost, other = await listening.claimed()
        business.forward(minutes=1, seconds=10)
    assert await listening.claimed() == []
    assert await listening.states() == ["waiting", "waiting"]
    await listening.answered(lost)
    await listening.answered(other, GONE)
    assert await listening.states() == ["waiting", "waiting"]
    for _ in range(LANES):
        await business.paid("100")
    assert len(await listening.claimed()) == LANES


async def test_no_more_at_once_than_there_are_lanes_and_one_where_nothing_is_taken(business, listening):
    for _ in range(LANES + 3):
        await business.paid("100")
    claimed = await listening.claimed()
    assert len(claimed) == LANES
    assert await listening.claimed() == []
    await listening.answered(claimed[0])
    (one,) = await listening.claimed()
    for each in (one, *claimed[1:]):
        await listening.answered(each, AWAY)
    business.forward(seconds=10)
    (alone,) = await listening.claimed()
    assert await listening.claimed() == []
    await listening.answered(alone)
    assert len(await listening.claimed()) == LANES


async def test_whoever_claims_beside_another_gets_nothing_or_others(business, listening):
    for _ in range(2 * LANES):
        await business.paid("100")
    found = await asyncio.gather(*(listening.claimed() for _ in range(4)))
    ids = [sent.delivery_id for claimed in found for sent in claimed]
    assert len(ids) == len(set(ids)) == LANES


async def test_an_endpoint_that_is_gone_is_disabled_and_the_staff_told(business, listening):
    await told_twice(business)
    await listening.took(GONE)
    assert await listening.states() == ["dead", "dead"]
    row = await listening.row()
    assert (row.disabled_because, row.disabled_at) == ("gone", business.now)
    told = [each for each in await business.news(business.owner) if isinstance(each, EndpointDropped)]
    assert told == [EndpointDropped(host="shop.example", because="gone")]
    assert EndpointSet(host="shop.example", name="Njeri") in await business.news(business.owner)
    assert not any(isinstance(each, EndpointDropped) for each in await business.news(business.cashier))
    assert await business.alerts_of(listening.endpoint) == ["webhook.endpoint_disabled"]
    await business.paid("100")
    assert (await listening.states())[-1] == "dead"


async def test_one_that_takes_nothing_for_days_is_disabled_and_one_that_takes_something_is_not(
    business, listening
):
    async def a_day_of_failing():
        await business.paid("100")
        while (await listening.took(AWAY)) and (await listening.states())[-1] == "waiting":
            business.forward(seconds=(await listening.until_next()).total_seconds())

    for _ in range(2):
        await a_day_of_failing()
    assert (await listening.row()).disabled_at is None
    await business.paid("100")
    await listening.took(TAKEN)
    assert (await listening.row()).failing_since is None
    for _ in range(2):
        await a_day_of_failing()
    assert (await listening.row()).disabled_because is None
    await a_day_of_failing()
    assert (await listening.row()).disabled_because == "failing"


async def test_what_was_given_up_is_replayed_under_the_same_id_once_it_is_enabled(business, listening):
    await told_twice(business)
    (sent,) = await listening.claimed()
    await listening.answered(sent, GONE)
    with pytest.raises(EndpointDisabled):
        async with business.work() as work:
            await replaying.replay(work, business.owner, sent.delivery_id)
    business.forward(days=2)
    async with business.work() as work:
        await endpoints.change(work, business.owner, listening.endpoint, URL, None, enabled=True)
    async with business.work() as work:
        long_ago = business.now - timedelta(days=3)
        assert await replaying.replay_given_up(work, business.owner, listening.endpoint, business.now) == 0
        assert await replaying.replay_given_up(work, business.owner, listening.endpoint, long_ago) == 2
    (again,) = await listening.claimed()
    assert (again.message_id, again.body) == (sent.message_id, sent.body)
    await listening.answered(again)
    assert await listening.took() == ["payment.succeeded"]
    async with business.work() as work:
        await replaying.replay(work, business.owner, sent.delivery_id)
    assert await listening.took() == ["payment.expired"]
    assert (await business.row(webhook_deliveries, sent.delivery_id)).sends == 3


async def test_what_is_being_sent_is_not_replayed_beside_itself(business, listening):
    await business.paid("100")
    (sent,) = await listening.claimed()
    async with business.work() as work:
        await replaying.replay(work, business.owner, sent.delivery_id)
    assert await listening.claimed() == []
    await listening.answered(sent)
    assert await listening.states() == ["delivered"]


async def test_both_secrets_sign_until_the_old_ones_time_is_over(business, listening):
    await business.paid("100")
    await business.paid("100")
    async with business.work() as work:
        _, new = await endpoints.rotate(work, business.owner, listening.endpoint, timedelta(hours=1))
    first, second = await listening.claimed()
    assert first.secrets == (new, listening.secret)
    await listening.answered(first)
    await listening.answered(second, AWAY)
    business.forward(hours=1)
    (again,) = await listening.claimed()
    assert again.secrets == (new,)
    async with business.work() as work:
        _, newest = await endpoints.rotate(work, business.owner, listening.endpoint, timedelta(0))
    await listening.answered(again, AWAY)
    business.forward(hours=1)
    (last,) = await listening.claimed()
    assert last.secrets == (newest,)


async def test_secrets_lie_sealed_and_one_that_no_key_opens_waits(business, listening):
    row = await listening.row()
    assert listening.secret.encode() not in row.secret_sealed
    await business.paid("100")
    business.vault = Vault([b"k" * 32])
    assert await listening.claimed() == []
    assert not await listening.due()
    business.forward(minutes=10)
    assert await listening.due()
    async with business.work() as work:
        row, new = await endpoints.rotate(work, business.owner, listening.endpoint, timedelta(hours=1))
    assert row.old_until is None
    (sent,) = await listening.claimed()
    assert sent.secrets == (new,)


async def test_a_removed_endpoint_takes_what_was_for_it_along(business, listening):
    kept = await Listening.at(business)
    await business.paid("100")
    (sent,) = await listening.claimed()
    async with business.work() as work:
        await endpoints.remove(work, business.owner, listening.endpoint)
    await listening.answered(sent)
    assert await listening.written() == []
    async with business.behind() as work:
        left = (await work.connection.execute(sa.select(webhook_attempts))).all()
    assert left == []
    assert await kept.took() == ["payment.succeeded"]


async def test_only_who_may_and_only_a_few(business, listening):
    for _ in range(endpoints.MOST - 1):
        await Listening.at(business)
    with pytest.raises(TooManyEndpoints):
        await Listening.at(business)
    async with business.work() as work:
        for doing in (
            endpoints.add(work, business.cashier, URL, None),
            endpoints.change(work, business.cashier, listening.endpoint, URL, None, enabled=True),
            endpoints.rotate(work, business.cashier, listening.endpoint, timedelta(0)),
            endpoints.remove(work, business.cashier, listening.endpoint),
            replaying.replay(work, business.cashier, listening.endpoint),
            replaying.replay_given_up(work, business.cashier, listening.endpoint, business.now),
        ):
            with pytest.raises(MissingScope):
                await doing
    stranger = await Business(business.database, business.vault).open()
    async with stranger.work() as work:
        for doing in (
            endpoints.one(work, listening.endpoint),
            endpoints.remove(work, stranger.owner, listening.endpoint),
            replaying.replay(work, stranger.owner, listening.endpoint),
        ):
            with pytest.raises(NotFound):
                await doing
        assert await deliveries.claim(work, listening.endpoint) == []


async def test_a_killed_remover_is_no_harm_to_who_moves_money(business, listening):
    """What is written for an endpoint that goes at this moment is sent nowhere, and costs nobody anything."""
    async with business.work() as work:
        await work.connection.execute(
            sa.delete(webhook_endpoints).where(webhook_endpoints.c.tenant_id == work.tenant)
        )
        paid = sa.insert(webhook_deliveries).values(
            tenant_id=work.tenant,
            id=business.customer,
            endpoint_id=listening.endpoint,
            event_id=business.customer,
            type="payment.succeeded",
            object_id=business.customer,
            body="{}",
            state="waiting",
            due_at=business.now,
            created_at=business.now,
        )
        await work.connection.execute(paid)
    assert await listening.claimed() == []
