"""Approval notices: what is told of one-time codes, keys and lent rights, and need not be answered."""

from datetime import datetime

from flows.staff.notices import Notice
from flows.teller import Teller
from flows.text import Text
from services.news.approval import CodesEnrolled, CodesGuessed, RightLent, RightUsed
from services.news.settings import KeyRotated


class CodesEnrolledTold(Notice):
    name: str
    again: bool

    def says(self) -> Text:
        if self.again:
            return Text(
                "⚠️ The operator has given {name} new one-time codes for approvals at {shop}. They count in "
                "24 hours. If you did not expect that, call the operator now.",
                name=self.name,
            )
        return Text(
            "The operator has given {name} one-time codes for approvals at {shop}. If you did not expect "
            "that, call the operator now.",
            name=self.name,
        )


class CodesGuessedTold(Notice):
    name: str
    withdrawal: str

    def says(self) -> Text:
        return Text(
            "⚠️ Ten wrong one-time codes were typed for {withdrawal}, the last by {name}, so it is cancelled. "
            "Ask {name} whether it was them; if not, call the operator now.",
            withdrawal=self.withdrawal,
            name=self.name,
        )


class KeyRotatedTold(Notice):
    name: str
    prefix: str
    until: datetime

    def says(self) -> Text:
        return Text(
            "The operator has given {name} a new API key for {shop} in place of {prefix}, which works until "
            "{until} and no longer. If you did not expect that, call the operator now.",
            name=self.name,
            prefix=self.prefix,
            until=self.until,
        )


class RightLentTold(Notice):
    lender: str
    borrower: str
    until: datetime

    def says(self) -> Text:
        return Text(
            "{borrower} may approve withdrawals of {shop} for {lender} until {until}, but none that {lender} "
            "has asked for.",
            borrower=self.borrower,
            lender=self.lender,
            until=self.until,
        )


class RightUsedTold(Notice):
    borrower: str
    operation: str

    def says(self) -> Text:
        return Text(
            "{borrower} has approved {operation} by the right that you have lent. If you did not expect "
            "that, type *lend* to end it.",
            borrower=self.borrower,
            operation=self.operation,
        )


async def told_codes_enrolled(news: CodesEnrolled, _teller: Teller) -> CodesEnrolledTold:
    return CodesEnrolledTold(name=news.name, again=news.again)


async def told_codes_guessed(news: CodesGuessed, _teller: Teller) -> CodesGuessedTold:
    return CodesGuessedTold(name=news.name, withdrawal=news.reference)


async def told_right_lent(news: RightLent, _teller: Teller) -> RightLentTold:
    return RightLentTold(lender=news.lender, borrower=news.borrower, until=news.until)


async def told_right_used(news: RightUsed, _teller: Teller) -> RightUsedTold:
    return RightUsedTold(borrower=news.borrower, operation=news.reference)


async def told_key_rotated(news: KeyRotated, _teller: Teller) -> KeyRotatedTold:
    return KeyRotatedTold(name=news.name, prefix=news.prefix, until=news.until)
