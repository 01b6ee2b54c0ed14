"""Refunds: what a conversation may do about money that goes back, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from uuid import UUID

from services.errors import MissingScope
from services.facts import Me, Refundable, RefundQueue, Shop
from services.money import Money
from services.news.refunds import Refund
from services.people.access import RECONCILE
from services.refunds import decide, queue, record, request, wishes
from services.work import Work


class Refunds:
    def __init__(self, work: Work, shop: Shop, me: Me) -> None:
        self._work, self._shop, self._me = work, shop, me

    async def wish(self, payment_id: UUID, reason: str) -> str:
        return await wishes.wish(self._work, self._me.person_id, payment_id, reason)

    async def refundable(self, number: str) -> Refundable:
        self._need()
        return await queue.refundable(self._work, number)

    async def ask(self, id: UUID, payment_id: UUID, amount: Money, reason: str) -> Refund:  # noqa: A002  the protocol's name
        return await request.request(
            self._work, self._shop, self._me.person_id, id, payment_id, reason, amount
        )

    async def resolve_twice(self, id: UUID, attempt_id: UUID, reason: str, *, keep: bool) -> Refund:  # noqa: A002  the protocol's name
        return await request.resolve_twice(
            self._work, self._shop, self._me.person_id, id, attempt_id, reason, keep=keep
        )

    async def queue(self) -> RefundQueue:
        self._need()
        return await queue.queue(self._work)

    async def refund(self, refund_id: UUID) -> Refund:
        self._need()
        return await record.shown(self._work, refund_id)

    async def approve(self, refund_id: UUID, digest: str, code: str | None = None) -> Refund:
        return await decide.approve(self._work, self._me.person_id, refund_id, digest, code)

    async def reject(self, refund_id: UUID, reason: str) -> Refund:
        return await decide.reject(self._work, self._me.person_id, refund_id, reason)

    async def cancel(self, refund_id: UUID) -> Refund:
        return await decide.cancel(self._work, self._me.person_id, refund_id)

    async def decline(self, wish_id: UUID, reason: str) -> bool:
        return await wishes.decline(self._work, self._me.person_id, wish_id, reason)

    def _need(self) -> None:
        """Enough for what is only read."""
        if RECONCILE not in self._me.scopes:
            raise MissingScope(RECONCILE)
