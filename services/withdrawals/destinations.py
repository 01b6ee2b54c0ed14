"""Destinations: where withdrawals go. Sealed in full, since the payout needs them; shown masked, the
holder's name by its initials. Only who chooses or approves one reads the name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import banks
from services.facts import Destination
from services.people import people
from services.phones import masked, mpesa_number
from services.store.schema import payouts, withdrawals
from services.work import Work

COLUMN = "withdrawals.details"
_NAMED_BY = {"mpesa": "phone_number", "till": "till_number", "bank_transfer": "account_number"}
_CHECKS: dict[str, Callable[[str], str]] = {
    "bank_code": banks.bank_code,
    "account_number": banks.account_number,
    "account_name": banks.account_name,
    "till_number": banks.till_number,
}
_HOLDER = "account_name"
_SHOWN = 9


def of(method_type: str, details: dict[str, str], *, configured: bool = False) -> Destination:
    """Raises InvalidPhone where M-Pesa cannot reach the number."""
    if method_type == "mpesa":
        details = details | {"phone_number": mpesa_number(details["phone_number"])}
    label = masked(details[_NAMED_BY[method_type]])
    if method_type == "bank_transfer":  # four digits alone would tell an approver little
        bank = banks.BANKS.get(details["bank_code"], details["bank_code"])
        label = f"{label}, {bank}, {banks.initials(details['account_name'])}"
    return Destination(method_type=method_type, details=details, label=label, configured=configured)


def entered(method_type: str, details: Mapping[str, str]) -> Destination:
    """One that a person typed in a chat. Raises InvalidPhone and InvalidDestination."""
    return of(method_type, {name: _CHECKS.get(name, str)(value) for name, value in details.items()})


def told(method_type: str, details: Mapping[str, str]) -> Destination:
    """One that a program names: the code of its bank may be any, since providers know more banks than we
    have names for. Raises InvalidPhone and InvalidDestination."""
    checks = _CHECKS | {"bank_code": banks.any_code}
    return of(method_type, {name: checks.get(name, str)(value) for name, value in details.items()})


async def known(work: Work) -> tuple[Destination, ...]:
    """The configured one first, then those paid to before, the latest first; at most ten together."""
    configured = await configured_one(work)
    listed = [configured] if configured else []
    for destination in await _paid_to(work):
        if all(not same(destination, other) for other in listed):
            listed.append(destination)
    return tuple(listed[: _SHOWN + 1])


async def configured_one(work: Work) -> Destination | None:
    """The tenant file's own; None where it has none."""
    tenant = await people.tenant_of(work)
    if tenant.payout_method_type is None or tenant.payout_sealed is None:
        return None
    details = work.open(tenant.payout_sealed, "tenants.payout", work.tenant)
    return of(tenant.payout_method_type, details, configured=True)


async def is_new(work: Work, destination: Destination) -> bool:
    """Neither configured nor paid to before."""
    return (await new_of(work, [destination]))[0]


async def new_of(work: Work, to: Sequence[Destination]) -> list[bool]:
    """Of each whether it is new."""
    configured = await configured_one(work)
    by = [indexes(work, each.details) for each in to]
    query = sa.select(withdrawals.c.method_type, withdrawals.c.details_index).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.details_index.in_([index for mine in by for index in mine]),
        withdrawals.c.status == "completed",
    )
    paid = {(row[0], row[1]) for row in await work.connection.execute(query.distinct())}
    return [
        (configured is None or not same(configured, each))
        and all((each.method_type, index) not in paid for index in mine)
        for each, mine in zip(to, by, strict=True)
    ]


def same(one: Destination, other: Destination) -> bool:
    """Whether money would arrive at the same place."""
    return one.method_type == other.method_type and place(one.details) == place(other.details)


def place(details: Mapping[str, str]) -> dict[str, str]:
    """What decides where money arrives. The holder's name does not, however it is written."""
    return {name: value for name, value in details.items() if name != _HOLDER}


def indexes(work: Work, details: Mapping[str, str]) -> list[bytes]:
    """What a withdrawal to there has as its index; before, it was of the holder's name too."""
    found = [*work.indexes(place(details), COLUMN), *work.indexes(details, COLUMN)]
    return list(dict.fromkeys(found))


def seal(work: Work, destination: Destination, withdrawal_id: UUID) -> dict[str, object]:
    """The columns of a withdrawal that hold it."""
    return {
        "details_sealed": work.seal(destination.details, COLUMN, withdrawal_id),
        "details_index": work.index(place(destination.details), COLUMN),
        "destination": destination.label,
    }


async def recipient_of(work: Work, withdrawal: sa.Row[Any], provider: str) -> str | None:
    """What the provider called this destination the last time; None where it has no name for it, or none
    that we know."""
    query = (
        sa.select(payouts.c.recipient)
        .join(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
            ),
        )
        .where(
            payouts.c.tenant_id == work.tenant,
            payouts.c.provider == provider,
            payouts.c.recipient.is_not(None),
            withdrawals.c.method_type == withdrawal.method_type,
            withdrawals.c.details_index == withdrawal.details_index,
        )
        .order_by(payouts.c.created_at.desc(), payouts.c.id.desc())
        .limit(1)
    )
    found: str | None = await work.connection.scalar(query)
    return found


async def _paid_to(work: Work) -> list[Destination]:
    """The latest withdrawal to each."""
    latest = (
        sa.select(sa.func.max(withdrawals.c.created_at).label("at"), withdrawals.c.details_index)
        .where(withdrawals.c.tenant_id == work.tenant, withdrawals.c.status == "completed")
        .group_by(withdrawals.c.details_index)
        .subquery()
    )
    query = (
        sa.select(withdrawals)
        .join(
            latest,
            sa.and_(
                latest.c.details_index == withdrawals.c.details_index,
                latest.c.at == withdrawals.c.created_at,
            ),
        )
        .where(withdrawals.c.tenant_id == work.tenant, withdrawals.c.status == "completed")
        .order_by(withdrawals.c.created_at.desc())
        .limit(_SHOWN)
    )
    rows = (await work.connection.execute(query)).all()
    return [of(row.method_type, work.open(row.details_sealed, COLUMN, row.id)) for row in rows]
