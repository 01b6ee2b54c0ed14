"""What goes back, by whatever happens in whatever order, is in the books what it is at the provider."""

import random
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from services.errors import Refusal
from services.news import Unpaid
from services.news.refunds import Refund, Way
from services.providers.base import Accepted, Failed, Succeeded, Unknown
from services.store.schema import refund_attempts
from tests.services.business import Business, Paying, kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, ask, resolve
from tests.services.reviewing import approve as agree
from tests.services.reviewing import propose
from tests.services.test_taken_back import told

NO = (Failed(Unpaid.RECEIVER, "no"), Failed(Unpaid.SHOP, "2001", ours=True))
STEPS = 90


@dataclass
class Provider:
    """What it has moved back, by the refund that it was asked for, or by the payment that it took back by
    itself. A payment is reversed once; a phone is paid out as often as it is told, and what it was paid may
    come back."""

    business: Business
    sales: list[Paying]
    twice: Paying
    dice: random.Random
    asked: list[tuple[Refund, UUID]] = field(default_factory=list)
    sent: list[tuple[Refunding, UUID]] = field(default_factory=list)
    back: dict[UUID, int] = field(default_factory=dict)
    reversed: set[UUID] = field(default_factory=set)
    returned: set[UUID] = field(default_factory=set)

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
            await self.business.go_on()
            assert await one.begun()
            await one.answered(self.dice.choice((Accepted(one.reference), Unknown("timeout"))))
            self.sent.append((one, attempt))
            if self.dice.random() < 0.5:
                await self.settle(one)

    async def yes(self) -> None:
        """The first time, or again; of a payout with its receipt or without."""
        one, attempt = self.dice.choice(self.sent)
        payout = one.refund.way == Way.PAYOUT
        if payout or one.attempt in self.back or attempt not in self.reversed:
            if one.attempt not in self.returned:
                self.back[one.attempt] = one.refund.amount.minor
            self.reversed |= set() if payout else {attempt}
            known = not payout or self.dice.random() < 0.5
            await one.called(Succeeded(_receipt(one) if known else None, one.refund.amount))

    async def no(self) -> None:
        one, _ = self.dice.choice(self.sent)
        if one.attempt not in self.back:
            await one.called(self.dice.choice(NO))

    async def settle(self, one: Refunding) -> None:
        """Two people say of what is undecided what they believe, which may be wrong."""
        mine = refund_attempts.c.id == one.attempt
        await self.business.change(refund_attempts, mine, undecided_at=self.business.now)
        outcome = self.dice.choice(("paid", "paid", "not_paid"))
        receipt = _receipt(one) if self.dice.random() < 0.5 else f"S{one.attempt.hex[-8:].upper()}"
        await agree(self.business, await propose(self.business, one.attempt, outcome, receipt))

    async def give_back(self) -> None:
        """What was paid out to a phone; once, and told as often as it likes."""
        one, _ = self.dice.choice(self.sent)
        if one.refund.way == Way.PAYOUT and one.attempt in self.back:
            self.returned.add(one.attempt)
            self.back[one.attempt] = 0
            await one.called(Failed(Unpaid.PROVIDER, "reversed", returned=one.refund.amount))

    async def take_back(self) -> None:
        """By itself; while it has been asked to reverse the payment that would be this very reversal."""
        paying = self.dice.choice([*self.sales, self.twice])
        ours = any(at == paying.attempt and one.refund.way != Way.PAYOUT for one, at in self.sent)
        if paying.attempt not in self.reversed and not ours:
            amount = paying.checkout.amount
            self.reversed.add(paying.attempt)
            self.back[paying.attempt] = amount.minor
            await told(self.business, paying.attempt, f"D{paying.attempt.hex[-8:]}", str(amount))

    async def say_all(self) -> None:
        """In the end each of them has been told what became of it: twice, since a reversal is not booked
        while another one of the same payment is under way."""
        for one, _ in [*self.sent, *self.sent]:
            if one.attempt in self.returned:
                await one.called(Failed(Unpaid.PROVIDER, "reversed", returned=one.refund.amount))
            elif one.attempt in self.back:
                await one.called(Succeeded(_receipt(one), one.refund.amount))
            else:
                await one.called(NO[0])


def _receipt(one: Refunding) -> str:
    return f"R{one.attempt.hex[-8:].upper()}"


@pytest.mark.parametrize("seed", range(16))
async def test_what_has_gone_back_is_what_the_provider_has_moved(business, seed):
    sales = [await business.paid(each) for each in ("500", "1000", "700", "1000")]
    twice = await paid_twice_by(business)
    provider = Provider(business, sales, twice, random.Random(seed))
    steps = (
        provider.ask,
        provider.resolve,
        provider.send,
        provider.send,
        provider.yes,
        provider.no,
        provider.give_back,
    )
    for _ in range(STEPS):
        step = provider.take_back if provider.dice.random() < 0.01 else provider.dice.choice(steps)
        try:
            await step()
        except (Refusal, IndexError):  # refused, or there is nothing yet to do it to
            continue
    await provider.say_all()
    came = kes("4200").minor
    assert (await business.balances())["provider:mpesa"] == sum(provider.back.values()) - came
    async with business.work() as work:
        assert await business.breaches(work) == []
