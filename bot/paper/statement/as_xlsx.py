"""XLSX: figures that add up in a spreadsheet, and words in the reader's language. Written row by row: what
was written is on the disk, and never in memory. Text is written as text, so that nothing is a formula."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import xlsxwriter

from bot.paper.statement.sheet import Sheet
from flows import statement_words as words
from services.money import PLACES, Money
from services.statement.facts import Line

_WIDTHS = (18, 48, 18, 14, 14, 16)
_IN, _OUT, _BALANCE = 3, 4, 5
_MOST_TEXT = 1_000


class XlsxStatement:
    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._sheet, self._row = sheet, 0
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False})
        self._book.set_properties({"title": _legible(sheet.shop), "created": sheet.told.until})
        places = PLACES[sheet.currency]
        figures = "#,##0." + "0" * places if places else "#,##0"
        self._bold = self._book.add_format({"bold": True})
        self._figure = self._book.add_format({"num_format": figures})
        self._total = self._book.add_format({"num_format": figures, "bold": True})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._page = self._book.add_worksheet()
        for column, width in enumerate(_WIDTHS):
            self._page.set_column(column, column, width)
        self._begin()

    def lines(self, lines: Sequence[Line]) -> None:
        for line in lines:
            page, row = self._page, self._row
            page.write_datetime(row, 0, self._local(line), self._time)
            page.write_string(row, 1, _legible(self._sheet.what(line)))
            page.write_string(row, 2, _legible(line.receipt or ""))
            entered = line.amount.minor > 0
            page.write_number(
                row, _IN if entered else _OUT, _number(line.amount if entered else -line.amount), self._figure
            )
            page.write_number(row, _BALANCE, _number(line.balance), self._figure)
            self._row += 1

    def close(self) -> None:
        self._page.autofilter(self._first - 1, 0, max(self._row - 1, self._first), _BALANCE)
        self._sum(self._sheet.word(words.CLOSING), self._sheet.told.closing, self._total)
        self._book.close()

    def _begin(self) -> None:
        sheet = self._sheet
        self._texts(sheet.shop, form=self._bold)
        self._texts(sheet.word(words.TITLE), sheet.period())
        self._texts(sheet.word(words.CURRENCY), sheet.currency)
        self._texts(sheet.word(words.CLOCKS), sheet.zone)
        self._row += 1
        for name, money in (*sheet.sums(), *sheet.apart()):
            self._sum(name, money, self._figure)
        self._row += 1
        self._texts(*sheet.columns(), form=self._head)
        self._first = self._row
        self._page.freeze_panes(self._row, 0)

    def _texts(self, *texts: str, form: Any = None) -> None:
        for column, text in enumerate(texts):
            self._page.write_string(self._row, column, _legible(text), form)
        self._row += 1

    def _sum(self, name: str, money: Money, form: Any) -> None:
        self._page.write_string(self._row, 1, _legible(name), self._bold if form is self._total else None)
        self._page.write_number(self._row, _BALANCE, _number(money), form)
        self._row += 1

    def _local(self, line: Line) -> Any:
        """A spreadsheet's times have no zone."""
        return line.at.astimezone(self._sheet.clocks).replace(tzinfo=None)


def _number(money: Money) -> Any:
    """A spreadsheet counts by floats of 15 digits, which is more than any amount has."""
    return money.decimal


def _legible(text: str) -> str:
    """What XML cannot hold is left out."""
    kept = "".join(each for each in text if each >= " " and not "\ud800" <= each <= "\udfff")
    return kept[:_MOST_TEXT]
