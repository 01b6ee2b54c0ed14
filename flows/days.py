"""Days, as people type them: "1/11/2026", "2026-11-01", "1.11.2026 to 15.11.2026"."""

import re
from datetime import date

from services.errors.statement import InvalidPeriod

_SIGN = r"\s?[-/. ]\s?"
_DAY = re.compile(
    rf"(?<!\d)(?:(\d{{4}}){_SIGN}(\d\d?){_SIGN}(\d\d?)|(\d\d?){_SIGN}(\d\d?){_SIGN}(\d{{4}}))(?!\d)", re.ASCII
)
_MOST_SHOWN = 40


def days_of(text: str) -> tuple[date, date]:
    """The first and the last day; one alone is both. The day comes before the month, unless the year comes
    first. Raises InvalidPeriod for whatever is not plainly one or two days."""
    try:
        found = [
            date(int(year or last), int(month or mid), int(day or first))
            for year, month, day, first, mid, last in _DAY.findall(text)
        ]
    except ValueError:
        found = []
    if len(found) not in (1, 2) or re.search(r"\d", _DAY.sub("", text)):
        raise InvalidPeriod(text.strip()[:_MOST_SHOWN])
    return found[0], found[-1]
