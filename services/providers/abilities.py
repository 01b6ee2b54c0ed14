"""Abilities: small protocols of what a provider can be asked to do, and what it is handed for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from services.money import Money
from services.providers.base import Answer, Drawn, Misconfigured, NotSent, Report, Unknown, Word


@dataclass(frozen=True)
class Prompt:
    """Ask a customer's phone for money. `reference` is at most 12 characters, shown to the customer. `email`:
    as a page's, for a provider that wants one."""

    provider: str
    attempt_id: UUID
    amount: Money
    phone: str = field(repr=False)  # E.164 with plus
    reference: str
    callback_url: str = field(repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True)
class Page:
    """Open a hosted page on which one payment of exactly this amount can be made until `ends_at`.

    `number` is the order's, shown to the customer; `about` a few words of what is paid. The customer comes
    back to `return_url`, paid or not. `callback_url`: for a provider that is told where to call; `ipn_url`
    the one of the tenant's that stays the same. `email`: one that reaches nobody where the shop knows none.
    """

    provider: str
    attempt_id: UUID
    amount: Money
    number: str
    about: str
    ends_at: datetime
    return_url: str = field(repr=False)
    callback_url: str = field(repr=False)
    ipn_url: str = field(repr=False)
    email: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Charge:
    """Charge a saved method, right after the customer's own tap. `details` as it is kept, see
    `services/payments/details.py`; `page` what to open where the customer is asked for more first."""

    provider: str
    attempt_id: UUID
    amount: Money
    details: Mapping[str, str] = field(repr=False)
    page: Page


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
    """Takes money of customers: by prompts, pages, charges, or several of them."""

    async def check(self, reference: str) -> Word | NotSent | Unknown:
        """What became of an accepted request, by the reference of `Accepted`. Where the provider gave no
        answer of its own nothing is known of it, as where it says Pending."""
        ...


@runtime_checkable
class Prompts(Collects, Protocol):
    """By a prompt on their phones."""

    async def prompt(self, prompt: Prompt) -> Answer:
        """Ask the customer. What may have reached them and was not answered plainly is Unknown."""
        ...


@runtime_checkable
class OpensPages(Collects, Protocol):
    """By a hosted page."""

    async def open_page(self, page: Page) -> Answer:
        """Accepted has the page's address. One whose answer was lost is opened again under the same id where
        the provider takes it twice, and is Unknown where it does not: nobody was given its address."""
        ...

    async def close_page(self, reference: str) -> None:
        """So that it can no longer be paid, where the provider can do that. Nothing is raised."""
        ...


@runtime_checkable
class Charges(Collects, Protocol):
    """By a method that was saved when the customer paid before."""

    async def charge(self, charge: Charge) -> Answer:
        """Once for one `attempt_id`. What is decided at once is in `Accepted.told` (`about` is "collect");
        where the bank wants to ask the customer, Accepted has a page. What may have been charged and was not
        answered plainly is Unknown."""
        ...

    async def forget(self, details: Mapping[str, str]) -> NotSent | Misconfigured | None:
        """The customer has removed it: it can be charged no more. None where that is so, by whoever."""
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


@runtime_checkable
class DrawsCodes(Protocol):
    """Draws a picture that a customer's own app of this provider scans, to pay an order with it."""

    async def draw(self, merchant: str, number: str, amount: Money) -> Drawn:
        """A PNG; whoever scans it pays this amount with the order's number as the account. To ask moves
        nothing, so it may be asked again."""
        ...


@runtime_checkable
class TellsByItself(Reads, Protocol):
    """Tells of what customers pay without being asked, at an address that it is given once."""

    async def register(self, told_at: str, asked_at: str) -> Answer:
        """Tell of payments at the first address; where it wants to ask before it takes one, at the second.
        Refused where it has addresses already, which only people can take out there."""
        ...
