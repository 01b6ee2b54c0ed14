"""The staff ask customers to pay: an order of the shop's, one message, and word of what came of it."""

import asyncio

import pytest
import sqlalchemy as sa

from services import errors
from services.facts import Checkout, Customer
from services.ids import new_id
from services.news import Unpaid
from services.news.requests import PaymentRequested, RequestDeclined, RequestPaid
from services.payments.requests import MOST_OPEN
from services.people.identity import chat_of
from services.providers.base import Failed, Succeeded
from services.store.schema import conversations, orders, staff
from tests.services.business import NEW_WAY, PHONE, Business, kes

CHAIRS = "two chairs"


def checkout(amount="500", order=None):
    return Checkout(order_id=order or new_id(), amount=kes(amount), summary=CHAIRS)


def customer(business):
    return Customer(label="Achieng", conversation_id=business.chats[business.customer])


async def ask(business, wanted=None, whom=None, asker=None):
    wanted = wanted or checkout()
    async with business.teller(asker or business.cashier) as teller:
        asked = await teller.request_payment(whom or customer(business), wanted)
    return wanted.model_copy(update={"number": asked.number})


async def pay(business, asked):
    async with business.teller(business.customer) as teller:
        started = await teller.pay(asked, NEW_WAY)
    paying = await business.paying(started, asked)
    await paying.sent()
    return paying


async def decline(business, asked, person=None):
    async with business.teller(person or business.customer) as teller:
        await teller.decline_request(asked.order_id)


def answers(news):
    return [each for each in news if isinstance(each, RequestPaid | RequestDeclined)]


async def test_the_customer_is_told_once_however_often_it_is_sent(business):
    asked = await ask(business)
    assert await ask(business, checkout(order=asked.order_id)) == asked
    (news,) = await business.news(business.customer)
    assert news == PaymentRequested(
        order_id=asked.order_id, number=asked.number, amount=kes("500"), reason=CHAIRS
    )


async def test_who_asked_is_told_when_it_is_paid_and_nobody_else(business):
    paying = await pay(business, await ask(business))
    paid = Succeeded("UKO9000001", kes("500"))
    await paying.called(paid)
    await paying.called(paid)
    (told,) = answers(await business.news(business.cashier))
    assert told == RequestPaid(
        number=paying.started.number, amount=kes("500"), customer="Achieng", receipt="UKO9000001"
    )
    assert not answers(await business.news(business.owner))
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_another_amount_than_was_asked_is_not_paid(business):
    asked = await ask(business)
    with pytest.raises(errors.Changed):
        await pay(business, asked.model_copy(update={"amount": kes("5")}))


async def test_a_declined_one_is_closed_and_told_once(business):
    asked = await ask(business)
    await decline(business, asked)
    await decline(business, asked)
    assert len(answers(await business.news(business.cashier))) == 1
    assert (await business.row(orders, asked.order_id)).status == "canceled"
    with pytest.raises(errors.OrderClosed):
        await pay(business, asked)


async def test_what_is_being_paid_is_not_declined_and_what_failed_is(business):
    asked = await ask(business)
    paying = await pay(business, asked)
    with pytest.raises(errors.PaymentUnderWay):
        await decline(business, asked)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    await decline(business, asked)
    assert isinstance(answers(await business.news(business.cashier))[0], RequestDeclined)


async def test_what_is_paid_is_not_declined(business):
    asked = await ask(business)
    await (await pay(business, asked)).called(Succeeded("UKO9000001", kes("500")))
    with pytest.raises(errors.AlreadyPaid):
        await decline(business, asked)


async def test_nobody_declines_what_another_one_was_asked_or_what_nobody_asked(business):
    asked = await ask(business)
    with pytest.raises(errors.NotFound):
        await decline(business, asked, business.owner)
    own = await business.pay("300")
    with pytest.raises(errors.NotFound):
        await decline(business, own.checkout)


async def test_a_customer_has_only_so_many_open_and_a_declined_one_makes_room(business):
    asked = [await ask(business) for _ in range(MOST_OPEN)]
    with pytest.raises(errors.RequestsOpen):
        await ask(business, asker=business.owner)
    await decline(business, asked[0])
    await ask(business)


@pytest.mark.parametrize("role", ["Finance Admin", "Analyst", None])
async def test_who_may_not_edit_orders_asks_nobody(business, role):
    asker = await business.person("Somebody", role)
    with pytest.raises(errors.MissingScope):
        await ask(business, asker=asker)
    assert await business.news(business.customer) == []


async def test_who_was_suspended_asks_nobody_and_is_told_nothing(business):
    asked = await ask(business)
    await business.change(staff, staff.c.person_id == business.cashier, active=False)
    with pytest.raises(errors.MissingScope):
        await ask(business)
    await decline(business, asked)
    assert not answers(await business.news(business.cashier))


@pytest.mark.parametrize(
    ("amount", "refusal"), [("0.50", errors.NotWholeShillings), ("1000000", errors.OverLimit)]
)
async def test_what_nobody_could_pay_is_not_asked_for(business, amount, refusal):
    with pytest.raises(refusal):
        await ask(business, checkout(amount))


async def test_what_mpesa_alone_would_not_take_is_asked_for_where_it_is_paid_by_another(business):
    async with business.work() as work:
        teller = business.teller_in(work, business.cashier, collects_by=("stripe",))
        await teller.request_payment(customer(business), checkout("500.50"))
    (news,) = await business.news(business.customer)
    assert news.amount == kes("500.50")


async def test_a_number_that_never_wrote_gets_one_conversation(business):
    whom = Customer(label="********5678", phone=PHONE)
    await ask(business, whom=whom)
    await ask(business, whom=whom)
    async with business.work() as work:
        chat = await chat_of(work, PHONE)
    assert chat is not None
    first, second = await business.news(chat.person_id)
    assert first.number != second.number
    await decline(business, first, await known(business, chat))
    (told,) = answers(await business.news(business.cashier))
    assert told.customer == "********5678"


async def known(business, chat):
    business.chats[chat.person_id], business.scopes[chat.person_id] = chat.id, frozenset()
    return chat.person_id


async def test_a_conversation_of_another_shop_is_not_found(business, database, vault):
    other = await Business(database, vault).open()
    with pytest.raises(errors.NotFound):
        await ask(business, whom=customer(other))


async def test_those_who_wrote_last_are_offered_first_and_the_staff_not_at_all(business):
    later = await business.person("Baraka")
    for minutes, person in enumerate((business.customer, later, business.owner)):
        business.forward(minutes=minutes)
        await business.change(
            conversations, conversations.c.id == business.chats[person], heard_at=business.now
        )
    async with business.teller(business.cashier) as teller:
        offered = await teller.recent_customers()
    assert [each.label for each in offered] == ["Baraka", "Achieng"]
    async with business.teller(business.manager) as teller:
        with pytest.raises(errors.MissingScope):
            await teller.recent_customers()


async def test_at_once_no_more_are_asked_than_one_may_have(business):
    whom = Customer(label="********5678", phone=PHONE)
    asking = (ask(business, whom=whom) for _ in range(MOST_OPEN + 3))
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert sum(isinstance(each, errors.RequestsOpen) for each in done) == 3
    async with business.work() as work:
        rows = await work.connection.execute(
            sa.select(orders.c.person_id).where(orders.c.tenant_id == business.tenant)
        )
        asked = list(rows.scalars())
    assert len(asked) == MOST_OPEN
    assert len(set(asked)) == 1
