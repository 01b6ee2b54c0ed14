"""Methods: how customers of a tenant are offered to pay, and why so, from the command line."""

from typing import Any
from uuid import UUID

from bot.commands.opening import opened, work_of
from bot.parts import CannotRun
from bot.settings import Settings
from services import breakers
from services.errors import NotFound
from services.money import Money
from services.payments import details, methods, ranks
from services.people import customers
from services.work import Work


async def tell_methods(settings: Settings, slug: str, amount: str, customer: str | None) -> dict[str, Any]:
    """The first of `order` is offered first, after what the customer prefers. Raises CannotRun."""
    async with opened(settings) as parts, work_of(parts, slug) as work:
        tenant = await parts.tenants.by_id(work.tenant)
        shop = tenant.shop
        asked, person = _amount(amount, shop.currency), await _person(work, customer)
        by = details.configured(shop, tenant.providers)
        found = await ranks.offered(work, shop, by, asked, person)
        told: dict[str, Any] = {
            "slug": slug,
            "amount": str(asked),
            "currency": shop.currency,
            "smart_order": shop.smart_order,
            "preferred_provider": await methods.preferred_provider(work, person) if person else None,
            "order": [_rank(rank, slow=rank.provider in shop.slow) for rank in found],
            "unanswered": [_breaker(row) for row in await breakers.standing(work)],
        }
    return told


def _rank(rank: ranks.Rank, *, slow: bool) -> dict[str, Any]:
    return {
        "provider": rank.provider,
        "slow": slow,
        "paid_by_customer": rank.own,
        "tried": rank.tried,
        "paid": rank.paid,
        "tenths": rank.tenths,
        "cost": None if rank.cost is None else str(rank.cost),
    }


def _breaker(row: Any) -> dict[str, Any]:
    until = row.open_until
    return {
        "provider": row.provider,
        "operation": row.operation,
        "lost": row.outcomes.count("1"),
        "of": len(row.outcomes),
        "open_until": None if until is None else until.isoformat().replace("+00:00", "Z"),
    }


def _amount(typed: str, currency: str) -> Money:
    try:
        return Money.parse(typed, currency)
    except ValueError as error:
        raise CannotRun(f"{typed} is no amount: {error}.") from None


async def _person(work: Work, customer: str | None) -> UUID | None:
    if customer is None:
        return None
    try:
        return (await customers.one(work, UUID(customer))).id
    except (ValueError, NotFound):
        raise CannotRun(f"{customer} is the id of no customer of this tenant.") from None
