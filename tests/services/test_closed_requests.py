"""Requests that nobody paid: taken back by the staff, or closed after a week."""

import asyncio
from datetime import timedelta

import pytest

from services import errors
from services.news import PaymentFailed, Unpaid
from services.news.requests import RequestClosed, RequestPaid, RequestUnpaid
from services.payments import closing
from services.payments.requests import MOST_OPEN
from services.providers.base import Failed, Succeeded
from services.store.schema import conversations, orders
from tests.services.business import kes
from tests.services.test_payment_requests import ask, customer, decline, pay


async def take_back(business, asked, by=None):
    async with business.teller(by or business.cashier) as teller:
        await teller.take_back_request(asked.number)


async def expire(business, asked):
    async with business.work() as work:
        await closing.expire(work, asked.order_id)


async def wrote(business):
    await business.change(
        conversations, conversations.c.id == business.chats[business.customer], heard_at=business.now
    )


async def of_kind(business, person, *kinds):
    return [each for each in await business.news(person) if isinstance(each, kinds)]


async def test_a_request_is_taken_back_once_and_the_customer_told(business):
    asked = await ask(business)
    await take_back(business, asked)
    with pytest.raises(errors.OrderClosed):
        await take_back(business, asked)
    (told,) = await of_kind(business, business.customer, RequestClosed)
    assert told == RequestClosed(
        order_id=asked.order_id, number=asked.number, amount=kes("500"), expired=False
    )
    assert await business.news(business.cashier) == []
    assert (await business.row(orders, asked.order_id)).status == "canceled"
    assert await business.jobs(asked.order_id) == {}
    with pytest.raises(errors.OrderClosed):
        await pay(business, asked)


async def test_who_asked_hears_that_a_colleague_took_it_back(business):
    asked = await ask(business)
    await take_back(business, asked, business.owner)
    (told,) = await of_kind(business, business.cashier, RequestUnpaid)
    assert told == RequestUnpaid(number=asked.number, amount=kes("500"), customer="Achieng", by="Njeri")


async def test_who_may_not_edit_orders_takes_nothing_back(business):
    asked = await ask(business)
    for person in (business.manager, business.customer):
        with pytest.raises(errors.MissingScope):
            await take_back(business, asked, person)


async def test_an_order_that_nobody_asked_for_is_not_taken_back(business):
    own = await business.pay("300")
    with pytest.raises(errors.NotFound):
        await take_back(business, own.checkout.model_copy(update={"number": own.started.number}))


async def test_what_is_being_paid_stays_and_what_failed_is_taken_back(business):
    asked = await ask(business)
    paying = await pay(business, asked)
    with pytest.raises(errors.PaymentUnderWay):
        await take_back(business, asked)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    await take_back(business, asked)
    assert await of_kind(business, business.customer, PaymentFailed, RequestClosed)


async def test_what_is_paid_is_not_taken_back_and_does_not_expire(business):
    asked = await ask(business)
    await (await pay(business, asked)).called(Succeeded("UKO9000001", kes("500")))
    with pytest.raises(errors.AlreadyPaid):
        await take_back(business, asked)
    await expire(business, asked)
    assert (await business.row(orders, asked.order_id)).status == "paid"
    assert "request_expire" not in await business.jobs(asked.order_id)


async def test_money_that_comes_after_it_was_taken_back_is_honoured_and_told(business):
    asked = await ask(business)
    paying = await pay(business, asked)
    await paying.called(Failed(Unpaid.UNREACHABLE, "DS timeout"))
    await take_back(business, asked)
    await paying.called(Succeeded("UKO9000001", kes("500")))
    assert (await business.row(orders, asked.order_id)).status == "paid"
    assert len(await of_kind(business, business.cashier, RequestPaid)) == 1


async def test_after_a_week_it_is_closed_and_each_is_told_once(business):
    await wrote(business)
    asked = await ask(business)
    assert (await business.jobs(asked.order_id))["request_expire"] == timedelta(days=7)
    business.forward(days=7)
    await wrote(business)
    await expire(business, asked)
    await expire(business, asked)
    (told,) = await of_kind(business, business.customer, RequestClosed)
    assert told.expired
    (answer,) = await of_kind(business, business.cashier, RequestUnpaid)
    assert answer.by is None
    assert await business.jobs(asked.order_id) == {}


async def test_who_is_not_there_any_more_is_not_told_that_it_has_expired(business):
    asked = await ask(business)
    await expire(business, asked)
    assert await of_kind(business, business.customer, RequestClosed) == []
    assert len(await of_kind(business, business.cashier, RequestUnpaid)) == 1


async def test_it_does_not_expire_while_it_is_being_paid(business):
    asked = await ask(business)
    await pay(business, asked)
    await expire(business, asked)
    assert (await business.jobs(asked.order_id))["request_expire"] == timedelta(minutes=10)
    assert (await business.row(orders, asked.order_id)).status == "awaiting_payment"


async def test_a_declined_one_leaves_no_job(business):
    asked = await ask(business)
    await decline(business, asked)
    assert await business.jobs(asked.order_id) == {}


@pytest.mark.parametrize(("hours", "reads_now"), [(0, True), (23, True), (24, False)])
async def test_it_is_known_whether_the_customer_reads_it_now(business, hours, reads_now):
    await wrote(business)
    business.forward(hours=hours)
    known = await ask(business)
    async with business.teller(business.cashier) as teller:
        asked = await teller.request_payment(customer(business), known)
    assert asked.reads_now is reads_now


async def test_the_merchants_template_reaches_the_customer_at_any_time(business):
    await business.set(templates={"payment_request": {"name": "asked", "language": "en"}})
    known = await ask(business)
    async with business.teller(business.cashier) as teller:
        assert (await teller.request_payment(customer(business), known)).reads_now


async def test_paying_and_taking_back_at_once_never_do_both(business):
    for _ in range(MOST_OPEN):
        asked = await ask(business)
        trying = (pay(business, asked), take_back(business, asked))
        (refused,) = [
            each
            for each in await asyncio.gather(*trying, return_exceptions=True)
            if isinstance(each, errors.Refusal)
        ]
        taken_back = isinstance(refused, errors.OrderClosed)
        assert taken_back or isinstance(refused, errors.PaymentUnderWay)
        status = (await business.row(orders, asked.order_id)).status
        assert status == ("canceled" if taken_back else "awaiting_payment")


async def test_declining_and_taking_back_at_once_tell_each_side_once(business):
    asked = await ask(business)
    done = await asyncio.gather(decline(business, asked), take_back(business, asked), return_exceptions=True)
    assert sum(isinstance(each, errors.Refusal) for each in done) <= 1
    told = await business.news(business.cashier) + await of_kind(business, business.customer, RequestClosed)
    assert len(told) == 1
