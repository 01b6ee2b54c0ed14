"""Step-up: one-time codes of an authenticator app (TOTP, RFC 6238), which each approver has of their own.

A code is good for its 30 seconds and the ones before and after, since clocks differ, and for one use:
the last step that was used is kept. The secret is sealed; a code is neither kept nor logged.
"""

import hmac
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from services import audit, inbox
from services.errors import StepUpRequired
from services.errors.approval import ApproverCoolingDown, TotpInvalid
from services.news.approval import CodesEnrolled
from services.people import people
from services.store.schema import totps
from services.work import Work

COLUMN = "totps.secret"
# New codes in place of old ones count only when the owners have had a day to object.
COOL_DOWN = timedelta(hours=24)
_LOCK = timedelta(minutes=15)
_WRONG_LOCKS = 5
_STEP, _DIGITS, _SECRET_BYTES = 30, 6, 20


async def enrol(work: Work, person: UUID) -> str:
    """A new secret, as the otpauth address that authenticator apps read. The operator's act; owners hear
    of it. Where the person has used codes before, the new ones count after `COOL_DOWN` only."""
    secret = os.urandom(_SECRET_BYTES)
    known = await _row(work, person)
    again = known is not None and (known.last_step is not None or known.usable_at > work.now)
    usable_at = work.now + COOL_DOWN if again else work.now
    values = {
        "secret_sealed": work.seal(secret.hex(), COLUMN, person),
        "enrolled_at": work.now,
        "usable_at": usable_at,
        "last_step": None,
        "wrong": 0,
        "locked_until": None,
    }
    statement = work.insert(totps).values(tenant_id=work.tenant, person_id=person, **values)
    await work.connection.execute(
        statement.on_conflict_do_update(index_elements=[totps.c.tenant_id, totps.c.person_id], set_=values)
    )
    name = await people.name_of(work, person) or ""
    before = None if known is None else {"usable_at": known.usable_at.isoformat()}
    after = {"usable_at": usable_at.isoformat()}
    facts = {"again": again}
    await audit.record(work, audit.OPERATOR, "totp.enrolled", person, facts, before=before, after=after)
    told = await people.owners(work) | {person}
    await inbox.tell_people(work, told, CodesEnrolled(name=name, again=again))
    shop = (await people.tenant_of(work)).name
    return _totp(secret).get_provisioning_uri(name or str(person), shop)


async def verify(
    work: Work, person: UUID, code: str | None, unless: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Take a code, once. What went wrong is counted, so the transaction must be committed all the same.
    Where `unless` refuses, a right code stays as good as it was.

    Raises StepUpRequired (none was given, or the person has no secret), ApproverCoolingDown, TotpInvalid.
    """
    row = await _row(work, person)
    if code is None or row is None:
        raise StepUpRequired(enrolled=row is not None)
    if row.usable_at > work.now:
        raise ApproverCoolingDown(row.usable_at)
    if row.locked_until is not None and row.locked_until > work.now:
        raise TotpInvalid(locked_until=row.locked_until)
    step = _step_of(bytes.fromhex(work.open(row.secret_sealed, COLUMN, person)), code, work.now)
    if step is None:
        raise TotpInvalid(locked_until=await _count_wrong(work, row))
    if row.last_step is not None and step <= row.last_step:
        raise TotpInvalid(used=True)
    if unless is not None:
        await unless()
    await _change(work, person, last_step=step, wrong=0, locked_until=None)


def _step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The step whose code it is, of the one now and its neighbours; None where it is none's."""
    typed = "".join(code.split()).encode()
    current = int(now.timestamp()) // _STEP
    totp = _totp(secret)
    found = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(totp.generate(step * _STEP), typed):
            found = step
    return found


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, _DIGITS, SHA1(), _STEP)  # noqa: S303  what every authenticator app takes


async def _count_wrong(work: Work, row: sa.Row[Any]) -> datetime | None:
    """Until when it locks, where it does; the count begins anew then."""
    wrong = row.wrong + 1
    if wrong < _WRONG_LOCKS:
        await _change(work, row.person_id, wrong=wrong)
        return None
    until = work.now + _LOCK
    await _change(work, row.person_id, wrong=0, locked_until=until)
    await audit.record(
        work, row.person_id, "totp.locked", row.person_id, {"until": until.isoformat()}, alert=True
    )
    return until


async def _row(work: Work, person: UUID) -> sa.Row[Any] | None:
    """Locked, so that of two who use one code at once the second finds it used."""
    query = sa.select(totps).where(totps.c.tenant_id == work.tenant, totps.c.person_id == person)
    return (await work.connection.execute(query.with_for_update())).first()


async def _change(work: Work, person: UUID, **values: Any) -> None:
    await work.connection.execute(
        sa.update(totps).where(totps.c.tenant_id == work.tenant, totps.c.person_id == person).values(**values)
    )
