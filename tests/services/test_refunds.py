"""Refunds: asked by one, approved by another, sent once, and the books right whatever the provider says."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import ledger
from services.errors import (
    BelowMinimum,
    BlankReason,
    Changed,
    FourEyesViolation,
    InsufficientBalance,
    MissingScope,
    NotFound,
    NotPaid,
    NotPending,
    NotWholeShillings,
)
from services.errors.limits import PayoutsBlocked
from services.errors.refunds import AlreadyRefunded, MoreThanRemains, NotRefundable, OwnPurchase, RefundAsked
from services.ids import new_id
from services.news import Unpaid
from services.news.refunds import (
    RefundDeclined,
    RefundMade,
    RefundRequested,
    RefundTold,
    RefundWanted,
    Unrefunded,
    Way,
)
from services.providers.abilities import Payout
from services.providers.base import Failed, Misconfigured, NotSent, Pending, Refused, Succeeded, Unknown
from services.providers.refunds import Refund as Reversal
from services.providers.refunds import RefundRules
from services.refunds import decide, wishes
from services.refunds.request import why_not
from services.shop.facts import Line
from services.store.schema import (
    holds,
    operations,
    orders,
    payments,
    products,
    refund_attempts,
    refunds,
    staff,
)
from tests.services.business import PHONE, kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, approved, ask, refunded, resolve

NO = Failed(Unpaid.PROVIDER, "R000002")
OURS = Failed(Unpaid.SHOP, "2001", ours=True)


@pytest.fixture
async def paying(business):
    return await business.paid("1000")


async def standing(business, paying):
    payment = await business.row(payments, paying.started.payment_id)
    order = await business.row(orders, paying.started.order_id)
    return payment.status, order.status


async def test_a_whole_refund_reverses_the_payment_and_ends_the_order(business, paying):
    refund = await ask(business, paying)
    assert (refund.way, refund.amount, refund.status) == (Way.REVERSAL, kes("1000"), "pending")
    assert await business.wallet() == ("1000.00", "1000.00", "0.00")
    assert isinstance((await business.news(business.owner))[-1], RefundRequested)
    assert (await approve(business, refund)).status == "processing"
    one = await Refunding.of(business, refund)
    await one.sent()
    assert isinstance(one.message, Reversal)
    assert one.message.receipt == "UKO0000001"
    assert await business.jobs(one.attempt) == {"refund_check": timedelta(seconds=15)}
    await one.called(Succeeded("UKR1", kes("1000")), original="UKO0000001")
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await business.balances())["provider:mpesa"] == 0
    assert await standing(business, paying) == ("refunded", "refunded")
    made = (await business.news(business.customer))[-1]
    assert isinstance(made, RefundMade)
    assert (made.amount, made.receipt) == (kes("1000"), "UKR1")
    assert (await business.news(business.manager))[-1].refund.status == "completed"
    assert await business.jobs(one.attempt) == {}
    with pytest.raises(AlreadyRefunded):
        await ask(business, paying)


async def test_a_part_is_paid_out_to_who_paid_and_several_never_exceed_the_whole(business, paying):
    one = await approved(business, paying, "400")
    assert one.refund.way == Way.PAYOUT
    await one.sent()
    assert isinstance(one.message, Payout)
    assert one.message.details == {"phone_number": PHONE}
    with pytest.raises(MoreThanRemains) as refused:
        await ask(business, paying, "601")
    assert refused.value.remains == kes("600")
    await one.called(Succeeded("UKP1", kes("400")))
    assert await standing(business, paying) == ("partially_refunded", "paid")
    rest = await approved(business, paying)
    assert (rest.refund.way, rest.refund.amount) == (Way.PAYOUT, kes("600"))
    await rest.sent()
    await rest.called(Succeeded("UKP2", kes("600")))
    assert await standing(business, paying) == ("refunded", "refunded")
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_the_fee_of_the_sale_is_kept_and_shown(business):
    await business.set(payment_fee_ppm=25_000)
    paying = await business.paid("1000")
    with pytest.raises(InsufficientBalance) as refused:
        await ask(business, paying)
    assert (refused.value.available, refused.value.required) == (kes("975"), kes("1000"))
    await business.paid("100")
    refund = await ask(business, paying)
    assert refund.fee == kes("25")


@pytest.mark.parametrize(
    ("amount", "way", "refusal"),
    [
        ("1000.01", None, MoreThanRemains),
        ("400.50", None, NotWholeShillings),
        ("9", None, BelowMinimum),
        ("400", Way.REVERSAL, NotRefundable),
        ("1000", Way.SALE, NotRefundable),
    ],
    ids=["more", "cents", "too little to pay out", "a part reversed", "kept"],
)
async def test_what_cannot_be_asked_for_is_refused_and_holds_nothing(business, paying, amount, way, refusal):
    with pytest.raises(refusal):
        await ask(business, paying, amount, way)
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")


@pytest.mark.parametrize(
    ("receipt", "age", "whole", "because"),
    [
        ("R", 1, True, None),
        (None, 1, True, "no_receipt"),
        ("R", 31, True, "too_old"),
        ("R", 1, False, "partial"),
    ],
    ids=str,
)
def test_why_a_provider_does_not_give_a_payment_back(receipt, age, whole, because):
    rules = RefundRules(whole=True, within=timedelta(days=30))
    assert why_not(rules, receipt, timedelta(days=age), whole=whole) == because


async def test_a_reason_a_right_and_a_payment_are_needed(business, paying):
    unpaid = await business.pay("70")
    with pytest.raises(NotPaid):
        await ask(business, unpaid)
    with pytest.raises(MissingScope):
        await ask(business, paying, maker=business.cashier)
    refund = await ask(business, paying)
    with pytest.raises(NotFound):
        await ask(business, paying, maker=business.owner, id_=refund.id)
    assert await ask(business, paying, id_=refund.id) == refund
    async with business.work() as work:
        with pytest.raises(BlankReason):
            await decide.reject(work, business.owner, refund.id, " ")


async def test_the_maker_does_not_approve_and_what_was_decided_stands(business, paying):
    refund = await ask(business, paying)
    with pytest.raises(FourEyesViolation):
        await approve(business, refund, by=business.manager)
    assert "refund.self_approval" in await business.alerts()
    with pytest.raises(MissingScope):
        await approve(business, refund, by=business.cashier)
    with pytest.raises(Changed):
        await approve(business, refund.model_copy(update={"digest": "0"}))
    async with business.work() as work:
        await decide.reject(work, business.owner, refund.id, "it fits")
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")
    told = (await business.news(business.manager))[-1]
    assert isinstance(told, RefundTold)
    assert (told.refund.status, told.reason) == ("rejected", "it fits")
    with pytest.raises(NotPending):
        await approve(business, refund)


async def test_one_of_the_staff_who_has_paid_approves_no_refund_of_it_and_is_not_counted_on(business):
    business.customer = business.owner
    paying = await business.paid("1000")
    baraka = await business.person("Baraka", "Finance Admin")
    await business.set(approvals=2)
    refund = await ask(business, paying)
    assert (await business.row(operations, refund.id)).approvals_needed == 1
    with pytest.raises(OwnPurchase):
        await approve(business, refund)
    assert (await approve(business, refund, by=baraka)).status == "processing"


async def test_what_nobody_decides_expires_and_what_is_altered_is_not_sent(business, paying):
    refund = await ask(business, paying, "400")
    business.forward(hours=24)
    async with business.work() as work:
        await decide.expire(work, refund.id)
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")
    one = await approved(business, paying, "400")
    await business.change(staff, staff.c.person_id == business.owner, active=False)
    assert not await one.begun()
    assert (await business.row(refunds, one.refund.id)).because == Unrefunded.APPROVER
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")


@pytest.mark.parametrize("answer", [Refused(Unpaid.LIMIT, "no"), Misconfigured("keys")], ids=["no", "ours"])
async def test_a_plain_no_gives_the_amount_back_to_the_wallet(business, paying, answer):
    one = await approved(business, paying)
    assert await one.begun()
    await one.answered(answer)
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")
    assert (await business.row(refunds, one.refund.id)).status == "failed"
    again = await ask(business, paying, way=Way.PAYOUT)  # the other way is open
    assert again.way == Way.PAYOUT


async def test_an_unknown_one_is_asked_for_and_never_sent_again(business, paying):
    one = await approved(business, paying)
    assert await one.begun()
    await one.answered(Unknown("timeout"))
    assert not await one.begun()
    assert await one.asked() == "refunded_query"
    await one.called(Pending("the payment is completed"), "refunded_query", original="UKO0000001")
    await one.called(Succeeded(), "refunded_query", original="ANOTHER")
    assert (await business.row(refund_attempts, one.attempt)).state == "unknown"
    assert "refund.reference_mismatch" in await business.alerts()
    await one.called(Succeeded(), "refunded_query", original="UKO0000001")
    assert (await business.row(refunds, one.refund.id)).status == "completed"


async def test_what_the_provider_never_tells_is_told_to_the_staff_and_stays_held(business, paying):
    one = await approved(business, paying)
    assert await one.begun()
    assert not await one.begun()  # whoever began never came back
    for _ in range(10):
        business.forward(hours=6)
        assert await one.asked()
    told = [n for n in await business.news(business.owner) if isinstance(n, RefundTold) and n.undecided]
    assert len(told) == 1
    assert await business.wallet() == ("1000.00", "1000.00", "0.00")


async def test_what_never_left_is_sent_again_and_payouts_that_are_stopped_hold_it(business, paying):
    one = await approved(business, paying)
    await business.set(payouts_frozen=True)
    assert not await one.begun()
    await business.set(payouts_frozen=False)
    assert await one.begun()
    await one.answered(NotSent("refused"))
    assert await one.begun()


async def test_the_word_of_another_or_of_another_amount_moves_nothing(business, paying):
    one = await approved(business, paying)
    await one.sent()
    await one.called(Succeeded("UKR1", kes("1000")), reference="another")
    await one.called(Succeeded("UKR1", kes("900")))
    await one.called(NO)  # after a yes was told a no is not believed
    assert (await business.row(refunds, one.refund.id)).status == "processing"
    assert await business.alerts() == [
        "refund.reference_mismatch",
        "refund.amount_mismatch",
        "refund.contradicted",
    ]
    await one.called(Succeeded("UKR1", kes("1000")))
    await one.called(Succeeded("UKR1", kes("1000")))
    await one.called(NO)
    assert (await business.row(refunds, one.refund.id)).status == "completed"


@pytest.mark.parametrize(("handed_over", "sold"), [(False, 1), (True, 3)], ids=["here", "handed over"])
async def test_the_stock_of_a_refunded_order_comes_back_unless_it_was_handed_over(
    business, paying, handed_over, sold
):
    row = {"sku": "SOAP", "name": "Soap", "price": 500_00, "stock": 10, "sold": 3}
    line = Line(sku="SOAP", name="Soap", price=kes("500"), quantity=2)
    async with business.work() as work:
        await work.connection.execute(sa.insert(products).values(tenant_id=work.tenant, **row))
    state = {"status": "fulfilled"} if handed_over else {}
    await business.change(orders, orders.c.id == paying.started.order_id, lines=[line.stored()], **state)
    await refunded(business, paying)
    assert await standing(business, paying) == ("refunded", "refunded")
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(products.c.sold)) == sold


async def test_a_receipt_of_another_refund_moves_nothing(business, paying):
    other = await business.paid("500")
    await refunded(business, other, receipt="UKR1")
    one = await approved(business, paying)
    await one.sent()
    await one.called(Succeeded("UKR1", kes("1000")))
    assert (await business.row(refunds, one.refund.id)).status == "processing"
    assert await business.alerts() == ["refund.receipt_reused"]


async def test_a_success_after_a_failure_is_booked_as_taken_back(business, paying):
    one = await approved(business, paying)
    await one.sent()
    await one.called(OURS)
    assert (await business.row(refunds, one.refund.id)).because == Unrefunded.SETTINGS
    await one.called(Succeeded("UKR1", kes("1000")))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await standing(business, paying) == ("refunded", "refunded")
    with pytest.raises(AlreadyRefunded):
        await ask(business, paying)


async def test_a_customer_asks_once_and_the_staff_take_it_up_or_decline(business, paying):
    payment = paying.started.payment_id
    for reason in ("", "too small"):
        async with business.work() as work:
            if reason:
                await wishes.wish(work, business.customer, payment, reason)
            else:
                with pytest.raises(BlankReason):
                    await wishes.wish(work, business.customer, payment, reason)
    with pytest.raises(RefundAsked):
        async with business.work() as work:
            await wishes.wish(work, business.customer, payment, "again")
    with pytest.raises(NotFound):
        async with business.work() as work:
            await wishes.wish(work, business.cashier, payment, "mine")
    wanted = (await business.news(business.owner))[-1]
    assert isinstance(wanted, RefundWanted)
    async with business.work() as work:
        assert await wishes.decline(work, business.owner, wanted.wish_id, "it was worn")
        assert not await wishes.decline(work, business.manager, wanted.wish_id, "worn")
    declined = (await business.news(business.customer))[-1]
    assert declined == RefundDeclined(number=wanted.number, reason="it was worn")
    async with business.work() as work:
        await wishes.wish(work, business.customer, payment, "please")
    await refunded(business, paying)
    with pytest.raises(AlreadyRefunded):
        async with business.work() as work:
            await wishes.wish(work, business.customer, payment, "again")


@pytest.mark.postgres
async def test_refunds_at_once_never_exceed_what_was_paid(business, paying):
    await business.paid("5000")
    results = await asyncio.gather(*(ask(business, paying, "300") for _ in range(8)), return_exceptions=True)
    assert len([each for each in results if not isinstance(each, Exception)]) == 3
    assert all(isinstance(each, MoreThanRemains) for each in results if isinstance(each, Exception))


@pytest.mark.postgres
async def test_a_refund_and_a_withdrawal_at_once_never_share_the_money(business, paying):
    results = await asyncio.gather(ask(business, paying), business.withdraw("1000"), return_exceptions=True)
    assert [isinstance(each, InsufficientBalance) for each in results].count(True) == 1
    assert await business.wallet() == ("1000.00", "1000.00", "0.00")


async def test_hours_that_the_shop_has_closed_hold_refunds_until_they_are_over(business, paying):
    """But for what is kept as a sale, and what the provider takes back by itself."""
    early, late = await ask(business, paying, "400"), await ask(business, paying, "300")
    await approve(business, early)
    one = await Refunding.of(business, early)
    await business.set(blocked_hours="11:30-14:00", timezone="Africa/Nairobi")  # it is noon
    assert not await one.begun()
    assert await business.jobs(one.attempt) == {"refund": timedelta(hours=2)}
    with pytest.raises(PayoutsBlocked):
        await approve(business, late)
    assert (await ask(business, paying, "100")).status == "pending"
    business.forward(hours=2)
    assert await one.begun()
    assert (await approve(business, late)).status == "processing"


async def test_keeping_what_was_paid_twice_as_a_sale_is_free_at_any_hour(business):
    second = await paid_twice_by(business)
    await business.set(blocked_hours="11:30-14:00", timezone="Africa/Nairobi")
    assert (await approve(business, await resolve(business, second.attempt, keep=True))).status == "completed"


async def test_a_refund_that_shares_a_hold_is_not_asked_for_and_one_without_is_not_completed(
    business, paying
):
    taken = new_id()
    async with business.work() as work:
        await ledger.hold(work, taken, kes("1"))
    with pytest.raises(RuntimeError, match="holds something else"):
        await ask(business, paying, "400", id_=taken)
    one = await approved(business, paying, "400")
    await one.sent()
    its_own = holds.c.id == one.refund.id
    await business.change(holds, its_own, state="voided", resolved_at=business.now)
    with pytest.raises(RuntimeError, match="no open hold"):
        await one.called(Succeeded("UKP1", kes("400")))
    assert (await business.row(refunds, one.refund.id)).status == "processing"
    assert (await business.balances())["provider:mpesa"] == -1000_00
    await business.change(holds, its_own, state="open", resolved_at=None)
    await one.called(Succeeded("UKP1", kes("400")))
    assert (await business.balances())["provider:mpesa"] == -600_00


async def test_what_fewer_have_approved_than_it_takes_by_now_is_not_sent(business, paying):
    one = await approved(business, paying, "400")
    await business.person("Barasa", "Owner")
    await business.set(approvals=2)
    assert not await one.begun()
    assert (await business.row(refunds, one.refund.id)).because == Unrefunded.APPROVER
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")
