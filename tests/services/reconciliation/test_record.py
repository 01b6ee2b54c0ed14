"""Record: breaks that come back, that change after they were closed, and that two processes tell of."""

import asyncio
from dataclasses import replace

from services.news.reconciliation import BreakReopened, BreaksAged
from services.providers.listing import Kind
from services.reconciliation.alerts import tell_aged
from services.reconciliation.closing import close, close_as_operator
from services.reconciliation.facts import Break, State, Type
from services.reconciliation.record import keep, read
from services.store.schema import people
from tests.services.business import kes


def a_break(business):
    return Break(Type.MISSING_IN_BOOKS, "line:SJK1", Kind.PAID, business.now, None, kes("500"), line="SJK1")


async def kept(business, *found, gone=()):
    async with business.work() as work:
        await keep(work, "mpesa", found, gone)
        return await read(work)


async def told(business):
    async with business.work() as work:
        return len(await tell_aged(work, "mpesa"))


async def test_a_break_that_is_back_is_told_again(business):
    found = a_break(business)
    await kept(business, found)
    business.forward(days=2)
    assert await told(business) == 1
    await kept(business, found)  # it never went away
    assert await told(business) == 0
    await kept(business, gone=[found.subject])
    await kept(business, found)
    assert await told(business) == 1
    assert await told(business) == 0
    assert [type(each) for each in await business.news(business.manager)] == [BreaksAged, BreaksAged]


async def test_what_two_processes_find_old_is_told_by_one_of_them(business):
    await kept(business, a_break(business))
    business.forward(days=2)
    assert sum(await asyncio.gather(*(told(business) for _ in range(4)))) == 1
    assert await business.alerts() == ["reconciliation.aged"]


async def test_a_closed_break_opens_again_and_says_so_when_its_sums_change(business):
    found = a_break(business)
    (seen,) = await kept(business, found)
    business.forward(days=2)
    assert await told(business) == 1
    async with business.work() as work:
        await close(work, business.manager, seen.id, "a sale at the counter")
    (same,) = await kept(business, found)
    assert (same.state, same.reason) == (State.CLOSED, "a sale at the counter")
    (again,) = await kept(business, replace(found, theirs=kes("5000")))
    assert (again.id, again.state, again.amount) == (seen.id, State.OPEN, kes("5000"))
    assert (again.closed_by, again.closed_at, again.reason) == (None, None, None)
    assert await business.alerts_of(seen.id) == ["reconciliation.aged", "break.reopened"]
    for person in (business.manager, business.owner):
        news = (await business.news(person))[-1]
        assert isinstance(news, BreakReopened)
        assert (news.amount, news.by, news.reason) == (kes("5000"), "Otieno", "a sale at the counter")
    assert await told(business) == 0  # it was, when it opened again


async def test_one_that_opens_again_on_the_day_it_was_found_is_told_at_once(business):
    found = replace(a_break(business), type=Type.UNKNOWN_REFERENCE)
    (seen,) = await kept(business, found)
    async with business.work() as work:
        await close_as_operator(work, seen.id, "by hand")
    await kept(business, replace(found, theirs=kes("70")))
    (news,) = await business.news(business.owner)
    assert isinstance(news, BreakReopened)
    assert (news.amount, news.by) == (kes("70"), None)


async def test_one_that_somebody_closed_who_has_no_name_was_not_closed_by_the_operator(business):
    found = replace(a_break(business), type=Type.UNKNOWN_REFERENCE)
    (seen,) = await kept(business, found)
    async with business.work() as work:
        await close(work, business.manager, seen.id, "by hand")
    await business.change(people, people.c.id == business.manager, name=None)
    await kept(business, replace(found, theirs=kes("70")))
    assert [news.by for news in await business.news(business.owner)] == [""]
