"""Stand: one small description of a provider, by which every scenario of the contract is played with it.

A provider joins by a subclass and its name in `stands`. What a customer does, and what the provider tells,
goes through its emulator; only what an emulator never does (forgeries, a few lies) is posted by hand.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from services.facts import Way
from services.news import PaymentMethod
from services.payments.record import Attempt, locked
from tests.bot.market import Came, Market, until
from tests.services.business import Paying

ALWAYS = 50  # more often than anything is asked in a test
NOBODY = "0" * 64


class Named(type):
    """So that a test's name has the provider's."""

    def __str__(cls) -> str:
        return str(getattr(cls, "name", cls.__name__))


class Stand(metaclass=Named):
    """`settings`, and `wrong_keys` with which everything is refused; the places of the emulator's faults at
    which it is asked for a payment (`asked_at`), asked about one (`checked_at`), tells of one (`told_at`),
    and is asked to give one back (`refunds_at`). `with_tokens`: requests carry one that may end at any time;
    `tells_currency`: names one with an amount; `dated`: its signatures are of a moment; `pages`: it is paid
    on a page; `last_word` is what it posts last of a payment; `to_list` are settings with which it tells what
    was paid, for reconciliation."""

    name: ClassVar[str]
    settings: ClassVar[dict[str, Any]]
    wrong_keys: ClassVar[dict[str, Any]]
    asked_at: ClassVar[str]
    checked_at: ClassVar[str]
    told_at: ClassVar[str]
    refunds_at: ClassVar[str] = ""
    to_list: ClassVar[dict[str, Any]] = {}
    with_tokens: ClassVar[bool] = False
    tells_currency: ClassVar[bool] = True
    dated: ClassVar[bool] = False
    pages: ClassVar[bool] = True
    last_word: ClassVar[bytes] = b""
    forgeries: ClassVar[tuple[str, ...]]

    def __init__(self, market: Market) -> None:
        self.market, self.business = market, market.business
        self._links: dict[UUID, str] = {}

    @property
    def way(self) -> Way:
        return Way(method=PaymentMethod(provider=self.name, label=""))

    # --- what the customer does

    async def paid(self, paying: Paying, posts: int = 1) -> None:
        """Paid, and told of so often."""
        before = len(self.market.came)
        assert await self.pays(paying)
        await self.posted(before, posts)

    async def pays(self, paying: Paying) -> bool:
        """False where it can be paid no more."""
        raise NotImplementedError

    async def refuses(self, paying: Paying) -> None:
        """What was asked fails, by an explicit no that comes to us or can be asked for."""
        raise NotImplementedError

    async def agrees_to_refund(self, paying: Paying) -> None:
        """Whatever the provider waits for before it gives back."""

    # --- what the provider tells

    async def lies(self, paying: Paying, what: str) -> None:
        """Paid, and whatever is told of it has another "amount", "currency" or "status"."""
        raise NotImplementedError

    async def denies(self, paying: Paying) -> None:
        """Tells that what was paid has failed."""
        raise NotImplementedError

    async def forged(self, paying: Paying, how: str) -> int:
        """One of `forgeries`, each of which would be worth 500 to a customer who has not paid; the status."""
        raise NotImplementedError

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers with which it posts."""
        return {}

    async def address(self, paying: Paying) -> str:
        """Where it posts what it tells of this payment."""
        raise NotImplementedError

    # --- its own book

    async def held(self) -> int:
        """What it holds for the shop of what customers have paid, in cents."""
        raise NotImplementedError

    async def receipts(self) -> list[str]:
        """Of all that was paid."""
        raise NotImplementedError

    # --- inside

    async def attempt(self, paying: Paying) -> Attempt:
        async with self.business.work() as work:
            return await locked(work, paying.attempt)

    async def reference(self, paying: Paying) -> str:
        reference = (await self.attempt(paying)).reference
        assert reference is not None
        return reference

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = self.signed(raw) if headers is None else headers
        url, by_hand = f"{self.market.app_url}{path}", {"By-Hand": "yes"}
        async with self.market._outside.post(url, data=raw, headers=by_hand | dict(told)) as answer:
            return answer.status

    async def held_up(self, paying: Paying) -> Came:
        """Paid, and what is told of it goes astray: the last word of it."""
        self.market.shut = True
        await self.paid(paying)
        return self.market.came[-1]

    async def told(self, came: Came) -> int:
        """It comes after all, or once more."""
        return await self.post(came.path, came.body)

    async def posted(self, before: int, times: int = 1) -> None:
        """Once its word has come so often, whatever else it posts with it."""

        async def came() -> bool:
            bodies = [each.body for each in self.market.came[before:]]
            return sum(self.last_word in body for body in bodies) >= times

        await until(came)

    async def open_page(self, paying: Paying) -> str:
        """The link that the customer was sent, which they may open long after."""
        page = (await self.attempt(paying)).page
        return self._links.setdefault(paying.attempt, page or "")

    async def lying(self, *lies: tuple[str, str]) -> None:
        for at, fault in lies:
            await self.market.arm(at, fault, times=ALWAYS)

    async def true_again(self) -> None:
        await self.market.delete("faults")
