"""Office: what a conversation may do about the tenant's settings, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from typing import Any
from uuid import UUID

from services.errors import MissingScope
from services.facts import Me, Stopped
from services.news.settings import Change
from services.people import people
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE
from services.settings import changing, record
from services.store.schema import changes
from services.withdrawals import stop
from services.work import Work

SEE = frozenset({APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE})


class Office:
    def __init__(self, work: Work, me: Me) -> None:
        self._work, self._me = work, me

    async def changes(self) -> tuple[Change, ...]:
        self._need()
        return tuple(await record.read(self._work, changes.c.state.in_(record.OPEN)))

    async def change(self, change_id: UUID) -> Change:
        self._need()
        return await record.shown(self._work, change_id)

    async def ask(self, id: UUID, kind: str, wanted: dict[str, Any]) -> Change:  # noqa: A002  the protocol's name
        return await changing.ask(self._work, self._me.person_id, id, kind, wanted)

    async def approve(self, change_id: UUID, digest: str) -> Change:
        return await changing.approve(self._work, self._me.person_id, change_id, digest)

    async def reject(self, change_id: UUID, reason: str) -> Change:
        return await changing.reject(self._work, self._me.person_id, change_id, reason)

    async def take_back(self, change_id: UUID) -> Change:
        return await changing.take_back(self._work, self._me.person_id, change_id)

    async def stopped(self) -> Stopped | None:
        self._need()
        return await stop.described(self._work, await people.tenant_of(self._work))

    async def stop(self) -> Stopped:
        await stop.stop(self._work, self._me.person_id)
        found = await stop.described(self._work, await people.tenant_of(self._work))
        return found or Stopped(by=None, at=self._work.now)

    def _need(self) -> None:
        """Enough for what is only read; what changes anything is checked again where it is done."""
        if not self._me.scopes & SEE:
            raise MissingScope(RECONCILE)
