"""File warnings: what a tenant file may say, and whoever wrote it may not have meant."""

from datetime import timedelta

import sqlalchemy as sa

from services import hours
from services.money import Money
from services.people import people as persons
from services.people.access import APPROVE, who_may_withdraw
from services.people.file_parts import TenantFile
from services.providers import PROVIDERS
from services.providers.base import ProviderSettings
from services.rails import RAILS, carriers, takes
from services.store.schema import totps
from services.work import Work
from services.written import minor_of


async def warnings(work: Work, file: TenantFile) -> list[str]:
    return [
        *_of_no_use(file),
        *_without_means(file),
        *_beyond_all(file),
        *_never_sent(file),
        *await _never_approved(work, file),
        *_expires_unseen(file),
        *await _hands_missing(work, file),
    ]


def _of_no_use(file: TenantFile) -> list[str]:
    """Providers that move another money than the tenant's."""
    return [
        f"providers.{name}: moves {', '.join(sorted(provider.currencies))} only and the tenant's currency is "
        f"{file.tenant.currency}, so nobody can pay or be paid by it"
        for name in _given(file)
        if file.tenant.currency not in (provider := PROVIDERS[name]).currencies
    ]


def _without_means(file: TenantFile) -> list[str]:
    """Providers of which so much is left out that they can do nothing."""
    told = []
    for name, settings in _given(file).items():
        ways_in = settings.missing_to_collect if PROVIDERS[name].collects else None
        ways_out = settings.missing_to_pay_out if PROVIDERS[name].pays_out else None
        lacks = [", ".join(missing) for missing in (ways_in, ways_out) if missing is not None]
        if all(lacks):
            told.append(f"providers.{name}: nothing can be done with it yet: it lacks {'; or '.join(lacks)}")
    return told


def _beyond_all(file: TenantFile) -> list[str]:
    """Prices that nobody can pay for one piece: too little, too much, or not whole for every provider."""
    currency = file.tenant.currency
    open_to = [
        name
        for name, settings in _given(file).items()
        if currency in PROVIDERS[name].collects and not settings.missing_to_collect
    ]
    prices = [(product.sku, Money(minor_of(product.price, currency), currency)) for product in file.products]
    return [
        f"products.{sku}: its price {price} is one that {' and '.join(open_to)} cannot take"
        for sku, price in prices
        if open_to and not any(takes(name, price) for name in open_to)
    ]


def _never_sent(file: TenantFile) -> list[str]:
    """A limit of withdrawals below what any way out sends."""
    limit, currency = file.limits.per_withdrawal, file.tenant.currency
    least = [
        rail.minimum
        for way, rail in RAILS.items()
        if any(name in _given(file) and PROVIDERS[name].currency == currency for name in carriers(way))
    ]
    if limit is None or not least or minor_of(limit, currency) >= min(least):
        return []
    what = f"limits.per_withdrawal: {limit} is less than the least that can be sent"
    return [f"{what}, {Money(min(least), currency)}, so nothing can be withdrawn"]


def _given(file: TenantFile) -> dict[str, ProviderSettings]:
    parts = {name: getattr(file.providers, name) for name in PROVIDERS}
    return {name: settings for name, settings in parts.items() if settings is not None}


async def _never_approved(work: Work, file: TenantFile) -> list[str]:
    above = file.limits.totp_above
    if above is None:
        return []
    query = sa.select(totps.c.person_id).where(totps.c.tenant_id == work.tenant)
    enrolled = set((await work.connection.execute(query)).scalars())
    if enrolled & await persons.with_scope(work, APPROVE):
        return []
    lacking = f"nobody who approves has one-time codes yet, so nothing above {above} can be approved"
    return [f"limits.totp_above: {lacking}: python main.py staff totp gives them"]


def _expires_unseen(file: TenantFile) -> list[str]:
    blocked, given = file.limits.blocked_hours, timedelta(hours=file.limits.approval_hours)
    if blocked is None or hours.length(blocked) < given:
        return []
    what = "limits.blocked_hours: what is asked for at their beginning expires before anybody may approve it"
    return [f"{what}, since approval_hours is {file.limits.approval_hours}"]


async def _hands_missing(work: Work, file: TenantFile) -> list[str]:
    active = await persons.active_staff(work)
    what = "one active member of staff with finance:withdraw:initiate"
    told = []
    for above, needed in _needed(file):
        if not who_may_withdraw(active, needed):
            others = "another one" if needed == 1 else f"{needed} others"
            told.append(
                f"no withdrawal can be made{above}: that takes {what} and {others} with "
                "finance:withdraw:approve"
            )
    return told[:1]


def _needed(file: TenantFile) -> list[tuple[str, int]]:
    """How many others, the fewest first."""
    bands = [(f" above {band.amount} in 24 hours", band.approvals) for band in file.limits.approvals_above]
    return [("", file.limits.approvals), *sorted(bands, key=lambda band: band[1])]
