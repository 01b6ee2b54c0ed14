"""Reconciling with what Stripe lists, and with what Pesapal, which has no list, tells of each payment: every
kind of break, found by what they themselves tell."""

import pytest

from bot import reconciling
from services import hooks
from services.facts import Way
from services.news import PaymentMethod
from services.providers.base import Succeeded
from services.providers.listing import Kind
from services.store.schema import refunds
from tests.bot.market import PESAPAL, STRIPE, until
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


# --- Pesapal


@pytest.fixture
async def at_pesapal(market):
    await market.set_up(PESAPAL, "pesapal")
    return market


BY_PESAPAL = Way(method=PaymentMethod(provider="pesapal", label=""))


async def paid_at_pesapal(market, *, told=True):
    """The attempt, and what Pesapal calls the order."""
    paying = await market.business.pay("500", way=BY_PESAPAL)
    await market.work()
    if not told:
        await market.arm("pesapal.notice", "lost")
    order = (await market._look("orders", "pesapal/orders"))[-1]["id"]
    before = len(market.came)
    await market.act(f"pesapal/orders/{order}", outcome="card")
    if told:
        await until(lambda: _more(market, before))
        await market.work()
        assert await market.attempt(paying.attempt) == "succeeded"
    return paying, order


async def _more(market, before):
    return len(market.came) > before


async def told_by_pesapal(market, reconciled):
    market.business.forward(seconds=30)
    return await reconciled.again("pesapal", ask=True)


async def test_each_payment_that_we_hold_is_asked_about_part_by_part(at_pesapal, reconciled, monkeypatch):
    monkeypatch.setattr(reconciling, "_AT_ONCE", 2)
    for _ in range(3):
        await paid_at_pesapal(at_pesapal)
    report = await told_by_pesapal(at_pesapal, reconciled)
    assert (report.trouble, opened(report), report.new_lines) == (None, set(), 3)


async def test_what_pesapal_gave_back_by_itself_is_a_break_until_it_is_told(at_pesapal, reconciled):
    paying, order = await paid_at_pesapal(at_pesapal)
    await at_pesapal.arm("pesapal.notice", "lost")
    await at_pesapal.act(f"pesapal/orders/{order}", outcome="give_back")
    (only,) = (await told_by_pesapal(at_pesapal, reconciled)).opened
    assert (only.type, only.kind, only.label) == ("late", Kind.BACK, number(paying))
    token = (await _ipn(at_pesapal)).rpartition("/")[2]
    told = {"OrderTrackingId": order, "OrderMerchantReference": str(paying.attempt)}
    assert await at_pesapal.post(token, told) == 200
    await at_pesapal.work()
    assert opened(await told_by_pesapal(at_pesapal, reconciled)) == set()


async def _ipn(market):
    async with market.business.work() as work:
        return await hooks.lasting(work, market.app_url, "pesapal")


async def test_a_refund_of_ours_is_found_however_long_ago_it_was_paid(at_pesapal, reconciled):
    paying, order = await paid_at_pesapal(at_pesapal)
    at_pesapal.business.forward(days=20)
    one = await approved(at_pesapal.business, paying)
    await at_pesapal.work()
    await at_pesapal.act(f"payouts/{order}", outcome="succeed")
    for _ in range(2):
        await at_pesapal.later(minutes=2)
    assert (await at_pesapal.business.row(refunds, one.refund.id)).status == "completed"
    report = await told_by_pesapal(at_pesapal, reconciled)
    assert (opened(report), [each.kind for each in report.found.lines]) == (set(), [Kind.BACK])


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ("other_amount", "amount_differs"),
        ("other_currency", "currency_differs"),
        ("denied", "missing_at_provider"),
    ],
)
async def test_what_pesapal_says_otherwise_is_a_break(at_pesapal, reconciled, lie, kind):
    paying, _ = await paid_at_pesapal(at_pesapal)
    at_pesapal.business.forward(days=2)
    await at_pesapal.arm("pesapal.status", lie)
    report = await told_by_pesapal(at_pesapal, reconciled)
    assert [(each.type, each.label) for each in report.opened] == [(kind, number(paying))]


async def test_one_that_is_not_told_stops_no_other_and_then_nothing_is_missed(at_pesapal, reconciled):
    await at_pesapal.arm("pesapal.status", "unheard", times=3)
    await paid_at_pesapal(at_pesapal, told=False)
    await paid_at_pesapal(at_pesapal, told=False)
    at_pesapal.business.forward(days=2)
    report = await told_by_pesapal(at_pesapal, reconciled)
    assert "HTTP 200" in str(report.trouble)
    assert [each.type for each in report.opened] == ["missing_in_books"]


async def test_with_wrong_keys_pesapal_is_asked_once(at_pesapal, reconciled):
    for _ in range(2):
        await paid_at_pesapal(at_pesapal)
    await at_pesapal.set_up(PESAPAL | {"consumer_key": "another"}, "pesapal")
    report = await told_by_pesapal(at_pesapal, reconciled)
    assert "consumer_key" in str(report.trouble)
    assert report.opened == ()
