"""Review: what a conversation may do about what is undecided, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from uuid import UUID

from services.errors import MissingScope
from services.facts import Me
from services.money import Money
from services.news.review import ReviewQueue, Settlement, Undecided
from services.people.access import RECONCILE
from services.review import queue, record, settling
from services.work import Work


class Review:
    def __init__(self, work: Work, me: Me) -> None:
        self._work, self._me = work, me

    async def queue(self) -> ReviewQueue:
        self._need()
        return await queue.queue(self._work)

    async def of_order(self, number: str) -> ReviewQueue:
        self._need()
        return await queue.of_order(self._work, number)

    async def undecided(self, attempt_id: UUID) -> Undecided:
        self._need()
        return await queue.one(self._work, attempt_id)

    async def receipt(self, attempt_id: UUID, typed: str) -> str:
        self._need()
        return await settling.receipt(self._work, attempt_id, typed)

    async def propose(
        self,
        id: UUID,  # noqa: A002  the protocol's name
        attempt_id: UUID,
        outcome: str,
        reference: str,
        note: str,
        amount: Money | None = None,
    ) -> Settlement:
        by = self._me.person_id
        return await settling.propose(self._work, by, id, attempt_id, outcome, reference, note, amount)

    async def settlement(self, settlement_id: UUID) -> Settlement:
        self._need()
        return await record.shown(self._work, settlement_id)

    async def approve(self, settlement_id: UUID, digest: str, code: str | None = None) -> Settlement:
        return await settling.approve(self._work, self._me.person_id, settlement_id, digest, code)

    async def reject(self, settlement_id: UUID, reason: str) -> Settlement:
        return await settling.reject(self._work, self._me.person_id, settlement_id, reason)

    async def cancel(self, settlement_id: UUID) -> Settlement:
        return await settling.cancel(self._work, self._me.person_id, settlement_id)

    def _need(self) -> None:
        """Enough for what is only read."""
        if RECONCILE not in self._me.scopes:
            raise MissingScope(RECONCILE)
