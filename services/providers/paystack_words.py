"""Words: what Paystack says of transfers and of requests, in ours. What is not known is pending.

Sources: https://paystack.com/docs/transfers/how-transfers-work (statuses), /docs/api/transfer,
/docs/api/transfer-recipient and /docs/api/errors. An error is {status: false, message, type, code}, older
ones have a message alone; so both are looked at, and only a plain no is a no.
"""

from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from services.money import PLACES, Money
from services.news import Unpaid
from services.providers.base import (
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
)
from services.providers.base import Word as Word  # noqa: PLC0414  the answer's type, for its readers
from services.providers.bodies import Json, code_of, id_of, ids_of, legible, within

SUBUNITS = 100  # of every currency: https://paystack.com/docs/api#supported-currency


@dataclass(frozen=True)
class Reply:
    """What came back, a JSON object in any case."""

    status: int
    body: Json

    @property
    def fine(self) -> bool:
        ok = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return ok and self.body.get("status") is True

    @property
    def data(self) -> Json:
        return within(self.body, "data")

    @property
    def said(self) -> str:
        """Its words, to look for others in."""
        return f"{code_of(self.body.get('code'))} {legible(self.body.get('message'))}".lower()

    def __str__(self) -> str:
        code = code_of(self.body.get("code"))[:60]
        return f"HTTP {self.status} {code} {legible(self.body.get('message'))}".strip()


def balance_of(reply: Reply, currency: str) -> int | None:
    """Minor units of what it holds in this currency; None where that was not told."""
    told = reply.body.get("data")
    for each in told if isinstance(told, list) else ():
        balance = each.get("balance") if isinstance(each, dict) and each.get("currency") == currency else None
        if isinstance(balance, int) and not isinstance(balance, bool):
            minor: int = balance * 10 ** PLACES[currency] // SUBUNITS
            return minor
    return None


# --- transfers --------------------------------------------------------------------------------------


def told(about: str, data: Json, event: str | None = None) -> Report:
    """Of a transfer as it stands in an answer or an event. `event` is what the event is called by: where it
    says another thing than the transfer itself, nothing is believed."""
    references = ids_of(data, "reference", "transfer_code")
    status = code_of(data.get("status")).lower()
    word = _word(status, data)
    if event is not None and event != status:
        word = Pending(f"an event {event[:20]} of a transfer that is {status[:20]}", unheard=True)
    return Report(about, references, word, {"payout_references": references})


def _word(status: str, data: Json) -> Word:
    detail = f"{status[:20]} {legible(data.get('gateway_response') or data.get('failures'))}".strip()
    match status:
        case "success":
            return _paid(data)
        case "pending" | "processing" | "queued" | "received":
            return Pending(detail)
        case "otp":  # it waits for a code that we do not have
            return Pending("otp: transfers must not ask for one, see the dashboard's preferences", ours=True)
        case "abandoned":  # nobody gave that code in time
            return Failed(Unpaid.SHOP, detail, ours=True)
        case "failed" | "blocked" | "rejected":
            return Failed(Unpaid.PROVIDER, detail)
        case "reversed":  # the bank gave it back
            back = money_of(data.get("amount"), data.get("currency"))
            return Failed(Unpaid.RECEIVER, detail, returned=back)
        case _:
            return Pending("a status that is not known", unheard=True)


def _paid(data: Json) -> Word:
    """An amount that is missing is ours, by our reference; one that cannot be read is looked into."""
    amount = money_of(data.get("amount"), data.get("currency"))
    if amount is None and "amount" in data:
        return Pending("success with an unreadable amount", unheard=True)
    return Succeeded(id_of(data.get("transfer_code")), amount)


def money_of(value: Any, currency: Any) -> Money | None:
    """A positive amount of subunits (96700, "96700"); None for anything else."""
    digits = code_of(value)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15 and currency in PLACES):  # noqa: PLR2004
        return None
    minor = Decimal(digits).scaleb(PLACES[currency]) / SUBUNITS
    return Money(int(minor), currency) if minor > 0 and minor == int(minor) else None


def subunits(amount: Money) -> int:
    return int(amount.decimal * SUBUNITS)


# --- requests that were not accepted ----------------------------------------------------------------

_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT)
_SHORT = ("balance is not enough", "insufficient")
_CLOSED = ("third party payout", "not enabled", "disabled", "not supported by merchant", "not available")
_LIMITS = ("limit", "maximum", "minimum", "below", "exceed")


def unknown_recipient(reply: Reply) -> bool:
    """The code is of another account, or was removed: the transfer was refused."""
    return reply.status == HTTPStatus.BAD_REQUEST and "recipient" in reply.said and "invalid" in reply.said


def no_plain_no(reply: Reply) -> NotSent | Misconfigured | Unknown | None:
    """What an answer that does not accept means, whatever was asked for; None where it is a plain no."""
    why = str(reply)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent(why)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING:
        return Unknown(why)
    if reply.status in _NOT_ALLOWED:
        return Misconfigured(why)
    if reply.status < HTTPStatus.BAD_REQUEST or reply.body.get("status") is not False:
        return Unknown(why)
    return None


def judge_transfer(reply: Reply) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means for the transfer."""
    said, why = reply.said, str(reply)
    limited = reply.status == HTTPStatus.TOO_MANY_REQUESTS
    if not limited and (
        "duplicate" in said or ("reference" in said and ("exist" in said or "unique" in said))
    ):
        return Unknown(why)  # the first of this reference exists
    if (unclear := no_plain_no(reply)) is not None:
        return unclear
    if any(words in said for words in _SHORT):
        return Refused(Unpaid.INSUFFICIENT_FUNDS, why, ours=True)
    if any(words in said for words in _CLOSED):
        return Misconfigured(why)
    if unknown_recipient(reply):
        return Refused(Unpaid.RECEIVER, why)
    return Refused(Unpaid.LIMIT if any(words in said for words in _LIMITS) else Unpaid.PROVIDER, why)


def judge_recipient(reply: Reply) -> Refused | NotSent | Misconfigured:
    """The same for a recipient, of which no money moves."""
    why = str(reply)
    if reply.status in _NOT_ALLOWED or any(words in reply.said for words in _CLOSED):
        return Misconfigured(why)
    server = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING
    if server or reply.status == HTTPStatus.TOO_MANY_REQUESTS or reply.status < HTTPStatus.BAD_REQUEST:
        return NotSent(why)
    return Refused(Unpaid.RECEIVER, why)
