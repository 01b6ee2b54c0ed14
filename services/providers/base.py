"""The contract of a provider: small protocols by ability, and the few words an answer can have.

A provider is stateless. It translates their words into ours, *pending* by default: only an explicit
yes is a yes and only an explicit no is a no. It imports neither the database nor another provider.

What names a person or opens a door (phones, references that hold one, callback addresses) stays out
of every repr, since reprs end in logs. A `detail` is fit for logs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

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

    def signed(self, body: bytes, signature: str) -> bool:  # noqa: ARG002  nobody signs unless said so
        """Whether the provider signed these bytes, for one that does (`Provider.signature`)."""
        return False

    @property
    def confirm_above_amount(self) -> Money | None:
        """A larger success is confirmed by a query before it credits: with zero every one, with None none."""
        return None


# --- the answer to a request that may move money ---------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    """Queued at the provider; its word comes later, unless the answer `told` it already. `reference` is their
    id of it; `recipient` what they call the destination of a payout."""

    reference: str = field(repr=False)
    second_reference: str | None = field(default=None, repr=False)
    recipient: str | None = field(default=None, repr=False)
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

# --- the provider's word on what became of it -------------------------------------------------------


@dataclass(frozen=True)
class Succeeded:
    """An explicit yes. The receipt or amount may be missing in an answer to a query; a callback that
    credits (`about` is "collect") always has its amount."""

    receipt: str | None = None
    amount: Money | None = None


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
    """

    detail: str = ""
    unheard: bool = False
    ours: bool = False


Word = Succeeded | Failed | Pending


@dataclass(frozen=True)
class Report:
    """What a callback says, or an answer: their references, and the word on them.

    `about` is "collect", "payout", "payout_timeout", "query" (the answer to a status query of a payout,
    whose `references` are the query's own), "query_timeout", "float", "float_timeout" (what an account
    holds), "refund", "refund_timeout", "refund_query" (the answer to a query about a refund),
    "refunded_query" (about a payment: its yes means that the payment was given back), "taken_back" (the
    provider gave a payment back by itself; the word's receipt is its name of that, its amount how much),
    "disputed" (a customer asks it to; as before), or "other" (nothing that we take).

    Facts, each where it was told:
    "reference"          the one of `references` that `check` or `ask` takes (collect, payout, payout_timeout)
    "payout_references"  frozenset: the references of the payout that a query was about (query)
    "transaction_id"     theirs; failures have one too, so it is no receipt (payout)
    "completed_at"       as they write it (all)
    "utility_funds"      Money: what is left to pay out from (payout); "floats": {way out: Money} (float)
    "original"           the receipt of the payment that was given back (refund, refunded_query)
    "charge"             Money: what the provider took for it (query)
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


# --- abilities -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prompt:
    """Ask a customer's phone for money. `reference` is at most 12 characters, shown to the customer."""

    provider: str
    attempt_id: UUID
    amount: Money
    phone: str = field(repr=False)  # E.164 with plus
    reference: str
    callback_url: str = field(repr=False)


@dataclass(frozen=True)
class Payout:
    """Send money to a destination, unmasked. `recipient`: what the provider called it the last time."""

    provider: str
    attempt_id: UUID
    amount: Money
    method_type: str
    details: dict[str, str] = field(repr=False)
    callback_url: str = field(repr=False)
    timeout_url: str = field(repr=False)
    remarks: str
    recipient: str | None = field(default=None, repr=False)


class Reads(Protocol):
    """Understands its own callbacks."""

    def read(self, about: str, body: bytes) -> Report:
        """A callback; `about` as in `Report`, known by the address that it came to, or "signed".

        A body does not tell: a status query's result carries the code of the query, not of the payout. One
        that is signed comes to the one address that a provider has for all, and does.
        Raises Unreadable, and nothing else.
        """
        ...


@runtime_checkable
class Collects(Reads, Protocol):
    """Takes money of customers, by a prompt on their phones."""

    async def collect(self, prompt: Prompt) -> Answer:
        """Ask the customer. What may have reached them and was not answered plainly is Unknown."""
        ...

    async def check(self, reference: str) -> Word:
        """What became of an accepted prompt, by the reference of `Accepted`."""
        ...


@runtime_checkable
class PaysOut(Reads, Protocol):
    """Sends money to destinations."""

    async def pay_out(self, payout: Payout) -> Answer:
        """Send it, once for one `attempt_id`. What may have been queued and was not answered plainly is
        Unknown."""
        ...

    async def ask(
        self,
        attempt_id: UUID,
        reference: str | None,
        callback_url: str,
        timeout_url: str,
        method_type: str = ...,
    ) -> Answer:
        """What became of a payout by this way; told by callback (`about` is "query"), or by `Accepted.told`.

        `reference` is that of the payout's `Accepted`, None where its answer was lost. The reference of
        the answer is the one that the callback will carry.
        """
        ...


@runtime_checkable
class ProvesKeys(Protocol):
    """Whose keys are good or not whether money moves or not."""

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        """None where the provider takes them. It asks for an access token."""
        ...


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
