"""Schedules: what a conversation may do about schedules, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from uuid import UUID

from services.errors import MissingScope
from services.facts import Me, Shop
from services.news.schedules import Schedule
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.rails import refuse_closed_way_out
from services.schedules import asking, deciding, record
from services.schedules.asking import Wanted
from services.store.schema import schedules
from services.work import Work

_SEE = frozenset({INITIATE, APPROVE, VIEW_FINANCE})
_OPEN = ("pending", "active", "stopped", "resting")


class Schedules:
    def __init__(self, work: Work, shop: Shop, me: Me) -> None:
        self._work, self._shop, self._me = work, shop, me

    async def schedules(self) -> tuple[Schedule, ...]:
        self._need()
        return tuple(await record.read(self._work, schedules.c.state.in_(_OPEN)))

    async def schedule(self, schedule_id: UUID) -> Schedule:
        self._need()
        return await record.shown(self._work, schedule_id)

    async def ask(self, id: UUID, wanted: Wanted) -> Schedule:  # noqa: A002  the protocol's name
        refuse_closed_way_out(self._shop, wanted.destination.method_type)
        return await asking.ask(self._work, self._me.person_id, id, wanted)

    async def approve(self, schedule_id: UUID, digest: str, code: str | None = None) -> Schedule:
        return await deciding.approve(self._work, self._me.person_id, schedule_id, digest, code)

    async def reject(self, schedule_id: UUID, reason: str) -> Schedule:
        return await deciding.reject(self._work, self._me.person_id, schedule_id, reason)

    async def stop(self, schedule_id: UUID) -> Schedule:
        return await deciding.stop(self._work, self._me.person_id, schedule_id)

    async def resume(self, schedule_id: UUID) -> Schedule:
        return await deciding.resume(self._work, self._me.person_id, schedule_id)

    async def cancel(self, schedule_id: UUID) -> Schedule:
        return await deciding.cancel(self._work, self._me.person_id, schedule_id)

    def _need(self) -> None:
        """Enough for what is only read; what moves money is checked again where it is done."""
        if not self._me.scopes & _SEE:
            raise MissingScope(VIEW_FINANCE)
