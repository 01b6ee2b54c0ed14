"""Lines: what Pesapal says of one order, as lines of the statement that it has not. No page of its documents
lists orders; `GetTransactionStatus` tells of each to who knows its tracking id.

https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/gettransactionstatus. When something
went back it tells nobody: that is dated at the end of the time in which it was first seen.
"""

from datetime import UTC, datetime, timedelta, timezone

from services.money import Money
from services.providers.base import Failed, Misconfigured, Pending, Succeeded, Unknown
from services.providers.bodies import code_of, id_of
from services.providers.listing import Kind, Line
from services.providers.pesapal_words import Reply, reversed_of, word_of

_UNPAID = "0"
_BEFORE = timedelta(seconds=1)
_EAT = timezone(timedelta(hours=3))


def lines_of(reply: Reply, ours: str, until: datetime) -> tuple[Line, ...] | Misconfigured | Unknown:
    """Of the order with our reference: paid, and given back."""
    word, back = word_of(reply, ours), reversed_of(reply, ours)
    match back or word:
        case Succeeded(amount=amount) if amount is not None:
            return _lines(reply, ours, amount, until - _BEFORE if back else None)
        case Pending(detail, ours=True):
            return Misconfigured(detail)
        case Failed():
            return ()
        case _ if code_of(reply.body.get("status_code")) == _UNPAID:
            return ()
    return Unknown(str(reply))


def _lines(reply: Reply, ours: str, amount: Money, back: datetime | None) -> tuple[Line, ...] | Unknown:
    receipt, at = id_of(reply.body.get("confirmation_code")), _moment(reply.body.get("created_date"))
    if receipt is None or at is None:
        return Unknown("an order without its code or its time")
    key = f"order:{ours}"
    paid = Line(key, Kind.PAID, amount, at, receipt=receipt, reference=ours)
    if back is None:
        return (paid,)
    return (paid, Line(f"{key}:{Kind.BACK}", Kind.BACK, amount, back, of=receipt))


def _moment(told: object) -> datetime | None:
    """Without a zone it is East Africa's."""
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return moment and (moment if moment.tzinfo else moment.replace(tzinfo=_EAT)).astimezone(UTC)
