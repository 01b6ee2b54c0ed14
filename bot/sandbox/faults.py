"""Faults: what shall go wrong next, armed by the page or by a test, and used up by the emulators."""

from collections import deque
from dataclasses import dataclass

from bot.sandbox.feed import Feed
from bot.sandbox.world import CannotError, Json

# Where a fault strikes, and what it can be there.
# `500_after`, `drop`: the request is accepted all the same; `callback_first`: before it is answered.
CATALOGUE: dict[str, tuple[str, ...]] = {
    "graph.send": ("500", "503", "190", "130429", "131056", "131047", "131000", "drop", "failed"),
    "graph.media": ("500", "190", "130429", "drop"),
    "graph.webhook": ("twice", "forged"),
    "graph.statuses": ("reversed",),
    "oauth": ("500", "drop"),
    "stk.request": ("500", "500_after", "drop", "busy", "spike", "token", "callback_first"),
    "stk.outcome": ("pay", "wrong_pin", "no_funds", "cancel", "ignore"),
    "stk.callback": ("lost", "late", "twice"),
    "stk.query": ("500", "drop", "busy", "spike", "token", "unheard"),
    "b2c.request": ("500", "500_after", "drop", "busy", "spike", "token", "callback_first"),
    "b2c.outcome": ("fail", "no_funds", "initiator", "queue_timeout", "queue_timeout_then_result", "hang"),
    "b2c.callback": ("lost", "late", "twice"),
    "b2b.request": ("500", "500_after", "drop", "busy", "spike", "token", "callback_first"),
    "b2b.outcome": (
        "fail",
        "receiver",
        "no_funds",
        "initiator",
        "queue_timeout",
        "queue_timeout_then_result",
        "hang",
    ),
    "b2b.callback": ("lost", "late", "twice"),
    "reversal.request": ("500", "500_after", "drop", "busy", "spike", "token", "callback_first"),
    "reversal.outcome": (
        "fail",
        "no_funds",
        "initiator",
        "queue_timeout",
        "queue_timeout_then_result",
        "hang",
    ),
    "reversal.callback": ("lost", "late", "twice"),
    "status.query": ("500", "drop", "busy"),
    "status.callback": ("lost", "late", "twice"),
    "balance.query": ("500", "drop", "busy"),
    "balance.callback": ("lost", "late", "twice"),
    "qr.draw": ("500", "drop", "busy", "spike", "token", "broken"),
    "c2b.register": ("500", "500_after", "drop", "busy", "spike", "token"),
    "c2b.callback": ("lost", "late", "twice", "asks", "forged", "other_amount"),
    "pull.query": ("500", "drop", "busy", "spike"),
    "paystack.initialize": ("500", "500_after", "drop", "spike"),
    "paystack.charge": (
        "500",
        "500_after",
        "drop",
        "spike",
        "callback_first",
        "paused",
        "declined",
        "insufficient",
    ),
    "paystack.prompt": ("500", "500_after", "drop", "spike", "callback_first"),
    "paystack.payer": ("pay", "wrong_pin", "no_funds", "cancel", "ignore"),
    "paystack.told": ("other_amount", "other_currency", "contradictory", "unheard"),
    "paystack.check": ("500", "drop", "other_amount", "other_currency", "unheard"),
    "paystack.forget": ("500", "drop"),
    "paystack.list": ("500", "drop", "spike"),
    "paystack.refund": ("500", "500_after", "drop", "spike", "no_funds", "callback_first"),
    "paystack.refunded": ("failed", "failed_later", "needs_attention", "hang"),
    "paystack.refund_check": ("500", "drop"),
    "paystack.recipient": ("500", "drop", "spike"),
    "paystack.transfer": ("500", "500_after", "drop", "spike", "no_funds", "forbidden", "callback_first"),
    "paystack.outcome": ("failed", "given_back", "given_back_later", "blocked", "otp", "hang"),
    "paystack.webhook": ("lost", "late", "twice", "forged"),
    "paystack.verify": ("500", "drop"),
    "paystack.balance": ("500", "drop"),
    "pesapal.token": ("500", "drop", "keys"),
    "pesapal.ipn": ("500", "500_after", "drop", "token"),
    "pesapal.ipns": ("500", "drop"),
    "pesapal.order": ("500", "500_after", "drop", "spike", "token", "limit", "callback_first"),
    "pesapal.outcome": (
        "fail",
        "cancel",
        "abandon",
        "other_amount",
        "other_currency",
        "other_order",
        "unheard",
        "contradictory",
    ),
    "pesapal.notice": ("lost", "late", "twice", "forged", "other_way"),
    "pesapal.status": (
        "500",
        "drop",
        "spike",
        "token",
        "denied",
        "other_amount",
        "other_currency",
        "unheard",
    ),
    "pesapal.refund": ("500", "500_after", "drop", "spike"),
    "pesapal.cancel": ("500", "500_after", "drop"),
    "stripe.session": ("500", "500_after", "drop", "spike"),
    "stripe.charge": ("500", "500_after", "drop", "spike", "callback_first"),
    "stripe.outcome": ("declined", "insufficient_funds", "authentication_required", "processing"),
    "stripe.refund": ("500", "500_after", "drop", "spike"),
    "stripe.refunded": ("pending", "failed", "failed_later", "hang"),
    "stripe.query": ("500", "drop", "spike", "wrong_amount", "wrong_currency", "unheard"),
    "stripe.webhook": (
        "lost",
        "late",
        "twice",
        "forged",
        "unordered",
        "stale",
        "wrong_amount",
        "wrong_currency",
        "unheard",
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    at: str
    name: str
    seconds: float = 5.0


class Faults:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._armed: dict[str, deque[Fault]] = {at: deque() for at in CATALOGUE}

    def arm(self, fault: Fault, times: int) -> None:
        """Strikes the next `times` occasions. Raises CannotError for one that the catalogue lacks."""
        if fault.name not in CATALOGUE.get(fault.at, ()):
            raise CannotError(f"no fault {fault.name!r} at {fault.at!r}")
        self._armed[fault.at].extend([fault] * times)
        self._tell()

    def take(self, at: str) -> Fault | None:
        """The fault that strikes now, which is used up."""
        if not self._armed[at]:
            return None
        fault = self._armed[at].popleft()
        self._tell()
        return fault

    def take_name(self, at: str) -> str:
        """The name of the fault that strikes now, or an empty string."""
        fault = self.take(at)
        return fault.name if fault else ""

    def clear(self, at: str | None = None) -> None:
        for place in self._armed if at is None else (at,):
            self._armed[place].clear()
        self._tell()

    def view(self) -> list[Json]:
        counts: dict[tuple[str, str], int] = {}
        for queue in self._armed.values():
            for fault in queue:
                counts[fault.at, fault.name] = counts.get((fault.at, fault.name), 0) + 1
        return [{"at": at, "fault": name, "times": times} for (at, name), times in counts.items()]

    def _tell(self) -> None:
        self._feed.tell("faults", self.view())
