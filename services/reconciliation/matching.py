"""Matching: which line is which of ours. Its result does not depend on the order in which either is given.

First by receipt. Then by what a line calls ours by (an order's number, our id, the receipt that it gives
back). What names nothing may still be told by amount, time and the end of the payer's number, which is how a
payment to a till is found whose callback was lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.providers.listing import Kind, Line
from services.reconciliation.facts import Item

_CLOCKS = timedelta(minutes=10)  # how far theirs and ours may be apart
_SHOWN = 4  # digits of a masked number


@dataclass(slots=True)
class Matched:
    """`pairs`: a line and the one of ours that it is; `again`: a further line of one of ours; `alone`: lines
    that name nothing; `unmatched`: ours without a line."""

    pairs: list[tuple[Item, Line]] = field(default_factory=list)
    again: list[tuple[Item, Line]] = field(default_factory=list)
    alone: list[Line] = field(default_factory=list)
    unmatched: list[Item] = field(default_factory=list)


def match(items: Iterable[Item], lines: Iterable[Line]) -> Matched:
    """Fees and movements between own accounts are no lines for this."""
    ordered = sorted(items, key=_age)
    return _Matching(ordered).run(sorted(lines, key=lambda line: (line.at, line.key)))


def _age(item: Item) -> tuple[object, ...]:
    return (item.since, item.until, item.id)


class _Matching:
    def __init__(self, items: Sequence[Item]) -> None:
        self._items, self._taken, self._done = items, set[Item](), Matched()
        self._by_receipt: dict[tuple[Kind, str | None], Item] = {
            (item.kind, item.receipt): item for item in reversed(items) if item.receipt
        }
        self._by_name: dict[tuple[Kind, str], list[Item]] = defaultdict(list)
        self._by_look: dict[tuple[object, ...], list[Item]] = defaultdict(list)
        for item in items:
            for name in item.names:
                self._by_name[item.kind, name].append(item)
            if item.receipt is None and item.party:
                self._by_look[item.kind, item.booked or item.asked, _end(item.party)].append(item)

    def run(self, lines: Sequence[Line]) -> Matched:
        left = [line for line in self._same_amount_first(lines) if not self._has_receipt(line)]
        left = [line for line in left if not self._is_named(line)]
        self._done.alone = [line for line in left if not self._looks_like(line)]
        self._done.unmatched = [item for item in self._items if item not in self._taken]
        return self._done

    def _same_amount_first(self, lines: Sequence[Line]) -> list[Line]:
        """Of several lines with one receipt the one that fits is the one of ours, the rest are too many."""

        def differs(line: Line) -> bool:
            item = self._by_receipt.get((line.kind, line.receipt))
            return item is not None and item.booked != line.amount

        return sorted(lines, key=differs)  # stable: by time otherwise

    def _has_receipt(self, line: Line) -> bool:
        item = self._by_receipt.get((line.kind, line.receipt)) if line.receipt else None
        if item is None:
            return False
        self._put(item, line)
        return True

    def _is_named(self, line: Line) -> bool:
        named = {item for name in line.names for item in self._by_name[line.kind, name]}
        if not named:
            return False
        free = [item for item in named if item not in self._taken and _may_be(item, line)]
        # Ours of which a line is there, or must come; a line more is too many.
        held = sorted(named, key=lambda item: (item.booked is None, item.booked != line.amount, *_age(item)))
        chosen = min(free, key=lambda item: _fits(item, line)) if free else held[0]
        self._put(chosen, line)
        return True

    def _looks_like(self, line: Line) -> bool:
        if not line.party:
            return False
        alike = [
            item
            for item in self._by_look[line.kind, line.amount, _end(line.party)]
            if item not in self._taken and item.since - _CLOCKS <= line.at <= item.until + _CLOCKS
        ]
        if not alike:
            return False
        self._put(min(alike, key=lambda item: _fits(item, line)), line)
        return True

    def _put(self, item: Item, line: Line) -> None:
        where = self._done.again if item in self._taken or not _may_be(item, line) else self._done.pairs
        where.append((item, line))
        if where is self._done.pairs:
            self._taken.add(item)


def _may_be(item: Item, line: Line) -> bool:
    """What has a receipt of its own is no line of another."""
    return item.receipt is None or line.receipt is None or item.receipt == line.receipt


def _fits(item: Item, line: Line) -> tuple[object, ...]:
    """What is booked with this amount, then what is booked, then what was asked for."""
    return (item.booked is None, (item.booked or item.asked) != line.amount, *_age(item))


def _end(party: str) -> str:
    return party[-_SHOWN:]
