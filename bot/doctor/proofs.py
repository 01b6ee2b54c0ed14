"""Proofs: whether the books and the audit are proven as often as they should be, and stand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.doctor.finding import Finding, broken, good, warning
from bot.parts import Parts
from services.books import watch
from services.store.schema import Moment, audit, audit_heads, book_checks, transfers
from services.store.scope import AUDITOR

_WORKER = "start a worker: python main.py work, or serve without --no-worker"
_NIGHTLY = timedelta(hours=36)  # a night may take its time
_ANCHORED = timedelta(minutes=20)


@dataclass(frozen=True)
class _Check:
    """`late`: when one that was not made again is missed; `fix`: of what it has found."""

    kind: str
    what: str
    late: timedelta
    fix: str


_BOOKS, _AUDIT = "look: python main.py ledger check", "look: python main.py audit verify"
_CHECKS = (
    _Check(watch.MINUTE, "what has changed in the books", timedelta(minutes=10), _BOOKS),
    _Check(watch.NIGHT, "the books as a whole", _NIGHTLY, _BOOKS),
    _Check(watch.AUDIT, "the chains of the audit", _NIGHTLY, _AUDIT),
)
# The first entry behind each head that was anchored.
_UNANCHORED = sa.select(sa.func.count(), sa.func.min(audit.c.at, type_=Moment)).join(
    audit_heads,
    sa.and_(audit_heads.c.tenant_id == audit.c.tenant_id, audit.c.seq == audit_heads.c.anchored_seq + 1),
)


async def proofs(parts: Parts) -> AsyncIterator[Finding]:
    now = parts.clock()
    async with parts.database.reading(AUDITOR) as connection:
        checks = {row.kind: row for row in await connection.execute(sa.select(book_checks))}
        began = {
            watch.AUDIT: await connection.scalar(sa.select(sa.func.min(audit.c.at, type_=Moment))),
            watch.MINUTE: await connection.scalar(
                sa.select(sa.func.min(transfers.c.created_at, type_=Moment))
            ),
        }
        waiting, oldest = (await connection.execute(_UNANCHORED)).one()
    for check in _CHECKS:
        since = began.get(check.kind, began[watch.MINUTE])
        if since is not None:
            yield _finding(check, checks.get(check.kind), since, now)
    if waiting and oldest < now - _ANCHORED:
        at = f"{oldest:%Y-%m-%d %H:%M} UTC"
        yield warning(f"heads of the audit that wait to be anchored: {waiting}, since {at}", _WORKER)


def _finding(check: _Check, row: sa.Row[Any] | None, since: datetime, now: datetime) -> Finding:
    last = row.ended_at if row else None
    if row is not None and row.found:
        return broken(f"when {check.what} was proven, {row.found} breaches were found", check.fix)
    if last is not None and last > now - check.late:
        return good(f"{check.what}: proven at {last:%Y-%m-%d %H:%M} UTC")
    if last is None and since > now - check.late:
        return good(f"{check.what}: not to be proven yet")
    at = f"last at {last:%Y-%m-%d %H:%M} UTC" if last else "never"
    return warning(f"{check.what}: proven {at}", _WORKER)
