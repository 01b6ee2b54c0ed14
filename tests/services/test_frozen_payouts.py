"""Payouts that stop, who is told, and how they go on."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import audit as record
from services.errors import PayoutsFrozen
from services.news import (
    Frozen,
    Held,
    PayoutsResumed,
    PayoutsStopped,
    Unpaid,
    WithdrawalHeldBack,
)
from services.providers.base import Failed, Misconfigured, Succeeded, Unknown
from services.store.schema import audit, jobs, payouts, tenants
from services.withdrawals import freeze
from services.withdrawals.attempt import sending
from tests.services.business import TO_BANK, TO_TILL, PayingOut, kes

SENT = Succeeded("UKP9000001", kes("967"))
UNREGISTERED = Failed(Unpaid.RECEIVER, "unregistered number")
INITIATOR = Failed(Unpaid.SHOP, "2001 The initiator information is invalid.", ours=True)
SHORT = Failed(Unpaid.INSUFFICIENT_FUNDS, "1 The balance is insufficient", ours=True)


@pytest.fixture
async def paying_out(business):
    await business.paid("10000")
    return await business.approved("1000")


async def told(business, person, kind):
    return [news for news in await business.news(person) if isinstance(news, kind)]


async def unfrozen(business):
    async with business.work() as work:
        return await freeze.unfreeze(work, "operator")


@pytest.mark.parametrize(("word", "because"), [(INITIATOR, Frozen.SETTINGS), (SHORT, Frozen.FUNDS)])
async def test_that_payouts_stop_and_why_is_told_once_to_those_who_reconcile(
    business, paying_out, word, because
):
    second = await business.approved("500")
    for each in (paying_out, second):
        await each.sent()
    for each in (paying_out, second):
        await each.called(word)
    assert await business.resting() == {"mpesa": because}
    for person in (business.owner, business.manager):
        (news,) = await told(business, person, PayoutsStopped)
        assert (news.because, news.rail) == (because, "mpesa")
    assert await told(business, business.cashier, PayoutsStopped) == []
    assert await business.alerts() == ["payouts.frozen"] * 2


async def test_a_contradiction_is_graver_than_wrong_settings_and_stays_the_cause(business, paying_out):
    second = await business.approved("500")
    for each in (paying_out, second):
        await each.sent()
    await paying_out.called(INITIATOR)
    await second.called(UNREGISTERED)
    await second.called(Succeeded("UKP9000002", kes("467")))
    async with business.work() as work:
        await freeze.freeze(work, await sending(work, second.payout), Frozen.SETTINGS, "again")
    assert await business.resting() == {None: Frozen.CONTRADICTION, "mpesa": Frozen.SETTINGS}
    causes = [news.because for news in await told(business, business.owner, PayoutsStopped)]
    assert causes == [Frozen.SETTINGS, Frozen.CONTRADICTION]


@pytest.mark.parametrize("how", ["misconfigured", "failed"])
async def test_maker_and_approvers_are_told_once_that_a_payout_is_held_back(business, paying_out, how):
    await paying_out.begun()
    if how == "misconfigured":
        await paying_out.answered(Misconfigured("Wrong credentials"))
    else:
        await paying_out.called(INITIATOR)
    waits = PayingOut(business, paying_out.withdrawal, await business.payout_of(paying_out.withdrawal.id))
    for _ in range(3):
        business.forward(minutes=10)
        assert not await waits.begun()
    for person in (business.cashier, business.manager, business.owner):
        (news,) = await told(business, person, WithdrawalHeldBack)
        assert news.withdrawal.id == paying_out.withdrawal.id
    assert await business.jobs(waits.payout) == {"payout": timedelta(minutes=10)}


async def test_a_payout_that_was_approved_just_before_is_told_as_held_back_too(business, paying_out):
    second = await business.approved("500")
    await paying_out.begun()
    await paying_out.answered(Misconfigured("Wrong credentials"))
    for _ in range(2):
        assert not await second.begun()
    held = [news.withdrawal.id for news in await told(business, business.cashier, WithdrawalHeldBack)]
    assert held == [paying_out.withdrawal.id, second.withdrawal.id]


async def test_unfreezing_makes_what_waits_due_at_once_and_is_told_and_recorded(business, paying_out):
    asked = await business.approved("500")
    await asked.begun()
    await asked.answered(Unknown("timeout"))
    await paying_out.begun()
    await paying_out.answered(Misconfigured("Wrong credentials"))
    assert await unfrozen(business)
    assert await business.resting() == {}
    assert await business.jobs(paying_out.payout) == {"payout": timedelta(0)}
    assert await business.jobs(asked.payout) == {"payout_check": timedelta(0)}
    assert [news.rail for news in await told(business, business.owner, PayoutsResumed)] == ["mpesa"]
    assert await told(business, business.cashier, PayoutsResumed) == []
    async with business.behind() as work:
        query = sa.select(audit.c.actor).where(audit.c.action == "payouts.unfrozen")
        assert await work.connection.scalar(query) == "operator"
    await paying_out.sent()
    await paying_out.called(SENT)
    assert await business.wallet() == ("9000.00", "500.00", "8500.00")


async def test_unfreezing_what_is_not_stopped_changes_and_tells_nothing(business, paying_out):
    before = await business.row(tenants, business.tenant)
    assert not await unfrozen(business)
    assert await business.row(tenants, business.tenant) == before
    assert await told(business, business.owner, PayoutsResumed) == []


async def test_unfreezing_takes_no_job_from_who_does_it(business, paying_out):
    await business.set(payouts_frozen=True)
    later = business.now + timedelta(minutes=5)
    await business.change(
        jobs,
        jobs.c.target_id == paying_out.payout,
        due_at=later,
        leased_until=business.now + timedelta(minutes=1),
    )
    await unfrozen(business)
    async with business.behind() as work:
        row = (await work.connection.execute(sa.select(jobs).where(jobs.c.kind == "payout"))).one()
    assert (row.due_at, row.leased_until) == (later, business.now + timedelta(minutes=1))


async def test_unfreezing_and_freezing_at_once_end_in_one_of_both(business, paying_out):
    others = [await business.approved("500") for _ in range(3)]
    for each in others:
        await each.begun()
    await business.set(payouts_frozen=True)
    await asyncio.gather(*(each.answered(Misconfigured("keys")) for each in others), unfrozen(business))
    assert await business.resting() in ({}, {"mpesa": "settings"})


async def test_each_way_out_stops_and_goes_on_by_itself(business, paying_out):
    """A wrong setting of one says nothing of the others."""
    till, bank = [await business.approved("1000", to) for to in (TO_TILL, TO_BANK)]
    waiting = await business.withdraw("500")
    await paying_out.begun()
    await paying_out.answered(Misconfigured("403"))
    assert await business.resting() == {"mpesa": "settings"}
    for each in (till, bank):
        assert await each.begun()
    await till.answered(Misconfigured("B2B is not enabled"))
    assert await business.resting() == {"mpesa": "settings", "till": "settings"}
    with pytest.raises(PayoutsFrozen) as refused:
        async with business.teller(business.manager) as teller:
            await teller.approve(waiting.id, waiting.digest)
    assert refused.value.way == "mpesa"
    async with business.work() as work:
        assert await freeze.unfreeze_ways(work, "operator", ["mpesa", "bank_transfer"]) == ["mpesa"]
    assert await business.resting() == {"till": "settings"}
    assert await paying_out.begun()
    assert not await till.begun()
    assert (await business.row(payouts, till.payout)).held == Held.RAIL
    assert [news.rail for news in await told(business, business.owner, PayoutsStopped)] == ["mpesa", "till"]


async def test_only_questions_about_that_way_out_wait_for_its_settings(business, paying_out):
    bank = await business.approved("1000", TO_BANK)
    for each in (paying_out, bank):
        await each.begun()
        await each.answered(Unknown("timeout"))
    async with business.work() as work:
        await freeze.freeze(work, await sending(work, bank.payout), Frozen.SETTINGS, "key")
    assert await paying_out.asked()
    assert not await bank.asked()


@pytest.mark.parametrize("first", ["settings", "operator"])
async def test_a_way_that_the_operator_stops_is_still_not_asked_with_wrong_settings(
    business, paying_out, first
):
    """Each question would be one more failed login, and the credential would be locked."""
    await paying_out.begun()
    await paying_out.answered(Unknown("timeout"))
    async with business.work() as work:
        if first == "operator":
            await freeze.freeze_way(work, "mpesa")
        await freeze.freeze(work, await sending(work, paying_out.payout), Frozen.SETTINGS, "keys")
        if first == "settings":
            await freeze.freeze_way(work, "mpesa")
    assert await business.resting() == {"mpesa": "operator"}
    assert not await paying_out.asked()
    async with business.work() as work:  # the settings are put right
        assert await freeze.unfreeze_ways(work, "operator", ["mpesa"], Frozen.SETTINGS) == []
    assert await business.resting() == {"mpesa": "operator"}
    assert await paying_out.asked()


async def test_what_the_operator_stops_no_file_lets_go_on(business, paying_out):
    async with business.work() as work:
        assert await freeze.freeze_way(work, "mpesa")
        assert not await freeze.freeze_way(work, "mpesa")
        await freeze.freeze(work, await sending(work, paying_out.payout), Frozen.SETTINGS, "keys")
        assert await freeze.unfreeze_ways(work, "operator", ["mpesa"], Frozen.SETTINGS) == []
    assert await business.resting() == {"mpesa": "operator"}
    assert not await paying_out.begun()
    assert await unfrozen(business)
    assert await business.resting() == {}
    async with business.teller(business.owner) as teller:
        assert (await teller.balance()).resting == ()


async def test_an_alert_is_found_by_its_target_and_its_time(business, paying_out):
    await paying_out.sent()
    await paying_out.called(INITIATOR)
    async with business.work() as work:
        frozen = "payouts.frozen"
        assert await record.alerted(work, frozen, target=paying_out.payout)
        assert not await record.alerted(work, frozen, target=paying_out.withdrawal.id)
        assert await record.alerted(work, frozen, since=business.now)
        assert not await record.alerted(work, frozen, since=business.now + timedelta(seconds=1))
