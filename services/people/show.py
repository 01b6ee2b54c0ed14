"""Show: a tenant's configuration, with secrets masked."""

import json
from typing import Any

import sqlalchemy as sa

from services.money import Money
from services.people import people as persons
from services.people.access import granted
from services.phones import masked
from services.store.schema import conversations, credentials, fees, people, products, staff
from services.work import Work

# Of a provider's settings these are no secrets.
_OPEN = {
    "shortcode",
    "till",
    "b2c_shortcode",
    "b2b_shortcode",
    "initiator_name",
    "confirm_above",
    "public_key",
}


async def shown(work: Work) -> dict[str, Any]:
    tenant = await persons.tenant_of(work)

    def money(minor: int | None) -> str | None:
        return None if minor is None else str(Money(minor, tenant.currency))

    payout = work.open(tenant.payout_sealed, "tenants.payout", work.tenant) if tenant.payout_sealed else {}
    return {
        "tenant_id": str(work.tenant),
        "slug": tenant.slug,
        "name": tenant.name,
        "active": tenant.active,
        "currency": tenant.currency,
        "country": tenant.country,
        "timezone": tenant.timezone,
        "language": tenant.language,
        "payment_fee_percent": str(tenant.payment_fee_ppm / 10_000),
        "phone_number_id": tenant.phone_number_id,
        "credentials": await _credentials(work),
        "payout": {
            "method_type": tenant.payout_method_type,
            "method_details": {key: masked(value) for key, value in payout.items()},
        }
        if payout
        else None,
        "limits": {
            "per_withdrawal": money(tenant.per_withdrawal),
            "per_day": money(tenant.per_day),
            "totp_above": money(tenant.totp_above),
            "approvals": tenant.approvals,
            "approval_hours": tenant.approval_hours,
            "new_destination_hours": tenant.new_destination_hours,
        },
        "payouts_frozen": tenant.payouts_frozen,
        "fees": await _rows(work, fees),
        "staff": await _staff(work),
        "products": await _rows(work, products),
    }


async def _credentials(work: Work) -> dict[str, dict[str, str]]:
    query = sa.select(credentials).where(credentials.c.tenant_id == work.tenant).order_by(credentials.c.part)
    found = {}
    for row in await work.connection.execute(query):
        facts = json.loads(work.vault.open(row.sealed, work.tenant, "credentials.sealed", row.part))
        found[row.part] = {key: value if key in _OPEN else _masked(value) for key, value in facts.items()}
    return found


def _masked(secret: str) -> str:
    """As long as any other; of a long one the end is shown, to tell two apart."""
    return "********" + (secret.strip()[-4:] if len(secret) > 12 and "-----" not in secret else "")  # noqa: PLR2004


async def _staff(work: Work) -> list[dict[str, Any]]:
    query = (
        sa.select(staff, people.c.name)
        .join(people, sa.and_(people.c.tenant_id == staff.c.tenant_id, people.c.id == staff.c.person_id))
        .where(staff.c.tenant_id == work.tenant)
        .order_by(people.c.name)
    )
    return [
        {
            "id": str(row.person_id),
            "name": row.name,
            "role": row.role,
            "scopes": sorted(granted(row.role, row.scopes)),
            "active": row.active,
            "phones": await _phones(work, row.person_id),
        }
        for row in (await work.connection.execute(query)).all()
    ]


async def _phones(work: Work, person_id: Any) -> list[str]:
    query = sa.select(conversations.c.id, conversations.c.phone_sealed).where(
        conversations.c.tenant_id == work.tenant,
        conversations.c.person_id == person_id,
        conversations.c.phone_sealed.is_not(None),
    )
    return [
        masked(work.vault.open(row.phone_sealed, work.tenant, "conversations.phone", str(row.id)).decode())
        for row in await work.connection.execute(query)
    ]


async def _rows(work: Work, table: sa.Table) -> list[dict[str, Any]]:
    """Amounts in minor units, as they are kept."""
    query = sa.select(table).where(table.c.tenant_id == work.tenant)
    hidden = {"tenant_id", "id"}
    return [
        {key: value for key, value in row._mapping.items() if key not in hidden}  # noqa: SLF001  its public name
        for row in await work.connection.execute(query)
    ]
