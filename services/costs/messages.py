"""Messages: what each costs. WhatsApp names the category that it charges a message under and never a price,
so the operator tells its list, in the file of costs (`file.py`):

    [[messages]]
    category = "utility"        # as WhatsApp calls it: service, utility, marketing, ...
    price = "0.004"             # of one message: whole units of the currency, with six places at most
    currency = "USD"            # in which WhatsApp bills
    countries = ["NG"]          # of who gets it; left out: all that have no rate of their own
    valid_from = 2026-10-01     # in UTC, where it has no offset
    valid_until = 2027-01-01
    tenant = "mama-njeri"       # a rate of this tenant's own

Nothing is posted: WhatsApp bills whoever owns the account there, and no money of it passes here.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import phonenumbers
import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.people.file_lines import Lines, Wrong
from services.people.file_values import Moment, Text
from services.store.schema import message_rates

CATEGORIES = (
    "service",
    "utility",
    "marketing",
    "marketing_lite",
    "authentication",
    "authentication-international",
)
REGULAR = "regular"
FREE = ("free_customer_service", "free_entry_point", "free_group_customer_service")

COLUMNS = ("only_for", "category", "countries", "currency", "millionths", "valid_from", "valid_until")
_PRICE = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_PLACES = 6
_ALWAYS, _FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Rate(NamedTuple):
    """In the order of COLUMNS. `countries`: with blanks between, in order; empty for all others."""

    only_for: UUID | None
    category: str
    countries: str
    currency: str
    millionths: int
    valid_from: datetime | None
    valid_until: datetime | None

    def is_of(self, tenant: UUID, category: str, country: str, at: datetime) -> bool:
        return (
            self.category == category
            and self.only_for in (None, tenant)
            and (not self.countries or country in self.countries.split())
            and (self.valid_from or _ALWAYS) <= at < (self.valid_until or _FOREVER)
        )


class Cost(NamedTuple):
    """In millionths of a unit. `currency` is empty where it is free: nothing is nothing in each of them."""

    currency: str
    millionths: int


async def rates(connection: AsyncConnection) -> list[Rate]:
    """All that were told. Of a scope that reads those of all tenants."""
    query = sa.select(*(message_rates.c[column] for column in COLUMNS))
    return [Rate(*row) for row in await connection.execute(query)]


def cost(
    told: Sequence[Rate], tenant: UUID, category: str, type_: str, country: str, at: datetime
) -> Cost | None:
    """Of a message that was charged as this; None where it is not known. A rate of the tenant's own goes
    first, then one that names the country (empty: nobody knows it), then the newest."""
    if type_ in FREE:
        return Cost("", 0)
    of = [rate for rate in told if rate.is_of(tenant, category, country, at)] if type_ == REGULAR else []
    if not of:
        return None
    best = max(
        of, key=lambda rate: (rate.only_for is not None, rate.countries != "", rate.valid_from or _ALWAYS)
    )
    return Cost(best.currency, best.millionths)


def written(millionths: int) -> str:
    """In whole units, with two places at least: "0.004", "12.50"."""
    whole, rest = divmod(millionths, 10**_PLACES)
    return f"{whole}.{f'{rest:0{_PLACES}}'.rstrip('0').ljust(2, '0')}"


# --- the file ------------------------------------------------------------------------------------------


def _price(value: Any) -> str:
    text = str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _PRICE.fullmatch(text):
        raise ValueError('not a price like "0.004", with six places at most; it is never negative')
    return text


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError('must be written like "USD"')
    return text


def _country(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f'{text} is no country; write it like "KE"')
    return text


class MessageRate(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    category: Literal[CATEGORIES]  # type: ignore[valid-type]
    price: Annotated[str, BeforeValidator(_price)]
    currency: Annotated[str, AfterValidator(_currency)] = "USD"
    countries: Annotated[list[Annotated[Text, AfterValidator(_country)]], Field(min_length=1)] | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    tenant: Text | None = None

    def rate(self, slugs: dict[str, UUID]) -> Rate:
        return Rate(
            None if self.tenant is None else slugs[self.tenant],
            self.category,
            " ".join(sorted(set(self.countries or ()))),
            self.currency,
            int(Decimal(self.price).scaleb(_PLACES)),
            utc(self.valid_from),
            utc(self.valid_until),
        )


def utc(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment and moment.astimezone(UTC)


def senseless(listed: Sequence[MessageRate], slugs: dict[str, UUID], lines: Lines) -> Iterator[Wrong]:
    """What each says for itself, then what two of them say together."""
    wrong = [each for n, rate in enumerate(listed) for each in _wrong(n, rate, slugs, lines)]
    yield from wrong
    if not wrong:
        yield from _doubled([rate.rate(slugs) for rate in listed], lines)


def _wrong(n: int, rate: MessageRate, slugs: dict[str, UUID], lines: Lines) -> Iterator[Wrong]:
    if rate.tenant is not None and rate.tenant not in slugs:
        yield lines.wrong(("messages", n, "tenant"), f"no tenant is called {rate.tenant}")
    if (utc(rate.valid_until) or _FOREVER) <= (utc(rate.valid_from) or _ALWAYS):
        yield lines.wrong(("messages", n, "valid_until"), "is not after valid_from")


def _doubled(listed: Sequence[Rate], lines: Lines) -> Iterator[Wrong]:
    """Two for the same messages that begin together: neither is newer."""
    seen: dict[tuple[Any, ...], int] = {}
    for n, rate in enumerate(listed):
        for country in rate.countries.split() or [""]:
            first = seen.setdefault((rate.only_for, rate.category, country, rate.valid_from), n)
            if first != n:
                what = f"says another price than line {lines.of(('messages', first))} for the same messages"
                yield lines.wrong(("messages", n), f"{what}; give it another valid_from, or remove one")
                break


async def shown(connection: AsyncConnection, slugs: dict[UUID, str]) -> list[dict[str, Any]]:
    """The rates in the keys of the file."""
    listed = [
        {
            "category": rate.category,
            "countries": rate.countries.split() or None,
            "currency": rate.currency,
            "price": written(rate.millionths),
            "valid_from": rate.valid_from,
            "valid_until": rate.valid_until,
            "tenant": None if rate.only_for is None else slugs[rate.only_for],
        }
        for rate in sorted(await rates(connection), key=_order)
    ]
    return [{key: value for key, value in each.items() if value is not None} for each in listed]


def _order(rate: Rate) -> tuple[Any, ...]:
    return rate.category, str(rate.only_for or ""), rate.countries, rate.valid_from or _ALWAYS
