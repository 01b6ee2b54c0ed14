"""Addresses that last: one of each tenant's for all that a provider tells, and what it tells of."""

import secrets
from dataclasses import replace
from uuid import UUID

import pytest

from services import callbacks, hooks
from services.payments.record import locked
from services.privacy.periods import Periods
from services.privacy.retention import forget
from services.providers.base import Accepted, Pending, Report
from services.safety.vault import Vault
from tests.services.business import PUBLIC, Business, kes


async def lasting(business: Business, vault: Vault | None = None) -> str:
    async with business.work() as work:
        other = replace(work, vault=vault) if vault else work
        address = await hooks.lasting(other, PUBLIC, "mpesa")
    return address.removeprefix(f"{PUBLIC}/hooks/")


def ipn(attempt, reference="THEIRS-1", **facts):
    """As an unsigned notification is read that names both ids and tells no outcome."""
    told = {"reference": reference, "ask": True} | facts
    return Report("collect", frozenset({str(attempt), reference}), Pending(), told)


async def told(business, report):
    async with business.work() as work:
        hook = await hooks.named(work, "mpesa", report)
        if hook is not None:
            await callbacks.apply(work, hook, report)
    return hook


async def test_it_is_the_same_each_time_and_names_the_tenant_and_the_provider(business):
    token = await lasting(business)
    assert len(token) == 64
    assert token == await lasting(business)
    hook = await business.hook(token)
    assert hook is not None
    assert (hook.tenant_id, hook.target_id, hook.read_as) == (business.tenant, business.tenant, "ipn")
    async with business.work() as work:
        assert await hooks.provider_of(work.connection, hook) == "mpesa"
    assert await business.hook("0" * 64) is None


async def test_one_of_another_key_is_another_and_both_are_known(business):
    old = await lasting(business)
    new = await lasting(business, Vault([secrets.token_bytes(32)]))
    assert new != old
    assert None not in (await business.hook(old), await business.hook(new))


async def test_it_is_not_forgotten_with_those_of_one_payment(business):
    token = await lasting(business)
    business.forward(days=3000)
    await forget(business.database, business.vault, Periods(), business.now, really=True)
    assert await business.hook(token) is not None


async def test_what_it_tells_of_is_known_by_our_id_and_asked_about_at_once(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted("THEIRS-1"))
    business.forward(seconds=1)
    assert (await business.jobs(paying.attempt))["collect_check"].total_seconds() > 0
    assert await told(business, ipn(paying.attempt)) is not None
    assert (await business.jobs(paying.attempt))["collect_check"].total_seconds() == 0
    assert await business.balances() == {}


async def test_it_may_be_quicker_than_the_answer_and_tells_the_reference_that_was_lost(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await told(business, ipn(paying.attempt))
    async with business.work() as work:
        assert (await locked(work, paying.attempt)).reference == "THEIRS-1"
    assert (await business.jobs(paying.attempt))["collect_check"].total_seconds() == 0


async def test_another_reference_of_theirs_moves_nothing_and_alerts(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted("THEIRS-1"))
    await told(business, ipn(paying.attempt, "THEIRS-2"))
    assert await business.alerts_of(paying.attempt) == ["payment.reference_mismatch"]


async def test_of_a_payment_that_is_done_it_is_asked_whether_it_stands(business):
    paying = await business.paid("500")
    async with business.work() as work:
        reference = (await locked(work, paying.attempt)).reference or ""
    await told(business, ipn(paying.attempt, reference))
    assert (await business.jobs(paying.attempt)).keys() == {"payment_check"}
    assert await business.balances() == {"provider:mpesa": -kes("500").minor, "wallet": kes("500").minor}


@pytest.mark.parametrize("names", [frozenset(), frozenset({"x"}), frozenset({str(UUID(int=7))})])
async def test_of_an_order_that_is_none_of_ours_it_tells_nothing(business, names):
    await business.pay("500")
    report = Report("collect", names, Pending(), {"ask": True})
    assert await told(business, report) is None
