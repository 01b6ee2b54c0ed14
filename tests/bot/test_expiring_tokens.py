"""That an access token of WhatsApp ends is told two weeks ahead, once."""

from datetime import UTC, timedelta

import pytest
import sqlalchemy as sa

from bot.mail.posting import Posting
from bot.watching import Watching
from bot.whatsapp.account import Token, Trouble
from bot.whatsapp.expiring import JOB, Expiring
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import audit, jobs
from services.store.scope import OWNER
from tests.services.business import Business


class Meta:
    """Says when the token ends."""

    said: Token | Trouble

    def ends(self, at):
        self.said = Token("app", valid=True, expires_at=at, scopes=frozenset())

    async def token(self, _token):
        return self.said


class Book:
    async def by_id(self, _tenant):
        return type("Numbered", (), {"access_token": "EAAtoken"})


@pytest.fixture
async def looking(database, vault):
    business = await Business(database, vault).open()
    await business.set(phone_number_id="106540352242922")
    return Looking(business)


class Looking:
    def __init__(self, business):
        self.business, self.meta = business, Meta()
        database, vault = business.database, business.vault

        def clock():
            return business.now

        book: TenantBook = Book()  # type: ignore[assignment]
        self.job = Expiring(database, vault, book, self.meta, clock)  # type: ignore[arg-type]
        posting = Posting(database, vault, clock, [], on=False)
        self.watching = Watching(database, vault, Bell(), clock, posting, (JOB,))

    async def days(self, count):
        for _ in range(count):
            await self.job.as_job()
            for _ in range(3):
                await self.watching.once()
                self.business.forward(hours=8)

    async def alerts(self):
        query = sa.select(audit.c.facts).where(audit.c.alert, audit.c.action == "token.expiring")
        async with self.business.database.reading(OWNER) as connection:
            return list((await connection.execute(query.order_by(audit.c.seq))).scalars())


async def test_two_weeks_ahead_it_is_told_once(looking):
    ends = looking.business.now.astimezone(UTC) + timedelta(days=16)
    looking.meta.ends(ends)
    await looking.days(2)
    assert await looking.alerts() == []
    await looking.days(13)
    assert await looking.alerts() == [{"count": 1, "of": [ends.isoformat()]}]


async def test_each_new_token_is_told_of(looking):
    looking.meta.ends(looking.business.now + timedelta(days=5))
    await looking.days(1)
    looking.meta.ends(looking.business.now + timedelta(days=10))
    await looking.days(3)
    assert len(await looking.alerts()) == 2


async def test_one_that_does_not_end_or_cannot_be_looked_at_is_no_alert(looking):
    looking.meta.ends(None)
    await looking.days(1)
    looking.meta.said = Trouble("HTTP 500")
    await looking.days(1)
    assert await looking.alerts() == []


async def test_it_is_begun_by_the_watching_and_comes_once_a_day(looking):
    async def due():
        query = sa.select(jobs.c.due_at).where(jobs.c.kind == JOB)
        async with looking.business.database.reading(OWNER) as connection:
            return list((await connection.execute(query)).scalars())

    looking.meta.ends(None)
    now = looking.business.now
    await looking.watching.as_job()
    assert await due() == [now]
    await looking.job.as_job()
    looking.business.forward(minutes=1)
    await looking.watching.as_job()
    assert await due() == [now + timedelta(days=1)]
