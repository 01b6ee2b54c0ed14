"""Conditions: what lasts and should not, told to the staff.

PendingTold, DownTold and ExpiringTold are notices, which ask for nothing.
"""

from datetime import datetime

from flows.refusals import provider_name
from flows.staff.notices import Notice
from flows.teller import Teller
from flows.text import Text
from services.news.conditions import KeyExpiring, ProviderDown, StillPending


class PendingTold(Notice):
    what: str
    count: int

    def says(self) -> Text:
        told = {
            "payment": Text(
                "⏳ Payments to {shop} that have been under way for more than a day: {count}. Look for them "
                "in the provider's own records.",
                count=self.count,
            ),
            "payout": Text(
                "⏳ Withdrawals from {shop} that have been on their way for more than a day: {count}. Look "
                "for them in the provider's own records, then type *review*.",
                count=self.count,
            ),
            "refund": Text(
                "⏳ Refunds from {shop} that have been on their way for more than a day: {count}. Look for "
                "them in the provider's own records, then type *review*.",
                count=self.count,
            ),
        }
        return told[self.what]


class DownTold(Notice):
    provider: str

    def says(self) -> Text:
        return Text(
            "⚠️ {provider} doesn't answer {shop} at the moment. What is due waits and goes on by itself; "
            "customers are offered other ways to pay.",
            provider=provider_name(self.provider),
        )


class ExpiringTold(Notice):
    prefix: str
    at: datetime

    def says(self) -> Text:
        return Text(
            "🔑 The API key {prefix} of {shop} ends on {at}. Ask the operator for another one before that.",
            prefix=self.prefix,
            at=self.at,
        )


async def told_pending(news: StillPending, _teller: Teller) -> PendingTold:
    return PendingTold(what=news.what, count=news.count)


async def told_down(news: ProviderDown, _teller: Teller) -> DownTold:
    return DownTold(provider=news.provider)


async def told_expiring(news: KeyExpiring, _teller: Teller) -> ExpiringTold:
    return ExpiringTold(prefix=news.prefix, at=news.at)
