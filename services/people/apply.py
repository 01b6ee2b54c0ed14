"""Apply: a tenant's file, made true. Changes what differs and nothing else, in one transaction."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr

from services import audit, summary
from services.ids import new_id
from services.inbox import tell_people
from services.news import Frozen, TenantChanged
from services.open_requests import hold_against_now
from services.people import people as persons
from services.people import show
from services.people.access import APPROVE
from services.people.file_parts import LimitsPart, ProvidersPart, TenantFile
from services.people.file_products import products_changed
from services.people.file_warnings import warnings
from services.people.staffing import staff_changed
from services.providers import PROVIDERS
from services.settings import destination, undone
from services.store.schema import accounts, attempts, credentials, fees, tenants
from services.store.scope import PLATFORM, within
from services.withdrawals import destinations
from services.withdrawals.freeze import unfreeze_ways
from services.work import Work, canonical
from services.written import minor_of, ppm_of

_KEYS = {  # what a column is called in the file
    "payment_fee_ppm": "tenant.payment_fee_percent",
    "phone_number_id": "whatsapp.phone_number_id",
    "display_phone_number": "whatsapp.display_phone_number",
    "waba_id": "whatsapp.waba_id",
    "templates": "whatsapp.templates",
    "bank_form": "whatsapp.bank_form",
    "payout_method_type": "payout.method_type",
    "payout_sealed": "payout.method_details",
} | {key: f"limits.{key}" for key in LimitsPart.model_fields}
_BAND = ("method_type", "currency", "from_amount", "to_amount", "flat", "ppm", "valid_from", "valid_until")


class NumberTaken(Exception):
    """Another tenant has this phone_number_id."""


class CurrencyInUse(Exception):
    """The tenant has books in its currency, and amounts do not change theirs."""


@dataclass
class Applied:
    """What applying a file has done."""

    tenant_id: UUID
    slug: str
    created: bool
    changed: list[str] = field(default_factory=list)
    staff: list[dict[str, str | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def apply(work: Work, file: TenantFile) -> Applied:
    """`work.tenant` is the tenant's id where the slug is known (see `id_of`), else a new one.

    Raises NumberTaken, CurrencyInUse and OnePersonEach. The owners are told what an operator has changed.
    """
    await _refuse_taken_number(work, file)
    row = (await work.connection.execute(sa.select(tenants).where(_me(work)).with_for_update())).first()
    applied = Applied(work.tenant, file.tenant.slug, created=row is None)
    before = await show.shown(work) if row else {}
    owners = await persons.owners(work) if row else set()
    approvers = await persons.with_scope(work, APPROVE)
    values, left = _values(file), None
    if row is None:
        new = {"id": work.tenant, "version": 1, "created_at": work.now} | values
        new["payout_sealed"] = _sealed_payout(work, file)
        await work.connection.execute(sa.insert(tenants).values(**new))
    else:
        different = {key: value for key, value in values.items() if getattr(row, key) != value}
        if "currency" in different:
            await _refuse_while_in_use(work, row.currency)
        if _payout(work, row) != (file.payout and file.payout.method_details):
            different["payout_sealed"] = _sealed_payout(work, file)
        applied.changed += sorted(_KEYS.get(key, f"tenant.{key}") for key in different)
        if {"payout_sealed", "payout_method_type"} & different.keys():
            left = await destinations.configured_one(work)
        if different:
            await work.connection.execute(sa.update(tenants).where(_me(work)).values(**different))
    if applied.created or {"tenant.summary_at", "tenant.timezone"} & set(applied.changed):
        await summary.begin(work)
    applied.changed += await _credentials_changed(work, file)
    applied.changed += await _fees_changed(work, file)
    applied.changed += await products_changed(work, file)
    changed_staff, applied.staff = await staff_changed(work, file)
    applied.changed += changed_staff
    if any(key.startswith(("staff.", "limits.")) for key in applied.changed):
        await hold_against_now(work, approvers)
    await destination.leave(work, left)
    applied.changed += await _payouts_go_on(work, row, applied.changed)
    applied.warnings = [*await undone.warnings(work, applied.changed), *await warnings(work, file)]
    await _conclude(work, applied, owners, before)
    return applied


async def _payouts_go_on(work: Work, row: Any, changed: list[str]) -> list[str]:
    """What the provider refused has been put right, as far as can be seen: so it is tried again."""
    of = {key.removeprefix("providers.") for key in changed if key.startswith("providers.")}
    ways = {way for name in of & PROVIDERS.keys() for way in PROVIDERS[name].pays_out}
    if row is None or not await unfreeze_ways(work, audit.OPERATOR, ways, Frozen.SETTINGS):
        return []
    return ["payouts_frozen"]


async def id_of(connection: Any, slug: str) -> UUID | None:
    """The tenant's id; None where no tenant has this slug."""
    found: UUID | None = await connection.scalar(sa.select(tenants.c.id).where(tenants.c.slug == slug))
    return found


async def _conclude(work: Work, applied: Applied, owners: set[UUID], before: dict[str, Any]) -> None:
    if applied.created:
        applied.changed.clear()  # everything is new
    elif not applied.changed:
        return
    else:
        version = sa.update(tenants).where(_me(work)).values(version=tenants.c.version + 1)
        await work.connection.execute(version)
        await tell_people(work, owners, TenantChanged(changed=tuple(applied.changed)))
    action = "tenant.created" if applied.created else "tenant.changed"
    told = show.difference(before, await show.shown(work))
    facts = {"changed": applied.changed}
    await audit.record(work, audit.OPERATOR, action, work.tenant, facts, before=told[0], after=told[1])


async def _refuse_taken_number(work: Work, file: TenantFile) -> None:
    if file.whatsapp is None:
        return
    query = sa.select(tenants.c.slug).where(
        tenants.c.phone_number_id == file.whatsapp.phone_number_id, tenants.c.id != work.tenant
    )
    async with within(work.connection, PLATFORM):  # an operator's act: it looks at the numbers of all
        if (other := await work.connection.scalar(query)) is None:
            return
    raise NumberTaken(f"phone_number_id {file.whatsapp.phone_number_id} belongs to tenant {other!r} already")


async def _refuse_while_in_use(work: Work, currency: str) -> None:
    """Who was asked to pay may have paid, however late that is told."""
    moved, asked = (sa.exists().where(table.c.tenant_id == work.tenant) for table in (accounts, attempts))
    if await work.connection.scalar(sa.select(moved | asked)):
        raise CurrencyInUse(
            f"the tenant has books in {currency} already: keep that, or make another tenant with its own slug"
        )


def _values(file: TenantFile) -> dict[str, Any]:
    tenant, whatsapp, limits = file.tenant, file.whatsapp, file.limits

    def minor(amount: str | None) -> int | None:
        return None if amount is None else minor_of(amount, tenant.currency)

    return {
        "slug": tenant.slug,
        "name": tenant.name or tenant.slug,
        "active": tenant.active,
        "currency": tenant.currency,
        "country": tenant.country,
        "timezone": tenant.timezone,
        "language": tenant.language,
        "payment_fee_ppm": ppm_of(tenant.payment_fee_percent),
        "fixed_fees": tenant.fixed_fees,
        "smart_order": tenant.smart_order,
        "summary_at": tenant.summary_at,
        "phone_number_id": whatsapp.phone_number_id if whatsapp else None,
        "display_phone_number": whatsapp.display_phone_number if whatsapp else None,
        "waba_id": whatsapp.waba_id if whatsapp else None,
        "templates": {k: v.model_dump(exclude_defaults=True) for k, v in whatsapp.templates.items()}
        if whatsapp
        else {},
        "bank_form": whatsapp.bank_form if whatsapp else None,
        "per_withdrawal": minor(limits.per_withdrawal),
        "per_day": minor(limits.per_day),
        "per_destination": minor(limits.per_destination),
        "per_maker": minor(limits.per_maker),
        "count_per_day": limits.count_per_day,
        "count_per_destination": limits.count_per_destination,
        "blocked_hours": limits.blocked_hours,
        "totp_above": minor(limits.totp_above),
        "low_balance": minor(limits.low_balance),
        "approvals": limits.approvals,
        "approvals_above": sorted(
            [minor_of(band.amount, tenant.currency), band.approvals] for band in limits.approvals_above
        ),
        "approval_hours": limits.approval_hours,
        "new_destination_hours": limits.new_destination_hours,
        "payout_method_type": file.payout.method_type if file.payout else None,
    }


def _payout(work: Work, row: Any) -> Any:
    return work.open(row.payout_sealed, "tenants.payout", work.tenant) if row.payout_sealed else None


def _sealed_payout(work: Work, file: TenantFile) -> bytes | None:
    if file.payout is None:
        return None
    return work.seal(file.payout.method_details, "tenants.payout", work.tenant)


async def _credentials_changed(work: Work, file: TenantFile) -> list[str]:
    wanted: dict[str, dict[str, Any]] = {}
    if file.whatsapp is not None and file.whatsapp.access_token is not None:
        wanted["whatsapp"] = {"access_token": file.whatsapp.access_token.get_secret_value()}
    for name in ProvidersPart.model_fields:
        if (part := getattr(file.providers, name)) is not None:
            wanted[name] = _revealed(part.model_dump(exclude_none=True))
    query = sa.select(credentials.c.part, credentials.c.sealed).where(credentials.c.tenant_id == work.tenant)
    known = {row.part: row.sealed for row in await work.connection.execute(query)}
    changed = []
    for part in sorted(wanted.keys() | known.keys()):
        mine = (credentials.c.tenant_id == work.tenant, credentials.c.part == part)
        if part not in wanted:
            await work.connection.execute(sa.delete(credentials).where(*mine))
        elif part not in known or _opened(work, known[part], part) != wanted[part]:
            sealed = work.vault.seal(
                canonical(wanted[part]).encode(), work.tenant, "credentials.sealed", part
            )
            await work.connection.execute(sa.delete(credentials).where(*mine))
            new = {"tenant_id": work.tenant, "part": part, "sealed": sealed}
            await work.connection.execute(sa.insert(credentials).values(**new))
        else:
            continue
        changed.append("whatsapp.access_token" if part == "whatsapp" else f"providers.{part}")
    return changed


def _revealed(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in facts.items()}


def _opened(work: Work, sealed: bytes, part: str) -> Any:
    return json.loads(work.vault.open(sealed, work.tenant, "credentials.sealed", part))


async def _fees_changed(work: Work, file: TenantFile) -> list[str]:
    wanted = [
        (
            fee.method_type,
            currency := file.currency_of(fee),
            minor_of(fee.from_, currency),
            None if fee.to is None else minor_of(fee.to, currency),
            minor_of(fee.flat, currency),
            ppm_of(fee.percent),
            file.begins(fee),
            file.ends(fee),
        )
        for fee in file.fees
    ]
    query = sa.select(*(fees.c[name] for name in _BAND)).where(fees.c.tenant_id == work.tenant)
    known = {tuple(row) for row in await work.connection.execute(query)}
    if known == set(wanted):  # times by what they are, however they are written
        return []
    await work.connection.execute(sa.delete(fees).where(fees.c.tenant_id == work.tenant))
    rows = [{"tenant_id": work.tenant, "id": new_id()} | dict(zip(_BAND, fee, strict=True)) for fee in wanted]
    if rows:
        await work.connection.execute(sa.insert(fees), rows)
    return ["fees"]


def _me(work: Work) -> sa.ColumnElement[bool]:
    return tenants.c.id == work.tenant
