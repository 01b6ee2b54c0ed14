"""Period: what a statement tells of, from `since` on and before `until`.

Whoever names days means whole days by the clocks of the shop, the last one included; whoever names times
means them exactly. What has not come yet is cut off: a statement ends now at the latest.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.errors.statement import InvalidPeriod, PeriodBackwards, PeriodInFuture, PeriodTooLong

MOST_DAYS = 366
_SLACK = timedelta(hours=2)  # clocks that change make days longer
_YEARS = range(2000, 2101)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# An unescaped "+" of an address arrives as a space.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:([Zz])|([+ -])(\d\d:\d\d))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Period:
    since: datetime
    until: datetime


def days(first: date, last: date, zone: str, now: datetime) -> Period:
    """Both days whole. Raises PeriodBackwards, PeriodInFuture, PeriodTooLong, and InvalidPeriod for a year
    that nobody means."""
    for day in (first, last):
        if day.year not in _YEARS:
            raise InvalidPeriod(day.isoformat())
    return _checked(_midnight(first, zone), _midnight(last + timedelta(days=1), zone), now)


def told(since: str | None, until: str | None, zone: str, now: datetime) -> Period:
    """As the API is asked: days or times, each for itself. Without a beginning it is this month, without an
    end it ends now. Raises as `days` does."""
    begins = _end(since, zone, 0) if since else _midnight(today(zone, now).replace(day=1), zone)
    return _checked(begins, _end(until, zone, 1) if until else max(now, begins), now)


def today(zone: str, now: datetime) -> date:
    """By the clocks of the shop."""
    return now.astimezone(ZoneInfo(zone)).date()


def _checked(since: datetime, until: datetime, now: datetime) -> Period:
    if since > now:
        raise PeriodInFuture
    if until <= since:
        raise PeriodBackwards
    told = Period(since, min(until, now))
    if told.until - since > timedelta(days=MOST_DAYS) + _SLACK:
        raise PeriodTooLong(MOST_DAYS)
    return told


def _end(text: str, zone: str, whole_days: int) -> datetime:
    """`whole_days`: how many of them a day takes along."""
    try:
        if _DAY.fullmatch(text):
            found = _midnight(date.fromisoformat(text) + timedelta(days=whole_days), zone)
        elif match := _TIME.fullmatch(text):
            moment, zulu, sign, offset = match.groups()
            written = moment.upper() + ("+00:00" if zulu else sign.replace(" ", "+") + offset)
            found = datetime.fromisoformat(written).astimezone(UTC)
        else:
            raise InvalidPeriod(text[:40])
    except (ValueError, OverflowError):
        raise InvalidPeriod(text[:40]) from None
    if found.year not in _YEARS:
        raise InvalidPeriod(text[:40])
    return found


def _midnight(day: date, zone: str) -> datetime:
    """Where the clocks leave it out or show it twice, still one and the same for the day before and after."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
