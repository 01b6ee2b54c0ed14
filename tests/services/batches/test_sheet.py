"""A file of withdrawals is read to the letter, and whatever is wrong of it is named with its line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.batches.faults import Fault
from services.batches.sheet import MOST_BYTES, MOST_LINES, read
from services.withdrawals.destinations import told

HEADER = "to,number,bank,name,amount,note\n"
GOOD = ("phone,0712345678,,,500,rice", "till,123456,,,1200,", "bank,1110099887,KCB,Mama Njeri,5000.50,rent")


def told_of(text):
    return [(fault.line, fault.because, fault.column) for fault in read(text.encode(), "KES").faults]


def test_each_kind_of_destination_is_read_with_its_line():
    sheet = read((HEADER + "\n".join(GOOD)).encode(), "KES")
    assert not sheet.faults
    assert [(line.at, line.destination.method_type, line.gross.minor, line.note) for line in sheet.lines] == [
        (2, "mpesa", 500_00, "rice"),
        (3, "till", 1_200_00, None),
        (4, "bank_transfer", 5_000_50, "rent"),
    ]
    assert sheet.lines[2].destination.details["bank_code"] == "01"


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read_alike(between, mark, end):
    """As is what they leave out: a zero before a phone number."""
    text = f"{mark}Number;AMOUNT;to{end}712345678;500;Phone{end}{end};;{end}".replace(";", between)
    sheet = read(text.encode(), "KES")
    assert not sheet.faults
    assert [line.destination for line in sheet.lines] == [told("mpesa", {"phone_number": "0712345678"})]


FAULTY = {
    "": [(0, Fault.EMPTY, None)],
    "\n\n , \n": [(0, Fault.EMPTY, None)],
    HEADER: [(0, Fault.EMPTY, None)],
    "to,number,amount,colour,to\n": [(1, Fault.UNKNOWN_COLUMN, None), (1, Fault.COLUMN_TWICE, "to")],
    "number\n": [(1, Fault.MISSING_COLUMN, "to"), (1, Fault.MISSING_COLUMN, "amount")],
    HEADER + "phone,12,,,500,": [(2, Fault.PHONE, "number")],
    HEADER + "phone,2.54712E+11,,,500,": [(2, Fault.PHONE, "number")],
    HEADER + "till,12,,,500,": [(2, Fault.TILL, "number")],
    HEADER + "bank,123456,Nobody,Njeri,500,": [(2, Fault.BANK, "bank")],
    HEADER + "bank,12,KCB,Njeri,500,": [(2, Fault.ACCOUNT, "number")],
    HEADER + "bank,123456,KCB,,500,": [(2, Fault.HOLDER, "name")],
    HEADER + "\npigeon,x,,,x,": [(3, Fault.KIND, "to"), (3, Fault.AMOUNT, "amount")],
    HEADER + 'phone,0712345678,,,"1,250",': [(2, Fault.AMOUNT, "amount")],
    HEADER + "phone,0712345678,,,-5,\nphone,0712345678,,,0,": [
        (2, Fault.AMOUNT, "amount"),
        (3, Fault.AMOUNT, "amount"),
    ],
    HEADER + f"{GOOD[0]}\n{GOOD[1]},more": [(3, Fault.CELLS, None)],
    HEADER + f"{GOOD[0]}{'e' * 140}": [(2, Fault.NOTE, "note")],
    HEADER + f'{GOOD[0]}\n"phone,0712345678': [(3, Fault.NOT_CSV, None)],
    HEADER + f'phone,0712345678,,,500,"two\nlines"\n{GOOD[1]}\nx': [
        (2, Fault.NOTE, "note"),
        (5, Fault.KIND, "to"),
        (5, Fault.AMOUNT, "amount"),
    ],
    HEADER + f"{GOOD[0]}\n" * (MOST_LINES + 1): [(0, Fault.TOO_MANY_LINES, None)],
    HEADER + " " * MOST_BYTES: [(0, Fault.TOO_LARGE, None)],
}


@pytest.mark.parametrize("text", FAULTY, ids=range(len(FAULTY)))
def test_a_fault_is_named_with_its_line(text):
    assert told_of(text) == FAULTY[text]


def test_what_is_no_utf8_is_named():
    assert [fault.because for fault in read("to,nämber".encode("latin-1"), "KES").faults] == [Fault.NOT_TEXT]
    assert [fault.because for fault in read((HEADER + GOOD[0]).encode("utf-16"), "KES").faults] == [
        Fault.NOT_TEXT
    ]


@given(
    st.binary(max_size=400)
    | st.text(max_size=300).map(lambda text: (HEADER + text).encode("utf-8", "replace"))
)
def test_whatever_the_bytes_are_there_are_lines_or_faults(content):
    sheet = read(content, "KES")
    assert sheet.lines or sheet.faults
    assert all(0 <= fault.line <= content.count(b"\n") + content.count(b"\r") + 1 for fault in sheet.faults)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)
ROWS = st.sampled_from(GOOD).map(lambda row: row.split(",")) | st.lists(CELLS, min_size=1, max_size=7)


@given(st.lists(ROWS, min_size=1, max_size=8))
def test_each_row_is_a_line_or_has_its_fault(rows):
    """Rows that break lines inside their cells count on, as they do in an editor."""
    text, starts, at = io.StringIO(newline=""), [], 2
    for row in rows:
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row)
        starts += [at] if any(cell.strip() for cell in row) else []
        at = text.getvalue().count("\n") + 2
    sheet = read((HEADER + text.getvalue()).encode(), "KES")
    named = {line.at for line in sheet.lines} | {fault.line for fault in sheet.faults}
    assert named == set(starts or [0])
