"""Portal: the statement of an organisation as M-Pesa's portal exports it, a CSV file.

Lines about the file come first (name, shortcode, period), then the header, then a line a movement, in East
Africa Time and in either order. What is charged has lines of its own, which tell of what by their linked
transaction, by a receipt in their details, or by bearing the same receipt. A file with one bad line is none.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from services.money import Money
from services.phones import masked
from services.providers.listing import Covered, Kind, Line, Listed, WrongStatement
from services.providers.mpesa_settings import MpesaSettings

MOST_BYTES = 20_000_000
_NAIROBI = timezone(timedelta(hours=3))
_CURRENCY = "KES"
_NEEDED = (
    "Receipt No.",
    "Completion Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
)
_FORMS = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%d-%m-%Y %H:%M")
_TIME = re.compile(r"\d{2,4}[-/]\d{2}[-/]\d{2,4} \d{2}:\d{2}(?::\d{2})?", re.ASCII)
_RECEIPT = re.compile(r"[A-Z0-9]{8,12}", re.ASCII)
_IN_DETAILS = re.compile(r"\b(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10}\b", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,3}(,?\d{3})*(\.\d{1,2})?", re.ASCII)
_SHORTCODE = re.compile(r"\b(\d{5,7})\b", re.ASCII)
_NUMBER = re.compile(r"\+?[\d*]{9,13}", re.ASCII)
_NAME_OF_OURS = re.compile(r"[A-Z0-9]{6}", re.ASCII)  # an order's number; what else is typed may be a name
_OWN = ("settle", "withdraw funds", "transfer from", "funds transfer", "to utility", "to working", "to mmf")
_MOST_FAULTS = 50
_TOO_MUCH = 10**15
_YEARS = (2007, 2100)  # M-Pesa's first, and one that is far


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells[name].strip()


def read(content: bytes, settings: MpesaSettings, now: datetime) -> Listed:
    """All of the file, and the period that it covers: what it names, unless that has not ended yet. Raises
    WrongStatement."""
    if len(content) > MOST_BYTES:
        raise WrongStatement((0, f"has more than {MOST_BYTES // 1_000_000} megabytes: take a shorter period"))
    rows = _rows(content)
    head, body = _parts(rows)
    _refuse_another(head, settings)
    lines: list[Line] = []
    faults: list[tuple[int, str]] = []
    moments: list[datetime] = []
    for row in body:
        try:
            moments.append(_moment(row["Completion Time"]))
            if line := _line(row):
                lines.append(line)
        except ValueError as error:
            faults.append((row.number, str(error)))
    if faults:
        raise WrongStatement(*faults[:_MOST_FAULTS])
    if not body:
        raise WrongStatement((0, "has no transactions: export a period in which there were some"))
    since, until = _period(head) or (min(moments), max(moments))
    if any(not since <= moment <= until for moment in moments):
        raise WrongStatement((0, "has transactions outside the period that it names"))
    # The last second belongs to it; of a period that goes on nobody knows how far the file tells.
    until = (max(moments) if until >= now else until) + timedelta(seconds=1)
    kinds = _told_of(head, settings)
    return Listed(tuple(lines), tuple(Covered(kind, since, until) for kind in kinds))


# --- the file


def _rows(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if not text.strip():
        raise WrongStatement((0, "is empty"))
    try:
        return list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise WrongStatement((0, f"is no CSV file: {error}")) from None


def _parts(rows: Sequence[Sequence[str]]) -> tuple[str, list[_Row]]:
    """What stands above the header, and the lines below it."""
    for at, row in enumerate(rows):
        names = [cell.strip() for cell in row]
        if "Receipt No." not in names:
            continue
        if missing := [name for name in _NEEDED if name not in names]:
            raise WrongStatement((at + 1, f"the header lacks {', '.join(missing)}"))
        head = "\n".join(" ".join(cell.strip() for cell in each) for each in rows[:at])
        return head, list(_body(names, rows[at + 1 :], at + 2))
    raise WrongStatement(
        (0, "is no statement of M-Pesa's organisation portal: it has no line that begins with Receipt No.")
    )


def _body(names: Sequence[str], rows: Sequence[Sequence[str]], first: int) -> Iterator[_Row]:
    for at, row in enumerate(rows):
        if any(cell.strip() for cell in row):
            padded = [*row, *[""] * (len(names) - len(row))]
            yield _Row(first + at, dict(zip(names, padded, strict=False)))


def _refuse_another(head: str, settings: MpesaSettings) -> None:
    """Where the file says whose it is, it must be ours."""
    told = _shortcodes(head)
    ours = {settings.shortcode, settings.till, settings.b2c_shortcode, settings.b2b_shortcode} - {None}
    if told and not told & ours:
        listed = ", ".join(sorted(map(str, ours)))
        raise WrongStatement((0, f"is of {', '.join(sorted(told))}, and the tenant's are {listed}"))


def _shortcodes(head: str) -> set[str]:
    wanted = ("short code", "shortcode", "paybill", "till")
    lines = [line for line in head.splitlines() if any(word in line.lower() for word in wanted)]
    return {code for line in lines for code in _SHORTCODE.findall(_TIME.sub(" ", line))}


def _told_of(head: str, settings: MpesaSettings) -> tuple[Kind, ...]:
    """Where payments come in and payouts leave by different shortcodes, each file tells of its own."""
    told = _shortcodes(head)
    paying = settings.paying_shortcode
    collecting = {settings.shortcode, settings.till} - {None}
    kinds = {Kind.FEE}
    if not told or told & collecting:
        kinds |= {Kind.PAID, Kind.BACK}
    if paying in (told or collecting):
        kinds |= {Kind.SENT, Kind.RETURNED}
    account = head.lower()
    if "utility account" in account and "working" not in account and "mmf" not in account:
        kinds -= {Kind.PAID, Kind.BACK}
    if ("working account" in account or "mmf account" in account) and "utility" not in account:
        kinds -= {Kind.SENT, Kind.RETURNED}
    return tuple(sorted(kinds))


def _period(head: str) -> tuple[datetime, datetime] | None:
    """As the file itself says: "Time Period: From ... To ..."."""
    for line in head.splitlines():
        found = _TIME.findall(line)
        if "period" in line.lower() and len(found) == 2:  # noqa: PLR2004  from and to
            try:
                return _moment(found[0]), _moment(found[1])
            except ValueError as error:
                raise WrongStatement((0, f"names a period that cannot be read: {error}")) from None
    return None


# --- a line


def _line(row: _Row) -> Line | None:
    """None for what did not come about. Raises ValueError."""
    status = row["Transaction Status"].lower()
    if status in ("failed", "cancelled", "canceled", "declined", "expired", "pending", "authorized"):
        return None
    if status != "completed":
        raise ValueError(f"Transaction Status is {status[:20] or 'missing'}, not Completed")
    receipt = row["Receipt No."].upper()
    if not _RECEIPT.fullmatch(receipt):
        raise ValueError("Receipt No. is none")
    came, went = _amount(row, "Paid In"), _amount(row, "Withdrawn")
    if (came is None) == (went is None):
        raise ValueError("has not either Paid In or Withdrawn")
    amount, kind = came or went, _kind(row, came=came is not None)
    if amount is None:
        raise ValueError("moves nothing")
    linked = row["Linked Transaction ID"].upper()
    linked = linked if _RECEIPT.fullmatch(linked) else ""
    if kind == Kind.FEE:
        in_details = _IN_DETAILS.search(row["Details"].upper())
        of = linked or (in_details[0] if in_details else receipt)
    else:
        of = linked if kind in (Kind.BACK, Kind.RETURNED) else ""
    return Line(
        f"{receipt}:{kind}:{amount.minor}",
        kind,
        amount,
        _moment(row["Completion Time"]),
        receipt=receipt,
        reference=_reference(row["A/C No."]) if kind == Kind.PAID else None,
        of=of or None,
        party=_party(row["Other Party Info"]),
    )


def _kind(row: _Row, *, came: bool) -> Kind:
    said = f"{row['Reason Type']} {row['Details']}".lower()
    reason = row["Reason Type"].lower() or said
    if "charge" in reason or ("charge" in said and "charge" in row["Details"].lower()[-40:]):
        return Kind.FEE if not came else Kind.RETURNED
    if "revers" in reason:
        return Kind.RETURNED if came else Kind.BACK
    if any(words in reason for words in _OWN):
        return Kind.OWN
    return Kind.PAID if came else Kind.SENT


def _amount(row: _Row, name: str) -> Money | None:
    """None where there is none. A sign only says in which column it stands. Raises ValueError."""
    text = row[name]
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{name} is no amount")
    try:
        minor = abs(Decimal(text.replace(",", ""))) * 100
    except InvalidOperation:
        raise ValueError(f"{name} is no amount") from None
    if minor >= _TOO_MUCH:
        raise ValueError(f"{name} is more than anybody holds")
    return Money(int(minor), _CURRENCY) if minor else None


def _moment(text: str) -> datetime:
    """Raises ValueError."""
    for form in _FORMS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=_NAIROBI)
        except ValueError:
            continue
        if _YEARS[0] <= found.year < _YEARS[1]:
            return found.astimezone(UTC)
    raise ValueError("Completion Time is none that can be read, such as 2026-11-24 09:15:00")


def _reference(text: str) -> str | None:
    """What looks like an order's number. What else people type is not kept: it may be a name or a number."""
    bare = text.strip().upper()
    return bare if _NAME_OF_OURS.fullmatch(bare) else None


def _party(text: str) -> str | None:
    """Of "254712345678 - JANE DOE" the number alone, masked."""
    found = _NUMBER.match(text.strip())
    return masked(found[0]) if found else None
