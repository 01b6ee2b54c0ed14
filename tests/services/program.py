"""Program: what can happen to the money of a merchant, one act after the other, with its own idea of
what must come of it.

The acts choose among what is there by a number, so that a program is plain data and can be run on two
databases. A refusal is an answer like any other.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import Refusal
from services.facts import Checkout
from services.money import Money
from services.news import Unpaid, Withdrawal
from services.payments import collect, settle, waiting
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
    Word,
)
from services.store.schema import accounts, attempts, orders, payouts, refunds, transfers, withdrawals
from services.withdrawals import decide
from tests.services.bookkeeping import books_of
from tests.services.business import TO_BANK, TO_PHONE, TO_TILL, PayingOut, kes
from tests.services.program_review import ReviewProgram

AMOUNTS = ("100", "250", "1000", "3333")
NO = Failed(Unpaid.CANCELLED, "cancelled")
OURS = Failed(Unpaid.SHOP, "initiator", ours=True)


def prompt_answers(reference: str) -> list[Answer]:
    no = Refused(Unpaid.BUSY, "busy")
    return [Accepted(reference), Unknown("timeout"), no, NotSent("refused"), Misconfigured("keys")]


def words(receipt: str, amount: Money) -> list[Word]:
    """Right, without a receipt, of another amount, no, not yet."""
    more = Money(amount.minor + 100, amount.currency)
    return [Succeeded(receipt, amount), Succeeded(None, amount), Succeeded(receipt, more), NO, Pending()]


@dataclass
class Program(ReviewProgram):
    checkouts: list[Checkout] = field(default_factory=list)
    asked: list[Withdrawal] = field(default_factory=list)

    async def act(self, name: str, which: int, how: int) -> str:
        """Returns what came of it, in a word, the same on every database."""
        self.business.forward(seconds=1)
        try:
            await getattr(self, name)(which, how)
        except Refusal as refusal:
            return refusal.code
        return "done"

    # --- payments

    async def pay(self, which: int, how: int) -> None:
        """A new order, or one that is there."""
        if how % 3 and self.checkouts:
            checkout = self.checkouts[which % len(self.checkouts)]
        else:
            checkout = Checkout(order_id=UUID(int=len(self.checkouts) + 1), amount=kes(AMOUNTS[which % 4]))
            self.checkouts.append(checkout)
        self.tried.append(await self.business.pay(str(checkout.amount), checkout.order_id))

    async def send_prompt(self, which: int, how: int) -> None:
        """Without an answer it is a crash."""
        if self.tried:
            paying = self.tried[which % len(self.tried)]
            if await paying.begun() and how % 6:
                await paying.answered(prompt_answers(paying.reference)[how % 6 - 1])

    async def callback(self, which: int, how: int) -> None:
        """Duplicate, late, contradictory, with another's receipt, or of another reference."""
        told = [paying for paying in self.tried if paying.token]
        if told:
            paying = told[which % len(told)]
            stranger = told[how % len(told)] if how % 7 == 0 else paying
            word = words(f"R{self.tried.index(stranger)}", paying.checkout.amount)[how % 5]
            large = kes("1") if how % 3 == 2 else None  # is to be confirmed
            await paying.called(word, "another" if how % 11 == 10 else None, confirm_above=large)

    async def query(self, which: int, how: int) -> None:
        if self.tried:
            paying = self.tried[which % len(self.tried)]
            async with self.business.work() as work:
                there = await collect.begin_check(work, paying.attempt)
            if there:
                words: tuple[Word, ...] = (Succeeded(), NO, Pending())
                await paying.checked(words[how % 3])

    async def wait(self, which: int, how: int) -> None:
        """Until no prompt can be answered any more."""
        self.business.forward(minutes=3)

    async def give_up(self, which: int, how: int) -> None:
        if self.tried:
            paying = self.tried[which % len(self.tried)]
            async with self.business.work() as work:
                if how % 2:
                    await settle.expire(work, paying.attempt)
                else:
                    customer = self.business.customer
                    await waiting.leave(work, customer, paying.started.payment_id)

    # --- withdrawals

    async def withdraw(self, which: int, how: int) -> None:
        """On each rail."""
        maker = [self.business.cashier, self.business.owner][how % 2]
        to = (TO_PHONE, TO_TILL, TO_BANK)[how // 2 % 3]
        id_ = UUID(int=1000 + len(self.asked))
        self.asked.append(await self.business.withdraw(AMOUNTS[which % 4], maker, to=to, id=id_))

    async def approve(self, which: int, how: int) -> None:
        """By the maker too, and by who may not."""
        if self.asked:
            withdrawal = self.asked[which % len(self.asked)]
            people = [self.business.manager, self.business.owner, self.business.cashier]
            async with self.business.teller(people[how % 3]) as teller:
                after = await teller.approve(withdrawal.id, withdrawal.digest)
            if after.status == "processing":
                await self._follow(withdrawal)

    async def reject(self, which: int, how: int) -> None:
        if self.asked:
            async with self.business.teller(self.business.manager) as teller:
                await teller.reject(self.asked[which % len(self.asked)].id, "no")

    async def cancel(self, which: int, how: int) -> None:
        if self.asked:
            person = [self.business.cashier, self.business.manager][how % 2]
            async with self.business.teller(person) as teller:
                await teller.cancel_withdrawal(self.asked[which % len(self.asked)].id)

    async def expire(self, which: int, how: int) -> None:
        """Sometimes before its time."""
        if self.asked:
            if how % 2:
                self.business.forward(hours=24)
            async with self.business.work() as work:
                await decide.expire(work, self.asked[which % len(self.asked)].id)

    async def send_payout(self, which: int, how: int) -> None:
        if self.sent:
            paying_out = self.sent[which % len(self.sent)]
            if await paying_out.begun() and how % 6:
                await paying_out.answered(prompt_answers(str(paying_out.payout))[how % 6 - 1])

    async def payout_result(self, which: int, how: int) -> None:
        told = [each for each in self.sent if each.tokens]
        if told:
            paying_out = told[which % len(told)]
            receipt = f"P{self.sent.index(told[how % len(told)] if how % 7 == 0 else paying_out)}"
            word = [*words(receipt, paying_out.withdrawal.net), OURS][how % 6]
            about = "payout_timeout" if how % 13 == 12 else "payout"
            if how % 5 == 4 and await paying_out.asked():
                about = "query"
            named = [None, str(paying_out.payout), "another"][how % 3] if about == "query" else None
            await paying_out.called(word, about, "another" if how % 11 == 10 else None, named)
            await self._follow(paying_out.withdrawal)

    async def unfreeze(self, which: int, how: int) -> None:
        await self.business.go_on()

    async def _follow(self, withdrawal: Withdrawal) -> None:
        """A payout may have taken the place of another."""
        latest = await self.business.payout_of(withdrawal.id)
        if all(each.payout != latest for each in self.sent):
            self.sent.append(PayingOut(self.business, withdrawal, latest))

    # --- what must be true after every act

    async def prove(self) -> None:
        """Sum zero, balance = entries, held = open holds, available never negative, each provider id
        applied once (`books.check`), and the wallet is what the statuses say."""
        async with self.business.behind() as work:
            breaches = await self.business.breaches(work)
            assert breaches == []
            wallet = await self._sum(work, transfers.c.amount, "sale") - await self._paid_out(work)
            wallet -= await self._sum(work, transfers.c.amount, "payout_late")
            wallet += await self._came_back_late(work)
            wallet -= await self.went_back(work)
            await self.prove_back(work)
            found = await work.connection.scalar(
                sa.select(accounts.c.posted).where(accounts.c.name == "wallet")
            )
            assert (found or 0) == wallet - await self._sum(work, transfers.c.amount, "sale_fee")
            sold = await self._sum(work, orders.c.total)
            assert await self._sum(work, transfers.c.amount, "sale") == sold
            credited = (attempts.c.state == "succeeded", attempts.c.doubt.is_not(None))
            assert await work.connection.scalar(sa.select(sa.func.count()).where(*credited)) == 0

    async def _sum(self, work: Any, column: sa.Column[int], reason: str | None = None) -> int:
        """Of the transfers for a reason; else of the orders that are paid."""
        query = sa.select(sa.func.coalesce(sa.func.sum(column), 0))
        if reason:
            query = query.where(transfers.c.reason == reason)
        else:
            query = query.where(orders.c.status.in_(["paid", "refunded"]))
        return int(await work.connection.scalar(query))

    async def _paid_out(self, work: Any) -> int:
        query = sa.select(sa.func.coalesce(sa.func.sum(withdrawals.c.amount), 0))
        return int(await work.connection.scalar(query.where(withdrawals.c.status == "completed")))

    async def _came_back_late(self, work: Any) -> int:
        """Of what was paid after all: without a fee, since it took none."""
        query = sa.select(sa.func.coalesce(sa.func.sum(transfers.c.amount), 0)).where(
            transfers.c.reason == "payout_returned",
            transfers.c.cause_id.in_(sa.select(payouts.c.id)),
        )
        return int(await work.connection.scalar(query))

    async def outcome(self) -> dict[str, Any]:
        """What two databases must agree on."""
        ours = sa.select(orders.c.id, orders.c.status).where(
            orders.c.id.in_([checkout.order_id for checkout in self.checkouts])
        )
        async with self.business.behind() as work:
            execute = work.connection.execute
            return await books_of(work) | {
                "orders": sorted((await execute(ours)).all()),  # the first sales have ids of their own
                "refunds": sorted((await execute(sa.select(refunds.c.id, refunds.c.status))).all()),
                "withdrawals": sorted(
                    (await execute(sa.select(withdrawals.c.id, withdrawals.c.status))).all()
                ),
            }
