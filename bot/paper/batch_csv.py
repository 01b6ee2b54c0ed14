"""Batch CSV: what has become of each line of a batch, for programs and spreadsheets alike; see
`bot/paper/statement/as_csv.py`."""

import csv
import io
from collections.abc import Iterable

from bot.paper.statement.as_csv import safe
from services.batches.results import Result

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_HEAD = ("line", "to", "destination", "amount", "fee", "net", "note", "status", "reason", "receipt", "id")


def as_csv(lines: Iterable[Result]) -> bytes:
    text = io.StringIO(_MARK, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\r\n").writerows([_HEAD, *(_row(each) for each in lines)])
    return text.getvalue().encode("utf-8", "replace")


def _row(each: Result) -> tuple[str, ...]:
    texts = (each.note, each.status or "waiting", each.reason, each.receipt)
    return (
        str(each.line),
        each.method_type,
        safe(each.destination),
        str(each.amount),
        str(each.fee),
        str(each.net),
        *(safe(text or "") for text in texts),
        str(each.withdrawal_id or ""),
    )
