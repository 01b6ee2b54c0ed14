"""The contract of a provider that gives payments back, beside `base`."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID

from services.money import Money
from services.providers.abilities import Reads
from services.providers.base import Answer


@dataclass(frozen=True)
class RefundRules:
    """How a provider gives payments back. `whole`: a payment only as a whole; `within`: only so long after it
    was paid, None: it does not say; `otherwise`: the way out by which the payer can be paid instead.
    `by_payment`: it has no name of its own for a refund, which is asked about by the payment's reference.
    `takes`: how long its banks may take for one that it has accepted, before anybody has to look."""

    whole: bool = False
    within: timedelta | None = None
    otherwise: str | None = None
    by_payment: bool = False
    takes: timedelta = timedelta(0)


@dataclass(frozen=True)
class Refund:
    """Give a customer's payment back. `receipt` is the provider's own of that payment."""

    provider: str
    attempt_id: UUID
    amount: Money
    receipt: str
    callback_url: str = field(repr=False)
    timeout_url: str = field(repr=False)
    remarks: str


@runtime_checkable
class Refunds(Reads, Protocol):
    """Gives payments of customers back to where they came from."""

    async def refund(self, refund: Refund) -> Answer:
        """Give it back. What may have been queued and was not answered plainly is Unknown."""
        ...

    async def ask_refund(
        self,
        receipt: str,
        reference: str | None,
        callback_url: str,
        timeout_url: str,
        attempt_id: UUID,
    ) -> Answer:
        """Ask what became of a refund: by the `reference` of its `Accepted`, or, where that was lost, by its
        `attempt_id` where they know it, else of the payment of this receipt. The word comes by callback, or
        by `Accepted.told`: `Report.about` is "refund_query" or "refunded_query"."""
        ...
