"""Resume: payouts that were stopped from inside go on. It waits for no day, since it only lets through what
was approved."""

from typing import Any

from services.errors.settings import InvalidChange
from services.people import people
from services.withdrawals import stop
from services.work import Work


async def checked(_work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    for key in wanted:
        raise InvalidChange(key, "is not known here")
    return {"payouts": "go on"}


async def now(work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    """With the moment of the stop: one approval lifts no later one. What the operator stopped, only the
    operator lets go on. Raises InvalidChange."""
    tenant = await people.tenant_of(work)
    if tenant.stopped_at is None:
        return wanted
    if tenant.stopped_by is None:
        raise InvalidChange("resume", "is the operator's to decide, who stopped them")
    return {"payouts": "are stopped", "since": tenant.stopped_at.isoformat()}


def masked(facts: dict[str, Any]) -> dict[str, str]:
    return dict(facts)


def safer(_before: dict[str, Any], _after: dict[str, Any]) -> bool:
    return True


async def put(work: Work, _after: dict[str, Any]) -> None:
    await stop.start_again(work)


def keys(_after: dict[str, Any]) -> list[str]:
    return []
