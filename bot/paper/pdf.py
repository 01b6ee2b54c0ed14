"""PDF: a sheet as a page. What the font lacks (emoji, most scripts) is a small square, and what shows nothing
(marks of direction, joiners) is left out, so that no name can spoil a page."""

import unicodedata
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

_FONTS = Path(__file__).parent / "fonts"
_REGULAR, _BOLD = _FONTS / "DejaVuSans.ttf", _FONTS / "DejaVuSans-Bold.ttf"
FAMILY = "DejaVu"
_LACKING = "\N{WHITE SQUARE}"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SIZE, _MARGIN, _LINE = (148, 210), 14, 5  # millimetres
_MOST_NAME, _MOST_FACT, _MOST_NUMBER = 200, 500, 40
GREY = (110, 110, 110)


def pdf(paper: dict[str, Any]) -> bytes:
    """`paper` is a Sheet in its words. The same bytes for the same paper."""
    page = _opened(paper)
    page.set_font(FAMILY, "B", 16)
    page.multi_cell(0, 9, shown(paper["heading"]), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_font(FAMILY, "", 12)
    page.multi_cell(0, 8, shown(paper["title"]), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(3)
    _facts(page, paper["facts"])
    if paper["rows"]:
        page.ln(3)
        _rows(page, paper["columns"], paper["rows"])
    page.ln(3)
    _total(page, *paper["total"])
    return bytes(page.output())


def _opened(paper: dict[str, Any]) -> FPDF:
    page = FPDF(format=_SIZE)
    page.set_creation_date(datetime.fromisoformat(paper["at"]))
    page.set_title(shown(paper["title"]))
    page.set_author(shown(paper["heading"]))
    page.set_margin(_MARGIN)
    page.set_auto_page_break(auto=True, margin=_MARGIN)
    add_fonts(page)
    page.add_page()
    return page


def add_fonts(page: FPDF) -> None:
    page.add_font(FAMILY, "", _REGULAR)
    page.add_font(FAMILY, "B", _BOLD)


def _facts(page: FPDF, facts: list[list[str]]) -> None:
    page.set_font(FAMILY, "", 9)
    with page.table(
        col_widths=(35, 85),
        text_align=("LEFT", "LEFT"),
        first_row_as_headings=False,
        borders_layout=TableBordersLayout.NONE,
        line_height=_LINE,
        v_align="TOP",
        padding=(0.5, 0, 0.5, 0),
    ) as table:
        for label, value in facts:
            row = table.row()
            row.cell(shown(label, most=_MOST_NUMBER), style=FontFace(color=GREY))
            row.cell(shown(value, most=_MOST_FACT))


def _rows(page: FPDF, columns: list[str], rows: list[list[str]]) -> None:
    page.set_font(FAMILY, "", 9)
    with page.table(
        col_widths=(42, 14, 30, 34),
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT"),
        headings_style=FontFace(emphasis="", color=GREY),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        line_height=_LINE,
        v_align="TOP",
        padding=(0.5, 0, 0.5, 0),
    ) as table:
        for cells in (columns, *rows):
            name, *numbers = cells
            table.row([shown(name), *(shown(number, most=_MOST_NUMBER) for number in numbers)])


def _total(page: FPDF, label: str, value: str) -> None:
    page.set_font(FAMILY, "B", 12)
    page.cell(page.epw / 2, 9, shown(label))
    page.cell(page.epw / 2, 9, shown(value), align="R")


def shown(text: str, *, most: int = _MOST_NAME) -> str:
    """At most so many characters, since a row never breaks over pages."""
    kept = (
        " " if each.isspace() else each
        for each in unicodedata.normalize("NFC", text)
        if each.isspace() or unicodedata.category(each) not in _UNSEEN
    )
    known = _known()
    drawn = "".join(each if ord(each) in known else _LACKING for each in kept)
    while _LACKING * 2 in drawn:  # a family of emoji is one
        drawn = drawn.replace(_LACKING * 2, _LACKING)
    shown = " ".join(drawn.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


@cache
def _known() -> frozenset[int]:
    """What both fonts can draw."""
    return frozenset.intersection(*(frozenset(TTFont(path).getBestCmap()) for path in (_REGULAR, _BOLD)))
