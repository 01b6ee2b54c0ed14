"""The configured destination of payouts, as a change from inside."""

from typing import Any

import sqlalchemy as sa

from services.banks import InvalidDestination
from services.batches import deciding
from services.errors import InvalidMethodDetails, InvalidPhone
from services.errors.settings import InvalidChange
from services.facts import Destination
from services.news import Unsent
from services.store.schema import operations, payouts, tenants, withdrawals
from services.withdrawals import decide, destinations
from services.withdrawals.attempt import sending
from services.withdrawals.settle import fail
from services.work import Work

_NAMES = {
    "mpesa": ("phone_number",),
    "till": ("till_number",),
    "bank_transfer": ("account_number", "bank_code", "account_name"),
}


async def checked(_work: Work, wanted: dict[str, Any]) -> dict[str, Any]:
    method_type, details = str(wanted.get("method_type")), wanted.get("method_details")
    if set(wanted) != {"method_type", "method_details"} or method_type not in _NAMES:
        raise InvalidChange("method_type", f"is one of {', '.join(_NAMES)}, with its method_details")
    if not isinstance(details, dict) or not all(isinstance(each, str) for each in details.values()):
        raise InvalidMethodDetails(missing=_NAMES[method_type])
    missing = tuple(name for name in _NAMES[method_type] if not details.get(name, "").strip())
    wrong = tuple(name for name in details if name not in _NAMES[method_type])
    if missing or wrong:
        raise InvalidMethodDetails(missing, wrong)
    try:
        found = destinations.told(method_type, details)
    except InvalidPhone:
        raise InvalidMethodDetails(wrong=("phone_number",)) from None
    except InvalidDestination as error:
        raise InvalidMethodDetails(wrong=(error.field,)) from None
    return {"method_type": method_type, "method_details": dict(found.details)}


async def now(work: Work, _wanted: dict[str, Any]) -> dict[str, Any]:
    found = await destinations.configured_one(work)
    if found is None:
        return {}
    return {"method_type": found.method_type, "method_details": dict(found.details)}


def masked(facts: dict[str, Any]) -> dict[str, str]:
    if not facts:
        return {}
    label = destinations.of(facts["method_type"], facts["method_details"]).label
    return {"method_type": facts["method_type"], "destination": label}


def safer(_before: dict[str, Any], _after: dict[str, Any]) -> bool:
    return False


async def put(work: Work, after: dict[str, Any]) -> None:
    """What waits to be approved for the old one is closed, and asked for again where it is still wanted."""
    await leave(work, await destinations.configured_one(work))
    sealed = work.seal(after["method_details"], "tenants.payout", work.tenant)
    values = {"payout_method_type": after["method_type"], "payout_sealed": sealed}
    await work.connection.execute(sa.update(tenants).where(tenants.c.id == work.tenant).values(**values))


async def leave(work: Work, old: Destination | None) -> None:
    """Nothing that was asked for or approved goes to the one that was configured until now. With the lock of
    the tenant's row, and before the wallet is locked for anything else."""
    if old is None:
        return
    index = destinations.indexes(work, old.details)
    there = (withdrawals.c.method_type == old.method_type, withdrawals.c.details_index.in_(index))
    await deciding.void(work, old)
    await _lock(work, *there)
    await decide.void(work, *there)
    await _stop(work, *there)


_unsent = sa.exists().where(
    payouts.c.tenant_id == withdrawals.c.tenant_id,
    payouts.c.withdrawal_id == withdrawals.c.id,
    payouts.c.state == "created",
)


async def _lock(work: Work, *there: sa.ColumnElement[bool]) -> None:
    """All of them before the wallet, which the first to end moves: so does whoever decides another one."""
    mine = sa.and_(operations.c.tenant_id == withdrawals.c.tenant_id, operations.c.id == withdrawals.c.id)
    query = (
        sa.select(operations.c.id)
        .join(withdrawals, mine)
        .where(operations.c.tenant_id == work.tenant, *there)
        .where(sa.or_(withdrawals.c.status == "pending", _unsent))
        .order_by(operations.c.id)
        .with_for_update(key_share=True, of=operations)
    )
    await work.connection.execute(query)


async def _stop(work: Work, *there: sa.ColumnElement[bool]) -> None:
    """What was approved and is not sent yet ends too. The last step: what somebody approves at this moment
    was waited for before."""
    query = (
        sa.select(payouts.c.id)
        .join(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
            ),
        )
        .where(payouts.c.tenant_id == work.tenant, payouts.c.state == "created", *there)
    )
    for payout_id in sorted((await work.connection.execute(query)).scalars()):
        one = await sending(work, payout_id)
        if one.row.state == "created":
            await fail(work, one, Unsent.DESTINATION, "not sent")


def keys(_after: dict[str, Any]) -> list[str]:
    return ["payout.method_details", "payout.method_type"]
