"""Sides: lines of theirs and items of ours, short to write."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.money import Money
from services.providers.listing import Covered, Kind, Line
from services.reconciliation.coverage import Coverage
from services.reconciliation.facts import Item

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS_LATER = NOON + timedelta(days=5)
ALL = Coverage(Covered(kind, NOON - timedelta(days=2), NOON + timedelta(days=2)) for kind in Kind)
NOTHING = Coverage(())


def kes(shillings):
    return Money(shillings * 100, "KES")


def line(receipt, amount=500, kind=Kind.PAID, minutes=1, **more):
    return Line(
        f"{receipt}:{kind}:{amount}",
        kind,
        kes(amount),
        NOON + timedelta(minutes=minutes),
        receipt=receipt,
        **more,
    )


def item(number, booked=500, kind=Kind.PAID, asked=None, **more):
    """Number 7 is called N7, and was under way for two minutes; booked=None: nothing came of it."""
    facts: dict[str, Any] = {
        "since": NOON,
        "until": NOON + timedelta(minutes=2),
        "names": frozenset({f"N{number}"}),
        "label": f"N{number}",
    }
    amount = kes(booked if asked is None and booked is not None else asked or 500)
    of = None if booked is None else kes(booked)
    return Item(UUID(int=number), kind, amount, of, **facts | more)


def found(breaks):
    return {(each.type.value, each.line and each.line.split(":")[0], each.label) for each in breaks}
