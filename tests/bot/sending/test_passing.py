"""What may pass to a person now, on both databases: as it is, by a template, later, or not at all."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.sending.purposes import Purpose
from services.store.schema import audit, conversations, outbox, people, tenants
from services.store.scope import OWNER
from tests.bot.sending import test_delivery
from tests.bot.sending.test_delivery import UNDELIVERABLE, WINDOW

post = test_delivery.post
A_DAY = timedelta(days=1)
NOT_THERE, WRONG_COUNT = 132001, 132000
FILLING = json.dumps({"language": "sw", "parameters": ["a", "b"], "taps": ["w1|Decide|n0|approve"]}).encode()
ASKED = {"purpose": Purpose.WITHDRAWAL_REQUEST, "filling": FILLING}
CLOSED = {"code": WINDOW, "title": "Re-engagement message", "error_data": {"details": "24 hours"}}


async def names_template(post, **facts):
    named = {"withdrawal_request": {"name": "asked", "language": "en", "languages": ["sw"]}}
    async with post.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(tenants).values(templates=named, version=tenants.c.version + 1))


async def kept(post, *columns):
    query = sa.select(*(outbox.c[name] for name in columns)).order_by(outbox.c.seq)
    async with post.database.reading(OWNER) as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def alerts(post):
    query = sa.select(audit.c.action, audit.c.facts).where(audit.c.alert)
    async with post.database.reading(OWNER) as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_outside_the_window_it_goes_by_the_template_and_what_follows_too(post):
    await names_template(post)
    post.clock.now += A_DAY
    await post.says("a", "b", **ASKED)
    await post.deliver()
    assert post.graph.texts(0) == ["asked", "asked"]
    assert await post.states() == ["sent", "sent"]


async def test_inside_the_window_it_goes_as_it_is(post):
    await names_template(post)
    await post.says("a", **ASKED)
    await post.deliver()
    assert post.graph.texts(0) == ["a"]


async def test_without_a_template_it_waits_says_why_and_goes_once_they_write(post):
    post.clock.now += A_DAY
    await post.says("a", "b", **ASKED)
    await post.says("c", to=1)
    await post.deliver()
    assert post.graph.got == []  # nothing was tried in vain
    why = "its file names no template withdrawal_request"
    assert await kept(post, "state", "error") == [
        ("held", why),
        ("held", why),
        ("held", "no template is sent for it"),
    ]
    ((action, facts),) = await alerts(post)  # at most one an hour, of whichever is tried first
    assert (action, facts["purpose"]) in {
        ("messages.held", each) for each in ("withdrawal_request", "answer")
    }
    post.clock.now += timedelta(minutes=1)
    await post.writes()
    await post.deliver()
    assert post.graph.texts(0) == ["a", "b"]


async def test_the_window_that_meta_says_is_closed_is_known_from_then_on(post):
    await names_template(post)
    post.graph.answers["a"] = [WINDOW]
    await post.says("a", **ASKED)
    await post.says("b", **ASKED)
    await post.deliver()
    assert post.graph.texts(0) == ["a", "asked", "asked"]
    assert await post.states() == ["sent", "sent"]


async def test_a_status_that_says_so_sends_it_by_the_template_once(post):
    await names_template(post)
    await post.says("a", **ASKED)
    await post.deliver()
    for _ in range(2):
        await post.hears_status("failed", wamid="wamid.1", opaque="1", errors=[CLOSED])
        await post.hears_status("sent", wamid="wamid.1", opaque="1")
        await post.deliver()
    assert post.graph.texts(0) == ["a", "asked"]
    await post.hears_status("delivered", wamid="wamid.2", opaque="1")
    assert await kept(post, "state", "wamid") == [("delivered", "wamid.2")]


async def test_a_status_of_the_message_that_failed_settles_nothing_of_the_next_try(post):
    post.clock.now += timedelta(hours=1)
    await post.says("a")
    await post.deliver()
    await post.hears_status("failed", wamid="wamid.1", opaque="1", errors=[CLOSED])
    await post.hears_status("delivered", wamid="wamid.1", opaque="1")
    assert await post.states() == ["waiting"]


async def test_who_has_written_between_the_send_and_its_status_gets_it_again_as_it_is(post):
    await post.says("a", **ASKED)
    await post.deliver()
    post.clock.now += timedelta(seconds=5)
    await post.writes()
    await post.hears_status("failed", wamid="wamid.1", errors=[CLOSED])
    await post.deliver()
    assert post.graph.texts(0) == ["a", "a"]


async def test_who_wrote_before_it_was_held_and_is_heard_later_gets_it_then(post):
    """Meta may tell of a message late, and tells when it was written."""
    post.clock.now += A_DAY
    await post.says("a", **ASKED)
    await post.deliver()
    async with post.database.transaction(OWNER) as connection:
        written = post.clock() - timedelta(minutes=5)
        await connection.execute(sa.update(conversations).values(heard_at=written))
    await post.deliver()
    assert post.graph.texts(0) == ["a"]


@pytest.mark.parametrize("code", [NOT_THERE, WRONG_COUNT, WINDOW])
async def test_a_template_that_meta_refuses_is_held_and_says_so(post, code):
    await names_template(post)
    post.clock.now += A_DAY
    post.graph.answers["asked"] = [code]
    await post.says("a", **ASKED)
    await post.deliver()
    ((state, error),) = await kept(post, "state", "error")
    assert (state, error) == ("held", f"Meta refuses the template asked ({code}): no")
    post.clock.now += timedelta(minutes=1)
    await post.writes()
    await post.deliver()
    assert post.graph.texts(0) == ["asked", "a"]


async def test_a_template_to_nobody_is_given_up_like_any_message(post):
    await names_template(post)
    post.clock.now += A_DAY
    post.graph.answers["asked"] = [UNDELIVERABLE]
    await post.says("a", **ASKED)
    await post.deliver()
    assert await post.states() == ["failed"]


async def test_of_what_was_held_about_one_thing_only_the_latest_is_sent(post):
    post.clock.now += A_DAY
    await post.says("asked", about="w1", **ASKED)
    await post.says("other", about="w2", **ASKED)
    await post.says("decided", about="w1", purpose=Purpose.WITHDRAWAL_OUTCOME)
    await post.deliver()
    post.clock.now += timedelta(minutes=1)
    await post.writes()
    await post.deliver()
    assert post.graph.texts(0) == ["other", "decided"]
    assert await post.states() == ["failed", "sent", "sent"]


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_after_stop_only_what_is_asked_for_or_about_money_is_sent(post, purpose):
    async with post.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(people).values(stopped_at=post.clock()))
    await post.says("a", purpose=purpose)
    await post.deliver()
    unwanted = purpose in (Purpose.PAYMENT_REQUEST, Purpose.SUMMARY, Purpose.REMINDER)
    assert post.graph.texts(0) == ([] if unwanted else ["a"])
    assert await post.states() == ["failed" if unwanted else "sent"]


async def test_a_reminder_is_never_late(post):
    post.clock.now += A_DAY
    await post.says("a", purpose=Purpose.REMINDER)
    await post.deliver()
    await post.writes()
    await post.deliver()
    assert await kept(post, "state", "error") == [("failed", "the person has not written for a day")]


async def test_who_never_wrote_is_reached_by_a_template_only(post):
    await names_template(post)
    async with post.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(conversations).values(heard_at=None))
    await post.says("a", **ASKED)
    await post.says("b")
    await post.deliver()
    assert post.graph.texts(0) == ["asked"]
    assert await post.states() == ["sent", "held"]
