"""Reconciliation: what a FakeBusiness and a provider do not agree on."""

from services import errors
from services.errors.reconciliation import NotOpen, OwnBreak, StillLate
from services.readable import refuse_blank
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State, Type


class FakeReconciliation:
    def __init__(self, teller):
        self._teller, self._breaks = teller, teller._business.breaks

    async def breaks(self):
        opened = (each for each in self._breaks.values() if each.state == State.OPEN)
        return tuple(sorted(opened, key=lambda each: each.at))

    async def one(self, break_id):
        if break_id not in self._breaks:
            raise errors.NotFound("break")
        return self._breaks[break_id]

    async def close(self, break_id, reason):
        refuse_blank(reason)
        one = self._breaks[break_id]
        if one.state != State.OPEN:
            raise NotOpen(one.state)
        if one.type == Type.LATE:
            raise StillLate(one.at + LATE)
        if self._teller._business.who_may_close is not None:
            raise OwnBreak(self._teller._business.who_may_close)
        self._breaks[break_id] = one.model_copy(update={"state": State.CLOSED})
        return self._breaks[break_id]
