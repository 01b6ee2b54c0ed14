"""Batches: what a conversation may do about files of withdrawals, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from uuid import UUID

from services.batches import asking, deciding, record
from services.errors import MissingScope
from services.facts import Me, Shop
from services.news.batches import Batch
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.store.schema import batches
from services.work import Work

_SEE = frozenset({INITIATE, APPROVE, VIEW_FINANCE})
_LATEST = 8


class Batches:
    def __init__(self, work: Work, shop: Shop, me: Me, conversation_id: UUID) -> None:
        self._work, self._shop, self._me = work, shop, me
        self._conversation_id = conversation_id

    async def take(self, id: UUID, name: str, media: str) -> Batch:  # noqa: A002  the protocol's name
        return await asking.take(self._work, self._me.person_id, self._conversation_id, id, name, media)

    async def send(self, batch_id: UUID) -> Batch:
        return await asking.ask(self._work, self._me.person_id, batch_id, self._shop.pays_out_by)

    async def drop(self, batch_id: UUID) -> Batch:
        return await asking.drop(self._work, self._me.person_id, batch_id)

    async def latest(self) -> tuple[Batch, ...]:
        self._need()
        asked = batches.c.state.in_(("pending", "running", "done"))
        return tuple(await record.read(self._work, asked, latest=_LATEST))

    async def batch(self, batch_id: UUID) -> Batch:
        self._need()
        return await record.shown(self._work, batch_id)

    async def approve(self, batch_id: UUID, digest: str, code: str | None = None) -> Batch:
        ways = self._shop.pays_out_by
        return await deciding.approve(self._work, self._me.person_id, batch_id, digest, ways, code)

    async def reject(self, batch_id: UUID, reason: str) -> Batch:
        return await deciding.reject(self._work, self._me.person_id, batch_id, reason)

    async def cancel(self, batch_id: UUID) -> Batch:
        return await deciding.cancel(self._work, self._me.person_id, batch_id)

    def _need(self) -> None:
        """Enough for what is only read; what moves money is checked again where it is done."""
        if not self._me.scopes & _SEE:
            raise MissingScope(VIEW_FINANCE)
