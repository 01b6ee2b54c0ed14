"""Lists: Paystack's lists of transactions and transfers, a page at a time, the latest first.

Source: https://paystack.com/docs/api/transaction#list and /docs/api/transfer#list.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.sandbox.paystack_transfers import PaystackError, Transfers, transfer_told
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

_MOST = 100
_FEE_PPM = 15_000  # of mobile money
_TRANSFER_FEE = 2_000


class Transactions:
    """What customers have paid on pages of Paystack's own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._made: dict[str, list[tuple[datetime, Json]]] = {}

    def reset(self) -> None:
        self._made.clear()

    def make(self, slug: str, cents: int, reference: str, status: str) -> Json:
        now = self._stage.world.now()
        known = self._made.setdefault(slug, [])
        paid = status in ("success", "reversed")
        told = {
            "id": 4_000_000_000 + len(known),
            "domain": "test",
            "status": status,
            "reference": reference,
            "amount": cents,
            "currency": "KES",
            "channel": "mobile_money",
            "gateway_response": "Approved",
            "paid_at": stamp(now) if paid else None,
            "created_at": stamp(now),
            "fees": cents * _FEE_PPM // 1_000_000 if paid else None,
            "customer": {"email": "nobody@example.com"},
        }
        known.append((now, told))
        return told

    def of(self, account: PaystackAccount) -> list[tuple[datetime, Json]]:
        return self._made.get(account.slug, [])

    def called(self, slug: str, reference: str) -> Json:
        """Of what was never paid here the reference alone is known."""
        for _, told in self._made.get(slug, []):
            if told["reference"] == reference:
                return told
        return {"reference": reference}


def transfers_of(transfers: Transfers, account: PaystackAccount) -> list[tuple[datetime, Json]]:
    return [
        (
            each.at,
            transfer_told(each) | {"fee_charged": _TRANSFER_FEE if each.status == "success" else 0},
        )
        for each in transfers.all()
        if each.account is account
    ]


def page_of(listed: list[tuple[datetime, Json]], query: Mapping[str, str]) -> list[Json]:
    """The page that was asked for. Raises PaystackError."""
    try:
        number, size = int(query.get("page", "1")), min(int(query.get("perPage", "50")), _MOST)
        since = datetime.fromisoformat(query["from"]) if "from" in query else datetime.min.replace(tzinfo=UTC)
        until = datetime.fromisoformat(query["to"]) if "to" in query else datetime.max.replace(tzinfo=UTC)
    except ValueError:
        raise PaystackError(400, "Invalid query", "invalid_params") from None
    if number < 1 or size < 1:
        raise PaystackError(400, "Invalid query", "invalid_params")
    found = [told for at, told in reversed(listed) if since <= at <= until]
    return found[(number - 1) * size : number * size]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
