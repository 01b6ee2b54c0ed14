"""File bands: whether the fees of a tenant file give each amount one fee, and leave none without."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from services.people.file_lines import Lines, Wrong
from services.people.file_parts import TenantFile
from services.written import amount_of, minor_of

_ENDLESS = 10**18
_ALWAYS, _FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Band:
    """The nth of the file: both ends of its amounts belong to it (minor units), of its times the first."""

    n: int
    low: int
    high: int
    since: datetime
    until: datetime

    def shares_amounts(self, other: "Band") -> bool:
        return self.low <= other.high and other.low <= self.high


def senseless_bands(file: TenantFile, lines: Lines) -> Iterator[Wrong]:
    """Overlaps of bands that begin together, and gaps between amounts and between times.

    A band that begins later than another is newer, and goes before it as long as it is in force.
    """
    methods: dict[tuple[str, str], list[Band]] = {}
    wrong = []
    for n, fee in enumerate(file.fees):
        band = _band(file, n)
        if band.high < band.low:
            wrong.append(lines.wrong(("fees", n, "to"), f"{fee.to} is below from, which is {fee.from_}"))
        elif band.until <= band.since:
            wrong.append(lines.wrong(("fees", n, "valid_until"), "is not after valid_from"))
        else:
            others = methods.setdefault((fee.method_type, file.currency_of(fee)), [])
            wrong += _overlaps(band, others, lines)
            others.append(band)
    yield from wrong
    if not wrong:
        for (_, currency), bands in methods.items():
            yield from _gaps(bands, currency, lines)


def _band(file: TenantFile, n: int) -> Band:
    fee, currency = file.fees[n], file.currency_of(file.fees[n])
    high = _ENDLESS if fee.to is None else minor_of(fee.to, currency)
    since, until = file.begins(fee) or _ALWAYS, file.ends(fee) or _FOREVER
    return Band(n, minor_of(fee.from_, currency), high, since, until)


def _overlaps(band: Band, others: list[Band], lines: Lines) -> Iterator[Wrong]:
    for other in others:
        if band.since == other.since and band.shares_amounts(other):
            place = lines.place(("fees", other.n))
            yield lines.wrong(("fees", band.n), f"overlaps the band of {place}: from and to belong to it")


def _gaps(bands: list[Band], currency: str, lines: Lines) -> Iterator[Wrong]:
    """What is in force changes where a band begins or ends: each time is looked at once, each gap told
    once. Before the first band and after the last one the default counts, which is no gap."""
    told = set()
    for moment in sorted({band.since for band in bands} | {band.until for band in bands}):
        later = [band for band in bands if band.since > moment]
        now = sorted((band for band in bands if band.since <= moment < band.until), key=lambda band: band.low)
        if not now and later:
            next_one = min(later, key=lambda band: band.since)
            yield lines.wrong(
                ("fees", next_one.n), f"leaves a gap: none is in force from {_written(moment)} on"
            )
        reached = now[0].low - 1 if now else 0
        for band in now:
            gap = reached + 1, band.low - 1
            if gap[0] <= gap[1] and (band.n, gap) not in told:
                told.add((band.n, gap))
                missing = " to ".join(amount_of(end, currency) for end in gap)
                yield lines.wrong(("fees", band.n), f"leaves a gap: no band has {missing}{_when(moment)}")
            reached = max(reached, band.high)


def _when(moment: datetime) -> str:
    return "" if moment == _ALWAYS else f" from {_written(moment)} on"


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
