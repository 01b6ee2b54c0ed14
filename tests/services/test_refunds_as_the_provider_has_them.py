"""What goes back, by whatever happens in whatever order, is in the books what it is at the provider."""

import random
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from services.errors import Refusal
from services.news import Unpaid
from services.news.refunds import Refund, Way
from services.providers.base import Accepted, Failed, Succeeded, Unknown
from tests.services.business import Business, Paying, kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, ask, resolve
from tests.services.test_taken_back import told

NO = (Failed(Unpaid.RECEIVER, "no"), Failed(Unpaid.SHOP, "2001", ours=True))
STEPS = 60


@dataclass
class Provider:
    """What it has moved back, by the refund that it was asked for, or by the payment that it took back by
    itself. A payment is reversed once; a phone is paid out as often as it is told."""

    business: Business
    sales: list[Paying]
    twice: Paying
    dice: random.Random
    asked: list[tuple[Refund, UUID]] = field(default_factory=list)
    sent: list[tuple[Refunding, UUID]] = field(default_factory=list)
    back: dict[UUID, int] = field(default_factory=dict)
    reversed: set[UUID] = field(default_factory=set)

    async def ask(self) -> None:
        sale = self.dice.choice(self.sales)
        part, way = self.dice.choice((None, "200", "300")), self.dice.choice((None, Way.PAYOUT))
        self.asked.append((await ask(self.business, sale, part, way), sale.attempt))

    async def resolve(self) -> None:
        keep = self.dice.random() < 0.2
        self.asked.append((await resolve(self.business, self.twice.attempt, keep=keep), self.twice.attempt))

    async def send(self) -> None:
        refund, attempt = self.dice.choice(self.asked)
        if (await approve(self.business, refund)).status == "processing":
            one = await Refunding.of(self.business, refund)
            assert await one.begun()
            await one.answered(self.dice.choice((Accepted(one.reference), Unknown("timeout"))))
            self.sent.append((one, attempt))

    async def yes(self) -> None:
        """The first time, or again; of a payout with its receipt or without."""
        one, attempt = self.dice.choice(self.sent)
        payout, receipt = one.refund.way == Way.PAYOUT, f"R{one.attempt.hex[-8:].upper()}"
        if payout or one.attempt in self.back or attempt not in self.reversed:
            self.back[one.attempt] = one.refund.amount.minor
            self.reversed |= set() if payout else {attempt}
            known = not payout or self.dice.random() < 0.5
            await one.called(Succeeded(receipt if known else None, one.refund.amount))

    async def no(self) -> None:
        one, _ = self.dice.choice(self.sent)
        if one.attempt not in self.back:
            await one.called(self.dice.choice(NO))

    async def take_back(self) -> None:
        """By itself; while it has been asked to reverse the payment that would be this very reversal."""
        paying = self.dice.choice([*self.sales, self.twice])
        ours = any(at == paying.attempt and one.refund.way != Way.PAYOUT for one, at in self.sent)
        if paying.attempt not in self.reversed and not ours:
            amount = paying.checkout.amount
            self.reversed.add(paying.attempt)
            self.back[paying.attempt] = amount.minor
            await told(self.business, paying.attempt, f"D{paying.attempt.hex[-8:]}", str(amount))


@pytest.mark.parametrize("seed", range(6))
async def test_what_has_gone_back_is_what_the_provider_has_moved(business, seed):
    sales = [await business.paid("500"), await business.paid("1000")]
    twice = await paid_twice_by(business)
    provider = Provider(business, sales, twice, random.Random(seed))
    steps = (provider.ask, provider.resolve, provider.send, provider.yes, provider.yes, provider.no)
    for _ in range(STEPS):
        step = provider.take_back if provider.dice.random() < 0.05 else provider.dice.choice(steps)
        try:
            await step()
        except (Refusal, IndexError):  # refused, or there is nothing yet to do it to
            continue
    came = kes("2500").minor
    assert (await business.balances())["provider:mpesa"] == sum(provider.back.values()) - came
    async with business.work() as work:
        assert await business.breaches(work) == []
