"""Mailer: one e-mail for each recipient, with all that waits for them. What was not taken by the server waits
and is tried again by the ladder of jobs; what was taken is forgotten in the next commit, so that a crash in
between sends it twice at most, under the same Message-ID.

After an e-mail its recipient is left alone for a while: what comes meanwhile shares the next one.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from bot import metrics
from bot.mail import asked, letters
from bot.mail.posting import JOB_OF, operator_id
from bot.mail.smtp import Refused, Smtp
from flows.staff.letters import decisions_wanted
from services import jobs
from services.jobs import Job
from services.people import mailboxes, people
from services.people.access import RECONCILE
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY, audit, mails, tenants
from services.store.schema import people as persons
from services.store.scope import AUDITOR, PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

_REST = {"alert": timedelta(minutes=10), "approval": timedelta(minutes=1)}
_MOST = 500  # entries of one e-mail
_GIVES_UP = timedelta(days=1)  # on what the server itself refuses
_KIND = {job: kind for kind, job in JOB_OF.items()}


class Mailer:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        smtp: Smtp,
        sender: str,
        operators: Sequence[str],
    ) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._smtp, self._sender = smtp, sender
        self._operators = {operator_id(address): address for address in operators}

    async def as_job(self, job: Job) -> None:
        """Everything of this kind for this recipient. Raises what the server or the network does."""
        kind, now = _KIND[job.kind], self._clock()
        rows = await self._waiting(job.target_id, kind)
        if not rows:
            await self._end(job)
            return
        letter = await (self._of_alerts if kind == "alert" else self._of_approvals)(job.target_id, rows, now)
        if letter is not None:
            await self._send(kind, letter, rows[0].created_at, now)
        async with self._database.transaction(PLATFORM) as connection:
            for row in rows:
                mine = (mails.c.tenant_id == row.tenant_id, mails.c.seq == row.seq)
                gone = sa.delete(mails).where(*mine, mails.c.recipient_id == job.target_id)
                await connection.execute(gone)
        await self._rest(job, now + _REST[kind])

    async def _send(self, kind: str, letter: EmailMessage, since: datetime, now: datetime) -> None:
        try:
            await self._smtp.send(letter)
        except Refused as refused:
            metrics.mails.labels(kind, "refused").inc()
            if now - since < _GIVES_UP:
                raise
            # The audit still has what it told.
            log.error("mail.given_up", kind=kind, code=str(refused))  # noqa: TRY400  a word of theirs, no bug
        except Exception:
            metrics.mails.labels(kind, "failed").inc()
            raise
        else:
            metrics.mails.labels(kind, "sent").inc()

    async def _waiting(self, recipient: UUID, kind: str) -> Sequence[sa.Row[Any]]:
        query = (
            sa.select(mails)
            .where(mails.c.recipient_id == recipient, mails.c.kind == kind)
            .order_by(mails.c.created_at, mails.c.tenant_id, mails.c.seq)
            .limit(_MOST)
        )
        async with self._database.reading(PLATFORM) as connection:
            return (await connection.execute(query)).all()

    # --- what they say -----------------------------------------------------------------------------

    async def _of_alerts(
        self, recipient: UUID, rows: Sequence[sa.Row[Any]], now: datetime
    ) -> EmailMessage | None:
        tenant, told = rows[0].tenant_id, await self._told(rows)
        more = len(rows) - len(told)
        if (operator := self._operators.get(recipient)) is not None:
            return self._message(operator, *letters.to_operators(told, more), rows, recipient, now)
        address = await self._address(tenant, recipient, RECONCILE)
        if address is None or not told:
            return None
        async with self._database.reading(tenant) as connection:
            work = self._work(connection, tenant, now)
            shop = await people.tenant_of(work)
            language = await self._language(work, recipient) or shop.language
        subject, text = letters.to_staff(told, more, language, shop.timezone)
        return self._message(address, subject, text, rows, recipient, now)

    async def _told(self, rows: Sequence[sa.Row[Any]]) -> list[letters.Told]:
        columns = (audit.c.at, tenants.c.slug, tenants.c.name, audit.c.action, audit.c.target, audit.c.facts)
        wanted = sa.tuple_(audit.c.tenant_id, audit.c.seq).in_([(row.tenant_id, row.seq) for row in rows])
        query = sa.select(*columns).join_from(audit, tenants, tenants.c.id == audit.c.tenant_id).where(wanted)
        async with self._database.reading(AUDITOR) as connection:
            found = await connection.execute(query.order_by(audit.c.at, audit.c.tenant_id, audit.c.seq))
            return [letters.Told(*row) for row in found]

    async def _of_approvals(
        self, recipient: UUID, rows: Sequence[sa.Row[Any]], now: datetime
    ) -> EmailMessage | None:
        """Of what still waits for this person; None of what was decided meanwhile."""
        tenant = rows[0].tenant_id
        address = await self._address(tenant, recipient, *asked.SCOPES)
        if address is None:
            return None
        async with self._database.reading(tenant) as connection:
            work = self._work(connection, tenant, now)
            shop = await people.tenant_of(work)
            about = sa.select(audit.c.target).where(
                audit.c.tenant_id == tenant, audit.c.seq.in_([row.seq for row in rows])
            )
            ids = {UUID(target) for target in (await connection.execute(about)).scalars()}
            wanted = await asked.waiting_for(work, recipient, ids)
            language = await self._language(work, recipient) or shop.language
        if not wanted:
            return None
        subject, text = letters.said(decisions_wanted(wanted, shop.name), language, shop.timezone)
        return self._message(address, subject, text, rows, recipient, now)

    async def _language(self, work: Work, person: UUID) -> str | None:
        """None where they have chosen none."""
        mine = (persons.c.tenant_id == work.tenant, persons.c.id == person)
        language: str | None = await work.connection.scalar(sa.select(persons.c.language).where(*mine))
        return language

    def _message(
        self,
        to: str,
        subject: str,
        text: str,
        rows: Sequence[sa.Row[Any]],
        recipient: UUID,
        now: datetime,
    ) -> EmailMessage:
        first, last = rows[0], rows[-1]
        of = (first.tenant_id, first.seq, last.tenant_id, last.seq, recipient)
        return letters.message(sender=self._sender, to=to, subject=subject, text=text, at=now, of=of)

    async def _address(self, tenant: UUID, person: UUID, *scopes: str) -> str | None:
        """As it is now: who has left, or may no longer, is told nothing."""
        async with self._database.reading(tenant) as connection:
            work = self._work(connection, tenant, self._clock())
            for scope in scopes:
                known: Mapping[UUID, str] = await mailboxes.addresses(work, scope)
                if person in known:
                    return known[person]
        return None

    # --- when ---------------------------------------------------------------------------------------

    async def _end(self, job: Job) -> None:
        async with self._database.transaction(NOBODY) as connection:
            await jobs.finish(self._work(connection, NOBODY, self._clock()), job.target_id, job.kind)

    async def _rest(self, job: Job, until: datetime) -> None:
        async with self._database.transaction(NOBODY) as connection:
            work = self._work(connection, NOBODY, self._clock())
            await jobs.schedule(work, job.kind, job.target_id, until)

    def _work(self, connection: Any, tenant: UUID, now: datetime) -> Work:
        return Work(connection, self._vault, tenant, now, Via("clock", "mail"))
