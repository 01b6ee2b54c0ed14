"""Ages: since when something stands in an account that should come back to zero."""

from datetime import timedelta

import pytest

from services import ledger
from services.ids import new_id
from services.ledger import Transfer
from services.providers.base import Succeeded
from services.providers.listing import Covered, Kind
from services.reconciliation import ages, theirs
from services.refunds.taken_back import taken_back
from tests.services.business import kes


async def standing(business):
    async with business.work() as work:
        return {each.account: each for each in await ages.standing(work.connection, work.tenant)}


async def told(business):
    async with business.work() as work:
        return [each.account for each in await ages.tell_old(work)]


async def test_what_a_provider_holds_is_as_old_as_what_no_statement_tells(business):
    await business.paid("500")
    first = business.now
    assert (await standing(business))["provider:mpesa"].since == first
    business.forward(days=4)
    assert await told(business) == []  # no statement was ever read: nobody is told every night
    async with business.work() as work:
        covered = [Covered(Kind.PAID, first - timedelta(days=1), first + timedelta(hours=1))]
        await theirs.cover(work, "mpesa", covered, "file")
    assert (await standing(business))["provider:mpesa"].since is None
    second = business.now
    await business.paid("70")
    held = (await standing(business))["provider:mpesa"]
    assert (held.since, held.until, held.stands) == (second, first + timedelta(hours=1), -kes("570"))
    assert await told(business) == []
    business.forward(days=3, seconds=1)
    assert await told(business) == ["provider:mpesa"]
    assert await told(business) == []  # once


async def test_a_payout_in_flight_is_told_once_it_is_a_day_old(business):
    await business.paid("2000")
    out = await business.approved("1000")
    assert "in flight" not in await standing(business)
    await out.sent()
    since = business.now
    business.forward(days=1, seconds=1)
    flying = (await standing(business))["in flight"]
    assert (flying.stands, flying.since, flying.too_old(business.now)) == (kes("967"), since, True)
    assert await told(business) == ["in flight"]
    await out.called(Succeeded("UKP1", kes("967")))
    assert "in flight" not in await standing(business)


async def test_what_is_owed_is_as_old_as_the_oldest_that_is_left(business):
    paid = await business.paid("500")
    await business.withdraw("500")
    business.forward(days=1)
    async with business.work() as work:
        await taken_back(work, paid.attempt, "REV1", kes("300"))
    debt = business.now
    business.forward(days=1)
    async with business.work() as work:
        await taken_back(work, paid.attempt, "REV2", kes("200"))
    owed = (await standing(business))["owed"]
    assert (owed.stands, owed.since) == (-kes("500"), debt)
    business.forward(days=1)
    await business.paid("300")  # pays the first
    assert (await standing(business))["owed"].since == debt + timedelta(days=1)


@pytest.mark.parametrize("days", [2, 4])
async def test_suspense_is_told_once_it_is_too_old(business, days):
    async with business.work() as work:
        await ledger.post(work, new_id(), [Transfer("provider:mpesa", "suspense", kes("5"), "other")])
    since = business.now
    business.forward(days=days)
    assert (await standing(business))["suspense"].since == since
    assert ("suspense" in await told(business)) is (days > 3)
    async with business.work() as work:
        await ledger.post(work, new_id(), [Transfer("suspense", "provider:mpesa", kes("5"), "other")])
    assert "suspense" not in await standing(business)
