"""File warnings: what a tenant file may say, and whoever wrote it may not have meant."""

from datetime import timedelta

import sqlalchemy as sa

from services import hours
from services.people import people as persons
from services.people.access import APPROVE, who_may_withdraw
from services.people.file_parts import TenantFile
from services.providers import PROVIDERS
from services.store.schema import totps
from services.work import Work


async def warnings(work: Work, file: TenantFile) -> list[str]:
    return [
        *_of_no_use(file),
        *await _never_approved(work, file),
        *_expires_unseen(file),
        *await _hands_missing(work, file),
    ]


def _of_no_use(file: TenantFile) -> list[str]:
    """Providers that move another money than the tenant's."""
    return [
        f"providers.{name}: moves {', '.join(sorted(provider.currencies))} only and the tenant's currency is "
        f"{file.tenant.currency}, so nobody can pay or be paid by it"
        for name, provider in PROVIDERS.items()
        if getattr(file.providers, name) is not None and file.tenant.currency not in provider.currencies
    ]


async def _never_approved(work: Work, file: TenantFile) -> list[str]:
    above = file.limits.totp_above
    if above is None:
        return []
    query = sa.select(totps.c.person_id).where(totps.c.tenant_id == work.tenant)
    enrolled = set((await work.connection.execute(query)).scalars())
    if enrolled & await persons.with_scope(work, APPROVE):
        return []
    lacking = f"nobody who approves has one-time codes yet, so nothing above {above} can be approved"
    return [f"limits.totp_above: {lacking}: python main.py staff totp gives them"]


def _expires_unseen(file: TenantFile) -> list[str]:
    blocked, given = file.limits.blocked_hours, timedelta(hours=file.limits.approval_hours)
    if blocked is None or hours.length(blocked) < given:
        return []
    what = "limits.blocked_hours: what is asked for at their beginning expires before anybody may approve it"
    return [f"{what}, since approval_hours is {file.limits.approval_hours}"]


async def _hands_missing(work: Work, file: TenantFile) -> list[str]:
    active = await persons.active_staff(work)
    what = "one active member of staff with finance:withdraw:initiate"
    told = []
    for above, needed in _needed(file):
        if not who_may_withdraw(active, needed):
            others = "another one" if needed == 1 else f"{needed} others"
            told.append(
                f"no withdrawal can be made{above}: that takes {what} and {others} with "
                "finance:withdraw:approve"
            )
    return told[:1]


def _needed(file: TenantFile) -> list[tuple[str, int]]:
    """How many others, the fewest first."""
    bands = [(f" above {band.amount} in 24 hours", band.approvals) for band in file.limits.approvals_above]
    return [("", file.limits.approvals), *sorted(bands, key=lambda band: band[1])]
