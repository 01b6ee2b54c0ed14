"""File warnings: what a tenant file may say, and whoever wrote it may not have meant."""

from services.people import people as persons
from services.people.access import who_may_withdraw
from services.people.tenant_file import TenantFile
from services.providers import PROVIDERS
from services.work import Work


async def warnings(work: Work, file: TenantFile) -> list[str]:
    return [*_of_no_use(file), *_never_approved(file), *await _hands_missing(work, file)]


def _of_no_use(file: TenantFile) -> list[str]:
    """Providers that move another money than the tenant's."""
    return [
        f"providers.{name}: moves {provider.currency} only and the tenant's currency is "
        f"{file.tenant.currency}, so nobody can pay or be paid by it"
        for name, provider in PROVIDERS.items()
        if getattr(file.providers, name) is not None and provider.currency != file.tenant.currency
    ]


def _never_approved(file: TenantFile) -> list[str]:
    above = file.limits.totp_above
    if above is None:
        return []
    return [
        f"limits.totp_above: nobody can give a one-time code yet, so nothing above {above} can be approved"
    ]


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
