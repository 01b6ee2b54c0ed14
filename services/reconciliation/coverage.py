"""Coverage: of which times a provider's statements tell, by kind."""

from collections.abc import Iterable
from datetime import datetime

from services.providers.listing import Covered, Kind

Period = tuple[datetime, datetime]


class Coverage:
    """Periods that touch or overlap are one."""

    def __init__(self, covered: Iterable[Covered]) -> None:
        self._periods: dict[Kind, list[Period]] = {}
        for each in sorted(covered, key=lambda each: (each.since, each.until)):
            periods = self._periods.setdefault(each.kind, [])
            if periods and each.since <= periods[-1][1]:
                periods[-1] = (periods[-1][0], max(periods[-1][1], each.until))
            else:
                periods.append((each.since, each.until))

    def has(self, kind: Kind, since: datetime, until: datetime) -> bool:
        """The whole of that time."""
        return any(begin <= since and until <= end for begin, end in self._periods.get(kind, ()))

    def of(self, kind: Kind) -> list[Period]:
        return list(self._periods.get(kind, ()))
