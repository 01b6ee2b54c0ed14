"""Telling: what of the shop's business the staff hear of, and how they choose it.

TellMe -> TellMe
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flows.refusals import provider_name
from flows.step import Choice, Step
from flows.teller import Notices, Teller
from flows.text import Text
from services.money import Money
from services.news.staff import BalanceLow, DaySummed, SaleMade

_NAMES = {
    "sale": Text("Each sale"),
    "summary": Text("Daily summary"),
    "low_balance": Text("Low balance"),
}


@dataclass(frozen=True)
class Switch(Choice):
    exact = True
    notice: str

    @property
    def label(self) -> Text:
        return _NAMES[self.notice]


class TellMe(Step):
    notices: Notices

    def says(self) -> Text:
        lines = tuple(self._line(notice, on=on) for notice, on in self.notices.of)
        if self.notices.at_any_time:
            return Text("What shall I tell you about {shop}?\n{lines}\nTap to switch.", lines=lines)
        return Text(
            "What shall I tell you about {shop}?\n{lines}\nTap to switch. I can only tell you within 24 "
            "hours of your last message.",
            lines=lines,
        )

    def _line(self, notice: str, *, on: bool) -> Text:
        name = self._named(notice)
        return Text("{notice}: on", notice=name) if on else Text("{notice}: off", notice=name)

    def _named(self, notice: str) -> Text:
        match notice:
            case "summary":
                return Text("Daily summary at {time}", time=self.notices.summary_at)
            case "low_balance" if self.notices.low_balance is not None:
                return Text("Balance below {limit}", limit=self.notices.low_balance)
            case "low_balance":
                return Text("Low balance (the operator has not set how low)")
            case _:
                return _NAMES[notice]

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Switch(notice) for notice, _ in self.notices.of)

    async def hears(self, answer: Switch, teller: Teller) -> TellMe:
        """What was shown is switched, so that a second tap on the same message changes nothing."""
        on = not self.notices.tells(answer.notice)
        return TellMe(notices=await teller.switch_notice(answer.notice, on=on))


class _Told(Step):
    @property
    def thread(self) -> str:
        return "notice"


class SaleTold(_Told):
    number: str
    amount: Money
    customer: str
    provider: str
    method: str

    def says(self) -> Text:
        return Text(
            "💰 {customer} has paid *{amount}*, order {number}, with {provider} {label}.",
            customer=self.customer,
            amount=self.amount,
            number=self.number,
            provider=provider_name(self.provider),
            label=self.method,
        )


class DayTold(_Told):
    until: datetime
    sales: int
    sold: Money
    withdrawals: int
    paid_out: Money
    fees: Money
    available: Money

    def says(self) -> Text:
        return Text(
            "*{shop}*, the day until {until}\nSales: {sales}, *{sold}*\nWithdrawals: {withdrawals}, "
            "{paid_out}\nFees: {fees}\nAvailable: *{available}*",
            until=self.until,
            sales=self.sales,
            sold=self.sold,
            withdrawals=self.withdrawals,
            paid_out=self.paid_out,
            fees=self.fees,
            available=self.available,
        )


class LowTold(_Told):
    available: Money
    limit: Money

    def says(self) -> Text:
        return Text(
            "⚠️ The wallet of {shop} has {available} available, which is below {limit}.",
            available=self.available,
            limit=self.limit,
        )


async def tell_me(teller: Teller, _rest: str = "") -> TellMe:
    return TellMe(notices=await teller.notices())


async def told_sale(news: SaleMade, _teller: Teller) -> SaleTold:
    return SaleTold(**news.model_dump(exclude={"kind"}))


async def told_day(news: DaySummed, _teller: Teller) -> DayTold:
    return DayTold(**news.model_dump(exclude={"kind"}))


async def told_low(news: BalanceLow, _teller: Teller) -> LowTold:
    return LowTold(available=news.available, limit=news.limit)
