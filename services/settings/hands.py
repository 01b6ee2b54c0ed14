"""Hands: that enough people are left after a change to make and approve a withdrawal."""

from uuid import UUID

from services.errors.settings import LeavesNoTwo
from services.people import people
from services.people.access import APPROVE, who_may_withdraw
from services.work import Work


async def refuse_no_two(work: Work, *, owned: bool = False, approvals: int = 0) -> None:
    """As it is now; `owned`: there were owners, and one must be left; `approvals`: so many have to be
    possible, where that is more than usual. A right that was lent ends, and is one with the lender's: it is
    nobody's here. Raises LeavesNoTwo."""
    active = (await people.rights_to_approve(work)).own
    usual = (await people.tenant_of(work)).approvals
    if not who_may_withdraw(active, max(usual, approvals)) or (owned and not await people.owners(work)):
        raise LeavesNoTwo


async def highest(work: Work) -> int:
    """The approvals that the largest withdrawal takes."""
    tenant = await people.tenant_of(work)
    steps: list[int] = [approvals for _, approvals in tenant.approvals_above]
    usual: int = tenant.approvals
    return max([usual, *steps])


async def approvers(work: Work) -> set[UUID]:
    """By a right of their own."""
    own = (await people.rights_to_approve(work)).own
    return {person for person, scopes in own.items() if APPROVE in scopes}
