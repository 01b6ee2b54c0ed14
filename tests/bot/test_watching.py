"""What lasts and should not: an alert once, news for its people, and again only after it was well."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.mail.posting import Posting
from bot.watching import EVERY, JOB, Watching
from services import breakers, conditions
from services.news.conditions import KeyExpiring, ProviderDown, StillPending
from services.people import apikeys
from services.store.bell import Bell
from services.store.schema import NOBODY, api_keys, audit, inbox, jobs, outbox
from services.store.schema import conditions as rows_of
from services.store.scope import OWNER
from tests.services.business import Business


class Watched:
    def __init__(self, business):
        self.business = business
        database, vault = business.database, business.vault

        def clock():
            return business.now

        self.watching = Watching(
            database, vault, Bell(), clock, Posting(database, vault, clock, [], on=False)
        )

    async def minute(self, **span):
        self.business.forward(**(span or {"minutes": 1}))
        await self.watching.once()

    async def alerts(self, action):
        query = sa.select(audit.c.facts).where(audit.c.alert, audit.c.action == action)
        async with self.business.database.reading(OWNER) as connection:
            return list((await connection.execute(query.order_by(audit.c.seq))).scalars())

    async def news(self, person, kind):
        return [each for each in await self.business.news(person) if isinstance(each, kind)]


@pytest.fixture
async def watched(database, vault):
    return Watched(await Business(database, vault).open())


async def test_when_all_is_well_nothing_is_told(watched):
    await watched.business.paid("5000")
    await watched.business.withdraw()
    await watched.minute()
    async with watched.business.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(rows_of))).all() == []


async def test_a_payment_that_is_under_way_for_a_day_is_told_once(watched):
    one = await watched.business.pay()
    other = await watched.business.pay()
    await watched.minute(hours=23)
    assert await watched.alerts("payment.pending_long") == []
    await watched.minute(hours=2)
    await watched.minute()
    await watched.minute()
    (told,) = await watched.alerts("payment.pending_long")
    assert told == {"count": 2, "of": sorted([str(one.attempt), str(other.attempt)])}
    (news,) = await watched.news(watched.business.manager, StillPending)
    assert (news.what, news.count) == ("payment", 2)
    assert await watched.news(watched.business.cashier, StillPending) == []


async def test_the_next_that_comes_to_it_is_told_too(watched):
    await watched.business.pay()
    watched.business.forward(hours=2)
    await watched.business.pay()
    await watched.minute(hours=23)
    await watched.minute(hours=2)
    assert [each["count"] for each in await watched.alerts("payment.pending_long")] == [1, 1]


async def test_a_payout_that_is_under_way_for_a_day(watched):
    await watched.business.paid("5000")
    paying = await watched.business.approved()
    await paying.sent()
    await watched.minute(hours=25)
    assert [each["of"] for each in await watched.alerts("payout.pending_long")] == [[str(paying.payout)]]


async def fall_ill(business):
    async with business.work() as work:
        for _ in range(5):
            await breakers.heard(work, "mpesa", "prompt", lost=True)


async def test_a_provider_that_does_not_answer_is_told_once_and_again_after_an_hour(watched):
    for wait, told in ((0, 1), (2, 1), (20, 1), (120, 2)):
        watched.business.forward(minutes=wait)
        await fall_ill(watched.business)
        await watched.minute(seconds=1)
        assert len(await watched.alerts("provider.down")) == told, wait
        watched.business.forward(minutes=6)  # and is forgotten meanwhile
        await watched.watching.once()
    told = await watched.news(watched.business.manager, ProviderDown)
    assert [each.provider for each in told] == ["mpesa"] * 2


async def test_one_that_is_down_all_night_is_told_once(watched):
    for _ in range(30):
        watched.business.forward(minutes=4)
        await fall_ill(watched.business)
        await watched.watching.once()
    assert len(await watched.alerts("provider.down")) == 1


def parked(business, external):
    return {
        "tenant_id": business.tenant,
        "kind": "hook",
        "external_id": external,
        "status": "",
        "state": "parked",
        "due_at": business.now,
        "received_at": business.now,
        "body_sealed": b"",
    }


async def test_dead_letters_are_told_as_they_come(watched):
    for names in (("a", "b"), ("c",)):
        async with watched.business.behind() as work:
            await work.connection.execute(
                sa.insert(inbox), [parked(watched.business, name) for name in names]
            )
        await watched.minute()
        await watched.minute()
    assert [each["count"] for each in await watched.alerts("events.parked")] == [2, 1]


async def test_what_came_in_for_nobody_is_nobodys_condition(watched):
    async with watched.business.behind() as work:
        await work.connection.execute(
            sa.insert(inbox).values(**parked(watched.business, "x") | {"tenant_id": NOBODY})
        )
    await watched.minute()
    assert await watched.alerts("events.parked") == []


async def test_a_low_balance_is_told_once_for_as_long_as_it_lasts(watched):
    await watched.business.paid("5000")
    await watched.business.set(low_balance=100_000)
    await watched.minute()
    assert await watched.alerts("balance.low") == []
    await watched.business.withdraw("4500")
    await watched.minute()
    await watched.minute(hours=3)
    await watched.minute()
    assert await watched.alerts("balance.low") == [{}]
    await watched.business.paid("9000")
    await watched.minute()
    await watched.minute(hours=2)
    await watched.business.withdraw("9000")
    await watched.minute()
    assert await watched.alerts("balance.low") == [{}, {}]


async def test_a_key_in_use_that_ends_soon_is_told_to_who_holds_it(watched):
    business = watched.business
    async with business.work() as work:
        made = await apikeys.create(work, business.manager)
    async with business.behind() as work:
        await work.connection.execute(
            sa.update(api_keys).values(
                expires_at=business.now + timedelta(days=20), last_used_at=business.now
            )
        )
    await watched.minute()
    assert await watched.alerts("apikey.expiring") == []
    business.forward(days=7)
    async with business.behind() as work:
        await work.connection.execute(sa.update(api_keys).values(last_used_at=business.now))
    await watched.minute()
    await watched.minute()
    assert len(await watched.alerts("apikey.expiring")) == 1
    assert made is not None
    (news,) = await watched.news(business.manager, KeyExpiring)
    assert news.prefix == made.prefix


async def test_a_token_that_meta_refuses_is_told(watched):
    business = watched.business
    row = {
        "tenant_id": business.tenant,
        "conversation_id": business.chats[business.customer],
        "body_sealed": b"",
        "state": "waiting",
        "due_at": business.now,
        "created_at": business.now,
    }
    async with business.behind() as work:
        await work.connection.execute(sa.insert(outbox).values(**row, error="131000: try later"))
    await watched.minute()
    assert await watched.alerts("messages.stopped") == []
    async with business.behind() as work:
        await work.connection.execute(sa.insert(outbox).values(**row, error="190: session has expired"))
    await watched.minute()
    assert await watched.alerts("messages.stopped") == [{}]


async def test_two_processes_that_look_at_once_tell_it_once(watched):
    business = watched.business
    await business.pay()
    business.forward(hours=25)
    async with business.database.reading(OWNER) as connection:
        found = await conditions.standing(connection, business.now)
    for _ in range(2):
        async with business.work() as work:
            await conditions.tell(work, found[business.tenant])
    assert len(await watched.alerts("payment.pending_long")) == 1


async def test_it_is_due_again_a_minute_later(watched):
    await watched.watching.as_job()
    async with watched.business.database.reading(OWNER) as connection:
        due = await connection.scalar(sa.select(jobs.c.due_at).where(jobs.c.kind == JOB))
    assert due == watched.business.now + EVERY


async def test_what_was_well_for_a_day_is_forgotten(watched):
    await fall_ill(watched.business)
    await watched.minute(seconds=1)
    await watched.minute(hours=1)
    await watched.minute(hours=25)
    async with watched.business.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(rows_of))).all() == []
