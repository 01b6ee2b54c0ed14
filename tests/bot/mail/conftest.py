"""An office: a business whose operator and staff read e-mail, and a real mail server in this process."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.calls import Calls
from bot.mail.mailer import Mailer
from bot.mail.posting import Posting
from bot.mail.smtp import Smtp
from bot.watching import JOB, Watching
from services.jobs import MAIL_ALERT, MAIL_APPROVAL
from services.people import mailboxes
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import NOBODY, jobs, mails, staff
from services.store.scope import OWNER
from tests.fakes.smtp import MailServer, serving
from tests.services.business import Business

OPERATOR = "ops@platform.example"


class Office:
    """What a worker does of its own each minute; time stands still unless a test moves it."""

    def __init__(self, business: Business, server: MailServer) -> None:
        self.business, self.server = business, server
        self.calls = self.worker()

    def worker(self, operators: tuple[str, ...] = (OPERATOR,)) -> Calls:
        """As in another process."""
        database, vault, bell = self.business.database, self.business.vault, Bell()

        def clock():
            return self.business.now

        posting = Posting(database, vault, clock, operators)
        smtp = Smtp.of(f"smtp://127.0.0.1:{self.server.port}")
        mailer = Mailer(database, vault, clock, smtp, "lipachat@platform.example", operators)
        nobody: Any = None  # no provider is asked
        self.watching = Watching(database, vault, bell, clock, posting)
        return Calls(
            database,
            vault,
            nobody,
            bell,
            clock,
            "http://127.0.0.1",
            own={JOB: self.watching.as_job},
            others=dict.fromkeys((MAIL_ALERT, MAIL_APPROVAL), mailer.as_job),
        )

    async def minute(self, count: int = 1) -> None:
        for _ in range(count):
            self.business.forward(minutes=1)
            await self.work()

    async def work(self) -> None:
        """What is due of ours; what else the business has due is no concern of these tests."""
        while await self._due():
            await self.calls.once()

    async def _due(self) -> bool:
        now = self.business.now
        async with self.business.database.transaction(OWNER) as connection:
            ours = jobs.c.kind.in_((JOB, MAIL_ALERT, MAIL_APPROVAL))
            await connection.execute(sa.delete(jobs).where(sa.not_(ours)))
            free = sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= now)
            query = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.due_at <= now, free)
            return bool(await connection.scalar(query))

    async def write_to(self, **emails: str) -> None:
        """The staff by their names in `Business`."""
        async with self.business.work() as work:
            for name, email in emails.items():
                person = getattr(self.business, name)
                mine = (staff.c.tenant_id == work.tenant, staff.c.person_id == person)
                sealed = mailboxes.sealed(work, person, email)
                await work.connection.execute(sa.update(staff).where(*mine).values(email_sealed=sealed))

    async def waiting(self) -> int:
        async with self.business.database.reading(OWNER) as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(mails)) or 0


@pytest.fixture
async def office(database: Database, vault: Vault) -> AsyncIterator[Office]:
    business = await Business(database, vault).open()
    async with database.transaction(OWNER) as connection:
        row = {"tenant_id": NOBODY, "target_id": NOBODY, "kind": JOB, "due_at": business.now}
        await connection.execute(sa.insert(jobs).values(**row))
    async with serving(MailServer()) as server:
        office = Office(business, server)
        await office.work()
        office.server.taken.clear()
        business.forward(minutes=15)
        await office.work()
        yield office
