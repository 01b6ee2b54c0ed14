"""Wishes that were taken up: whatever becomes of the refund, the customer gets one answer."""

import pytest
import sqlalchemy as sa

from services.news import Unpaid
from services.news.refunds import RefundDeclined, RefundMade, RefundTold, RefundWanted, Unrefunded
from services.providers.base import Failed, Succeeded
from services.refunds import decide, taken_back, wishes
from services.refunds.queue import queue
from services.store.schema import audit, refund_wishes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, approved, ask, refunded, resolve

NO = Failed(Unpaid.PROVIDER, "R000002")


@pytest.fixture
async def paying(business):
    paying = await business.paid("1000")
    await wish(business, paying)
    return paying


async def wish(business, paying):
    async with business.work() as work:
        await wishes.wish(work, business.customer, paying.started.payment_id, "it is broken")


async def reject(business, refund, reason="it was whole when it left"):
    async with business.work() as work:
        await decide.reject(work, business.owner, refund.id, reason)


async def cancel(business, refund):
    async with business.work() as work:
        await decide.cancel(work, business.manager, refund.id)


async def expire(business, refund):
    business.forward(hours=25)
    async with business.work() as work:
        await decide.expire(work, refund.id)


async def fail(business, refund):
    await approve(business, refund)
    one = await Refunding.of(business, refund)
    await one.sent()
    await one.called(NO)


async def answers(business):
    """What the customer has heard of refunds."""
    kinds = (RefundDeclined, RefundMade)
    return [news for news in await business.news(business.customer) if isinstance(news, kinds)]


async def asked(business, person):
    """How often one of the staff was asked to decide."""
    return [isinstance(news, RefundWanted) for news in await business.news(person)].count(True)


async def waiting(business):
    async with business.work() as work:
        return [each.number for each in (await queue(work)).wishes]


async def test_a_rejection_answers_the_customer_once_with_its_reason(business, paying):
    refund = await ask(business, paying)
    await reject(business, refund, "it was  whole when it left")
    declined = RefundDeclined(number=refund.number, reason="it was whole when it left")
    assert await answers(business) == [declined]
    assert await waiting(business) == []
    assert (await business.row(refund_wishes, await only(business))).state == "declined"
    await reject(business, await ask(business, paying))  # by their own, and nobody's wish
    assert await answers(business) == [declined]


async def only(business):
    async with business.behind() as work:
        return (await work.connection.execute(sa.select(refund_wishes.c.id))).scalar_one()


@pytest.mark.parametrize("end", [cancel, expire, fail])
async def test_what_ends_in_vain_otherwise_is_asked_of_the_staff_again(business, paying, end):
    refund = await ask(business, paying)
    assert await waiting(business) == []
    await end(business, refund)
    assert await waiting(business) == [refund.number]
    assert await answers(business) == []
    assert await asked(business, business.owner) == await asked(business, business.manager) == 2
    wanted = (await business.news(business.owner))[-1]
    assert (wanted.number, wanted.amount, wanted.reason) == (refund.number, refund.paid, "it is broken")
    async with business.work() as work:
        assert await wishes.decline(work, business.owner, wanted.wish_id, "it was worn")
    assert await answers(business) == [RefundDeclined(number=refund.number, reason="it was worn")]


async def test_one_that_its_provider_takes_back_meanwhile_waits_again(business, paying):
    refund = await ask(business, paying)
    async with business.work() as work:
        await taken_back.taken_back(work, paying.attempt, "D1", refund.amount, surely=True)
    assert await waiting(business) == [refund.number]
    told = [news for news in await business.news(business.owner) if isinstance(news, RefundTold)]
    assert [news.because for news in told] == [Unrefunded.TAKEN_BACK]
    async with business.behind() as work:
        action = sa.select(audit.c.action).where(audit.c.action == "refund.wished_again")
        assert len((await work.connection.execute(action)).all()) == 1


async def test_it_is_taken_up_again_and_answered(business, paying):
    await cancel(business, await ask(business, paying))
    await refunded(business, paying)
    assert [type(news) for news in await answers(business)] == [RefundMade]
    assert await waiting(business) == []


@pytest.mark.parametrize("ends", [(cancel, reject), (reject, cancel), (expire, expire)])
async def test_of_several_parts_the_last_that_ends_in_vain_answers(business, paying, ends):
    parts = [await ask(business, paying, "400"), await ask(business, paying, "600")]
    await ends[0](business, parts[0])
    assert await waiting(business) == []
    assert await answers(business) == []
    await ends[1](business, parts[1])
    if ends[1] is reject:
        assert [type(news) for news in await answers(business)] == [RefundDeclined]
        assert await waiting(business) == []
    else:
        assert await answers(business) == []
        assert await waiting(business) == [parts[0].number]


@pytest.mark.parametrize("end", [reject, cancel, expire])
@pytest.mark.parametrize("made_first", [True, False])
async def test_a_part_that_went_back_is_the_answer(business, paying, end, made_first):
    rest = await ask(business, paying, "600")
    part = await approved(business, paying, "400")
    await part.sent()
    if not made_first:
        await end(business, rest)
    await part.called(Succeeded("UKP1", part.refund.amount))
    if made_first:
        await end(business, rest)
    assert [type(news) for news in await answers(business)] == [RefundMade]
    assert await waiting(business) == []


async def test_a_refund_from_before_the_wish_leaves_it_where_it_is(business):
    paying = await business.paid("1000")
    part = await ask(business, paying, "400")
    business.forward(minutes=1)
    await wish(business, paying)
    await reject(business, part)
    assert await waiting(business) == [part.number]
    assert await answers(business) == []
    assert await asked(business, business.owner) == 1


async def test_who_asked_again_meanwhile_is_answered_by_that(business, paying):
    refund = await ask(business, paying)
    business.forward(minutes=1)
    await wish(business, paying)
    await reject(business, refund)
    assert await answers(business) == []
    assert await waiting(business) == [refund.number]


@pytest.mark.parametrize("keep", [True, False])
async def test_what_was_paid_twice_waits_again_whoever_rejects(business, keep):
    """Nobody has said no to the customer: the money still lies in suspense."""
    second = await paid_twice_by(business)
    await wish(business, second)
    refund = await resolve(business, second.attempt, keep=keep)
    await reject(business, refund)
    assert await answers(business) == []
    assert await waiting(business) == [refund.number]


async def test_what_is_kept_as_a_sale_is_no_answer_to_a_wish_for_the_rest(business):
    second = await paid_twice_by(business)
    await wish(business, second)
    kept = await resolve(business, second.attempt, keep=True)
    refund = await ask(business, second)
    await approve(business, kept)
    await reject(business, refund)
    assert [type(news) for news in await answers(business)] == [RefundDeclined]
