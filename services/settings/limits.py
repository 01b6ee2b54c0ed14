"""Limits of withdrawals, as a change from inside."""

from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from services.errors.settings import InvalidChange
from services.people import people
from services.people.tenant_file import AMOUNTS, LimitsPart
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
_KEYS = (*_CEILINGS, *_FLOORS, "approval_hours", "blocked_hours")


async def checked(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    if not wanted:
        raise InvalidChange("limits", "names no limit")
    for key in wanted:
        if key not in _KEYS:
            raise InvalidChange(key, "is no limit that can be changed from inside")
    given = {key: value for key, value in wanted.items() if value is not None}
    try:
        part = LimitsPart.model_validate(given)
        currency = (await people.tenant_of(work)).currency
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
    return {"amount": minor_of(value, currency), "currency": currency} if key in AMOUNTS else value


def _refuse_none(key: str) -> None:
    if key in (*_FLOORS, "approval_hours"):
        raise InvalidChange(key, "takes a number")


async def now(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    tenant = await people.tenant_of(work)
    found = {key: getattr(tenant, key) for key in wanted}
    return {
        key: {"amount": value, "currency": tenant.currency} if key in AMOUNTS and value is not None else value
        for key, value in found.items()
    }


def masked(facts: dict[str, Any]) -> dict[str, str]:
    return {key: _shown(value) for key, value in facts.items()}


def _shown(value: Any) -> str:
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
    if key == "blocked_hours":
        return new == old or old is None
    old, new = (value["amount"] if isinstance(value, dict) else value for value in (old, new))
    return new is not None and (old is None or bool(new <= old))


async def put(work: Work, after: dict[str, Any]) -> None:
    values = {key: value["amount"] if isinstance(value, dict) else value for key, value in after.items()}
    await work.connection.execute(sa.update(tenants).where(tenants.c.id == work.tenant).values(**values))
    await refuse_no_two(work)


def keys(after: dict[str, Any]) -> list[str]:
    return [f"limits.{key}" for key in after]
