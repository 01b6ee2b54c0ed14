"""Reconciliation: what a conversation may do about breaks, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from uuid import UUID

from services.errors import MissingScope
from services.facts import Me
from services.people.access import RECONCILE
from services.reconciliation import closing, record
from services.reconciliation.facts import State
from services.reconciliation.seen import Seen
from services.store.schema import breaks
from services.work import Work

_MOST = 30


class Reconciliation:
    def __init__(self, work: Work, me: Me) -> None:
        self._work, self._me = work, me

    async def breaks(self) -> tuple[Seen, ...]:
        self._need()
        return tuple(await record.read(self._work, breaks.c.state == State.OPEN, limit=_MOST))

    async def one(self, break_id: UUID) -> Seen:
        self._need()
        return await record.shown(self._work, break_id)

    async def close(self, break_id: UUID, reason: str) -> Seen:
        return await closing.close(self._work, self._me.person_id, break_id, reason)

    def _need(self) -> None:
        if RECONCILE not in self._me.scopes:
            raise MissingScope(RECONCILE)
