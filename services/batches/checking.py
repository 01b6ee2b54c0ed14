"""Checking: the lines of a file against fees, limits and what is unusual: what each comes to, or its fault.

All limits are those of single withdrawals; each line counts for the ones after it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any
from uuid import UUID

from services import fees, ledger
from services.batches.faults import Faulty, of
from services.batches.room import Room
from services.batches.sheet import Line
from services.errors import InsufficientBalance, ProviderNotConfigured, Refusal
from services.errors.refunds import MoneyOwed
from services.facts import Quote
from services.money import Money
from services.news.withdrawals import Flag
from services.people import people
from services.reasons import Unusual
from services.withdrawals import destinations, unusual
from services.work import Work


@dataclass(frozen=True)
class Checked:
    """`lines` as they are kept, in JSON; without `faults` all of them may be paid."""

    lines: list[dict[str, Any]]
    faults: tuple[Faulty, ...]
    amount: int
    fee: int
    sums: list[list[Any]]
    warnings: dict[str, Any]

    @property
    def new_destinations(self) -> bool:
        return any(line["new"] for line in self.lines)


async def check(
    work: Work, maker: UUID, ways: Collection[str], lines: Sequence[Line], currency: str
) -> Checked:
    """`ways` are those by which the tenant pays out now. Exact while the wallet is locked.

    Raises MoneyOwed and InsufficientBalance where no line is at fault.
    """
    tenant = await people.tenant_of(work)
    room = await Room.of(work, tenant, maker, [line.destination for line in lines], currency)
    tariffs = {way: await fees.tariff(work, way, currency) for way in ways}
    quotes: list[Quote] = []
    faults: list[Faulty] = []
    for line in lines:
        try:
            way = line.destination.method_type
            if way not in tariffs:
                raise ProviderNotConfigured(way, paying_out=True)
            quotes.append(tariffs[way](line.gross))
            room.take(line.gross, line.destination)
        except Refusal as refusal:
            faults.append(of(refusal, line.at))
    if faults:
        return Checked([], tuple(faults), 0, 0, [], {})
    await _refuse_uncovered(work, quotes, currency)
    return await _checked(work, maker, lines, quotes, currency)


async def _refuse_uncovered(work: Work, quotes: Sequence[Quote], currency: str) -> None:
    balance = await ledger.balance(work, currency)
    total = sum((quote.gross for quote in quotes), Money.zero(currency))
    if balance.owed:
        raise MoneyOwed(balance.owed)
    if balance.available < total:
        raise InsufficientBalance(balance.available, total)


async def _checked(
    work: Work, maker: UUID, lines: Sequence[Line], quotes: Sequence[Quote], currency: str
) -> Checked:
    new = await destinations.new_of(work, [line.destination for line in lines])
    marks = await _marks(work, maker, lines, new, currency)
    kept: list[dict[str, Any]] = [
        {
            "at": line.at,
            "method_type": line.destination.method_type,
            "details": dict(line.destination.details),
            "label": line.destination.label,
            "gross": quote.gross.minor,
            "fee": quote.fee.minor,
            "net": quote.net.minor,
            "note": line.note,
            "new": fresh,
            "flags": [flag.model_dump(mode="json", exclude_none=True) for flag in flags],
        }
        for line, quote, fresh, flags in zip(lines, quotes, new, marks, strict=True)
    ]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in kept:
        sums[each["method_type"]][0] += 1
        sums[each["method_type"]][1] += each["gross"]
    return Checked(
        kept,
        (),
        sum(each["gross"] for each in kept),
        sum(each["fee"] for each in kept),
        [[way, *told] for way, told in sorted(sums.items())],
        {"repeated": _repeated(lines), "flags": await _flags(work, maker, marks, currency)},
    )


def _repeated(lines: Sequence[Line]) -> list[list[int]]:
    """Each line with the destination and the amount of an earlier one, and that one."""
    first: dict[Any, int] = {}
    found = []
    for line in lines:
        to = line.destination
        what = (to.method_type, tuple(sorted(destinations.place(to.details).items())), line.gross)
        if what in first:
            found.append([line.at, first[what]])
        else:
            first[what] = line.at
    return found


async def _marks(
    work: Work, maker: UUID, lines: Sequence[Line], new: Sequence[bool], currency: str
) -> list[list[Flag]]:
    """What is unusual of each line by itself."""
    before = await unusual.before(work, currency)
    usual = median_low([row.amount for row in before]) if len(before) >= unusual.ENOUGH else None
    available = (await ledger.balance(work, currency)).available
    own = await unusual.phones_of(work, maker, [line.destination for line in lines])
    refused = await unusual.refused_of(work, [line.destination for line in lines])
    marks = []
    for n, line in enumerate(lines):
        large = unusual.of_amount(line.gross, usual, available, new=new[n])
        marked = [Unusual.OWN_PHONE] if own[n] else []
        marked += [Unusual.REJECTED_BEFORE] if refused[n] else []
        marks.append([*([large] if large else []), *(Flag(because=each) for each in marked)])
    return marks


async def _flags(
    work: Work, maker: UUID, marks: Sequence[Sequence[Flag]], currency: str
) -> list[dict[str, Any]]:
    """What is unusual of the whole; of its lines, how many are marked so."""
    before = await unusual.before(work, currency)
    tenant = await people.tenant_of(work)
    whole = [unusual.first(before, maker), unusual.hour(work, tenant.timezone, before)]
    counts = Counter(flag.because for flags in marks for flag in flags)
    found = [flag for flag in whole if flag is not None]
    found += [Flag(because=because, count=many) for because, many in sorted(counts.items())]
    return [flag.model_dump(mode="json", exclude_none=True) for flag in found]
