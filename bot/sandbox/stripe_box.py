"""Box: what the emulated Stripe holds of one account, by its ids."""

from collections.abc import Iterable
from typing import TypeVar

from bot.sandbox.stage import Stage
from bot.sandbox.stripe_shapes import Balance, Charge, Dispute, Intent, Refund, Session, Thing, missing
from bot.sandbox.stripe_wallet import Customer, Method
from bot.sandbox.world import Json, StripeAccount

Kind = TypeVar("Kind", Customer, Method, Balance, Charge, Intent, Session, Refund, Dispute)

_WORDS: dict[type[Thing], tuple[str, str]] = {
    Customer: ("cus", "customer"),
    Method: ("pm", "payment_method"),
    Balance: ("txn", "balance_transaction"),
    Charge: ("ch", "charge"),
    Intent: ("pi", "payment_intent"),
    Session: ("cs_test", "checkout.session"),
    Refund: ("re", "refund"),
    Dispute: ("du", "dispute"),
}


class Box:
    def __init__(self, stage: Stage, account: StripeAccount) -> None:
        self._stage, self.account = stage, account
        self._things: dict[str, Thing] = {}

    @property
    def now(self) -> int:
        return self._stage.now_ms // 1000

    def new_id(self, kind: type[Thing]) -> str:
        token = self._stage.ids.token()
        return (
            f"{_WORDS[kind][0]}_{(token + self._stage.ids.token())[:58] if kind is Session else token[:24]}"
        )

    def keep(self, thing: Kind) -> Kind:
        self._things[thing.id] = thing
        return thing

    def get(self, kind: type[Kind], name: str, param: str = "id") -> Kind:
        """Raises StripeError."""
        found = self._things.get(name)
        if not isinstance(found, kind):
            raise missing(_WORDS[kind][1], name, param)
        return found

    def all(self, kind: type[Kind]) -> list[Kind]:
        """The latest first."""
        return [each for each in reversed(self._things.values()) if isinstance(each, kind)]

    def expanded(self, told: Json, paths: Iterable[str]) -> Json:
        """With the things themselves where their ids stand."""
        told = dict(told)
        for path in paths:
            head, _, rest = path.partition(".")
            inner = told.get(head)
            if isinstance(inner, str) and inner in self._things:
                inner = self._things[inner].told()
            if isinstance(inner, dict):
                told[head] = self.expanded(inner, [rest] if rest else [])
            if isinstance(inner, list) and rest:
                told[head] = [self.expanded(each, [rest]) for each in inner]
        return told
