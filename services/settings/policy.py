"""Policy: how many others a change from inside takes, and whether each types a one-time code.

Whoever may change the rules could get around them, so a change takes what the largest withdrawal would: as
many approvals as the highest step of the tenant's policy, and a code wherever codes are in use at all. Where
fewer others may approve at this moment, all of them; and never fewer than one.
"""

from uuid import UUID

from services.people import people
from services.settings import hands, staffing
from services.settings.kinds import Facts, Setting
from services.withdrawals.limits import Policy
from services.work import Work


async def policy(work: Work, setting: Setting, maker: UUID, after: Facts) -> Policy:
    """For a change that is asked for now."""
    if not setting.weighty:
        return Policy(1, step_up=False)
    tenant = await people.tenant_of(work)
    others = await hands.approvers(work) - {maker, staffing.whose(after)}
    most = min(await hands.highest(work), len(others))
    return Policy(max(1, most), step_up=tenant.totp_above is not None)


async def takes_code(work: Work, setting: Setting) -> bool:
    """By what the tenant has set by now."""
    return setting.weighty and (await people.tenant_of(work)).totp_above is not None
