"""Statement: what moved in the wallet in a period, on the screen and as a file.

StatementPeriods -> StatementShown | StatementDates
StatementDates   -> StatementShown | StatementPeriods
StatementShown   -> StatementSent
StatementSent    -> StatementSent
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flows.days import days_of
from flows.document import Document, StatementFile
from flows.reply import Said
from flows.statement_words import kind_name
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.errors.statement import InvalidPeriod, StatementTooLarge
from services.statement.facts import MOST_SENT, Statement
from services.statement.period import today

_WEEK = timedelta(days=6)


class ThisMonth(Choice):
    label = Text("This month")


class LastMonth(Choice):
    label = Text("Last month")


class LastDays(Choice):
    label = Text("Last 7 days")


class OtherDays(Choice):
    label = Text("Other days")


class Cancel(Choice):
    label = Text("Cancel")


@dataclass(frozen=True)
class AsFile(Choice):
    form: str

    @property
    def label(self) -> Text:
        return _FILES[self.form]


_FILES = {"pdf": Text("PDF"), "xlsx": Text("Excel"), "csv": Text("CSV")}


class StatementPeriods(Step):
    def says(self) -> Text:
        return Text("A statement of which period?")

    def choices(self) -> tuple[Choice, ...]:
        return (ThisMonth(), LastMonth(), LastDays(), OtherDays())

    def menu(self) -> Text | None:
        return Text("Periods")

    async def hears(
        self, answer: ThisMonth | LastMonth | LastDays | OtherDays, teller: Teller
    ) -> StatementShown | StatementDates:
        now = today(teller.shop.timezone, teller.now)
        match answer:
            case ThisMonth():
                return await shown(now.replace(day=1), now, teller)
            case LastMonth():
                last = now.replace(day=1) - timedelta(days=1)
                return await shown(last.replace(day=1), last, teller)
            case LastDays():
                return await shown(now - _WEEK, now, teller)
            case OtherDays():
                return StatementDates()


class StatementDates(Step):
    def says(self) -> Text:
        return Text("Type the first and the last day, such as: 1/11/2026 to 15/11/2026")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> StatementShown | StatementPeriods:
        match answer:
            case Said(text=typed):
                return await shown(*days_of(typed), teller)
            case Cancel():
                return StatementPeriods()


class OfDays(Step):
    """`first` and `last` are days of the shop's."""

    first: date
    last: date
    statement: Statement

    def choices(self) -> tuple[Choice, ...]:
        return tuple(AsFile(form) for form in _FILES)

    async def hears(self, answer: AsFile, teller: Teller) -> StatementSent:
        """The period anew: it may have got more lines since."""
        told = await teller.statement(self.first, self.last)
        if told.count > MOST_SENT[answer.form]:
            raise StatementTooLarge(answer.form, told.count, MOST_SENT[answer.form])
        return StatementSent(
            first=self.first,
            last=self.last,
            statement=told,
            sent_as=answer.form,
            language=teller.me.language,
        )


class StatementShown(OfDays):
    def says(self) -> Text:
        told = self.statement
        return Text(
            "*Statement of {shop}*\n{since} to {until}\nOpening balance: {opening}\n{sums}\n"
            "Closing balance: *{closing}*\n{apart}\nTap for all its lines as a file.",
            since=told.since,
            until=told.until,
            opening=told.opening,
            sums=tuple(
                Text(
                    "{kind} ({count}): {amount}",
                    kind=kind_name(each.kind),
                    count=each.count,
                    amount=each.amount,
                )
                for each in told.sums
            ),
            closing=told.closing,
            apart=tuple(self._apart()),
        )

    def _apart(self) -> list[Text]:
        told = self.statement
        lines = [Text("Of it held for withdrawals and refunds: {held}", held=told.held)]
        return [*lines, Text("Owed beside it: {owed}", owed=told.owed)] if told.owed else lines


class StatementSent(OfDays):
    """`language` is that of the file."""

    sent_as: str
    language: str

    def says(self) -> Text:
        return Text(
            "Statement of {shop}, {since} to {until}", since=self.statement.since, until=self.statement.until
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(AsFile(form) for form in _FILES if form != self.sent_as)

    def document(self) -> Document:
        told = self.statement
        return Document(
            name=Text("Statement {shop} {first} {last}", first=self.first, last=self.last),
            content=StatementFile(self.sent_as, told.since, told.until, self.language),
        )


async def shown(first: date, last: date, teller: Teller) -> StatementShown:
    """Raises EmptyPeriod and the other refusals of a period."""
    return StatementShown(first=first, last=last, statement=await teller.statement(first, last))


async def statement(teller: Teller, rest: str = "") -> StatementPeriods | StatementShown:
    """Of the days that were typed after the word; else the person is asked. Raises as `shown` does."""
    if not rest:
        return StatementPeriods()
    try:
        days = days_of(rest)
    except InvalidPeriod:
        return StatementPeriods()
    return await shown(*days, teller)
