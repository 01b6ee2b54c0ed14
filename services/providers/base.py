"""The contract of a provider: small protocols by ability, and the few words an answer can have.

A provider is stateless. It translates their words into ours, *pending* by default: only an explicit
yes is a yes and only an explicit no is a no. It imports neither the database nor another provider.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from services.money import Money
from services.news import Unpaid

# --- the answer to a request that may move money ---------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    """Queued at the provider; its word comes later. `reference` is their id of it."""

    reference: str
    second_reference: str | None = None


@dataclass(frozen=True)
class Refused:
    """A definite no: nothing was queued."""

    because: Unpaid
    detail: str


@dataclass(frozen=True)
class NotSent:
    """Provably never reached them (connection refused, no address): may be sent again."""

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
    """An explicit yes. The receipt or amount may be missing in an answer to a query."""

    receipt: str | None = None
    amount: Money | None = None


@dataclass(frozen=True)
class Failed:
    """An explicit no. `ours`: the cause is our configuration."""

    because: Unpaid
    detail: str
    ours: bool = False


@dataclass(frozen=True)
class Pending:
    """Anything else. `detail` for the log; `unheard` when the code is none that we know: alerted."""

    detail: str = ""
    unheard: bool = False


Word = Succeeded | Failed | Pending


@dataclass(frozen=True)
class Report:
    """What a callback says: their references, and the word on them.

    `about` is "collect", "payout", "payout_timeout" or "query" (the answer to a status query of a
    payout, whose `references` are the query's own).
    """

    about: str
    references: frozenset[str]
    word: Word
    facts: dict[str, Any] = field(default_factory=dict)


class Unreadable(ValueError):
    """A callback body that is not of the provider's shape."""


# --- abilities -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prompt:
    """Ask a customer's phone for money. `reference` is at most 12 characters, shown to the customer."""

    attempt_id: UUID
    amount: Money
    phone: str  # E.164 with plus
    reference: str
    callback_url: str


@dataclass(frozen=True)
class Payout:
    """Send money to a destination in full (unmasked)."""

    attempt_id: UUID
    amount: Money
    method_type: str
    details: dict[str, str]
    callback_url: str
    timeout_url: str
    remarks: str


class Collects(Protocol):
    async def collect(self, prompt: Prompt) -> Answer: ...

    async def check(self, reference: str) -> Word:
        """What became of an accepted prompt, by the reference of `Accepted`."""
        ...

    def read(self, body: bytes) -> Report:
        """A callback. Raises Unreadable."""
        ...


class PaysOut(Protocol):
    async def pay_out(self, payout: Payout) -> Answer: ...

    async def ask(
        self, attempt_id: UUID, reference: str | None, callback_url: str, timeout_url: str
    ) -> Answer:
        """Ask what became of a payout; the word comes by callback (`Report.about == "query"`)."""
        ...


class Tokens(Protocol):
    """One access token per app, shared by all processes: asking for a new one kills the last."""

    async def get(self, fetch: "Callable[[], Awaitable[tuple[str, int]]]") -> str:
        """The current token; where there is none, one process calls `fetch` -> (token, seconds)."""
        ...

    async def drop(self, token: str) -> None:
        """The provider called this token invalid: forget it, unless a newer one is there."""
        ...
