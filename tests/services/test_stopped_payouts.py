"""One person stops all payouts; two, or the operator, let them go on."""

import pytest

from services import audit
from services.errors import FourEyesViolation, MissingScope
from services.errors.limits import PayoutsStoppedBy
from services.errors.settings import InvalidChange
from services.ids import new_id
from services.news.settings import StoppedByPerson
from services.settings import changing
from services.store.schema import tenants
from services.withdrawals import stop
from tests.services.business import PayingOut


@pytest.fixture
async def funded(business):
    await business.paid("10000")
    return business


async def ask_to_go_on(business, maker):
    async with business.work() as work:
        return await changing.ask(work, maker, new_id(), "resume", {})


async def approve(business, change, approver):
    async with business.work() as work:
        return await changing.approve(work, approver, change.id, change.digest)


async def test_what_is_approved_waits_and_is_sent_once_two_let_it(funded):
    paying_out = await funded.approved()
    async with funded.work() as work:
        assert await stop.stop(work, funded.manager)
        assert not await stop.stop(work, funded.owner)  # the first has stopped them
    assert not await paying_out.begun()
    waiting = await funded.withdraw("100")  # may be asked for, and not approved
    with pytest.raises(PayoutsStoppedBy):
        async with funded.teller(funded.manager) as teller:
            await teller.approve(waiting.id, waiting.digest)
    told = [news for news in await funded.news(funded.cashier) if isinstance(news, StoppedByPerson)]
    assert [(news.by, news.stopped) for news in told] == [("Otieno", True)]
    change = await ask_to_go_on(funded, funded.manager)
    with pytest.raises(FourEyesViolation):
        await approve(funded, change, funded.manager)
    assert (await approve(funded, change, funded.owner)).state == "done"
    assert await PayingOut(funded, paying_out.withdrawal, paying_out.payout).begun()


async def test_one_approval_lifts_no_later_stop(funded):
    async with funded.work() as work:
        await stop.stop(work, funded.manager)
    change = await ask_to_go_on(funded, funded.manager)
    async with funded.work() as work:
        await stop.start_again(work, audit.OPERATOR)
    funded.forward(minutes=1)
    async with funded.work() as work:
        await stop.stop(work, funded.owner)
    assert (await approve(funded, change, funded.owner)).because == "changed"
    async with funded.work() as work:
        assert await stop.start_again(work, audit.OPERATOR)


async def test_the_operator_s_stop_is_the_operator_s_and_a_cashier_stops_nothing(funded):
    with pytest.raises(MissingScope):
        async with funded.work() as work:
            await stop.stop(work, funded.cashier)
    async with funded.work() as work:
        assert await stop.stop(work, None)
    with pytest.raises(InvalidChange):
        await ask_to_go_on(funded, funded.manager)
    assert await funded.alerts() == ["payouts.stopped"]


async def test_the_operator_s_stop_takes_the_place_of_one_from_inside(funded):
    """Or one of two who are up to something stops first, and the two let all go on behind the operator."""
    async with funded.work() as work:
        assert await stop.stop(work, funded.manager)
    change = await ask_to_go_on(funded, funded.manager)
    async with funded.work() as work:  # at the same moment: it is the operator's all the same
        assert await stop.stop(work, None)
        assert not await stop.stop(work, None)
        assert not await stop.stop(work, funded.owner)
    assert (await approve(funded, change, funded.owner)).because == "changed"
    with pytest.raises(InvalidChange):
        await ask_to_go_on(funded, funded.manager)
    tenant = await funded.row(tenants, funded.tenant)
    assert (tenant.stopped_at is None, tenant.stopped_by) == (False, None)
    assert await funded.alerts() == ["payouts.stopped", "payouts.stopped"]
    told = [news.by for news in await funded.news(funded.cashier) if isinstance(news, StoppedByPerson)]
    assert told == ["Otieno", None]
    async with funded.work() as work:
        assert await stop.start_again(work, audit.OPERATOR)
