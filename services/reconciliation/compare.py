"""Compare: where our books and a provider's statement do not fit together. No database, no clock.

Ours is expected in the statement only where the statement covers the whole time in which it may have
happened. What one side lacks is late for a day, and missing then. A movement that was taken back in full and
is in no books is none.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from services.money import Money
from services.providers.listing import Kind, Line
from services.reconciliation.coverage import Coverage
from services.reconciliation.facts import Break, Item, Type
from services.reconciliation.matching import Matched, match

LATE = timedelta(hours=24)
_OF_BOTH = (Type.AMOUNT_DIFFERS, Type.CURRENCY_DIFFERS)
_BACK = {Kind.PAID: Kind.BACK, Kind.SENT: Kind.RETURNED}


def compare(items: Iterable[Item], lines: Iterable[Line], coverage: Coverage, now: datetime) -> list[Break]:
    """In the order of their subjects, each of which is there once."""
    told, known = _once(lines), sorted(items, key=lambda item: item.id)
    fees, moved = _fees(told), [line for line in told if line.kind not in (Kind.FEE, Kind.OWN)]
    matched = match(known, moved)
    undone = _undone(matched)
    found = [
        *_missing_at_provider(matched.unmatched, coverage, now),
        *_of_pairs(matched.pairs, undone, now),
        *_of_fees(matched.pairs, fees, coverage),
        *_too_many(matched, undone, now),
        *_of_strangers(matched, known, undone, now),
        *_stray_fees(told),
    ]
    return sorted(found, key=lambda each: each.subject)


def _once(lines: Iterable[Line]) -> list[Line]:
    """A line that is told twice is one."""
    ordered = sorted(lines, key=lambda line: (line.key, line.at, line.reference or "", line.party or ""))
    return list({line.key: line for line in ordered}.values())


def _missing(line: Line, now: datetime) -> Type:
    return Type.LATE if now - line.at < LATE else Type.MISSING_IN_BOOKS


# --- ours without theirs


def _missing_at_provider(items: Sequence[Item], coverage: Coverage, now: datetime) -> Iterator[Break]:
    for item in items:
        if item.booked is None or not coverage.has(item.kind, item.since, item.until):
            continue
        yield Break(
            Type.LATE if now - item.until < LATE else Type.MISSING_AT_PROVIDER,
            f"ours:{item.id}",
            item.kind,
            item.until,
            item.booked,
            None,
            item=item.id,
            receipt=item.receipt,
            label=item.label,
            party=item.party,
        )


# --- both


def _of_pairs(pairs: Sequence[tuple[Item, Line]], undone: set[str], now: datetime) -> Iterator[Break]:
    for item, line in pairs:
        if item.booked is None:
            if line.key not in undone:
                yield _of_line(_missing(line, now), line, item)
        elif item.booked.currency != line.amount.currency:
            yield _of_line(Type.CURRENCY_DIFFERS, line, item)
        elif item.booked != line.amount:
            yield _of_line(Type.AMOUNT_DIFFERS, line, item)


def _of_line(type_: Type, line: Line, item: Item | None) -> Break:
    return Break(
        type_,
        f"theirs:{line.key}",
        line.kind,
        line.at,
        item.booked if item and type_ in _OF_BOTH else None,
        line.amount,
        item=item.id if item else None,
        line=line.key,
        receipt=line.receipt,
        label=item.label if item else line.reference or "",
        party=line.party,
    )


# --- fees


def _fees(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """By the receipt of what they were taken for."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.kind == Kind.FEE and line.of is not None:
            found.setdefault(line.of, []).append(line)
    return found


def _of_fees(
    pairs: Sequence[tuple[Item, Line]], fees: dict[str, list[Line]], coverage: Coverage
) -> Iterator[Break]:
    for item, line in pairs:
        taken = _taken(line, fees, coverage)
        if item.fee is None or taken is None or item.fee == taken:
            continue
        yield Break(
            Type.FEE_DIFFERS,
            f"fee:{line.key}",
            line.kind,
            line.at,
            item.fee,
            taken,
            item=item.id,
            line=line.key,
            receipt=line.receipt,
            label=item.label,
            party=line.party,
        )


def _taken(line: Line, fees: dict[str, list[Line]], coverage: Coverage) -> Money | None:
    """What was taken for a movement; None where no statement tells."""
    if line.fee is not None:
        return line.fee
    of_it = fees.get(line.receipt, []) if line.receipt else []
    same = [each.amount.minor for each in of_it if each.amount.currency == line.amount.currency]
    if not same and not coverage.has(Kind.FEE, line.at, line.at):
        return None
    return Money(sum(same), line.amount.currency)


def _stray_fees(lines: Sequence[Line]) -> Iterator[Break]:
    """Taken for nothing that any statement tells of."""
    receipts = {line.receipt for line in lines if line.kind != Kind.FEE}
    for line in lines:
        if line.kind == Kind.FEE and (line.of is None or line.of not in receipts):
            yield _of_line(Type.UNKNOWN_REFERENCE, line, None)


# --- theirs without ours


def _undone(matched: Matched) -> set[str]:
    """Lines that no books have, and the lines that took them back in full."""
    unbooked = [line for item, line in matched.pairs if item.booked is None]
    loose = [*unbooked, *matched.alone, *(line for _, line in matched.again)]
    backs: dict[tuple[object, ...], Line] = {}
    for line in loose:
        if line.kind in _BACK.values() and line.of is not None:
            backs.setdefault((line.kind, line.of, line.amount), line)
    undone = set()
    for line in loose:
        for name in _called(line):
            back = backs.pop((_BACK.get(line.kind), name, line.amount), None)
            if back is not None:
                undone |= {line.key, back.key}
                break
    return undone


def _called(line: Line) -> list[str]:
    """By which it is named as given back: its receipt, or ours."""
    return [name for name in (line.receipt, line.reference) if name]


def _too_many(matched: Matched, undone: set[str], now: datetime) -> Iterator[Break]:
    paired = {item.id for item, _ in matched.pairs}
    for item, line in matched.again:
        if line.key not in undone:
            one_is_there = item.booked is not None or item.id in paired
            yield _of_line(Type.DUPLICATE if one_is_there else _missing(line, now), line, item)


def _of_strangers(
    matched: Matched, items: Sequence[Item], undone: set[str], now: datetime
) -> Iterator[Break]:
    """What came back of something that is booked is missing in the books; all else names nothing of ours."""
    of_receipt = [(item.kind, item.receipt, item) for item in items if item.receipt and item.booked]
    pairs = [(item, line) for item, line in matched.pairs if item.booked]
    of_line = [(line.kind, name, item) for item, line in pairs for name in _called(line)]
    booked = {(_BACK.get(kind), receipt): item for kind, receipt, item in (*of_receipt, *of_line)}
    for line in matched.alone:
        if line.key in undone:
            continue
        of = booked.get((line.kind, line.of)) if line.of and line.kind in _BACK.values() else None
        yield _of_line(_missing(line, now) if of else Type.UNKNOWN_REFERENCE, line, of)
