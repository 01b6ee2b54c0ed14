"""Sheet: what every form of a statement shows, in words and figures of the reader."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from flows import statement_words as words
from flows.text import Text, render
from services.money import PLACES, Money
from services.statement.facts import Line, Statement

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Sheet:
    """A statement with the shop's name and clocks, in a language."""

    told: Statement
    shop: str
    zone: str
    language: str

    def word(self, text: Text) -> str:
        return render(text, self.language, self.zone)

    @cached_property
    def clocks(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def currency(self) -> str:
        return self.told.opening.currency

    @cached_property
    def _pattern(self) -> str:
        places = PLACES[self.currency]
        return "#,##0." + "0" * places if places else "#,##0"

    def figure(self, money: Money) -> str:
        """Without the currency, which stands above."""
        return str(format_decimal(money.decimal, self._pattern, locale=self.language))

    def time(self, at: datetime) -> str:
        return at.astimezone(self.clocks).strftime("%Y-%m-%d %H:%M")

    def period(self) -> str:
        """Whole days by their names; an end within a day by its time."""
        since = self.told.since.astimezone(self.clocks)
        until = self.told.until.astimezone(self.clocks)
        if self._midnight(since) and self._midnight(until):
            until = (self.told.until - _MOMENT).astimezone(self.clocks)
            return f"{since:%Y-%m-%d} \N{EN DASH} {until:%Y-%m-%d}"
        return f"{since:%Y-%m-%d %H:%M} \N{EN DASH} {until:%Y-%m-%d %H:%M}"

    def _midnight(self, at: datetime) -> bool:
        return (at - _MOMENT).astimezone(self.clocks).date() < at.date()

    def sums(self) -> list[tuple[str, Money]]:
        """From the opening to the closing balance; what is held and owed stands apart."""
        told = self.told
        named = [(f"{self.kind(each.kind)} ({each.count})", each.amount) for each in told.sums]
        return [(self.word(words.OPENING), told.opening), *named, (self.word(words.CLOSING), told.closing)]

    def apart(self) -> list[tuple[str, Money]]:
        return [(self.word(words.HELD), self.told.held), (self.word(words.OWED), self.told.owed)]

    def columns(self) -> list[str]:
        return [self.word(each) for each in words.COLUMNS]

    def what(self, line: Line) -> str:
        """In a few words: "Sale K7Q2X0, M-Pesa ********5678"."""
        parts = [self.kind(line.kind), line.number or reference(line)]
        told = line.provider if not line.kind.endswith("_fee") else None
        carried = [self._carrier(told), line.account] if told else []
        return ", ".join(" ".join(filter(None, each)) for each in (parts, carried) if any(each))

    def kind(self, kind: str) -> str:
        return self._kinds.setdefault(kind, self.word(words.kind_name(kind)))

    def _carrier(self, provider: str) -> str:
        return self._carriers.setdefault(provider, self.word(words.carrier(provider)))

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {}

    @cached_property
    def _carriers(self) -> dict[str, str]:
        return {}


def reference(line: Line) -> str | None:
    """Of a withdrawal, as the staff know it."""
    return line.withdrawal_id.hex[-6:].upper() if line.withdrawal_id else None
