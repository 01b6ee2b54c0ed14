"""Pull: the payments of customers of the last 48 hours, as M-Pesa lists them: the net below lost callbacks.

https://developer.safaricom.co.ke/apis/PullTransactions. A shortcode is registered once, with Safaricom;
then `pull = true` in its settings. The list is nested once more than its page shows, and is read by a row's
offset; times without a zone are Nairobi's. Payouts, reversals and charges are not in it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from services.money import Money
from services.phones import masked
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.bodies import Json, code_of, id_of
from services.providers.daraja_bodies import money_of
from services.providers.daraja_calls import Call, Reply, judge
from services.providers.daraja_client import Daraja
from services.providers.listing import Covered, Kind, Line, Listed

PULL = Call(
    "/pulltransactions/v1/query",
    frozenset({"shortcode"}),
    forbidden="ask Safaricom to register the shortcode for Pull Transactions",
)
KEPT = timedelta(hours=48)
NAIROBI = timezone(timedelta(hours=3))
_FOUND, _NONE = "1000", "1001"
_STAMP = "%Y-%m-%d %H:%M:%S"


async def pull(
    daraja: Daraja, shortcode: str, now: datetime, since: datetime, until: datetime, page: str | None
) -> Listed | Misconfigured | NotSent | Unknown:
    """`page` is a row's offset, with the first receipt of the page before: one that is told again, whatever
    the offset, ends the list."""
    since = max(since, now - KEPT + timedelta(minutes=1))
    offset, _, before = (page or "0").partition(":")
    body = {
        "ShortCode": shortcode,
        "StartDate": since.astimezone(NAIROBI).strftime(_STAMP),
        "EndDate": until.astimezone(NAIROBI).strftime(_STAMP),
        "OffSetValue": offset,
    }
    if since >= until:
        return Listed(())
    reply = await daraja.post(PULL, body)
    if not isinstance(reply, Reply):
        return reply
    code = code_of(reply.body.get("ResponseCode"))
    if code not in (_FOUND, _NONE):
        answer = judge(PULL, reply)
        return answer if isinstance(answer, Misconfigured | NotSent) else Unknown(str(reply))
    rows = list(_flat(reply.body.get("Response")))
    try:
        lines = tuple(_line(row) for row in rows)
    except ValueError as wrong:
        return Unknown(f"a payment that cannot be read: {wrong}")
    first = lines[0].receipt if lines else None
    if not lines or first == before:
        return Listed((), (Covered(Kind.PAID, since, until),))
    return Listed(lines, following=f"{int(offset) + len(rows)}:{first}")


def _flat(told: object) -> Iterator[Json]:
    """Whatever lists it is wrapped in; where there is nothing it is a text."""
    if isinstance(told, dict):
        yield told
    elif isinstance(told, list):
        for each in told:
            yield from _flat(each)


def _line(row: Json) -> Line:
    """Raises ValueError."""
    receipt, amount = id_of(row.get("transactionId")), money_of(row.get("amount"))
    if receipt is None or amount is None:
        raise ValueError("it has no receipt or amount")
    return Line(
        key_of(receipt.upper(), amount),
        Kind.PAID,
        amount,
        _moment(row.get("trxDate")),
        receipt=receipt.upper(),
        reference=reference_of(row.get("billreference")),
        party=masked(number) if (number := code_of(row.get("msisdn"))) else None,
    )


def key_of(receipt: str, amount: Money) -> str:
    """As a line of the portal's statement is called: it may be read from both."""
    return f"{receipt}:{Kind.PAID}:{amount.minor}"


def reference_of(told: object) -> str | None:
    """What looks like an order's number: what else people type may be a name."""
    text = code_of(told).upper()
    return text if len(text) == 6 and text.isascii() and text.isalnum() else None  # noqa: PLR2004


def _moment(told: object) -> datetime:
    moment = datetime.fromisoformat(code_of(told))
    return (moment if moment.tzinfo else moment.replace(tzinfo=NAIROBI)).astimezone(UTC)
