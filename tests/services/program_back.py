"""Program, back: what can happen to the money of a merchant that goes back: refunds, whole and in part, what
was paid twice, and what the provider takes by itself."""

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from services import callbacks, hooks
from services.news import Unpaid
from services.news.refunds import Refund, Way
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
    Word,
)
from services.refunds import decide, request
from services.refunds.queue import paid_twice
from services.store.schema import accounts, payments, refunds, transfers
from services.work import Work
from tests.services.business import Business, Paying, kes
from tests.services.refunding import SHOP, Refunding

NO = Failed(Unpaid.PROVIDER, "R000002")
OURS = Failed(Unpaid.SHOP, "2001", ours=True)
PARTS = (None, "40", "1000", "2000")


@dataclass
class BackProgram:
    business: Business
    tried: list[Paying] = field(default_factory=list)
    wanted: list[Refund] = field(default_factory=list)
    backs: list[Refunding] = field(default_factory=list)

    def _next_id(self) -> UUID:
        return UUID(int=5000 + len(self.wanted))

    async def refund(self, which: int, how: int) -> None:
        """Of whatever was tried: not paid, paid, given back."""
        if self.tried:
            payment = self.tried[which % len(self.tried)].started.payment_id
            part, way = PARTS[how % 4], (None, Way.PAYOUT, Way.REVERSAL)[how % 3]
            maker = [self.business.manager, self.business.cashier][how % 7 == 0]
            async with self.business.work() as work:
                made = await request.request(
                    work, SHOP, maker, self._next_id(), payment, "no", kes(part) if part else None, way
                )
            self.wanted.append(made)

    async def resolve_twice(self, which: int, how: int) -> None:
        async with self.business.work() as work:
            lying = await paid_twice(work)
        if lying:
            twice = lying[which % len(lying)].attempt_id
            async with self.business.work() as work:
                made = await request.resolve_twice(
                    work, SHOP, self.business.manager, self._next_id(), twice, "no", keep=how % 2 == 0
                )
            self.wanted.append(made)

    async def decide_refund(self, which: int, how: int) -> None:
        """By the maker too; sometimes against, sometimes too late."""
        if not self.wanted:
            return
        refund = self.wanted[which % len(self.wanted)]
        person = [self.business.owner, self.business.owner, self.business.manager][how % 3]
        async with self.business.work() as work:
            match how % 8:
                case 0:
                    await decide.reject(work, person, refund.id, "no")
                case 1:
                    await decide.cancel(work, person, refund.id)
                case 2:
                    await decide.expire(work, refund.id)
                case _:
                    after = await decide.approve(work, person, refund.id, refund.digest)
                    if after.status != "processing":
                        return
        if how % 8 > 2:
            self.backs.append(await Refunding.of(self.business, refund))

    async def send_refund(self, which: int, how: int) -> None:
        """Without an answer it is a crash."""
        if self.backs:
            back = self.backs[which % len(self.backs)]
            if await back.begun() and how % 6:
                no = Refused(Unpaid.LIMIT, "no")
                accepted = Accepted(back.reference)
                answers: list[Answer] = [
                    accepted,
                    Unknown("timeout"),
                    no,
                    NotSent("refused"),
                    Misconfigured("keys"),
                ]
                await back.answered(answers[how % 6 - 1])

    async def refund_result(self, which: int, how: int) -> None:
        told = [each for each in self.backs if each.tokens]
        if not told:
            return
        back = told[which % len(told)]
        receipt, amount = f"B{self.backs.index(back)}", back.refund.amount
        right = Succeeded(receipt, amount)
        words: list[Word] = [
            right,
            right,
            Succeeded(receipt),
            Succeeded(receipt, amount + kes("1")),
            NO,
            OURS,
            Pending(),
        ]
        about = None
        if how % 5 == 4:
            about = await back.asked()
        await back.called(words[how % 7], about, "another" if how % 11 == 10 else None)

    async def taken_back(self, which: int, how: int) -> None:
        """The same again too."""
        if self.tried:
            paying = self.tried[which % len(self.tried)]
            amount = kes("30") if how % 5 else paying.checkout.amount
            orders = [each.checkout.order_id for each in self.tried]
            word = Succeeded(f"D{which}-{how % 2}-{orders.index(paying.checkout.order_id)}", amount)
            report = Report("taken_back", frozenset({str(paying.attempt)}), word)
            async with self.business.work() as work:
                hook = await hooks.named(work, "mpesa", report)
                assert hook is not None
                await callbacks.apply(work, hook, report)

    # --- what must be true

    async def went_back(self, work: Work) -> int:
        """Out of the wallet, less what came into it from suspense, and what had not arrived."""
        out = await self._moved(work, "wallet", "source_id", "refund", "reversal", "netted")
        return out - await self._moved(work, "wallet", "target_id", "accepted", "refund_returned")

    async def prove_back(self, work: Work) -> None:
        """No payment gives back more than came in, and its status says what has gone."""
        back = (
            sa.select(refunds.c.payment_id, sa.func.sum(refunds.c.amount).label("amount"))
            .where(refunds.c.source == "wallet", refunds.c.status == "completed")
            .group_by(refunds.c.payment_id)
            .subquery()
        )
        query = sa.select(payments.c.status, payments.c.amount, back.c.amount).join(
            back, back.c.payment_id == payments.c.id
        )
        for status, paid, gone in (await work.connection.execute(query)).all():
            assert int(gone) <= paid
            assert status == "refunded" if int(gone) == paid else status in ("partially_refunded", "refunded")

    async def _moved(self, work: Work, name: str, side: str, *reasons: str) -> int:
        query = (
            sa.select(sa.func.coalesce(sa.func.sum(transfers.c.amount), 0))
            .join(accounts, accounts.c.id == transfers.c[side])
            .where(accounts.c.name == name, transfers.c.reason.in_(reasons))
        )
        return int(await work.connection.scalar(query) or 0)
