"""Domains: the parts of a teller that have a name of their own; each has the shape of a protocol of flows."""

from datetime import datetime
from uuid import UUID

from services.batches.teller import Batches
from services.facts import Me, Shop
from services.reconciliation.teller import Reconciliation
from services.refunds.teller import Refunds
from services.review.teller import Review
from services.schedules.teller import Schedules
from services.settings.teller import Settings
from services.work import Work


class Domains:
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
    def settings(self) -> Settings:
        return Settings(self._work, self._me)

    @property
    def refunds(self) -> Refunds:
        return Refunds(self._work, self._shop, self._me)

    @property
    def reconciliation(self) -> Reconciliation:
        return Reconciliation(self._work, self._me)

    @property
    def review(self) -> Review:
        return Review(self._work, self._me)

    @property
    def batches(self) -> Batches:
        return Batches(self._work, self._shop, self._me, self._conversation_id)

    @property
    def schedules(self) -> Schedules:
        return Schedules(self._work, self._shop, self._me)
