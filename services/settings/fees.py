"""The fees of one way out, as a change from inside: all its bands at once, or none for the default."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from services.errors.settings import InvalidChange
from services.ids import new_id
from services.people import people
from services.people.file_bands import senseless_bands
from services.people.file_lines import Lines, Where
from services.people.file_parts import FeePart, TenantFile, TenantPart
from services.rails import RAILS
from services.store.schema import fees
from services.work import Work
from services.written import amount_of, minor_of, percent_of, ppm_of

_MOST = 50
_TIMES = ("valid_from", "valid_until")
_COLUMNS = {
    "from": "from_amount",
    "to": "to_amount",
    "flat": "flat",
    "ppm": "ppm",
    "valid_from": "valid_from",
    "valid_until": "valid_until",
}


class _Numbered(Lines):
    """Bands of no file are told by their number."""

    def __init__(self) -> None:
        super().__init__("")

    def place(self, where: Where) -> str:
        return f"number {int(where[1]) + 1}"


async def checked(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    tenant = await people.tenant_of(work)
    if tenant.fixed_fees:
        raise InvalidChange("fees", "are the operator's to set")
    return read(wanted, tenant.currency, tenant.timezone)


def read(wanted: dict[str, Any], currency: str, timezone: str) -> dict[str, Any]:
    """The rules are those of the tenant file. Raises InvalidChange."""
    method_type, bands = str(wanted.get("method_type")), wanted.get("bands")
    if set(wanted) != {"method_type", "bands"} or method_type not in RAILS:
        raise InvalidChange("method_type", f"is one of {', '.join(RAILS)}, with its bands")
    if not isinstance(bands, list) or len(bands) > _MOST:
        raise InvalidChange("bands", f"is a list of {_MOST} at most; an empty one for the usual fee")
    parts = [_part(n, method_type, band) for n, band in enumerate(bands)]
    file = TenantFile(tenant=TenantPart(slug="inside", currency=currency, timezone=timezone), fees=parts)
    try:
        for wrong in senseless_bands(file, _Numbered()):
            raise InvalidChange(_named(wrong.where), wrong.what)
        found = [_facts(file, part) for part in parts]
    except ValueError as error:
        raise InvalidChange("bands", str(error)) from None
    return {"method_type": method_type, "currency": currency, "bands": _sorted(found)}


def _part(n: int, method_type: str, band: Any) -> FeePart:
    if not isinstance(band, dict) or {"method_type", "currency"} & set(band):
        raise InvalidChange(f"bands.{n}", "is no band: from, to, flat, percent, valid_from, valid_until")
    try:
        times = {key: datetime.fromisoformat(band[key]) for key in _TIMES if band.get(key) is not None}
    except (ValueError, TypeError):
        raise InvalidChange(f"bands.{n}", "has a time that is none like 2026-12-01T08:00:00Z") from None
    given = {key: value for key, value in band.items() if value is not None}
    try:
        return FeePart.model_validate(given | times | {"method_type": method_type})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[0]
        because = found["msg"].removeprefix("Value error, ")
        raise InvalidChange(".".join(("bands", str(n), *map(str, found["loc"]))), because) from None


def _named(where: str) -> str:
    return where.replace("fees", "bands", 1)


def _facts(file: TenantFile, part: FeePart) -> dict[str, Any]:
    currency = file.tenant.currency
    return {
        "from": minor_of(part.from_, currency),
        "to": None if part.to is None else minor_of(part.to, currency),
        "flat": minor_of(part.flat, currency),
        "ppm": ppm_of(part.percent),
        "valid_from": _written(file.begins(part)),
        "valid_until": _written(file.ends(part)),
    }


async def now(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    currency = (await people.tenant_of(work)).currency
    rows = (await work.connection.execute(sa.select(fees).where(*_mine(work, wanted, currency)))).all()
    bands = [{key: getattr(row, column) for key, column in _COLUMNS.items()} for row in rows]
    for band in bands:
        band.update({key: _written(band[key]) for key in _TIMES})
    return {"method_type": wanted["method_type"], "currency": currency, "bands": _sorted(bands)}


def _mine(work: Work, facts: dict[str, Any], currency: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Bands of other currencies are the operator's."""
    return (
        fees.c.tenant_id == work.tenant,
        fees.c.method_type == facts["method_type"],
        fees.c.currency == currency,
    )


def masked(facts: dict[str, Any]) -> dict[str, Any]:
    """Nothing of it is a secret. Without a band the usual fee counts."""
    currency = facts["currency"]
    usual = {"flat": RAILS[facts["method_type"]].fee, "ppm": 0, "usual": True}
    return {
        "method_type": facts["method_type"],
        "bands": [_shown(band, currency) for band in facts["bands"] or [usual]],
    }


def _shown(band: dict[str, Any], currency: str) -> dict[str, Any]:
    def amount(key: str) -> str | None:
        return None if band.get(key) is None else f"{currency} {amount_of(band[key], currency)}"

    told = {"from": amount("from"), "to": amount("to"), "flat": amount("flat")}
    rest = {"percent": percent_of(band["ppm"])} | {key: band.get(key) for key in (*_TIMES, "usual")}
    return {key: value for key, value in (told | rest).items() if value is not None}


def safer(_before: dict[str, Any], _after: dict[str, Any]) -> bool:
    return False


async def put(work: Work, after: dict[str, Any]) -> None:
    """What was asked for at the fee of before keeps it."""
    if (await people.tenant_of(work)).fixed_fees:
        raise InvalidChange("fees", "are the operator's to set")
    await work.connection.execute(sa.delete(fees).where(*_mine(work, after, after["currency"])))
    rows = [
        {"tenant_id": work.tenant, "id": new_id()}
        | {key: after[key] for key in ("method_type", "currency")}
        | {column: band[key] for key, column in _COLUMNS.items()}
        | {key: band[key] and datetime.fromisoformat(band[key]) for key in _TIMES}
        for band in after["bands"]
    ]
    if rows:
        await work.connection.execute(sa.insert(fees), rows)


def keys(_after: dict[str, Any]) -> list[str]:
    return ["fees"]


def _sorted(bands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(bands, key=lambda band: (band["valid_from"] or "", band["from"]))


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
