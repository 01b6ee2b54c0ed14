"""Lists: what Paystack's own lists of transactions, transfers and refunds tell, a page at a time.

https://paystack.com/docs/api/transaction#list, /docs/api/transfer#list and /docs/api/refund#list. It is asked
by when each was made there; amounts and fees are in subunits. What is not done, or was given back, is no
movement yet. What went back to customers is in the list of refunds, lost disputes too.
"""

from datetime import UTC, datetime, timedelta

from services.money import PLACES, Money
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.bodies import Json, code_of, id_of
from services.providers.listing import Covered, Kind, Line, Listed
from services.providers.paystack_client import PaystackClient
from services.providers.paystack_refunds import called
from services.providers.paystack_words import Reply, money_of

_PER_PAGE = 100
_NOT_ALLOWED = (401, 403)
_TRANSACTIONS, _TRANSFERS, _REFUNDS = "transaction", "transfer", "refund"
_NEXT = {_TRANSACTIONS: _TRANSFERS, _TRANSFERS: _REFUNDS}
_KINDS = (Kind.PAID, Kind.SENT, Kind.RETURNED, Kind.BACK)
_REFUND_TAKES = timedelta(days=21)  # from when it is made, by which it is listed, until the bank has it


class _Unreadable(ValueError):
    """One of the list is not of the shape that it has."""


async def list_lines(
    client: PaystackClient, since: datetime, until: datetime, page: str | None
) -> Listed | Misconfigured | NotSent | Unknown:
    """All transactions first, then all transfers, then all refunds."""
    what, number = _place(page)
    begin = since - _REFUND_TAKES if what == _REFUNDS else since
    query = f"perPage={_PER_PAGE}&page={number}&from={_stamp(begin)}&to={_stamp(until)}"
    reply = await client.get(f"/{what}?{query}")
    if not isinstance(reply, Reply):
        return reply
    if reply.status in _NOT_ALLOWED:
        return Misconfigured(str(reply))
    listed = reply.body.get("data")
    if not reply.fine or not isinstance(listed, list):
        return Unknown(str(reply))
    try:
        lines = [line for each in listed for line in _lines(what, each)]
    except _Unreadable as wrong:
        return Unknown(f"a {what} that cannot be read: {wrong}")
    if len(listed) >= _PER_PAGE:
        return Listed(tuple(lines), following=f"{what}:{number + 1}")
    if what in _NEXT:
        return Listed(tuple(lines), following=f"{_NEXT[what]}:1")
    return Listed(tuple(lines), tuple(Covered(kind, since, until) for kind in _KINDS))


def _place(page: str | None) -> tuple[str, int]:
    what, _, number = (page or f"{_TRANSACTIONS}:1").partition(":")
    return what, int(number)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _lines(what: str, told: object) -> list[Line]:
    """None, one, or two where it was given back."""
    if not isinstance(told, dict):
        raise _Unreadable("it is no object")
    status = code_of(told.get("status")).lower()
    if what == _REFUNDS:
        return [_refund(told)] if status == "processed" else []
    if status not in ("success", "reversed"):
        return []
    if what == _TRANSACTIONS:
        return [_line(told, f"transaction:{_id(told)}", Kind.PAID, "paid_at", "fees")]
    moved = _line(told, f"transfer:{_id(told)}", Kind.SENT, "transferred_at", "fee_charged")
    if status == "success":
        return [moved]
    at = _moment(told, "updatedAt", "updated_at", "createdAt", "created_at")
    of = moved.receipt or moved.reference
    key = f"{moved.key}:{Kind.RETURNED}"
    returned = Line(key, Kind.RETURNED, moved.amount, at, reference=moved.reference, of=of)
    return [moved, returned]


def _refund(told: Json) -> Line:
    """By its own id, which is the receipt of one that was asked for here; and as the books call one that was
    not."""
    amount = money_of(told.get("amount"), told.get("currency"))
    if amount is None:
        raise _Unreadable("its amount")
    paid = told.get("transaction")
    within = paid if isinstance(paid, dict) else {"id": paid}
    of = id_of(told.get("transaction_reference")) or id_of(within.get("reference")) or id_of(within.get("id"))
    return Line(
        f"refund:{_id(told)}",
        Kind.BACK,
        amount,
        _moment(told, "refunded_at", "updatedAt", "updated_at", "createdAt", "created_at"),
        receipt=_id(told),
        reference=called(told),
        of=of,
    )


def _line(told: Json, key: str, kind: Kind, done: str, fee: str) -> Line:
    amount = money_of(told.get("amount"), told.get("currency"))
    if amount is None:
        raise _Unreadable("its amount")
    return Line(
        key,
        kind,
        amount,
        _moment(told, done, "createdAt", "created_at"),
        # What payments and payouts are acknowledged by.
        receipt=id_of(told.get("transfer_code" if kind == Kind.SENT else "id")),
        reference=id_of(told.get("reference")),
        fee=_fee(told.get(fee), amount.currency),
    )


def _fee(value: object, currency: str) -> Money | None:
    """None where it is not told; nothing is a fee too."""
    digits = code_of(value)
    if digits == "0" and currency in PLACES:
        return Money(0, currency)
    return money_of(value, currency)


def _id(told: Json) -> str:
    found = id_of(told.get("id"))
    if found is None:
        raise _Unreadable("its id")
    return found


def _moment(told: Json, *keys: str) -> datetime:
    """The first of them that is there."""
    for key in keys:
        value = told.get(key)
        if isinstance(value, str) and value:
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                raise _Unreadable(f"its {key}") from None
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    raise _Unreadable("its time")
