"""Show: a tenant's configuration in the tables and keys of its file, with secrets masked.

What no file says (ids, whether payouts are stopped) stands apart, in "state".
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, SecretStr, ValidationError

from services.people import mailboxes
from services.people import people as persons
from services.people.file_parts import AMOUNTS, LimitsPart, ProvidersPart
from services.phones import masked
from services.store.schema import conversations, credentials, fees, people, products, staff
from services.withdrawals import ways
from services.work import Work
from services.written import amount_of, percent_of

_SECRET = "********"
_MASKED = ("phone_number", "account_number", "till_number")


async def shown(work: Work) -> dict[str, Any]:
    """Empty parts are left out, so that it can be laid beside the file."""
    tenant = await persons.tenant_of(work)
    opened = await _credentials(work)
    members = await _staff(work)
    tables = {
        "tenant": _tenant(tenant),
        "whatsapp": _whatsapp(tenant) | _all_secret(opened.pop("whatsapp", {})),
        "providers": {part: _provider(part, facts) for part, facts in opened.items()},
        "payout": _payout(work, tenant),
        "limits": _limits(tenant),
        "fees": await _fees(work, tenant.currency),
        "staff": [_present(member) for _, member in members],
        "products": await _products(work, tenant.currency),
    }
    state = {
        "tenant_id": str(work.tenant),
        "payouts_frozen": tenant.payouts_frozen,
        "frozen_because": tenant.frozen_because,
        "staff": [{"id": str(person), "name": member["name"]} for person, member in members],
    }
    stopped = {each.way: each.because for each in await ways.resting(work) if each.way}
    state["ways_stopped"] = stopped
    if tenant.stopped_at is not None:
        state["stopped_at"] = tenant.stopped_at.isoformat().replace("+00:00", "Z")
    return _present(tables) | {"state": _present(state)}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of two configurations is another one: of each table its keys, of each list its members. A secret
    is masked in both."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in sorted((before.keys() | after.keys()) - {"state"}):
        was, now = before.get(name), after.get(name)
        if isinstance(was or now, list):
            was, now = was or [], now or []
            pair: tuple[Any, Any] = (
                [each for each in was if each not in now],
                [each for each in now if each not in was],
            )
        else:
            was, now = was or {}, now or {}
            keys = [key for key in sorted(was.keys() | now.keys()) if was.get(key) != now.get(key)]
            pair = {key: was.get(key) for key in keys}, {key: now.get(key) for key in keys}
        for told, found in ((old, pair[0]), (new, pair[1])):
            if found:
                told[name] = found
    return old, new


def _present(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value not in (None, [], {}, "")}


def _tenant(tenant: Any) -> dict[str, Any]:
    keys = ("slug", "name", "active", "currency", "country", "timezone", "language", "summary_at")
    fee = percent_of(tenant.payment_fee_ppm)
    fixed = {"fixed_fees": True} if tenant.fixed_fees else {}
    fixed |= {} if tenant.smart_order else {"smart_order": False}
    return {key: getattr(tenant, key) for key in keys} | {"payment_fee_percent": fee} | fixed


def _whatsapp(tenant: Any) -> dict[str, Any]:
    keys = ("phone_number_id", "display_phone_number", "waba_id", "templates", "bank_form")
    return _present({key: getattr(tenant, key) for key in keys})


def _limits(tenant: Any) -> dict[str, Any]:
    limits = {key: getattr(tenant, key) for key in LimitsPart.model_fields}
    for key in AMOUNTS:
        if limits[key] is not None:
            limits[key] = amount_of(limits[key], tenant.currency)
    limits["approvals_above"] = [
        {"amount": amount_of(amount, tenant.currency), "approvals": approvals}
        for amount, approvals in tenant.approvals_above
    ]
    return {key: value for key, value in limits.items() if value not in (None, [])}


async def _credentials(work: Work) -> dict[str, dict[str, Any]]:
    query = sa.select(credentials).where(credentials.c.tenant_id == work.tenant).order_by(credentials.c.part)
    return {
        row.part: json.loads(work.vault.open(row.sealed, work.tenant, "credentials.sealed", row.part))
        for row in await work.connection.execute(query)
    }


def _provider(part: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What its settings declare as a secret is one; all of it where they cannot be read."""
    try:
        known: BaseModel = getattr(ProvidersPart.model_validate({part: facts}), part)
    except ValidationError:
        return _all_secret(facts)
    values = {key: getattr(known, key) for key in facts}
    return {key: _SECRET if isinstance(value, SecretStr) else value for key, value in values.items()}


def _all_secret(facts: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(facts, _SECRET)


def _payout(work: Work, tenant: Any) -> dict[str, Any]:
    if tenant.payout_sealed is None:
        return {}
    details = work.open(tenant.payout_sealed, "tenants.payout", work.tenant)
    masks = {key: masked(value) if key in _MASKED else value for key, value in details.items()}
    return {"method_type": tenant.payout_method_type, "method_details": masks}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


async def _fees(work: Work, currency: str) -> list[dict[str, Any]]:
    query = sa.select(fees).where(fees.c.tenant_id == work.tenant)
    rows = (await work.connection.execute(query)).all()
    listed = [
        {
            "method_type": row.method_type,
            "currency": None if row.currency == currency else row.currency,
            "from": amount_of(row.from_amount, row.currency),
            "to": None if row.to_amount is None else amount_of(row.to_amount, row.currency),
            "flat": amount_of(row.flat, row.currency),
            "percent": percent_of(row.ppm),
            "valid_from": _time(row.valid_from),
            "valid_until": _time(row.valid_until),
        }
        for row in sorted(rows, key=lambda row: (row.method_type, str(row.valid_from), row.from_amount))
    ]
    return [_present(fee) for fee in listed]


async def _products(work: Work, currency: str) -> list[dict[str, Any]]:
    query = sa.select(products).where(products.c.tenant_id == work.tenant).order_by(products.c.sku)
    return [
        _present(
            {
                "sku": row.sku,
                "name": row.name,
                "price": amount_of(row.price, currency),
                "description": row.description,
                "stock": row.stock,
                "image": row.image,
            }
        )
        for row in await work.connection.execute(query)
    ]


async def _staff(work: Work) -> list[tuple[UUID, dict[str, Any]]]:
    query = (
        sa.select(staff, people.c.name, people.c.language)
        .join(people, sa.and_(people.c.tenant_id == staff.c.tenant_id, people.c.id == staff.c.person_id))
        .where(staff.c.tenant_id == work.tenant)
        .order_by(people.c.name)
    )
    phones = await _phones(work)
    return [
        (row.person_id, _member(row, phones[row.person_id], mailboxes.of(work, row)))
        for row in (await work.connection.execute(query)).all()
    ]


def _member(row: Any, phones: list[str], email: str | None) -> dict[str, Any]:
    told = {"phone": phones[0]} if len(phones) == 1 else {"phones": phones}
    rights = {"role": row.role, "scopes": row.scopes, "language": row.language, "active": row.active}
    written_to = {"email": None if email is None else mailboxes.masked(email)}
    return {"name": row.name} | told | rights | written_to | {"tell": row.tell}


async def _phones(work: Work) -> dict[UUID, list[str]]:
    """Masked, of everybody on the staff."""
    query = (
        sa.select(conversations.c.id, conversations.c.person_id, conversations.c.phone_sealed)
        .join(
            staff,
            sa.and_(
                staff.c.tenant_id == conversations.c.tenant_id,
                staff.c.person_id == conversations.c.person_id,
            ),
        )
        .where(conversations.c.tenant_id == work.tenant, conversations.c.phone_sealed.is_not(None))
        .order_by(conversations.c.id)
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in await work.connection.execute(query):
        phone = work.vault.open(row.phone_sealed, work.tenant, "conversations.phone", str(row.id))
        found[row.person_id].append(masked(phone.decode()))
    return found
