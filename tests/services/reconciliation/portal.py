"""Portal: a statement as M-Pesa's portal exports it, written without what reads it."""

import csv
import io
from datetime import datetime, timedelta, timezone

HEADER = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,"
    "Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
NAIROBI = timezone(timedelta(hours=3))
STAMP = "%Y-%m-%d %H:%M:%S"


def local(at: datetime) -> str:
    return at.astimezone(NAIROBI).strftime(STAMP)


def statement(since: datetime, until: datetime, *rows: list[str], shortcode: str = "174379") -> bytes:
    head = [
        "Organization Name:,MAMA NJERI DUKA",
        f"Short Code:,{shortcode}",
        f"Time Period:,From {local(since)} To {local(until)}",
        "",
        HEADER,
    ]
    return ("\n".join([*head, *(written(row) for row in rows)]) + "\n").encode()


def written(row: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(row)
    return out.getvalue().strip()


def came(
    receipt: str,
    at: datetime,
    amount: str,
    account: str = "",
    *,
    party: str = "254712345678 - ACHIENG A",
    status: str = "Completed",
) -> list[str]:
    """A customer's payment to the paybill."""
    stamp, details = local(at), f"Pay Bill Online from {party} Acc. {account}"
    tail = ["true", "Pay Bill Online", party, "", account]
    return [receipt, stamp, stamp, details, status, amount, "", "9,000.00", *tail]


def went(
    receipt: str,
    at: datetime,
    amount: str,
    reason: str = "Business Payment to Customer via API",
    *,
    linked: str = "",
    party: str = "254722000111 - WANJIKU W",
    details: str | None = None,
) -> list[str]:
    """A payout, a charge, a reversal."""
    stamp = local(at)
    tail = ["true", reason, party, linked, ""]
    return [receipt, stamp, stamp, details or reason, "Completed", "", f"-{amount}", "8,000.00", *tail]
