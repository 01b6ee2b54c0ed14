"""PDF: a statement as pages for people: its sums, then its lines; each page has its head and number."""

from collections.abc import Sequence
from typing import BinaryIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from bot.paper.pdf import FAMILY, GREY, add_fonts, shown
from bot.paper.statement.sheet import Sheet
from flows import statement_words as words
from services.money import Money
from services.statement.facts import Line

_MARGIN, _ROW = 14.0, 5.2  # millimetres
_WIDTHS = (28.0, 58.0, 36.0, 19.0, 19.0, 22.0)
_ALIGNS = ("L", "L", "L", "R", "R", "R")
_SIZE, _GAP, _BASE = 7.5, 1.0, 3.5  # _BASE: from the top of a row to the line that letters stand on
_SMALLEST = 0.65  # of that size, for what would not be whole: a card's receipt is long
_FOOT = 26.0  # for the number of the page
_PALE = (244, 244, 244)


class _Pages(FPDF):
    """With a foot on each of them."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(format="A4")
        self.sheet = sheet
        self.left = shown(f"{sheet.shop}, {sheet.period()}", most=90)
        self.right = sheet.word(words.page_of("{page}", "{nb}"))

    def header(self) -> None:
        if self.page_no() > 1:
            head(self, self.sheet)

    def footer(self) -> None:
        self.set_y(-_MARGIN + 2)
        self.set_font(FAMILY, "", 7)
        self.set_text_color(*GREY)
        self.cell(self.epw / 2, 4, self.left)
        self.set_x(self.w - _MARGIN - _FOOT)
        self.cell(_FOOT, 4, self.right.replace("{page}", str(self.page_no())))
        self.set_text_color(0, 0, 0)


class PdfStatement:
    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._file, self._sheet, self._odd = file, sheet, False
        self._widths: dict[tuple[str, str], float] = {}
        self._pages = pages = _Pages(sheet)
        pages.set_creation_date(sheet.told.until)
        pages.set_title(shown(f"{sheet.word(words.TITLE)} {sheet.period()}"))
        pages.set_author(shown(sheet.shop))
        pages.set_margin(_MARGIN)
        pages.set_auto_page_break(auto=True, margin=_MARGIN + 4)
        add_fonts(pages)
        pages.add_page()
        self._begin()

    def lines(self, lines: Sequence[Line]) -> None:
        sheet = self._sheet
        for line in lines:
            figure = sheet.figure(line.amount if line.amount.minor > 0 else -line.amount)
            in_, out = (figure, "") if line.amount.minor > 0 else ("", figure)
            balance = sheet.figure(line.balance)
            self._row((sheet.time(line.at), sheet.what(line), line.receipt or "", in_, out, balance))

    def close(self) -> None:
        self._pages.set_font(FAMILY, "B", _SIZE)
        self._row(
            ("", self._sheet.word(words.CLOSING), "", "", "", self._sheet.figure(self._sheet.told.closing))
        )
        self._file.write(self._pages.output())

    def _begin(self) -> None:
        pages, sheet = self._pages, self._sheet
        pages.set_font(FAMILY, "B", 16)
        pages.multi_cell(0, 8, shown(sheet.shop), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pages.set_font(FAMILY, "", 11)
        title = f"{sheet.word(words.TITLE)}, {sheet.period()}"
        pages.cell(0, 7, shown(title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pages.set_font(FAMILY, "", 8)
        pages.set_text_color(*GREY)
        pages.cell(0, 5, f"{sheet.currency}, {sheet.zone}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pages.set_text_color(0, 0, 0)
        pages.ln(3)
        sums = sheet.sums()
        for place, (name, money) in enumerate(sums):
            self._sum(name, money, bold=place in (0, len(sums) - 1))
        pages.ln(1)
        for name, money in sheet.apart():
            self._sum(name, money, bold=False)
        pages.ln(4)
        head(pages, sheet)
        pages.set_font(FAMILY, "B", _SIZE)
        self._row(("", sheet.word(words.OPENING), "", "", "", sheet.figure(sheet.told.opening)))
        pages.set_font(FAMILY, "", _SIZE)

    def _sum(self, name: str, money: Money, *, bold: bool) -> None:
        self._pages.set_font(FAMILY, "B" if bold else "", 9)
        self._pages.cell(70, 5.5, shown(name, most=60))
        figure = self._sheet.figure(money)
        self._pages.cell(35, 5.5, figure, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _row(self, cells: Sequence[str]) -> None:
        pages = self._pages
        pages.set_fill_color(*_PALE)
        if pages.will_page_break(_ROW):
            style = pages.font_style
            pages.add_page()
            pages.set_font(FAMILY, style, _SIZE)
        left, top = pages.l_margin, pages.get_y()
        if self._odd:
            pages.rect(left, top, sum(_WIDTHS), _ROW, style="F")
        for text, width, align in zip(cells, _WIDTHS, _ALIGNS, strict=True):
            if text:
                drawn, wide, scale = self._fitting(text, width - 2 * _GAP)
                start = left + (width - _GAP - wide if align == "R" else _GAP)
                pages.set_font_size(_SIZE * scale)
                pages.text(start, top + _BASE, drawn)
                pages.set_font_size(_SIZE)
            left += width
        pages.set_y(top + _ROW)
        self._odd = not self._odd

    def _fitting(self, text: str, room: float) -> tuple[str, float, float]:
        """On its one line, how wide it is, and how large: what is too long is smaller, and what is too long
        for that ends in an ellipsis."""
        drawn = shown(text)
        widths = [self._wide(each) for each in drawn]
        wide = sum(widths)
        scale = min(1.0, max(_SMALLEST, room / wide)) if wide else 1.0
        if wide * scale <= room:
            return drawn, wide * scale, scale
        while drawn and (wide + self._wide("…")) * scale > room:
            drawn, wide = drawn[:-1], wide - widths.pop()
        return drawn + "…", (wide + self._wide("…")) * scale, scale

    def _wide(self, sign: str) -> float:
        """Letters are measured once: to measure each text takes longer than to draw it."""
        key = (sign, self._pages.font_style)
        if key not in self._widths:
            self._widths[key] = self._pages.get_string_width(sign)
        return self._widths[key]


def head(pages: FPDF, sheet: Sheet) -> None:
    """Of the table, on each page."""
    pages.set_font(FAMILY, "", _SIZE)
    pages.set_text_color(*GREY)
    for text, width, align in zip(sheet.columns(), _WIDTHS, _ALIGNS, strict=True):
        pages.cell(width, _ROW, shown(text, most=40), align=align, border="B")
    pages.ln(_ROW)
    pages.set_text_color(0, 0, 0)
