"""The operator's file asks for more approvers while something waits, of whatever kind it is."""

from typing import Any

import pytest
import sqlalchemy as sa

from services import open_requests
from services.news.batches import BatchAsked
from services.news.refunds import RefundRequested
from services.news.schedules import ScheduleAsked
from services.news.settings import ChangeAsked
from services.store.schema import audit, operations
from tests.services import refunding
from tests.services.approval.test_changes import approve as approve_change
from tests.services.approval.test_changes import ask as ask_change
from tests.services.approval.test_changes import pass_a_day
from tests.services.batches.test_batches import approve as approve_batch
from tests.services.batches.test_batches import ask as ask_batch
from tests.services.schedules.test_schedules import approve as approve_schedule
from tests.services.schedules.test_schedules import ask as ask_schedule


@pytest.fixture
async def shop(business):
    """Four may approve, and reconcile."""
    business.paying = await business.paid("50000")
    await business.set(approval_hours=12)
    business.second = await business.person("Baraka", "Finance Admin")
    business.third = await business.person("Kamau", "Finance Admin")
    return business


async def stricter(business, **limits):
    await business.set(**limits)
    async with business.work() as work:
        await open_requests.hold_against_now(work, set())


async def ask_refund(business):
    return await refunding.ask(business, business.paying, "1000")


async def ask_limit(business):
    return await ask_change(business, "limits", {"approval_hours": 24})


KINDS: dict[str, Any] = {
    "batch": (ask_batch, approve_batch, BatchAsked),
    "schedule": (ask_schedule, approve_schedule, ScheduleAsked),
    "refund": (ask_refund, refunding.approve, RefundRequested),
    "change": (ask_limit, approve_change, ChangeAsked),
}


async def test_what_took_a_code_takes_one_when_it_is_asked_anew(shop):
    await shop.set(totp_above=999_00)
    asked = await ask_refund(shop)
    await stricter(shop, approvals=3, totp_above=None)
    after = await shop.row(operations, asked.id)
    assert (after.round, after.step_up) == (2, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_asked_anew_of_all_once_and_until_the_same_end(shop, kind):
    ask, approve, news = KINDS[kind]
    asked = await ask(shop)
    before = await shop.row(operations, asked.id)
    await stricter(shop, approvals=3)
    after = await shop.row(operations, asked.id)
    assert (before.approvals_needed, after.approvals_needed) == (1, 3)
    assert (after.state, after.expires_at, after.round) == ("pending", before.expires_at, 2)
    async with shop.behind() as work:
        recorded = sa.select(audit.c.facts).where(audit.c.action.like("%.asked_again"))
        assert (await work.connection.scalars(recorded)).all() == [{"digest": after.digest, "approvals": 3}]
    for person in (shop.second, shop.third):
        told = [each for each in await shop.news(person) if isinstance(each, news)]
        assert len(told) == 2
    await stricter(shop, approvals=3)
    await stricter(shop, approvals=2)  # a softer one changes nothing of what is open
    assert await shop.row(operations, asked.id) == after
    anew = asked.model_copy(update={"digest": after.digest})
    for person in (shop.second, shop.third):
        assert (await approve(shop, anew, person)).id == asked.id
        assert (await shop.row(operations, asked.id)).state == "pending"


async def test_the_maker_of_a_refund_is_not_asked_to_decide_it(shop):
    await ask_refund(shop)  # the manager's
    await stricter(shop, approvals=3)
    assert not [each for each in await shop.news(shop.manager) if isinstance(each, RefundRequested)]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_over_is_left_alone(shop, kind):
    ask, approve, _ = KINDS[kind]
    asked = await ask(shop)
    await approve(shop, asked, shop.second)
    before = await shop.row(operations, asked.id)
    await stricter(shop, approvals=3)
    assert await shop.row(operations, asked.id) == before


async def test_a_change_that_waits_for_its_day_needs_as_many_as_it_takes_when_it_takes_effect(shop):
    change = await approve_change(shop, await ask_limit(shop), shop.second)
    assert change.state == "cooling"
    await stricter(shop, approvals=2)
    change = await pass_a_day(shop, change)
    assert (change.state, change.because) == ("void", "approver")
