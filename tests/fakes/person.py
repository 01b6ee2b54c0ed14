"""Person: who speaks to a FakeBusiness."""

from datetime import datetime

from services import errors
from services.facts import Me, Shop, Standing
from tests.fakes.batches import FakeBatches
from tests.fakes.business import FakeBusiness
from tests.fakes.reconciliation import FakeReconciliation
from tests.fakes.refunds import FakeRefunds
from tests.fakes.review import FakeReview
from tests.fakes.schedules import FakeSchedules
from tests.fakes.settings import FakeSettings
from tests.fakes.shop import ShopTeller


class PersonTeller(ShopTeller):
    """Of one person of a FakeBusiness."""

    def __init__(self, business: FakeBusiness, name: str) -> None:
        super().__init__(business, name)
        self._business: FakeBusiness = business

    @property
    def me(self) -> Me:
        return self._business.people[self._name]

    @property
    def shop(self) -> Shop:
        return self._business.shop

    @property
    def now(self) -> datetime:
        return self._business.now

    @property
    def refunds(self) -> FakeRefunds:
        return FakeRefunds(self)

    @property
    def reconciliation(self) -> FakeReconciliation:
        return FakeReconciliation(self)

    @property
    def review(self) -> FakeReview:
        return FakeReview(self)

    @property
    def settings(self) -> FakeSettings:
        return FakeSettings(self._business, self.me)

    @property
    def batches(self) -> FakeBatches:
        return FakeBatches(self._business, self.me)

    @property
    def schedules(self) -> FakeSchedules:
        return FakeSchedules(self._business, self.me)

    def _need(self, scope):
        if scope not in self.me.scopes:
            raise errors.MissingScope(scope)

    async def standing(self, order_id):
        if order_id not in self._business.requests:
            raise errors.NotFound("order")
        asker, _, checkout = self._business.requests[order_id]
        under_way = any(
            p.checkout.order_id == order_id and p.state == "pending" for p in self._business.payments.values()
        )
        status = "awaiting_payment" if under_way else "open"
        if order_id in self._business.closed:
            status = "canceled"
        if self._business.is_paid(order_id):
            status = "paid"
        receipt = "SJK7ABC123" if status == "paid" else None
        return Standing(checkout=checkout, status=status, asked=asker is not None, receipt=receipt)
