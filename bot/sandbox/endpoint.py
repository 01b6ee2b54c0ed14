"""Endpoint: the shop's own program as the app knows it, registered once by one of the staff. Its secret is
kept beside the database, as the program would keep it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from bot.commands.opening import known_tenant, work_of
from bot.parts import Parts
from bot.sandbox.world import RECEIVER_PATH, CannotError, Json
from services.errors import MissingScope, Refusal
from services.people.identity import member
from services.store.schema import webhook_deliveries, webhook_endpoints
from services.store.scope import PLATFORM
from services.webhooks import endpoints, replaying
from services.webhooks.deliveries import message_id
from services.work import Work

_SHOWN = 20
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_ADVICE = {
    "missing_scope": "Let Kamau manage integrations again, or start afresh with --reset",
    "endpoint_disabled": "Enable it first",
    "too_many_endpoints": "Remove another one by the API",
}
_STATES = ("waiting", "sending", "dead")


class Endpoint:
    """`phone`: of whoever manages it. `url`: where it listens in this run. `kept`: the file of its secret."""

    def __init__(self, parts: Parts, slug: str, phone: str, url: str, kept: Path) -> None:
        self._parts, self._slug, self._phone = parts, slug, phone
        self._url, self._kept = url, kept

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._kept.read_text(),) if self._kept.exists() else ()

    async def ready(self) -> None:
        """Registered the first time, and told of the port of today; one that somebody has removed stays so.
        Nothing where nobody may manage any, as in data of an older release."""
        row = await self._row()
        with suppress(Refusal):
            if row is not None and row.url != self._url:
                await self._change(row, enabled=row.disabled_at is None)
            if not self.secrets:
                await self._register()

    async def view(self) -> Json:
        """{"url", "state": "enabled", "disabled" or "missing", "because", "waiting", "given_up": each
        [{"webhook_id", "type", "object", "because", "at": when it is sent or ended}]}"""
        tenant = await self._tenant()
        async with self._parts.database.reading(tenant) as connection:
            table = webhook_endpoints
            query = sa.select(table).where(table.c.tenant_id == tenant)
            row = _ours((await connection.execute(query)).all())
            if row is None:
                return {"url": self._url, "state": "missing", "because": None, "waiting": [], "given_up": []}
            sent = webhook_deliveries
            its = (sent.c.tenant_id == tenant, sent.c.endpoint_id == row.id, sent.c.state.in_(_STATES))
            rows = (await connection.execute(sa.select(sent).where(*its).order_by(sent.c.seq))).all()
        state = "enabled" if row.disabled_at is None else "disabled"
        dead = [each for each in rows if each.state == "dead"]
        waiting = [each for each in rows if each.state != "dead" and each.tries]
        return {
            "url": row.url,
            "state": state,
            "because": row.disabled_because,
            "waiting": [_shown(each, each.due_at) for each in waiting[:_SHOWN]],
            "given_up": [_shown(each, each.ended_at) for each in dead[-_SHOWN:]],
        }

    async def enable(self) -> None:
        """Or register it, where it is not there. Raises CannotError."""
        row = await self._row()
        try:
            if row is not None:
                await self._change(row, enabled=True)
            else:
                await self._register()
        except Refusal as refusal:
            raise _cannot(refusal) from None

    async def again(self, webhook_id: str | None) -> None:
        """One of its events is posted again; None: all that were given up. Raises CannotError."""
        try:
            async with work_of(self._parts, self._slug) as work:
                row, person = _ours(await endpoints.listed(work)), await self._person(work)
                if row is None:
                    raise CannotError("the program is not registered")
                if webhook_id is None:
                    await replaying.replay_given_up(work, person, row.id, _EVER)
                else:
                    await replaying.replay(work, person, await _delivery(work, row.id, webhook_id))
        except Refusal as refusal:
            raise _cannot(refusal) from None

    async def _row(self) -> sa.Row[Any] | None:
        async with work_of(self._parts, self._slug) as work:
            return _ours(await endpoints.listed(work))

    async def _register(self) -> None:
        async with work_of(self._parts, self._slug) as work:
            person, row = await self._person(work), _ours(await endpoints.listed(work))
            if row is None:
                _, secret = await endpoints.add(work, person, self._url, None)
            else:  # its secret was lost
                _, secret = await endpoints.rotate(work, person, row.id, timedelta(0))
        self._kept.touch(mode=0o600)
        self._kept.write_text(secret)

    async def _change(self, row: sa.Row[Any], *, enabled: bool) -> None:
        async with work_of(self._parts, self._slug) as work:
            person = await self._person(work)
            await endpoints.change(work, person, row.id, self._url, row.types, enabled=enabled)

    async def _person(self, work: Work) -> UUID:
        """Raises MissingScope where there is nobody of that phone."""
        person = await member(work, self._phone)
        if person is None:
            raise MissingScope("integrations:manage")
        return person

    async def _tenant(self) -> UUID:
        async with self._parts.database.reading(PLATFORM) as connection:
            return await known_tenant(connection, self._slug)


def _cannot(refusal: Refusal) -> CannotError:
    advice = _ADVICE.get(refusal.code)
    return CannotError(f"the app refuses it: {refusal.code}" + (f". {advice}" if advice else ""))


def _ours(rows: Sequence[sa.Row[Any]]) -> sa.Row[Any] | None:
    return next((row for row in rows if urlsplit(row.url).path == RECEIVER_PATH), None)


async def _delivery(work: Work, endpoint_id: UUID, webhook_id: str) -> UUID:
    """Raises CannotError."""
    table = webhook_deliveries.c
    its = (table.tenant_id == work.tenant, table.endpoint_id == endpoint_id)
    rows = await work.connection.execute(sa.select(table.id, table.event_id).where(*its))
    found: UUID | None = next((row.id for row in rows if message_id(row.event_id) == webhook_id), None)
    if found is None:
        raise CannotError("the app has sent nothing of that webhook-id")
    return found


def _shown(row: sa.Row[Any], at: datetime) -> Json:
    return {
        "webhook_id": message_id(row.event_id),
        "type": row.type,
        "object": str(row.object_id),
        "because": row.because,
        "tries": row.tries,
        "at": int(at.timestamp() * 1000),
    }
