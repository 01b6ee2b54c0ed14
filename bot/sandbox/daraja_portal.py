"""Portal: the statement of a shortcode, as M-Pesa's organisation portal exports it: a CSV file with all that
its books have, and what is charged for payouts in lines of their own.

Source: exported files, and Safaricom's tariff of business to customer payments (August 2023).
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.sandbox.daraja_callbacks import NAIROBI
from bot.sandbox.daraja_counter import Counter
from bot.sandbox.daraja_payouts import Payouts
from bot.sandbox.daraja_reversals import Reversals
from bot.sandbox.daraja_tills import Tills
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp

HEADER = (
    "Receipt No.",
    "Completion Time",
    "Initiation Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Balance",
    "Balance Confirmed",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
)
_TARIFF = ((100, 0), (1_500, 5), (5_000, 9), (20_000, 11), (250_000, 13))
_STAMP = "%d-%m-%Y %H:%M:%S"

# (when, receipt, details, what came in or went out, reason, other party, linked, account)
_Line = tuple[datetime, str, str, int, str, str, str, str]


class Portal:
    def __init__(
        self, stage: Stage, counter: Counter, payouts: Payouts, tills: Tills, reversals: Reversals
    ) -> None:
        self._stage, self._counter = stage, counter
        self._payouts, self._tills, self._reversals = payouts, tills, reversals

    def export(self, app: DarajaApp, since: datetime | None, until: datetime | None) -> str:
        """Of a period; else of all, up to the second before now. The latest comes first."""
        lines = sorted(self._lines(app))
        end = until or self._stage.world.now() - timedelta(seconds=1)
        begin = since or min((line[0] for line in lines), default=end)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["Organization Name:", app.merchant])
        writer.writerow(["Short Code:", app.till or app.shortcode])
        writer.writerow(["Time Period:", f"From {_stamp(begin)} To {_stamp(end)}"])
        writer.writerow([])
        writer.writerow(HEADER)
        rows, balance = [], 0
        for line in lines:
            balance += line[3]
            if _whole(begin) <= _whole(line[0]) <= _whole(end):
                rows.append(_row(line, balance))
        writer.writerows(reversed(rows))
        return out.getvalue()

    def _lines(self, app: DarajaApp) -> Iterator[_Line]:
        reason = "Customer Buy Goods Online" if app.till else "Pay Bill Online"
        for paid in self._counter.all(app):
            party = self._party(paid.number)
            account = "" if app.till else paid.account
            details = f"{reason} from {party} Acc. {account}"
            yield paid.at, paid.receipt, details, paid.amount, reason, party, "", account
        for sent in self._payouts.all():
            if sent.app is not app or sent.code != "0":
                continue
            at, party = sent.done or sent.at, self._party(sent.number)
            reason_out = "Business Payment to Customer via API"
            yield at, sent.receipt, f"{reason_out} to {party}", -sent.amount, reason_out, party, "", ""
            charge = next(fee for most, fee in _TARIFF if sent.amount <= most)
            if charge:
                what = "Business Payment to Customer Charge"
                yield at, sent.receipt, what, -charge, what, party, "", ""
        for out in self._tills.all():
            if out.app is app and out.code == "0":
                what, party = "Business Buy Goods via API", f"{out.till} - TILL"
                yield out.done or out.at, out.receipt, what, -out.amount, what, party, "", ""
        for back in self._reversals.done(app):
            what = "Pay Utility Reversal"
            yield back.at, back.receipt, what, -back.amount, what, "", back.original, ""

    def _party(self, number: str) -> str:
        phone = self._stage.holder(number)
        return f"{number} - {phone.name.upper() if phone else 'SUBSCRIBER'}"


def _row(line: _Line, balance: int) -> list[str]:
    at, receipt, details, amount, reason, party, linked, account = line
    came, went = (f"{amount:,}.00", "") if amount > 0 else ("", f"-{-amount:,}.00")
    stamp = _stamp(at)
    head = [receipt, stamp, stamp, details, "Completed", came, went]
    return [*head, f"{balance:,}.00", "true", reason, party, linked, account]


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _stamp(at: datetime) -> str:
    return at.astimezone(NAIROBI).strftime(_STAMP)
