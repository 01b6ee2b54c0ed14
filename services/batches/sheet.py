"""Sheet: a file's bytes -> its lines, or what is wrong of each. Never raises, whatever the bytes are.

A header names the columns: `to` (phone, till or bank), `number`, `amount`, and where they are wanted `bank`
(name or code), `name` (the holder of the account) and `note`. Between commas, semicolons or tabs, in UTF-8.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from services import banks
from services.batches.faults import Fault, Faulty, of
from services.errors import Refusal
from services.facts import Destination
from services.money import Money, NotAnAmount
from services.phones import masked
from services.withdrawals import destinations

MOST_BYTES = 128 * 1024
MOST_LINES = 500
MOST_NOTE = 140
_NEEDED = ("to", "number", "amount")
_CALLED = {
    "to": ("to", "kind", "method", "aina"),
    "number": ("number", "phone", "till", "account", "namba"),
    "amount": ("amount", "kiasi"),
    "bank": ("bank", "benki"),
    "name": ("name", "holder", "jina"),
    "note": ("note", "notes", "reference", "maelezo"),
}
_COLUMNS = {spelled: column for column, spellings in _CALLED.items() for spelled in spellings}
_KINDS = {
    "phone": "mpesa",
    "mpesa": "mpesa",
    "m-pesa": "mpesa",
    "simu": "mpesa",
    "till": "till",
    "buy goods": "till",
    "bank": "bank_transfer",
    "bank_transfer": "bank_transfer",
    "benki": "bank_transfer",
}
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_MOST_GIVEN = 20


@dataclass(frozen=True)
class Line:
    """One that can be read; whether it may be paid is another question. `at` is its number."""

    at: int
    destination: Destination
    gross: Money
    note: str | None


@dataclass(frozen=True)
class Sheet:
    lines: tuple[Line, ...]
    faults: tuple[Faulty, ...]


def read(content: bytes, currency: str) -> Sheet:
    if len(content) > MOST_BYTES:
        return _faulty(Faulty(line=0, because=Fault.TOO_LARGE, most=MOST_BYTES))
    try:
        text = content.decode("utf-8").removeprefix(_MARK)
    except UnicodeDecodeError:
        return _faulty(Faulty(line=0, because=Fault.NOT_TEXT))
    rows = _Rows(text)
    header = next(rows, None)
    if header is None:
        return _faulty(rows.fault or Faulty(line=0, because=Fault.EMPTY))
    columns = [_COLUMNS.get(cell.casefold(), "") for cell in header.cells]
    if wrong := tuple(_header_faults(header, columns)):
        return Sheet((), wrong)
    return _body(rows, columns, currency)


def _body(rows: "_Rows", columns: list[str], currency: str) -> Sheet:
    lines: list[Line] = []
    faults: list[Faulty] = []
    for count, row in enumerate(rows, start=1):
        if count > MOST_LINES:
            return _faulty(Faulty(line=0, because=Fault.TOO_MANY_LINES, most=MOST_LINES))
        line, wrong = _line(row, columns, currency)
        faults += wrong
        lines += [line] if line is not None else []
    faults += [rows.fault] if rows.fault else []
    if not lines and not faults:
        faults = [Faulty(line=0, because=Fault.EMPTY)]
    return Sheet(tuple(lines), tuple(faults))


@dataclass(frozen=True)
class _Row:
    at: int
    cells: list[str]


class _Rows(Iterator[_Row]):
    """Those that are not blank; `fault` where it could not be read to its end."""

    def __init__(self, text: str) -> None:
        first = text.lstrip().partition("\n")[0]
        between = max(";,\t", key=first.count)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
        self.fault: Faulty | None = None

    def __next__(self) -> _Row:
        while True:
            at = self._reader.line_num + 1
            try:
                cells = [cell.strip() for cell in next(self._reader)]
            except csv.Error:
                self.fault = Faulty(line=at, because=Fault.NOT_CSV)
                raise StopIteration from None
            if any(cells):
                return _Row(at, cells)


def _header_faults(header: _Row, columns: list[str]) -> Iterator[Faulty]:
    for name, column in zip(header.cells, columns, strict=True):
        if name and not column:
            yield Faulty(line=header.at, because=Fault.UNKNOWN_COLUMN, given=_given(name))
    for column in _NEEDED:
        if column not in columns:
            yield Faulty(line=header.at, because=Fault.MISSING_COLUMN, column=column)
    for column in _CALLED:
        if columns.count(column) > 1:
            yield Faulty(line=header.at, because=Fault.COLUMN_TWICE, column=column)


def _line(row: _Row, columns: list[str], currency: str) -> tuple[Line | None, list[Faulty]]:
    """All that is wrong of it, so that it is mended at once."""
    if any(row.cells[len(columns) :]):
        return None, [Faulty(line=row.at, because=Fault.CELLS, most=len(columns))]
    cells = dict.fromkeys(_CALLED, "") | dict(zip(columns, row.cells, strict=False))
    faults: list[Faulty] = []
    destination = _destination(row.at, cells, faults)
    gross = _gross(row.at, cells["amount"], currency, faults)
    note = cells["note"] or None
    if note is not None and (len(note) > MOST_NOTE or not note.isprintable()):
        faults.append(Faulty(line=row.at, because=Fault.NOTE, column="note", most=MOST_NOTE))
    if faults or destination is None or gross is None:
        return None, faults
    return Line(row.at, destination, gross, note), []


def _destination(at: int, cells: dict[str, str], faults: list[Faulty]) -> Destination | None:
    method_type = _KINDS.get(cells["to"].casefold())
    if method_type is None:
        faults.append(Faulty(line=at, because=Fault.KIND, column="to", given=_given(cells["to"])))
        return None
    try:
        return destinations.told(method_type, _details(method_type, cells))
    except Refusal as refusal:
        faults.append(of(refusal, at))
        return None


def _details(method_type: str, cells: dict[str, str]) -> dict[str, str]:
    """Raises InvalidDestination."""
    match method_type:
        case "mpesa":
            return {"phone_number": cells["number"]}
        case "till":
            return {"till_number": cells["number"]}
    bank = cells["bank"]
    code = bank if bank in banks.BANKS else banks.code_named(bank)
    return {"account_number": cells["number"], "bank_code": code, "account_name": cells["name"]}


def _gross(at: int, text: str, currency: str, faults: list[Faulty]) -> Money | None:
    try:
        return Money.parse(text, currency)
    except NotAnAmount:
        faults.append(Faulty(line=at, because=Fault.AMOUNT, column="amount", given=text[:_MOST_GIVEN]))
        return None


def _given(text: str) -> str:
    """Short, and without a number that may be somebody's."""
    short = text[:_MOST_GIVEN]
    return masked(short) if any(sign.isdigit() for sign in short) else short


def _faulty(fault: Faulty) -> Sheet:
    return Sheet((), (fault,))
