"""Hands: that enough people are left after a change to make and approve a withdrawal."""

from services.errors.settings import LeavesNoTwo
from services.people import people
from services.people.access import who_may_withdraw
from services.work import Work


async def refuse_no_two(work: Work, *, owned: bool = False, approvals: int = 0) -> None:
    """As it is now; `owned`: there were owners, and one must be left; `approvals`: so many have to be
    possible, where that is more than usual. Raises LeavesNoTwo."""
    active = await people.active_staff(work)
    usual = (await people.tenant_of(work)).approvals
    if not who_may_withdraw(active, max(usual, approvals)) or (owned and not await people.owners(work)):
        raise LeavesNoTwo
