"""Mail: payments, withdrawals and refunds that a provider was asked for, and its letters about them: each
once and in order, or as the post brings them: twice, late by two days, in any order, forged, or one against
the other.

`Mail.expected` is its own idea of what must come of them: of a payment, that money which came is honoured
whenever it is told; of what is sent, that the first clear word counts, and that a no is not believed after
any yes. Whatever contradicts another word raises an alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.money import Money
from services.news import Unpaid
from services.news.refunds import Way
from services.payments import settle
from services.providers.base import Failed, Pending, Succeeded, Word
from services.store.schema import attempts, refunds, withdrawals
from tests.services.bookkeeping import books_of
from tests.services.business import TO_BANK, TO_PHONE, Business, Paying, PayingOut, kes
from tests.services.refunding import Refunding, approved

KINDS = ("pay", "withdraw", "to_bank", "refund", "pay_back")
WITHDRAWN = {"withdraw": TO_PHONE, "to_bank": TO_BANK}
HONEST = ("again", "pending", "forged")  # change nothing
AGAINST = ("contrary", "amount")
AMOUNTS = {
    "pay": kes("500"),
    "refund": kes("3000"),
    "pay_back": kes("3000"),
}


@dataclass(frozen=True)
class Letter:
    """About the operation of this number. `late`: two days after the one before it."""

    about: int
    says: str = "true"
    late: bool = False


@dataclass
class Asked:
    """An operation that was sent and accepted. `paid`: what has become of it in truth."""

    kind: str
    paid: bool
    of: Any


@dataclass
class Mail:
    business: Business
    asked: list[Asked] = field(default_factory=list)

    async def send(self, wanted: Sequence[tuple[str, bool]]) -> None:
        """The refunds are of payments that came in before."""
        business = self.business
        await business.paid("9000")
        for kind, paid in wanted:
            sent: Any
            if kind == "pay":
                sent = await business.pay("500")
            elif kind in WITHDRAWN:
                sent = await business.approved("1000", WITHDRAWN[kind])
            else:
                way = Way.PAYOUT if kind == "pay_back" else None
                sent = await approved(business, await business.paid("3000"), None, way)
            await sent.sent()
            self.asked.append(Asked(kind, paid, sent))

    async def bring(self, letter: Letter) -> None:
        if letter.late:
            await self._two_days()
        self.business.forward(seconds=1)
        one = self.asked[letter.about]
        another = "another" if letter.says == "forged" else None
        await one.of.called(self._word(letter, one), reference=another)

    def _word(self, letter: Letter, one: Asked) -> Word:
        amount = one.of.withdrawal.net if one.kind in WITHDRAWN else AMOUNTS[one.kind]
        yes = Succeeded(f"R{letter.about}", amount)
        no = Failed(Unpaid.RECEIVER if one.kind in WITHDRAWN else Unpaid.PROVIDER, "no")
        match letter.says:
            case "pending":
                return Pending("not yet")
            case "forged":
                return yes
            case "amount":
                return Succeeded(f"R{letter.about}", Money(amount.minor + 100, "KES"))
            case "contrary":
                return no if one.paid else yes
            case _:
                return yes if one.paid else no

    async def _two_days(self) -> None:
        """Prompts are given up, and the provider is asked in vain about the rest."""
        self.business.forward(hours=48)
        for one in self.asked:
            if isinstance(one.of, Paying):
                async with self.business.work() as work:
                    await settle.expire(work, one.of.attempt)
            elif isinstance(one.of, PayingOut | Refunding):
                await one.of.asked()

    # --- what must come of it

    def expected(self, letters: Sequence[Letter]) -> tuple[list[str], bool]:
        """What has become of each, and whether somebody has to look."""
        ends, alarm = ["open"] * len(self.asked), False
        doubted = set()
        for letter in letters:
            one, end = self.asked[letter.about], ends[letter.about]
            if letter.late:
                ends = [self._given_up(*each) for each in zip(self.asked, ends, strict=True)]
                end = ends[letter.about]
            if letter.says in ("forged", "amount"):
                alarm = True
                doubted |= {letter.about} if letter.says == "amount" and end != "paid" else set()
            elif letter.says != "pending":
                yes = one.paid == (letter.says != "contrary")
                ends[letter.about], looked_at = self._heard(
                    one, end, yes=yes, doubted=letter.about in doubted
                )
                alarm |= looked_at
        return ends, alarm

    def _given_up(self, one: Asked, end: str) -> str:
        return "unpaid" if one.kind == "pay" and end == "open" else end

    def _heard(self, one: Asked, end: str, *, yes: bool, doubted: bool) -> tuple[str, bool]:
        if yes and one.kind != "pay" and end in ("unpaid", "both"):
            return "both", True
        if yes:
            return "paid", False
        if end in ("paid", "both"):
            return end, True
        return (end, one.kind != "pay") if doubted else ("unpaid", False)

    # --- what has come of it

    async def ends(self) -> list[str]:
        """As `expected` calls them, by our books."""
        return [await self._end(one) for one in self.asked]

    async def _end(self, one: Asked) -> str:
        business = self.business
        if one.kind == "pay":
            state = (await business.row(attempts, one.of.attempt)).state
            return {"succeeded": "paid", "failed": "unpaid", "expired": "unpaid"}.get(state, "open")
        if one.kind in WITHDRAWN:
            status = (await business.row(withdrawals, one.of.withdrawal.id)).status
            alarm = "payout.succeeded_after_failure"
        else:
            status = (await business.row(refunds, one.of.refund.id)).status
            alarm = "refund.succeeded_after_failure"
        if status == "failed" and alarm in await business.alerts_of(self._target(one)):
            return "both"
        return {"completed": "paid", "failed": "unpaid"}.get(status, "open")

    def _target(self, one: Asked) -> UUID:
        target: UUID = one.of.payout if one.kind in WITHDRAWN else one.of.attempt
        return target

    async def alarmed(self) -> bool:
        """Whether somebody is told to look at one of them."""
        return any([await self.business.alerts_of(self._target(one)) for one in self.asked])

    async def books(self) -> dict[str, Any]:
        """Proven to be right in themselves; see `books_of`."""
        async with self.business.behind() as work:
            assert await self.business.breaches(work) == []
            return await books_of(work)
