"""Limits of withdrawals and what approving one takes, as a change from inside."""

from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from services.errors.settings import InvalidChange
from services.people import people
from services.people.file_parts import AMOUNTS, LimitsPart
from services.settings.hands import refuse_no_two
from services.store.schema import tenants
from services.work import Work
from services.written import amount_of, minor_of

# A larger value lets more through, and so does none.
_CEILINGS = (
    "per_withdrawal",
    "per_day",
    "per_destination",
    "per_maker",
    "count_per_day",
    "count_per_destination",
    "totp_above",
)
_FLOORS = ("approvals", "new_destination_hours")  # a larger value lets less through
_BANDS = "approvals_above"  # approvals by amount
KEYS = (*_CEILINGS, *_FLOORS, _BANDS, "approval_hours", "blocked_hours")


async def checked(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    return read(wanted, (await people.tenant_of(work)).currency)


def read(wanted: dict[str, Any], currency: str) -> dict[str, Any]:
    """Raises InvalidChange."""
    if not wanted:
        raise InvalidChange("limits", "names no limit")
    for key in wanted:
        if key not in KEYS:
            raise InvalidChange(key, "is no limit that can be changed from inside")
    given = {key: value for key, value in wanted.items() if value is not None}
    try:
        part = LimitsPart.model_validate(given)
        for key in wanted.keys() - given.keys():
            _refuse_none(key)
        return {key: _minor(part, key, currency) if key in given else None for key in wanted}
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[0]
        raise InvalidChange(str(found["loc"][0]), found["msg"].removeprefix("Value error, ")) from None
    except ValueError as error:
        raise InvalidChange("limits", str(error)) from None


def _minor(part: LimitsPart, key: str, currency: str) -> Any:
    value = getattr(part, key)
    if key == _BANDS:
        return _bands([[minor_of(band.amount, currency), band.approvals] for band in value], currency)
    return {"amount": minor_of(value, currency), "currency": currency} if key in AMOUNTS else value


def _bands(bands: list[Any], currency: str) -> list[dict[str, Any]]:
    """Of two with one amount the one that takes more counts."""
    most: dict[int, int] = dict(sorted(bands))
    return [
        {"amount": {"amount": amount, "currency": currency}, "approvals": approvals}
        for amount, approvals in most.items()
    ]


def _refuse_none(key: str) -> None:
    if key in (*_FLOORS, "approval_hours"):
        raise InvalidChange(key, "takes a number")
    if key == _BANDS:
        raise InvalidChange(key, "takes a list of amount and approvals; an empty one for none")


async def now(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    tenant = await people.tenant_of(work)
    return {key: _now(tenant, key) for key in wanted}


def _now(tenant: sa.Row[Any], key: str) -> Any:
    value = getattr(tenant, key)
    if key == _BANDS:
        return _bands(value, tenant.currency)
    return {"amount": value, "currency": tenant.currency} if key in AMOUNTS and value is not None else value


def masked(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: _shown(value) for key, value in facts.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [{key: _shown(each) for key, each in band.items()} for band in value]
    if isinstance(value, dict):
        return f"{value['currency']} {amount_of(value['amount'], value['currency'])}"
    return "-" if value is None else str(value)


def safer(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return all(_is_safer(key, before[key], value) for key, value in after.items())


def _is_safer(key: str, old: Any, new: Any) -> bool:
    if key in _FLOORS:
        return bool(new >= old)
    if key == "approval_hours":
        return bool(new <= old)
    if key == _BANDS:
        return _takes_as_many(old, new)
    if key == "blocked_hours":
        return new == old or old is None
    old, new = (value["amount"] if isinstance(value, dict) else value for value in (old, new))
    return new is not None and (old is None or bool(new <= old))


def _takes_as_many(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> bool:
    """At no amount fewer: looked at right above each step of the old ones."""

    def above(bands: list[dict[str, Any]], amount: int) -> int:
        return max((band["approvals"] for band in bands if band["amount"]["amount"] <= amount), default=0)

    steps = [band["amount"]["amount"] for band in (*old, *new)]
    return all(above(new, step) >= above(old, step) for step in steps)


async def put(work: Work, after: dict[str, Any]) -> None:
    """Raises LeavesNoTwo: approvals that too few could give are none."""
    values = {key: _plain(value) for key, value in after.items()}
    await work.connection.execute(sa.update(tenants).where(tenants.c.id == work.tenant).values(**values))
    most = max((band["approvals"] for band in after.get(_BANDS, ())), default=0)
    await refuse_no_two(work, approvals=most)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [[band["amount"]["amount"], band["approvals"]] for band in value]
    return value["amount"] if isinstance(value, dict) else value


def keys(after: dict[str, Any]) -> list[str]:
    return [f"limits.{key}" for key in after]
