"""Anchored: whether the ends of the audit's chains are kept where the database's administrator does not rule.
Their folder has the word: what the database says of it can be written there by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import sqlalchemy as sa

from bot.doctor.finding import Finding, warning
from bot.parts import Parts
from services.audit import anchors
from services.store.schema import audit, audit_heads
from services.store.scope import AUDITOR

_DAY = timedelta(days=1)
_OLD = timedelta(minutes=20)
_BEYOND = sa.select(sa.func.count()).where(audit_heads.c.anchored_seq > audit_heads.c.seq)
_FOLDER = "set it, for the workers and here, to a folder where the database's administrators do not rule"
_AT_ONCE = "start a worker with this LIPACHAT_AUDIT__ANCHOR; at once: python main.py audit anchor"


async def anchored(parts: Parts) -> AsyncIterator[Finding]:
    now, folder = parts.clock(), parts.settings.audit.anchor
    lately = sa.select(audit.c.tenant_id, sa.func.max(audit.c.seq)).group_by(audit.c.tenant_id)
    async with parts.database.reading(AUDITOR) as connection:
        beyond = await connection.scalar(_BEYOND)
        found = await connection.execute(lately.where(audit.c.at >= now - _DAY, audit.c.at < now - _OLD))
        old = {row[0]: row[1] for row in found}
    if beyond:
        what = f"heads of the audit that are said to be anchored beyond their end: {beyond}"
        yield warning(what, "entries were cut off, or it was written by hand: python main.py audit verify")
    if folder is None:
        yield warning("the audit is anchored in the log alone (LIPACHAT_AUDIT__ANCHOR is not set)", _FOLDER)
        return
    believed = parts.settings.audit.believed
    try:
        covered = await asyncio.to_thread(anchors.covered, folder, parts.vault, now - _DAY, believed)
    except OSError as error:
        what = f"the anchors of the audit in {folder} cannot be read: {error.strerror}"
        yield warning(what, "correct its rights, or LIPACHAT_AUDIT__ANCHOR")
        return
    if bare := sum(seq > covered.get(tenant, 0) for tenant, seq in old.items()):
        what = f"chains of the audit with entries of the last day that no file in {folder} covers: {bare}"
        yield warning(what, _AT_ONCE)
