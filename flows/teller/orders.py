"""Orders: what the staff do about orders and requests, and are told of. Part of the `Teller`."""

from typing import Protocol

from services.facts import Asked, Checkout, Customer, Notices, OrderSeen


class Orders(Protocol):
    async def find_order(self, number: str) -> OrderSeen:
        """Needs orders:view. Raises NotFound, for another shop's too."""
        ...

    async def fulfil_order(self, number: str) -> bool:
        """Mark a paid order as handed over, and tell the customer; False where somebody was first, or it
        is not paid. Raises MissingScope, NotFound."""
        ...

    async def cancel_order(self, number: str, reason: str) -> bool:
        """Close an unpaid order, and tell the customer why; False where it is closed or paid already.
        Raises MissingScope, BlankReason, NotFound, and PaymentUnderWay."""
        ...

    async def recent_customers(self) -> tuple[Customer, ...]:
        """Those who wrote last, the latest first. Needs orders:edit."""
        ...

    async def request_payment(self, customer: Customer, checkout: Checkout) -> Asked:
        """Ask the customer to pay the checkout. The same checkout again asks once.

        Raises MissingScope, RequestsOpen, WritesUnwanted, ProviderNotConfigured, NotFound."""
        ...

    async def take_back_request(self, number: str) -> None:
        """The customer need not pay it any more, and is told.

        Raises MissingScope, NotFound, AlreadyPaid, OrderClosed, PaymentUnderWay."""
        ...

    async def notices(self) -> Notices:
        """What of the business I am told of. Raises MissingScope where I may be told of nothing."""
        ...

    async def switch_notice(self, notice: str, *, on: bool) -> Notices:
        """Be told of it from now on, or no more. Raises MissingScope."""
        ...
