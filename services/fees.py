"""Fees: what a withdrawal costs and what a sale costs, as data."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from services.errors import BelowMinimum, NotWholeShillings, OverLimit, ProviderNotConfigured, Refusal
from services.facts import Quote
from services.money import PLACES, Money
from services.rails import RAILS, Rail
from services.store.hot import Named
from services.store.schema import fees
from services.work import Work

_CURRENCY = "KES"
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)  # a band without a date is older than every dated one


async def quote(work: Work, gross: Money, method_type: str) -> Quote:
    """Gross, fee and net of a withdrawal by this rail now.

    The fee is a rail's default, or the tenant's own band that holds the amount: of several in force the
    newest. An amount outside all of them is refused, not guessed. On a rail of whole shillings the fee
    is rounded to one, half up, so that the net is whole too.
    Raises ProviderNotConfigured, NotWholeShillings, BelowMinimum, OverLimit.
    """
    return (await tariff(work, method_type, gross.currency))(gross)


async def tariff(work: Work, method_type: str, currency: str) -> Callable[[Money], Quote]:
    """The same for many amounts. Raises ProviderNotConfigured; what it returns raises the others."""
    rail = RAILS.get(method_type)
    if rail is None or currency != _CURRENCY:
        raise ProviderNotConfigured(method_type, paying_out=True)
    return partial(_quoted, rail, await _bands(work, method_type, currency))


def _quoted(rail: Rail, bands: list[sa.Row[Any]], gross: Money) -> Quote:
    if rail.whole and not gross.whole:
        raise NotWholeShillings(gross)
    fee = _by_band(bands, gross) if bands else Money(rail.fee, gross.currency)
    if rail.whole:
        unit = 10 ** PLACES[gross.currency]
        fee = Money((fee.minor + unit // 2) // unit * unit, gross.currency)
    net = gross - fee
    if net.minor < rail.minimum:
        left = Money(max(net.minor, 0), gross.currency)
        raise BelowMinimum(Money(rail.minimum, gross.currency), left, net=True, fee=fee)
    if rail.maximum is not None and net.minor > rail.maximum:
        raise OverLimit(Money(rail.maximum, gross.currency), net)
    return Quote(gross=gross, fee=fee, net=net)


async def usual(work: Work, method_type: str) -> Money:
    """What a rail costs without a percentage: the flat part of the newest band, or the default."""
    bands = await _bands(work, method_type, _CURRENCY)
    return Money(bands[0].flat if bands else RAILS[method_type].fee, _CURRENCY)


_BANDS = Named(
    sa.select(fees).where(
        fees.c.tenant_id == sa.bindparam("tenant"),
        fees.c.method_type == sa.bindparam("method_type"),
        fees.c.currency == sa.bindparam("currency"),
    )
)


async def _bands(work: Work, method_type: str, currency: str) -> list[sa.Row[Any]]:
    """The tenant's bands in force for amounts of this currency, the newest first."""
    asked = {"tenant": work.tenant, "method_type": method_type, "currency": currency}
    return _in_force(await _BANDS(work.connection, **asked), work.now)


def _in_force(bands: Iterable[sa.Row[Any]], at: datetime) -> list[sa.Row[Any]]:
    """The newest first."""
    those = [
        band
        for band in bands
        if (band.valid_from is None or band.valid_from <= at)
        and (band.valid_until is None or band.valid_until > at)
    ]
    return sorted(those, key=lambda row: row.valid_from or _ALWAYS, reverse=True)


def is_as_told(
    bands: Iterable[sa.Row[Any]], method_type: str, gross: Money, fee: Money, at: datetime
) -> bool:
    """Whether this is the fee of the table as it stood then. `bands`: of the tenant, the way and the
    currency."""
    try:
        return _quoted(RAILS[method_type], _in_force(bands, at), gross).fee == fee
    except (Refusal, KeyError):
        return False


def _by_band(bands: list[sa.Row[Any]], gross: Money) -> Money:
    for band in bands:
        if band.from_amount <= gross.minor and (band.to_amount is None or gross.minor <= band.to_amount):
            return Money(band.flat, gross.currency) + gross.share(band.ppm)
    lowest = min(band.from_amount for band in bands)
    if gross.minor < lowest:
        raise BelowMinimum(Money(lowest, gross.currency), gross)
    below = [band.to_amount for band in bands if band.to_amount is not None and band.to_amount < gross.minor]
    raise OverLimit(Money(max(below), gross.currency), gross)
