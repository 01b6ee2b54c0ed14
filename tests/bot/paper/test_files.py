"""The files themselves: they are what they say, the same for the same, and no name spoils them."""

import subprocess
import sys
from typing import Any

import pytest

from bot.paper.papers import made_of

SHEET: dict[str, Any] = {
    "kind": "Sheet",
    "media": "document",
    "heading": "Mama Njeri",
    "title": "Risiti K7Q2X0",
    "facts": [["Tarehe", "24 Nov 2026, 12:00"]],
    "columns": ["Bidhaa", "Idadi", "Bei", "Jumla"],
    "rows": [["Sabuni", "2", "KES 150.00", "KES 300.00"]],
    "total": ["Jumla", "KES 300.00"],
    "at": "2026-11-24T09:00:00+00:00",
}
ODD = [
    "Crème brûlée à l'œuf",
    "👩\u200d👩\u200d👧 🍅",
    "محمد",
    "\u202eevil\u202c",
    "\u200b",
    "",
    "\x00\n\ttabs",
    "\ud800 alone",
    "x" * 500,
    "word " * 200,
]


def test_it_is_a_pdf_and_the_same_in_every_process():
    made = made_of(SHEET)
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    again = f"import sys; from bot.paper.papers import made_of; sys.stdout.buffer.write(made_of({SHEET!r}))"
    done = subprocess.run([sys.executable, "-c", again], capture_output=True, check=True)
    assert done.stdout == made
    assert made_of(SHEET | {"title": "Risiti K7Q2X1"}) != made


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_name_spoils_a_page(odd):
    for where in ({"heading": odd}, {"title": odd}, {"rows": [[odd] * 4]}, {"facts": [[odd, odd]]}):
        assert made_of(SHEET | where).startswith(b"%PDF-")


def test_fifty_lines_take_pages():
    assert made_of(SHEET | {"rows": SHEET["rows"] * 50}).count(b"/Type /Page\n") > 1


def test_a_code_is_a_png_and_the_same_each_time():
    code = {"kind": "QrCode", "media": "image", "content": "https://wa.me/254700000000?text=pay%20500"}
    made = made_of(code)
    assert made.startswith(b"\x89PNG")
    assert made == made_of(code)
