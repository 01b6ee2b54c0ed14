"""Calendar: on which days a schedule comes up, and when, by the tenant's clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_FAR = 70  # days: a month's day comes up at least once among them


@dataclass(frozen=True)
class Rule:
    """`every` day; week, on `days` from 1, Monday; or month, on `days`: one that a month does not have is
    its last. `hour` by the clocks of the zone."""

    every: str
    days: Sequence[int]
    hour: int

    def is_on(self, day: date) -> bool:
        match self.every:
            case "day":
                return True
            case "week":
                return day.isoweekday() in self.days
        last = (day + _DAY).month != day.month
        return day.day in self.days or (last and max(self.days) > day.day)

    def at(self, day: date, zone: ZoneInfo) -> datetime:
        """An hour that the clocks leave out is the one after it; of one that comes twice the first counts."""
        return datetime.combine(day, time(self.hour), zone).astimezone(UTC)

    def after(self, now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
        """The first time after this moment."""
        today = now.astimezone(zone).date()
        return next(each for each in self._times(today, _DAY, zone) if each[1] > now)

    def before(self, now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
        """The last time up to this moment."""
        today = now.astimezone(zone).date()
        return next(each for each in self._times(today, -_DAY, zone) if each[1] <= now)

    def _times(self, first: date, step: timedelta, zone: ZoneInfo) -> list[tuple[date, datetime]]:
        days = (first + n * step for n in range(_FAR))
        return [(day, self.at(day, zone)) for day in days if self.is_on(day)]
