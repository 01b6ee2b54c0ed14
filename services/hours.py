"""Hours: a span of the day by a tenant's clocks, written like "22:00-05:00"; it may go over midnight."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAY = timedelta(days=1)


def parsed(written: str) -> tuple[time, time]:
    """Raises ValueError for what is no span, or one without an end."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise ValueError('must be written like "22:00-05:00"')
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if first == last:
        raise ValueError("begins and ends at the same time, so nothing would ever be let through")
    return first, last


def length(written: str) -> timedelta:
    """By a clock that nobody puts forward."""
    first, last = (timedelta(hours=each.hour, minutes=each.minute) for each in parsed(written))
    return (last - first) % _DAY


def ends(written: str, now: datetime, timezone: str) -> datetime | None:
    """When the span that `now` is in ends, in UTC; None outside it. Its first minute belongs to it, the
    last does not. Where the clocks show an hour twice it is in the span both times."""
    first, last = parsed(written)
    zone = ZoneInfo(timezone)
    local = now.astimezone(zone)
    at = local.time()
    inside = first <= at < last if first < last else at >= first or at < last
    if not inside:
        return None
    day = local.date() if at < last else local.date() + _DAY
    first_time, again = (
        datetime.combine(day, last.replace(fold=fold), zone).astimezone(now.tzinfo) for fold in (0, 1)
    )
    return first_time if first_time > now else again
