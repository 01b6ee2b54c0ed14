"""Reconciled: a market whose provider's statements are taken and compared with its books."""

from datetime import datetime, timedelta
from typing import Any

from bot.providers import Providers
from bot.reconciling import Reconciling, Report
from services.people.tenants import TenantBook
from services.reconciliation.reach import Span
from tests.bot.market import Market
from tests.services.business import Paying
from tests.services.reconciliation.portal import statement


class Reconciled:
    def __init__(self, market: Market) -> None:
        self.market, self.business = market, market.business
        book = TenantBook(market.database, market.vault, market.clock)
        providers = Providers(market.database, market.vault, book, market._http, market.urls, market.clock)
        shared = (market.database, market.vault, providers, market.bell, market.clock)
        self.edge = Reconciling(*shared, wait_seconds=0.01)
        self.began = self.business.now

    async def file(self, *rows: list[str], **more: Any) -> Report:
        """The statement from the beginning up to now, read and compared."""
        self.business.forward(seconds=1)
        content = statement(self.began, self.business.now - timedelta(seconds=1), *rows, **more)
        span, new = await self.edge.read_file(self.business.tenant, "mpesa", content)
        return await self.edge.reconcile(self.business.tenant, "mpesa", span, new=new, ask=False)

    async def exported(self, since: datetime | None = None) -> bytes:
        """What the emulated portal exports, up to a second ago."""
        self.business.forward(seconds=2)
        query = {"from": since.isoformat()} if since else {}
        url = f"{self.market.daraja_url}/control/statement"
        async with self.market._outside.get(url, params=query) as answer:
            assert answer.status == 200
            return await answer.read()

    async def read(self, content: bytes) -> Report:
        span, new = await self.edge.read_file(self.business.tenant, "mpesa", content)
        return await self.edge.reconcile(self.business.tenant, "mpesa", span, new=new, ask=False)

    async def again(self, provider: str = "mpesa", *, ask: bool = False) -> Report:
        span = Span(self.business.now - timedelta(days=7), self.business.now)
        return await self.edge.reconcile(self.business.tenant, provider, span, ask=ask)


def opened(report: Report) -> set[tuple[str, str | None, str]]:
    return {(each.type.value, each.receipt, each.label) for each in report.opened}


def number(paying: Paying) -> str:
    return str(paying.started.number)
