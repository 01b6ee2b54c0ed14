"""Orders that are paid to the till by hand, by their number: credited once, whoever tells of it, and only
where nothing else explains it."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from services.facts import Checkout
from services.ids import new_id
from services.jobs import COLLECT_LADDER
from services.money import Money
from services.news import OrderInDoubt, PaymentSettled, Unpaid
from services.payments import by_hand
from services.payments.start import Payer, made
from services.providers.base import Accepted, Failed, Pending, Report, Succeeded
from services.providers.listing import Kind, Line
from services.refunds import still_paid
from services.store.schema import attempts, orders, payments
from tests.services.business import PUBLIC, Business, kes

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

    async def told(self, line=None, confirm_above=None):
        """By a call, at once."""
        async with self.business.work() as work:
            await by_hand.told(work, "mpesa", line or self.line(), confirm_above)


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
    assert await business.alerts() == []  # the same money, told twice
    async with business.behind() as work:
        states = await work.connection.execute(sa.select(attempts.c.state).order_by(attempts.c.state))
        assert list(states.scalars()) == ["failed", "succeeded"]
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(payments)) == 1


async def one_that_failed(business):
    """Before that a question about it was on its way."""
    paying = await business.pay("500")
    assert await paying.begun()
    await paying.answered(Accepted(paying.reference))
    await paying.called(Failed(Unpaid.UNREACHABLE, "1037"))
    return paying, await of(business, paying)


async def test_a_yes_without_a_receipt_is_no_second_payment_beside_one_by_hand(business):
    paying, order = await one_that_failed(business)
    assert await order.taken()
    await paying.checked(Succeeded())
    await paying.called(Succeeded("UKH0000001", kes("500")))
    assert (await business.wallet(), await business.alerts()) == (("500.00", "0.00", "500.00"), [])
    assert "suspense" not in await business.balances()


async def test_one_by_hand_from_before_says_nothing_of_a_later_yes(business):
    """Which is another payment: it is kept apart."""
    _, order = await one_that_failed(business)
    early = order.line()
    business.forward(minutes=5)
    again = await business.pay("500", order=order.id)
    await again.sent()
    assert await order.taken(early, minutes=0) is False  # too young, and another is under way
    await again.called(Failed(Unpaid.UNREACHABLE, "1037"))
    assert await order.taken(early, minutes=30)
    await again.checked(Succeeded())
    assert (await business.balances())["suspense"] == 500_00


async def test_a_yes_counts_beside_one_by_hand_that_nobody_has_confirmed_and_then_explains_it(business):
    paying, order = await one_that_failed(business)
    line = order.line()
    await order.told(line, kes("1"))
    assert await business.wallet() == NOTHING
    await paying.checked(Succeeded())
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    await order.taken(line)
    assert (await business.wallet(), await business.alerts()) == (("500.00", "0.00", "500.00"), [])
    assert "suspense" not in await business.balances()
    async with business.behind() as work:
        rows = await work.connection.execute(
            sa.select(attempts.c.state, attempts.c.receipt, attempts.c.doubt).order_by(attempts.c.id)
        )
        assert list(rows) == [("succeeded", "UKH0000001", None), ("expired", None, None)]


# --- told by a call that nobody signs


async def test_a_call_pays_the_order_at_once_and_its_line_nothing_more(business, order):
    line = order.line()
    await order.told(line)
    assert await order.status() == "paid"
    assert not await order.taken(line)
    await order.told(line)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == []


async def test_after_its_line_the_call_changes_nothing(business, order):
    line = order.line()
    assert await order.taken(line)
    await order.told(line)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == []


async def test_the_call_and_the_line_at_once_are_credited_once(business, order):
    line = order.line()
    business.forward(minutes=21)

    async def listed():
        async with business.work() as work:
            await by_hand.take(work, "mpesa", line)

    await asyncio.gather(*(order.told(line) for _ in range(4)), *(listed() for _ in range(4)))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == []


async def test_two_payments_at_once_for_one_order_pay_it_once(business, order):
    """The second is left to people, as it is where both are listed."""
    await asyncio.gather(*(order.told(order.line(f"UKH000000{n}")) for n in range(2)))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == ["payment.by_hand_misfit"]


@pytest.mark.parametrize(
    ("changes", "alerts"),
    [
        ({"amount": "499"}, ["payment.by_hand_misfit"]),
        ({"reference": "ZZZZZZ"}, []),
        ({"reference": None}, []),
        ({"receipt": None}, []),
    ],
)
async def test_what_a_call_tells_and_does_not_fit_moves_nothing(business, order, changes, alerts):
    await order.told(order.line(**changes))
    assert (await order.status(), await business.wallet()) == ("open", NOTHING)
    assert await business.alerts() == alerts


async def test_what_does_not_fit_is_said_once_for_each_payment(business, order):
    for receipt in ("UKH0000001", "UKH0000001", "UKH0000002"):
        await order.told(order.line(receipt, amount="499"))
    assert await business.alerts() == ["payment.by_hand_misfit"] * 2
    told = [news for news in await business.news(business.manager) if isinstance(news, OrderInDoubt)]
    assert [(news.number, str(news.told), news.receipt) for news in told] == [
        (order.number, "499.00", "UKH0000001"),
        (order.number, "499.00", "UKH0000002"),
    ]


async def test_for_an_order_that_is_paid_nobody_is_told_of_another_amount(business, order):
    await order.told()
    await order.told(order.line("UKH0000002"))
    assert await business.alerts() == ["payment.by_hand_misfit"]
    assert not [news for news in await business.news(business.manager) if isinstance(news, OrderInDoubt)]


async def test_a_prompt_that_may_still_be_answered_is_waited_for(business):
    """It may be that very payment, which is told in both ways."""
    paying = await business.pay("500")
    await paying.sent()
    order = await of(business, paying)
    line = order.line()
    with pytest.raises(by_hand.TooSoon):
        await order.told(line)
    await paying.called(Succeeded(line.receipt, kes("500")))
    await order.told(line)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == []


async def test_a_prompt_that_was_not_paid_gives_way_to_who_pays_by_hand(business):
    paying = await business.pay("500")
    await paying.sent()
    order = await of(business, paying)
    line = order.line()
    with pytest.raises(by_hand.TooSoon):
        await order.told(line)
    await paying.called(Failed(Unpaid.CANCELLED, "1032"))
    await order.told(line)
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_an_open_attempt_may_explain_waits_for_two_hours_and_is_looked_at_then(business):
    paying = await business.pay("500")
    await paying.sent()
    order = await of(business, paying)
    line = order.line()
    business.forward(minutes=119)
    with pytest.raises(by_hand.TooSoon):
        await order.told(line)
    business.forward(minutes=1)
    await order.told(line)
    assert (await business.wallet(), await business.alerts()) == (NOTHING, ["payment.by_hand_misfit"])
    assert not [news for news in await business.news(business.manager) if isinstance(news, OrderInDoubt)]


async def test_a_payment_that_was_found_without_a_receipt_is_this_one(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.checked(Succeeded())
    order = await of(business, paying)
    await order.told()
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == []


async def test_a_time_that_is_yet_to_come_is_now(business, order):
    await order.told(replace(order.line(), at=business.now.replace(year=2099)))
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(attempts.c.created_at)) == business.now


async def test_above_the_limit_it_counts_once_the_provider_says_yes(business, order):
    line = order.line()
    await order.told(line, kes("499"))
    await order.told(line, kes("499"))
    attempt = await only_attempt(business)
    assert (attempt.state, attempt.doubt, await business.wallet()) == ("pending", "unconfirmed", NOTHING)
    question = await asked(business, attempt.id)
    assert question.receipt == line.receipt
    report = Report("collect", frozenset({line.receipt}), Succeeded(line.receipt, kes("500")))
    await answered(business, attempt.id, report)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.jobs(attempt.id) == {}
    assert await business.alerts() == []


async def test_up_to_the_limit_it_counts_at_once(business, order):
    await order.told(confirm_above=kes("500"))
    assert await business.wallet() == ("500.00", "0.00", "500.00")


@pytest.mark.parametrize(
    ("word", "names", "alerts"),
    [
        (Succeeded("UKHANOTHER", kes("500")), "UKHANOTHER", ["payment.in_doubt"]),
        (Succeeded("UKH0000001", kes("1")), "UKH0000001", ["payment.amount_mismatch"]),
        (
            Failed(Unpaid.PROVIDER, "status declined"),
            "UKH0000001",
            ["payment.contradicted", "payment.in_doubt"],
        ),
        (Pending("status initiated"), "", ["payment.in_doubt"]),
    ],
)
async def test_what_the_provider_does_not_confirm_moves_nothing_and_is_given_up(
    business, order, word, names, alerts
):
    await order.told(confirm_above=kes("1"))
    attempt = await only_attempt(business)
    for _ in range(len(COLLECT_LADDER)):
        assert await asked(business, attempt.id)
        await answered(business, attempt.id, Report("collect", frozenset({names}), word))
        business.forward(minutes=5)
    assert await asked(business, attempt.id) is None
    assert (await business.wallet(), await order.status()) == (NOTHING, "open")
    assert (await only_attempt(business)).state == "expired"
    assert list(dict.fromkeys(await business.alerts())) == alerts


async def test_a_question_that_is_refused_for_our_settings_is_asked_no_more(business, order):
    """The initiator would be locked."""
    await order.told(confirm_above=kes("1"))
    attempt = await only_attempt(business)
    assert await asked(business, attempt.id)
    report = Report("collect", frozenset({"AG_1"}), Pending("query: 2001", ours=True))
    await answered(business, attempt.id, report)
    assert await business.jobs(attempt.id) == {}
    assert await business.alerts() == ["payment.misconfigured", "payment.in_doubt"]
    assert await order.taken()  # the provider's own list proves it
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def only_attempt(business):
    async with business.behind() as work:
        return (await work.connection.execute(sa.select(attempts))).one()


async def asked(business, attempt):
    async with business.work() as work:
        return await still_paid.begin_check(work, attempt, PUBLIC)


async def answered(business, attempt, report):
    async with business.work() as work:
        await still_paid.told(work, attempt, report)
