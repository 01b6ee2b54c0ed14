"""File: what providers charge, as the operator of the platform tells it, in TOML:

    [[costs]]
    provider = "mpesa"
    rail = "mpesa"              # "collection", "reversal", or a way out
    currency = "KES"
    from = "101"                # both ends belong to the band
    to = "500"
    flat = "7"
    percent = "0"
    valid_from = 2026-01-01     # in UTC, where it has no offset
    valid_until = 2027-01-01
    tenant = "mama-njeri"       # a tariff of this tenant's own

What messages cost stands in the same file (`messages.py`).

The file is the whole truth: applying it makes both what it says. What was posted stays as it is.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services import audit
from services.costs import COLLECTION, REVERSAL, messages
from services.costs.messages import MessageRate, utc
from services.ids import new_id
from services.money import PLACES
from services.people.file_lines import Lines, TenantFileError, Wrong
from services.people.file_values import Moment, Text
from services.people.tenant_file import parsed, told_wrong
from services.providers import PROVIDERS
from services.store.schema import NOBODY, costs, message_rates, tenants
from services.work import Work
from services.written import Amount, Percent, amount_of, minor_of, percent_of, ppm_of

_ALWAYS, _FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_ENDLESS = 10**18
_COLUMNS = (
    "only_for",
    "provider",
    "rail",
    "currency",
    "from_amount",
    "to_amount",
    "flat",
    "ppm",
    "valid_from",
    "valid_until",
)


class Cost(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    provider: Literal[tuple(PROVIDERS)]  # type: ignore[valid-type]
    rail: Text
    currency: Literal[tuple(PLACES)] = "KES"  # type: ignore[valid-type]
    from_: Annotated[Amount, Field(alias="from")] = "0"
    to: Amount | None = None
    flat: Amount = "0"
    percent: Percent = "0"
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    tenant: Text | None = None


class CostsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    costs: list[Cost] = []
    messages: list[MessageRate] = []


async def apply(work: Work, text: str, name: str) -> dict[str, Any]:
    """`work` is of no tenant. Raises TenantFileError, and nothing is changed then."""
    lines, file = Lines(text), _read(text, name)
    slugs = {
        row.slug: row.id for row in await work.connection.execute(sa.select(tenants.c.slug, tenants.c.id))
    }
    wrong = [*_senseless(file, slugs, lines), *messages.senseless(file.messages, slugs, lines)]
    if wrong:
        raise TenantFileError(name, wrong)
    bands = {_row(cost, slugs) for cost in file.costs}
    rates: set[tuple[Any, ...]] = {rate.rate(slugs) for rate in file.messages}
    changes = [await _made(work, costs, _COLUMNS, bands)]
    changes.append(await _made(work, message_rates, messages.COLUMNS, rates))
    facts = {"added": sum(added for added, _ in changes), "removed": sum(removed for _, removed in changes)}
    if any(facts.values()):
        await audit.record(work, audit.OPERATOR, "costs.changed", NOBODY, facts)
    return {"bands": len(bands), "messages": len(rates)} | facts


async def _made(
    work: Work, table: sa.Table, columns: Sequence[str], wanted: set[tuple[Any, ...]]
) -> tuple[int, int]:
    """The table has these rows and no others: how many came, and how many went."""
    query = sa.select(*(table.c[column] for column in columns))
    known = {tuple(row) for row in await work.connection.execute(query)}
    if wanted != known:
        await work.connection.execute(sa.delete(table))
        rows = [{"id": new_id()} | dict(zip(columns, row, strict=True)) for row in wanted]
        if rows:
            await work.connection.execute(sa.insert(table), rows)
    return len(wanted - known), len(known - wanted)


async def shown(work: Work) -> dict[str, Any]:
    """What is told, in the keys of the file."""
    slugs = {
        row.id: row.slug for row in await work.connection.execute(sa.select(tenants.c.slug, tenants.c.id))
    }
    return {"costs": await _bands(work), "messages": await messages.shown(work.connection, slugs)}


async def _bands(work: Work) -> list[dict[str, Any]]:
    query = sa.select(costs, tenants.c.slug).outerjoin(tenants, tenants.c.id == costs.c.only_for)
    rows = (await work.connection.execute(query)).all()
    rows = sorted(
        rows, key=lambda row: (row.provider, row.rail, str(row.slug), row.currency, row.from_amount)
    )
    listed = [
        {
            "provider": row.provider,
            "rail": row.rail,
            "currency": row.currency,
            "from": amount_of(row.from_amount, row.currency),
            "to": None if row.to_amount is None else amount_of(row.to_amount, row.currency),
            "flat": amount_of(row.flat, row.currency),
            "percent": percent_of(row.ppm),
            "valid_from": row.valid_from,
            "valid_until": row.valid_until,
            "tenant": row.slug,
        }
        for row in rows
    ]
    return [{key: value for key, value in each.items() if value is not None} for each in listed]


def rails(provider: str) -> set[str]:
    """What the provider may charge for."""
    return {COLLECTION, REVERSAL} | PROVIDERS[provider].pays_out


def _read(text: str, name: str) -> CostsFile:
    data = parsed(text, name)
    try:
        return CostsFile.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise TenantFileError(name, [told_wrong(each, Lines(text)) for each in found]) from None


def _senseless(file: CostsFile, slugs: dict[str, UUID], lines: Lines) -> Iterator[Wrong]:
    """What each band says for itself, then what two of them say together."""
    wrong = [each for n, cost in enumerate(file.costs) for each in _wrong(n, cost, slugs, lines)]
    yield from wrong
    if not wrong:
        yield from _overlaps(file, slugs, lines)


def _wrong(n: int, cost: Cost, slugs: dict[str, UUID], lines: Lines) -> Iterator[Wrong]:
    known = rails(cost.provider)
    if cost.rail not in known:
        listed = ", ".join(sorted(known))
        yield lines.wrong(("costs", n, "rail"), f"{cost.provider} has no such rail; it has {listed}")
    if cost.tenant is not None and cost.tenant not in slugs:
        yield lines.wrong(("costs", n, "tenant"), f"no tenant is called {cost.tenant}")
    try:
        low, flat = minor_of(cost.from_, cost.currency), minor_of(cost.flat, cost.currency)
        high = _ENDLESS if cost.to is None else minor_of(cost.to, cost.currency)
    except ValueError as error:
        yield lines.wrong(("costs", n), str(error))
        return
    if high < low:
        yield lines.wrong(("costs", n, "to"), f"{cost.to} is below from, which is {cost.from_}")
    if flat >= _ENDLESS:
        yield lines.wrong(("costs", n, "flat"), "is more than anything that is moved")
    if (utc(cost.valid_until) or _FOREVER) <= (utc(cost.valid_from) or _ALWAYS):
        yield lines.wrong(("costs", n, "valid_until"), "is not after valid_from")


def _overlaps(file: CostsFile, slugs: dict[str, UUID], lines: Lines) -> Iterator[Wrong]:
    """Bands of one tariff that begin together and share an amount: neither is newer."""
    seen: dict[tuple[Any, ...], list[tuple[int, int, int]]] = {}
    for n, cost in enumerate(file.costs):
        row = dict(zip(_COLUMNS, _row(cost, slugs), strict=True))
        of = tuple(row[key] for key in ("only_for", "provider", "rail", "currency", "valid_from"))
        low, high = row["from_amount"], _ENDLESS if row["to_amount"] is None else row["to_amount"]
        for m, other_low, other_high in seen.setdefault(of, []):
            if low <= other_high and other_low <= high:
                line = lines.of(("costs", m))
                yield lines.wrong(("costs", n), f"overlaps the band of line {line}: from and to belong to it")
        seen[of].append((n, low, high))


def _row(cost: Cost, slugs: dict[str, UUID]) -> tuple[Any, ...]:
    """In the order of _COLUMNS."""
    return (
        None if cost.tenant is None else slugs[cost.tenant],
        cost.provider,
        cost.rail,
        cost.currency,
        minor_of(cost.from_, cost.currency),
        None if cost.to is None else minor_of(cost.to, cost.currency),
        minor_of(cost.flat, cost.currency),
        ppm_of(cost.percent),
        utc(cost.valid_from),
        utc(cost.valid_until),
    )
