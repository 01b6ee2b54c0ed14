"""Reconciling with what Stripe lists: each kind of break, found by what its own lists tell."""

import pytest

from services.facts import Way
from services.news import PaymentMethod
from services.providers.base import Succeeded
from services.providers.listing import Kind
from tests.bot.market import STRIPE, until
from tests.bot.reconciled import Reconciled, number, opened
from tests.services.business import kes
from tests.services.refunding import approved

BY_CARD = Way(method=PaymentMethod(provider="stripe", label=""))


@pytest.fixture
async def market(market):
    await market.set_up(STRIPE, "stripe")
    return market


@pytest.fixture
def reconciled(market):
    return Reconciled(market)


async def asked(market, amount="500"):
    paying = await market.business.pay(amount, way=BY_CARD)
    await market.work()
    return paying


async def paid(market, amount="500"):
    paying = await asked(market, amount)
    await pays(market)

    async def credited():
        await market.work()
        return await market.attempt(paying.attempt) == "succeeded"

    await until(credited)
    return paying


async def pays(market):
    session = (await market._look("sessions", "stripe"))[0]["id"]
    await market.act(f"stripe/sessions/{session}", outcome="pay")


async def charged_there(market):
    """By the merchant, and not by us."""
    url = f"{market.daraja_url}/stripe/v1/payment_intents"
    form = {"amount": "9000", "currency": "kes", "payment_method": "pm_card_visa", "confirm": "true"}
    head = {"Authorization": f"Bearer {STRIPE['secret_key']}"}
    async with market._outside.post(url, data=form, headers=head) as answer:
        assert answer.status == 200


async def payment(market):
    """The latest at Stripe."""
    return (await market._look("payments", "stripe"))[0]["id"]


async def found(market, reconciled):
    market.business.forward(minutes=1)
    report = await reconciled.again("stripe", ask=True)
    assert report.trouble is None
    return report


async def breaks(market, reconciled):
    return opened(await found(market, reconciled))


async def test_a_day_that_fits(market, reconciled):
    await paid(market)
    refunded = await paid(market, "300")
    await approved(market.business, refunded, "200")
    await market.work()
    await paid(market, "400")
    await market.act("stripe/refunds", payment=await payment(market), amount=100_00)
    await market.act("stripe/disputes", payment=await payment(market), amount=50_00)
    (dispute,) = await market._look("disputes", "stripe")
    await market.act(f"stripe/disputes/{dispute['id']}", status="lost")

    async def taken_back():
        await market.work()
        return (await market.business.wallet())[0] == "850.00"

    await until(taken_back)
    report = await found(market, reconciled)
    assert opened(report) == set()
    assert {each.kind: (each.count, str(each.total)) for each in report.found.lines} == {
        Kind.PAID: (3, "1200.00"),
        Kind.BACK: (3, "350.00"),
    }
    assert (await found(market, reconciled)).new_lines == 0


async def test_what_the_books_lack_is_missing_after_a_day(market, reconciled):
    await market.arm("stripe.webhook", "lost", times=9)
    lost = await asked(market)
    await pays(market)
    receipt = await payment(market)
    assert await breaks(market, reconciled) == {("late", receipt, number(lost))}
    market.business.forward(days=1)
    assert await breaks(market, reconciled) == {("missing_in_books", receipt, number(lost))}
    for _ in range(3):
        await market.later(minutes=5)
    assert await breaks(market, reconciled) == set()


async def test_what_stripe_lacks_is_missing_there_after_a_day(market, reconciled):
    await paid(market)
    lacking = await market.business.pay("700", way=BY_CARD)
    await lacking.sent()
    await lacking.called(Succeeded("pi_of_nobody", kes("700")))
    market.business.forward(days=2)
    assert await breaks(market, reconciled) == {("missing_at_provider", "pi_of_nobody", number(lacking))}


@pytest.mark.parametrize(
    ("lie", "kind"), [("wrong_amount", "amount_differs"), ("wrong_currency", "currency_differs")]
)
async def test_another_amount_or_currency_differs(market, reconciled, lie, kind):
    paying = await paid(market)
    await market.arm("stripe.query", lie)
    assert await breaks(market, reconciled) == {(kind, await payment(market), number(paying))}


async def test_what_is_made_in_the_dashboard_names_nothing_of_ours(market, reconciled):
    await paid(market)
    receipt = await payment(market)
    await charged_there(market)
    await market.arm("stripe.webhook", "lost", times=9)
    await market.act("stripe/refunds", payment=receipt, amount=100_00)
    (refund,) = await market._look("refunds", "stripe")
    found = await breaks(market, reconciled)
    assert ("unknown_reference", await payment(market), "") in found
    assert ("late", refund["id"]) in {(kind, receipt) for kind, receipt, _ in found}
    assert len(found) == 2


async def test_a_dispute_that_is_open_is_no_movement_yet(market, reconciled):
    await paid(market)
    await market.act("stripe/disputes", payment=await payment(market))
    assert await breaks(market, reconciled) == set()


async def test_however_many_there_are_all_pages_are_read(market, reconciled):
    for _ in range(101):
        await charged_there(market)
    assert (await found(market, reconciled)).new_lines == 101


async def test_where_stripe_does_not_answer_nothing_is_missed_and_wrong_keys_are_told(market, reconciled):
    await paid(market)
    await market.arm("stripe.query", "500", times=9)
    market.business.forward(days=2)
    report = await reconciled.again("stripe", ask=True)
    assert "500" in str(report.trouble)
    assert report.opened == ()
    await market.set_up(STRIPE | {"secret_key": "sk_test_other"}, "stripe")
    assert "401" in str((await reconciled.again("stripe", ask=True)).trouble)
