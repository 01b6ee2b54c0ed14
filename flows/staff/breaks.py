"""Breaks: what the books and a provider's statement do not agree on, seen and closed with a reason.

BreaksOpen       -> BreakShown | BreakGone
BreakShown       -> EnterBreakReason | BreaksOpen | NoBreaks
EnterBreakReason -> BreakClosed | BreakShown | BreakGone
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.refusals import provider_name
from flows.reply import Said
from flows.staff.limited import staff_name
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news.reconciliation import BreakReopened, BreaksAged
from services.reconciliation.facts import State, Type
from services.reconciliation.seen import Seen

TYPES = {
    Type.LATE: Text("Late"),
    Type.MISSING_AT_PROVIDER: Text("Missing at the provider"),
    Type.MISSING_IN_BOOKS: Text("Missing in our books"),
    Type.DUPLICATE: Text("A second line for the same"),
    Type.UNKNOWN_REFERENCE: Text("Names nothing of ours"),
    Type.AMOUNT_DIFFERS: Text("Another amount"),
    Type.CURRENCY_DIFFERS: Text("Another currency"),
    Type.FEE_DIFFERS: Text("Another fee"),
}
_TO_DO = {
    Type.LATE: Text("It is less than a day old. Most of these explain themselves; there is nothing to do."),
    Type.MISSING_AT_PROVIDER: Text(
        "Look for it in the provider's own records, and read in the statement of that day once more."
    ),
    Type.MISSING_IN_BOOKS: Text(
        "The provider moved this and we have not booked it. Have it asked about, or call the operator."
    ),
    Type.DUPLICATE: Text("Somebody may have paid twice. Find out who, and give it back."),
    Type.UNKNOWN_REFERENCE: Text(
        "Somebody may have paid without an order of ours. Find out what it was for, and close it with that."
    ),
    Type.AMOUNT_DIFFERS: Text("Compare the receipt with the order. Call the operator where ours is wrong."),
    Type.CURRENCY_DIFFERS: Text("Compare the receipt with the order. Call the operator where ours is wrong."),
    Type.FEE_DIFFERS: Text("The provider charges another fee than we expect. Call the operator."),
}
_TWO_DAYS = 48


class CloseIt(Choice):
    tap_only = True
    label = Text("Close it")


class Others(Choice):
    label = Text("The others")


class Cancel(Choice):
    label = Text("Cancel")


@dataclass(frozen=True)
class LookAtBreak(Choice):
    exact = True
    one: Seen

    @property
    def label(self) -> Text:
        return Text("{amount} {number}", amount=self.one.amount, number=_called(self.one))

    @property
    def note(self) -> Text | None:
        return Text("{what}, {at}", what=TYPES[self.one.type], at=self.one.at)


class BreaksOpen(Step):
    breaks: tuple[Seen, ...]

    def says(self) -> Text:
        return Text(
            "What the provider says and what our books say at {shop} does not fit together here. The oldest "
            "is first; choose one to see it."
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(LookAtBreak(each) for each in self.breaks)

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: LookAtBreak, teller: Teller) -> BreakShown | BreakGone:
        return await look(answer.one, teller)


class NoBreaks(Step):
    def says(self) -> Text:
        return Text("What the provider says and what our books say fits together. Nothing is open.")


class BreakShown(Step):
    """`hours`: how old it was when it was shown."""

    one: Seen
    hours: int

    def says(self) -> Text:
        nothing = Text("nothing")
        return Text(
            "*{what}*\n{provider}: {theirs}\nOur books: {ours}\nOrder or reference: {label}\n"
            "Receipt: {receipt}\nNumber: {party}\nSince {at}: {age}\n\n{advice}",
            what=TYPES[self.one.type],
            provider=provider_name(self.one.provider),
            theirs=self.one.theirs or nothing,
            ours=self.one.ours or nothing,
            label=self.one.label or nothing,
            receipt=self.one.receipt or nothing,
            party=self.one.party or nothing,
            at=self.one.at,
            age=_age(self.hours),
            advice=_TO_DO[self.one.type],
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Others(),) if self.one.type == Type.LATE else (CloseIt(), Others())

    async def hears(
        self, answer: CloseIt | Others, teller: Teller
    ) -> EnterBreakReason | BreaksOpen | NoBreaks:
        match answer:
            case CloseIt():
                return EnterBreakReason(one=self.one)
            case Others():
                return await reconcile(teller)


class EnterBreakReason(Step):
    any_words = True
    one: Seen

    def says(self) -> Text:
        return Text(
            "Why does {amount} need nothing more? Type a few words; they are kept with your name. "
            "No money is moved.",
            amount=self.one.amount,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> BreakClosed | BreakShown | BreakGone:
        match answer:
            case Said(text=reason):
                closed = await teller.reconciliation.close(self.one.id, reason)
                return BreakClosed(amount=closed.amount)
            case Cancel():
                return await look(self.one, teller)


class BreakClosed(Step):
    amount: Money

    def says(self) -> Text:
        return Text(
            "Closed: {amount}. Your reason is kept with it. Type *reconcile* to see what is left.",
            amount=self.amount,
        )


class BreakGone(Step):
    def says(self) -> Text:
        return Text("This has been explained or closed meanwhile. Type *reconcile* to see what is left.")


class BreaksAgedTold(Step):
    provider: str
    count: int
    total: Money
    oldest: datetime

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        return Text(
            "⚠️ {count} entry does not fit between {provider} and our books and is more than a day old: "
            "{total} in all, the oldest of {oldest}. Type *reconcile* to see it.",
            "⚠️ {count} entries do not fit between {provider} and our books and are more than a day old: "
            "{total} in all, the oldest of {oldest}. Type *reconcile* to see them.",
            count=self.count,
            provider=provider_name(self.provider),
            total=self.total,
            oldest=self.oldest,
        )


class BreakReopenedTold(Step):
    """`by`: who had closed it; None where it was the operator."""

    provider: str
    amount: Money
    by: str | None
    reason: str

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        return Text(
            "⚠️ What was closed between {provider} and our books has other sums now, so it is open again: "
            "{amount}. {by} had closed it with: {reason}\nType *reconcile* to see it.",
            provider=provider_name(self.provider),
            amount=self.amount,
            by=Text("The operator") if self.by is None else staff_name(self.by),
            reason=self.reason,
        )


def _called(one: Seen) -> str:
    """As short as fits into a row."""
    return one.label[:8] or (one.receipt or "")[-6:]


def _age(hours: int) -> Text:
    if hours < _TWO_DAYS:
        return Text("{count} hour", "{count} hours", count=hours)
    return Text("{count} day", "{count} days", count=hours // 24)


async def look(one: Seen, teller: Teller) -> BreakShown | BreakGone:
    """As it stands now."""
    now = await teller.reconciliation.one(one.id)
    if now.state != State.OPEN:
        return BreakGone()
    return BreakShown(one=now, hours=int(now.age(teller.now) / timedelta(hours=1)))


async def reconcile(teller: Teller, _rest: str = "") -> BreaksOpen | NoBreaks:
    found = await teller.reconciliation.breaks()
    return BreaksOpen(breaks=found) if found else NoBreaks()


async def told_reopened(news: BreakReopened, _teller: Teller) -> BreakReopenedTold:
    return BreakReopenedTold(provider=news.provider, amount=news.amount, by=news.by, reason=news.reason)


async def told_aged(news: BreaksAged, _teller: Teller) -> BreaksAgedTold:
    return BreaksAgedTold(provider=news.provider, count=news.count, total=news.total, oldest=news.oldest)
