"""Lists: what Stripe's own lists of charges, refunds and disputes tell, a page at a time.

https://docs.stripe.com/api/charges/list, /refunds/list and /disputes/list. Each is asked by when it was made
there. What is told of a balance is in the currency that the account is paid out in, and so no line: only of a
charge its fee is taken from there, where both are in one currency. A dispute takes money at once and may give
it back; it is a line once it is lost, as the books have it.
"""

from datetime import UTC, datetime, timedelta

from services.money import PLACES, Money
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.bodies import Json, code_of, id_of, within
from services.providers.listing import Covered, Kind, Line, Listed
from services.providers.stripe_client import StripeClient
from services.providers.stripe_events import CARD, PAGE, ours
from services.providers.stripe_words import Reply, money_of

_PER_PAGE = 100
_CHARGES, _REFUNDS, _DISPUTES = "charges", "refunds", "disputes"
_NEXT = {_CHARGES: _REFUNDS, _REFUNDS: _DISPUTES}
# From when it is made until it is decided.
_TAKES = {_REFUNDS: timedelta(days=30), _DISPUTES: timedelta(days=120)}
_EXPANDED = {_CHARGES: ["data.balance_transaction"]}


class _Unreadable(ValueError):
    """One of the list is not of the shape that it has."""


async def list_lines(
    client: StripeClient, since: datetime, until: datetime, page: str | None
) -> Listed | Misconfigured | NotSent | Unknown:
    """All charges first, then all refunds, then all disputes; the latest of each first."""
    what, _, after = (page or _CHARGES).partition(":")
    begin = since - _TAKES.get(what, timedelta())
    reply = await client.get(
        f"/v1/{what}",
        created={"gte": int(begin.timestamp()), "lt": int(until.timestamp())},
        limit=_PER_PAGE,
        starting_after=after or None,
        expand=_EXPANDED.get(what),
    )
    if not isinstance(reply, Reply):
        return reply
    if reply.status in {401, 403}:
        return Misconfigured(str(reply))
    listed = reply.body.get("data")
    if not reply.fine or not isinstance(listed, list):
        return Unknown(str(reply))
    try:
        lines = tuple(line for each in listed if (line := _line(what, each)) is not None)
        following = f"{what}:{_id(listed[-1])}" if reply.body.get("has_more") is True and listed else None
    except _Unreadable as wrong:
        return Unknown(f"one of {what} that cannot be read: {wrong}")
    following = following or _NEXT.get(what)
    covered = () if following else (Covered(Kind.PAID, since, until), Covered(Kind.BACK, since, until))
    return Listed(lines, covered, following)


def _line(what: str, told: object) -> Line | None:
    """None for what has moved nothing, or not yet."""
    if not isinstance(told, dict):
        raise _Unreadable("it is no object")
    status = code_of(told.get("status"))
    if what == _CHARGES:
        return _charge(told) if status == "succeeded" and told.get("captured") is True else None
    if what == _REFUNDS:
        return _back(told) if status == "succeeded" else None
    return _back(told) if status == "lost" else None


def _charge(told: Json) -> Line:
    """Acknowledged by its payment, as the books have it."""
    amount = _amount(told)
    return Line(
        f"charge:{_id(told)}",
        Kind.PAID,
        amount,
        _moment(told),
        receipt=id_of(told.get("payment_intent")) or _id(told),
        reference=ours(told, PAGE, CARD),
        fee=_fee(within(told, "balance_transaction"), amount.currency),
    )


def _back(told: Json) -> Line:
    """A refund, whoever has made it, or a dispute: the books know both by their own ids."""
    name = _id(told)
    of = id_of(told.get("payment_intent")) or id_of(told.get("charge"))
    return Line(f"back:{name}", Kind.BACK, _amount(told), _moment(told), receipt=name, reference=name, of=of)


def _fee(balance: Json, currency: str) -> Money | None:
    """None where it is not told, or taken in another currency; nothing is a fee too."""
    if code_of(balance.get("currency")).upper() != currency:
        return None
    if code_of(balance.get("fee")) == "0" and currency in PLACES:
        return Money(0, currency)
    return money_of(balance.get("fee"), currency)


def _amount(told: Json) -> Money:
    amount = money_of(told.get("amount"), told.get("currency"))
    if amount is None:
        raise _Unreadable("its amount")
    return amount


def _id(told: object) -> str:
    found = id_of(told.get("id")) if isinstance(told, dict) else None
    if found is None:
        raise _Unreadable("its id")
    return found


def _moment(told: Json) -> datetime:
    seconds = told.get("created")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 10**11:
        raise _Unreadable("its time")
    return datetime.fromtimestamp(seconds, UTC)
