"""Rooms: the parts of a teller that have a door of their own; each has the shape of a protocol of flows."""

from datetime import datetime
from uuid import UUID

from services.batches.paymaster import Paymaster
from services.facts import Me, Shop
from services.reconciliation.clerk import Clerk
from services.refunds.desk import Desk
from services.review.reviewer import Reviewer
from services.schedules.rota import Rota
from services.settings.office import Office
from services.work import Work


class Rooms:
    def __init__(self, work: Work, shop: Shop, me: Me, conversation_id: UUID) -> None:
        self._work, self._shop, self._me = work, shop, me
        self._conversation_id = conversation_id

    @property
    def me(self) -> Me:
        return self._me

    @property
    def shop(self) -> Shop:
        return self._shop

    @property
    def now(self) -> datetime:
        return self._work.now

    @property
    def office(self) -> Office:
        return Office(self._work, self._me)

    @property
    def desk(self) -> Desk:
        return Desk(self._work, self._shop, self._me)

    @property
    def clerk(self) -> Clerk:
        return Clerk(self._work, self._me)

    @property
    def reviewer(self) -> Reviewer:
        return Reviewer(self._work, self._me)

    @property
    def paymaster(self) -> Paymaster:
        return Paymaster(self._work, self._shop, self._me, self._conversation_id)

    @property
    def rota(self) -> Rota:
        return Rota(self._work, self._shop, self._me)
