"""Room: how much of the tenant's limits is left while the lines of a file are counted one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import OverLimit
from services.facts import Destination
from services.money import Money
from services.withdrawals import limits
from services.withdrawals.destinations import indexes, place
from services.work import Work, canonical


@dataclass
class Room:
    """Sums and numbers of the last 24 hours, with the lines so far."""

    tenant: sa.Row[Any]
    day: list[int]
    maker: int
    there: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    async def of(
        cls, work: Work, tenant: sa.Row[Any], maker: UUID, to: Sequence[Destination], currency: str
    ) -> "Room":
        day = list(await limits.all_of_a_day(work, currency))
        mine, _ = await limits.all_of_a_day(work, currency, maker)
        if tenant.per_destination is None and tenant.count_per_destination is None:
            return cls(tenant, day, mine)
        names = {index: _place(each) for each in to for index in indexes(work, each.details)}
        there: dict[str, list[int]] = {}
        for index, way, amount, count in await limits.by_destination(work, currency, list(names)):
            place = names[index]
            if place.startswith(f"{way}|"):
                before = there.get(place, [0, 0])
                there[place] = [before[0] + amount, before[1] + count]
        return cls(tenant, day, mine, there)

    def take(self, gross: Money, to: Destination) -> None:
        """Count this one. Raises OverLimit and TooManyWithdrawals."""
        tenant, there = self.tenant, self.there.setdefault(_place(to), [0, 0])
        if tenant.per_withdrawal is not None and gross.minor > tenant.per_withdrawal:
            raise OverLimit(Money(tenant.per_withdrawal, gross.currency), gross)
        limits.refuse_sum(tenant.per_day, self.day[0], gross, "day")
        limits.refuse_count(tenant.count_per_day, self.day[1], "day")
        limits.refuse_sum(tenant.per_maker, self.maker, gross, "maker")
        limits.refuse_sum(tenant.per_destination, there[0], gross, "destination")
        limits.refuse_count(tenant.count_per_destination, there[1], "destination")
        self.day = [self.day[0] + gross.minor, self.day[1] + 1]
        self.maker += gross.minor
        there[0], there[1] = there[0] + gross.minor, there[1] + 1


def _place(to: Destination) -> str:
    return f"{to.method_type}|{canonical(place(to.details))}"
