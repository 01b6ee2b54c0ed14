"""CSV: for programs and spreadsheets alike. RFC 4180, in UTF-8 with the mark by which Excel knows it.

Its head and its kinds are the same in every language, and its figures plain. Text that a spreadsheet would
take for a formula gets an apostrophe before it.
https://www.rfc-editor.org/rfc/rfc4180  https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import BinaryIO

from bot.paper.statement.sheet import Sheet, reference
from services.money import Money
from services.statement.facts import Line

_MARK = b"\xef\xbb\xbf"
# The wide ones are taken for the others where people write with wide signs.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_HEAD = ("time", "kind", "reference", "provider", "account", "receipt", "in", "out", "balance", "currency")


class CsvStatement:
    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._file, self._sheet = file, sheet
        self._file.write(_MARK)
        opening = self._balance("opening_balance", sheet.told.since, sheet.told.opening)
        self._write([_HEAD, opening])

    def lines(self, lines: Sequence[Line]) -> None:
        self._write(self._row(line) for line in lines)

    def close(self) -> None:
        told = self._sheet.told
        self._write([self._balance("closing_balance", told.until, told.closing)])

    def _row(self, line: Line) -> tuple[str, ...]:
        figure = str(line.amount if line.amount.minor > 0 else -line.amount)
        in_, out = (figure, "") if line.amount.minor > 0 else ("", figure)
        texts = (line.kind, line.number or reference(line), line.provider, line.account, line.receipt)
        return (
            self._time(line.at),
            *(safe(text or "") for text in texts),
            in_,
            out,
            str(line.balance),
            line.balance.currency,
        )

    def _balance(self, name: str, at: datetime, balance: Money) -> tuple[str, ...]:
        return (self._time(at), name, "", "", "", "", "", "", str(balance), balance.currency)

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._sheet.clocks).isoformat()

    def _write(self, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        self._file.write(text.getvalue().encode("utf-8", "replace"))


def safe(text: str) -> str:
    """As text, whatever a spreadsheet makes of its first sign."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
