"""Reviewing: payouts and refunds whose provider says nothing, and what people say of them."""

from uuid import UUID

from services.ids import new_id
from services.jobs import COLLECT_LADDER
from services.money import Money
from services.news.review import Settlement, SettlementMoved
from services.providers.base import Accepted, Unknown
from services.refunds import still_paid
from services.review import settling
from tests.services.business import PUBLIC, TO_PHONE, Business, PayingOut
from tests.services.refunding import Refunding, approved

LADDER = 8  # questions, the last of which finds nothing left to wait for


async def left_undecided(business: Business, amount: str = "1000", to=TO_PHONE, *, known=True) -> PayingOut:
    """A payout that was asked about along the whole ladder."""
    out = await business.approved(amount, to)
    assert await out.begun()
    await out.answered(Accepted(str(out.payout)) if known else Unknown("timeout"))
    for _ in range(LADDER):
        business.forward(hours=6)
        assert await out.asked()
    return out


async def refund_left_undecided(business: Business) -> Refunding:
    one = await approved(business, await business.paid("500"))
    await one.sent()
    for _ in range(LADDER):
        business.forward(hours=6)
        assert await one.asked()
    return one


async def given_up(business: Business, attempt: UUID) -> None:
    """A payment by hand that was told is asked about along the whole ladder."""
    for _ in range(len(COLLECT_LADDER) + 1):
        async with business.work() as work:
            await still_paid.begin_check(work, attempt, PUBLIC)
        business.forward(minutes=5)


async def propose(
    business: Business,
    attempt: UUID,
    outcome: str = "paid",
    reference: str = "SJK7ABC123",
    by: UUID | None = None,
    id_: UUID | None = None,
    amount: Money | None = None,
) -> Settlement:
    async with business.work() as work:
        maker, made = by or business.manager, id_ or new_id()
        return await settling.propose(work, maker, made, attempt, outcome, reference, "I looked", amount)


async def approve(business: Business, settlement: Settlement, by: UUID | None = None) -> Settlement:
    async with business.work() as work:
        approver = by or business.owner
        return await settling.approve(work, approver, settlement.id, settlement.digest)


async def last_told(business: Business, person: UUID) -> Settlement:
    told = [each for each in await business.news(person) if isinstance(each, SettlementMoved)]
    return told[-1].settlement
