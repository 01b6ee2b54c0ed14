"""Orders that are paid to the till by hand, by their number: credited once, and only where nothing else
explains what the provider lists."""

import asyncio

import pytest
import sqlalchemy as sa

from services.facts import Checkout
from services.ids import new_id
from services.money import Money
from services.news import PaymentSettled, Unpaid
from services.payments import by_hand
from services.payments.start import Payer, made
from services.providers.base import Accepted, Failed, Succeeded
from services.providers.listing import Kind, Line
from services.store.schema import attempts, orders, payments
from tests.services.business import Business, kes

NOTHING = ("0.00", "0.00", "0.00")


class Order:
    """Of 500, which nobody was asked to pay."""

    def __init__(self, business, row):
        self.business, self.id, self.number = business, row.id, row.number

    async def status(self):
        return (await self.business.row(orders, self.id)).status

    def line(self, receipt="UKH0000001", amount="500", **more):
        facts = {"reference": self.number, "party": "********5678", "receipt": receipt} | more
        return Line(f"{receipt}:paid", facts.pop("kind", Kind.PAID), kes(amount), self.business.now, **facts)

    async def taken(self, line=None, minutes=21):
        line = line or self.line()
        self.business.forward(minutes=minutes)
        async with self.business.work() as work:
            return await by_hand.take(work, "mpesa", line)


async def ordered(business: Business) -> Order:
    async with business.work() as work:
        payer = Payer(business.customer, None)
        row = await made(work, payer, Checkout(order_id=new_id(), amount=kes("500")))
    return Order(business, row)


@pytest.fixture
async def order(business):
    return await ordered(business)


async def test_an_order_is_paid_by_its_number_and_its_customer_told(business, order):
    assert await order.taken()
    assert await order.status() == "paid"
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    news = (await business.news(business.customer))[-1]
    assert isinstance(news, PaymentSettled)
    assert (news.receipt, news.can_save, news.late, news.method.label) == (
        "UKH0000001",
        False,
        False,
        "********5678",
    )
    assert await business.alerts() == []


async def test_the_same_line_again_changes_nothing(business, order):
    line = order.line()
    assert await order.taken(line)
    assert not await order.taken(line)
    other = await ordered(business)
    assert not await other.taken(other.line())  # by the receipt of another order
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_two_at_once_are_credited_once(business, order):
    line = order.line()
    business.forward(minutes=21)

    async def once():
        async with business.work() as work:
            return await by_hand.take(work, "mpesa", line)

    assert sorted(await asyncio.gather(once(), once())) == [False, True]
    assert await business.wallet() == ("500.00", "0.00", "500.00")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "499"},
        {"amount": "1000"},
        {"reference": "ZZZZZZ"},
        {"reference": None},
        {"receipt": None},
        {"kind": Kind.BACK},
    ],
)
async def test_what_does_not_fit_moves_nothing(business, order, changes):
    assert not await order.taken(order.line(**changes))
    assert (await order.status(), await business.wallet()) == ("open", NOTHING)


async def test_another_currency_moves_nothing(business, order):
    line = Line("k", Kind.PAID, Money(500_00, "USD"), business.now, receipt="U1", reference=order.number)
    assert not await order.taken(line)


async def test_what_is_young_is_looked_at_later(business, order):
    line = order.line()
    assert not await order.taken(line, minutes=5)
    assert await order.taken(line, minutes=16)


async def test_what_was_paid_before_the_order_was_made_is_not_for_it(business):
    before = business.now
    business.forward(hours=1)
    order = await ordered(business)
    line = Line("k", Kind.PAID, kes("500"), before, receipt="U1", reference=order.number)
    assert not await order.taken(line)


@pytest.mark.parametrize("status", ["paid", "fulfilled", "refunded", "canceled"])
async def test_an_order_that_waits_for_nothing_is_left_to_people(business, order, status):
    await business.change(orders, orders.c.id == order.id, status=status)
    assert not await order.taken()
    assert await business.wallet() == NOTHING


async def of(business, paying):
    row = await business.row(orders, paying.started.order_id)
    return Order(business, row)


async def test_while_an_attempt_may_be_answered_it_may_be_that_one(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted(paying.reference))
    order = await of(business, paying)
    assert not await order.taken()
    assert await business.wallet() == NOTHING


async def test_of_an_attempt_that_was_found_paid_without_a_receipt_it_is_the_receipt(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted(paying.reference))
    await paying.checked(Succeeded())
    order = await of(business, paying)
    await business.change(orders, orders.c.id == order.id, status="open")  # whatever the order says
    assert not await order.taken()
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_after_one_that_failed_the_order_is_paid_and_the_same_receipt_credits_no_more(business):
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted(paying.reference))
    await paying.called(Failed(Unpaid.CANCELLED, "1032"))
    order = await of(business, paying)
    assert await order.taken()
    await paying.called(Succeeded("UKH0000001", kes("500")))  # its callback after all
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    async with business.behind() as work:
        states = await work.connection.execute(sa.select(attempts.c.state).order_by(attempts.c.state))
        assert list(states.scalars()) == ["failed", "succeeded"]
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(payments)) == 1
