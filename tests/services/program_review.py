"""Program, review: what no provider tells the end of is settled by people; what was paid out comes back."""

from dataclasses import dataclass, field
from uuid import UUID

from services.dispatch import PAYOUT, REFUND, Dispatch
from services.news import Unpaid
from services.news.refunds import Way
from services.news.review import Settlement
from services.providers.base import Failed
from services.review import queue, settling
from tests.services.business import PayingOut
from tests.services.program_back import BackProgram
from tests.services.refunding import Refunding


@dataclass
class ReviewProgram(BackProgram):
    sent: list[PayingOut] = field(default_factory=list)
    said: list[Settlement] = field(default_factory=list)

    async def settle(self, which: int, how: int) -> None:
        """Of whatever was sent: decided, on its way, or undecided, as after the whole ladder."""
        dispatch: Dispatch = [PAYOUT, REFUND][how % 2]
        ids = [each.attempt for each in self.backs] if how % 2 else [each.payout for each in self.sent]
        if not ids:
            return
        attempt = ids[which % len(ids)]
        async with self.business.work() as work:
            if how % 7:
                await queue.mark(work, dispatch.table, attempt)
            maker = [self.business.manager, self.business.owner, self.business.cashier][how % 3]
            outcome = ["paid", "not_paid"][how % 5 % 2]
            receipt = f"SETTLED{len(self.said) if how % 11 else 0:03}"
            id_ = UUID(int=9000 + len(self.said))
            self.said.append(await settling.propose(work, maker, id_, attempt, outcome, receipt, "I looked"))

    async def decide_settlement(self, which: int, how: int) -> None:
        """By who said it too; sometimes against, sometimes too late."""
        if not self.said:
            return
        settlement = self.said[which % len(self.said)]
        person = [self.business.owner, self.business.manager, self.business.owner][how % 3]
        async with self.business.work() as work:
            match how % 8:
                case 0:
                    await settling.reject(work, person, settlement.id, "not so")
                case 1:
                    await settling.cancel(work, person, settlement.id)
                case 2:
                    await settling.expire(work, settlement.id)
                case _:
                    await settling.approve(work, person, settlement.id, settlement.digest)

    async def returned(self, which: int, how: int) -> None:
        """Before or after the success, and again; of a payout, or of a refund that is paid out."""
        paid_out = [each for each in self.backs if each.refund.way == Way.PAYOUT]
        sent: list[PayingOut | Refunding] = [*paid_out] if how % 3 == 0 else [*self.sent]
        told = [each for each in sent if each.tokens]
        if told:
            out = told[which % len(told)]
            amount = out.withdrawal.net if isinstance(out, PayingOut) else out.refund.amount
            await out.called(Failed(Unpaid.RECEIVER, "reversed", returned=amount))
