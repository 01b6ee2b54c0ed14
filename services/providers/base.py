"""The contract of a provider: its settings, and the few words an answer can have; `abilities` has what it
can be asked to do.

A provider is stateless. It translates their words into ours, *pending* by default: only an explicit
yes is a yes and only an explicit no is a no. It imports neither the database nor another provider.

What names a person or opens a door (phones, references that hold one, callback addresses) stays out
of every repr, since reprs end in logs. A `detail` is fit for logs.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from services.errors import BelowMinimum, NotWholeShillings, OverLimit
from services.money import Money
from services.news import Unpaid

# --- settings ---------------------------------------------------------------------------------------


class ProviderSettings(BaseModel):
    """What a tenant's file holds under [providers.NAME]. Errors never show a value (`errors()` does: ask
    it to leave out input)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def app(self) -> str:
        """What access tokens belong to, where there are any."""
        return ""

    @property
    def missing_to_collect(self) -> tuple[str, ...]:
        """Names of settings without which no customer can pay; empty when all are there."""
        return ()

    @property
    def missing_to_pay_out(self) -> tuple[str, ...]:
        """Names of settings without which nothing can be paid out; empty when all are there."""
        return ()

    def signed(self, body: bytes, signature: str, now: datetime) -> bool:  # noqa: ARG002  nobody signs unless said so
        """Whether the provider signed these bytes, lately where it dates its signatures, for one that does
        (`Provider.signature`)."""
        return False

    @property
    def paybill(self) -> str | None:
        """Where customers pay by themselves with an order's number as the account, and it is certain to be
        told; None where it is not."""
        return None

    @property
    def confirm_above_amount(self) -> Money | None:
        """A larger success is confirmed by a query before it credits: with zero every one, with None none."""
        return None


# --- the answer to a request that may move money ---------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    """Queued at the provider; its word comes later, unless the answer `told` it already. `reference` is their
    id of it; `recipient` what they call the destination of a payout; `page` the address at which the customer
    has to go on: the hosted page, or the bank's question about a saved card."""

    reference: str = field(repr=False)
    second_reference: str | None = field(default=None, repr=False)
    recipient: str | None = field(default=None, repr=False)
    page: str | None = field(default=None, repr=False)
    told: "Report | None" = None


@dataclass(frozen=True)
class Refused:
    """A definite no: nothing was queued. `ours`: the cause is our account, and the next would fail too."""

    because: Unpaid
    detail: str
    ours: bool = False


@dataclass(frozen=True)
class NotSent:
    """Provably not processed: it never reached them (connection refused, no address), or their gateway
    turned it away by its rate limits. May be sent again, later."""

    detail: str


@dataclass(frozen=True)
class Misconfigured:
    """A definite no whose cause is a setting of ours or the tenant's: stop and alert."""

    detail: str


@dataclass(frozen=True)
class Unknown:
    """Sent, and not known what became of it: resolved by asking, never by sending again."""

    detail: str


Answer = Accepted | Refused | NotSent | Misconfigured | Unknown
Drawn = bytes | NotSent | Misconfigured | Unknown  # a picture, or why there is none

# --- the provider's word on what became of it -------------------------------------------------------


@dataclass(frozen=True)
class Succeeded:
    """An explicit yes. The receipt or amount may be missing in an answer to a query; a callback that
    credits (`about` is "collect") always has its amount. `method`: what may be charged again, as a saved
    method of this provider holds it; None where it may not."""

    receipt: str | None = None
    amount: Money | None = None
    method: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Failed:
    """An explicit no. `ours`: the cause is our configuration. `returned`: how much of a payout came back."""

    because: Unpaid
    detail: str
    ours: bool = False
    returned: Money | None = None


@dataclass(frozen=True)
class Pending:
    """Anything else. `detail` for the log; `unheard` when the code is none that we know: alerted.

    `ours`: the question itself was refused for our configuration: alerted; asking on may lock us out.
    `waits`: it goes on only once somebody of the business's has done something there.
    """

    detail: str = ""
    unheard: bool = False
    ours: bool = False
    waits: bool = False


Word = Succeeded | Failed | Pending


@dataclass(frozen=True)
class Report:
    """What a callback says, or an answer: their references, and the word on them.

    `about` is "collect", "payout", "payout_timeout", "query" (the answer to a status query of a payout,
    whose `references` are the query's own), "query_timeout", "float", "float_timeout" (what an account
    holds), "refund", "refund_timeout", "refund_query" (the answer to a query about a refund),
    "refunded_query" (about a payment: its yes means that the payment was given back), "taken_back" (the
    provider gave a payment back by itself; the word's receipt is its name of that, its amount how much),
    "disputed" (a customer asks it to; as before), "by_hand" (somebody has paid whom nobody asked), or "other"
    (nothing that we take).

    Facts, each where it was told:
    "reference"          the one of `references` that `check` or `ask` takes (collect, payout, payout_timeout,
                         refund_query)
    "payout_references"  frozenset: the references of the payout that a query was about (query)
    "transaction_id"     theirs; failures have one too, so it is no receipt (payout)
    "completed_at"       as they write it (all)
    "utility_funds"      Money: what is left to pay out from (payout); "floats": {way out: Money} (float)
    "original"           the receipt of the payment that was given back (refund, refunded_query)
    "refunds"            tuple[Report]: each refund of that payment, whoever made it (refunded_query)
    "called"             what such a refund is called where somebody else made it (refund_query)
    "charge"             Money: what the provider took for it (query)
    "line"               Line: what a list of the provider's would say of it (by_hand)
    "ask"                True: something has changed, and what it is only an answer tells (collect,
                         taken_back: a word beside it is of a lost dispute)
    """

    about: str
    references: frozenset[str] = field(repr=False)
    word: Word
    facts: dict[str, Any] = field(default_factory=dict, repr=False)


class Unreadable(ValueError):
    """A callback body that is not of the provider's shape."""


# --- limits ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """What a rail moves at once; for a payout the net counts."""

    minimum: Money
    maximum: Money | None = None
    whole: bool = False

    def refuse_beyond(self, amount: Money) -> None:
        """Raises NotWholeShillings, BelowMinimum or OverLimit."""
        if self.whole and not amount.whole:
            raise NotWholeShillings(amount)
        if amount < self.minimum:
            raise BelowMinimum(self.minimum, amount)
        if self.maximum and amount > self.maximum:
            raise OverLimit(self.maximum, amount)


# --- access tokens --------------------------------------------------------------------------------


class NoToken(Exception):
    """No access token can be had: `answer` says why. The request that wanted it was not sent."""

    def __init__(self, answer: NotSent | Misconfigured) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class Tokens(Protocol):
    """One access token per app, shared by all processes: asking for a new one kills the last."""

    async def get(self, fetch: "Callable[[], Awaitable[tuple[str, int]]]") -> str:
        """The current token; where there is none, one process calls `fetch` -> (token, seconds that the
        provider says it lives; a minute of it is left unused). What `fetch` raises (NoToken) is passed on.
        """
        ...

    async def drop(self, token: str) -> None:
        """The provider called this token invalid: forget it, unless a newer one is there."""
        ...

    def beside(self, name: str) -> "Tokens":
        """What else the provider has given to this app once, kept in the same way."""
        ...
