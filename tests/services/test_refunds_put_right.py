"""A refund that people had settled as paid and its provider denies, and one that was paid out and comes back:
the books follow the money, once."""

import pytest
import sqlalchemy as sa

from services import books
from services.news import Unpaid
from services.news.refunds import RefundMade, RefundTold, RefundUndone, Unrefunded, Way
from services.providers.base import Failed, Succeeded
from services.providers.listing import Kind
from services.reconciliation.ours import Items
from services.refunds.queue import paid_twice
from services.shop import fulfilment
from services.shop.facts import Line
from services.statement.period import Period
from services.statement.read import pages, statement
from services.store.schema import holds, orders, payments, products, refund_attempts, refunds, tenants
from services.store.scope import OWNER
from tests.services.business import kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, approved, ask, resolve
from tests.services.reviewing import LADDER, propose, refund_left_undecided
from tests.services.reviewing import approve as agree
from tests.services.test_taken_back import owed, told

NO = Failed(Unpaid.PROVIDER, "no")
BACK = Failed(Unpaid.PROVIDER, "status reversed", returned=kes("500"))
YES = Succeeded("UKR1", kes("500"))


@pytest.fixture
async def one(business):
    """500 of 500, by a reversal that two people have settled as made."""
    return await settled(business, await refund_left_undecided(business))


@pytest.fixture
async def out(business):
    """500 of 500, that its payer is paid out."""
    refund = await approved(business, await business.paid("500"), None, Way.PAYOUT)
    await refund.sent()
    return refund


async def settled(business, refund, outcome="paid"):
    await agree(business, await propose(business, refund.attempt, outcome))
    return refund


async def unanswered(business, refund):
    for _ in range(LADDER):
        business.forward(hours=6)
        assert await refund.asked()
    return refund


async def stands(business, refund):
    """Of the refund, of what was paid, and of the order."""
    row = await business.row(refunds, refund.refund.id)
    payment = await business.row(payments, row.payment_id)
    order = await business.row(orders, payment.order_id)
    return row.status, row.because, payment.status, order.status


async def items(business, refund):
    async with business.behind() as work:
        found = await Items(work.connection, business.tenant, "mpesa").about([], [str(refund.attempt)])
    return {each.kind: each.booked for each in found}


async def proven(business):
    async with business.behind() as work:
        assert await business.breaches(work) == []


async def told_of(business, person, kind):
    return [news for news in await business.news(person) if isinstance(news, kind)]


async def test_what_people_had_settled_as_paid_and_was_denied_is_in_the_wallet_again_once(business, one):
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await stands(business, one))[2:] == ("refunded", "refunded")
    for _ in range(3):
        await one.called(NO)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["provider:mpesa"] == -500_00
    assert await stands(business, one) == ("failed", Unrefunded.DENIED, "succeeded", "paid")
    assert (await business.row(holds, one.refund.id)).state == "posted"
    alerts = await business.alerts()
    assert {"refund.failed_after_success", "settlement.contradicted"} <= set(alerts)
    assert alerts.count("settlement.contradicted") == 1
    assert (await business.row(tenants, business.tenant)).frozen_because == "contradiction"
    for person in (business.manager, business.owner):
        last = (await told_of(business, person, RefundTold))[-1]
        assert (last.because, last.refund.status) == (Unrefunded.DENIED, "failed")
    (undone,) = await told_of(business, business.customer, RefundUndone)
    assert (undone.amount, undone.twice) == (kes("500"), False)
    assert (await items(business, one))[Kind.BACK] is None
    await proven(business)


async def test_it_can_be_asked_for_again(business, one):
    await one.called(NO)
    await business.go_on()
    again = await Refunding.of(
        business, await approve(business, await ask(business, await paying_of(business, one)))
    )
    await again.sent()
    await again.called(YES)
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await stands(business, again))[2:] == ("refunded", "refunded")
    await proven(business)


async def paying_of(business, refund):
    class Paid:
        class started:  # noqa: N801  as of `Paying`
            payment_id = refund.refund.payment_id

    return Paid


async def test_a_part_leaves_what_else_has_gone_back(business):
    paying = await business.paid("500")
    first = await approved(business, paying, "200")
    await first.sent()
    await first.called(Succeeded("UKP0", kes("200")))
    second = await approved(business, paying, "300")
    await second.sent()
    await settled(business, await unanswered(business, second))
    assert (await stands(business, second))[2:] == ("refunded", "refunded")
    await second.called(NO)
    assert await stands(business, second) == ("failed", Unrefunded.DENIED, "partially_refunded", "paid")
    assert await business.wallet() == ("300.00", "0.00", "300.00")
    await proven(business)


@pytest.mark.parametrize("handed_over", [False, True])
async def test_an_order_is_as_before_and_its_goods_are_sold_again(business, handed_over):
    row = {"sku": "SOAP", "name": "Soap", "price": 500_00, "stock": 10, "sold": 3}
    line = Line(sku="SOAP", name="Soap", price=kes("500"), quantity=2)
    async with business.work() as work:
        await work.connection.execute(sa.insert(products).values(tenant_id=work.tenant, **row))
    paying = await business.paid("500")
    order = await business.row(orders, paying.started.order_id)
    await business.change(orders, orders.c.id == order.id, lines=[line.stored()])
    if handed_over:
        async with business.work() as work:
            assert await fulfilment.fulfil(work, business.owner, order.number)

    async def sold():
        async with business.work() as work:
            return await work.connection.scalar(
                sa.select(products.c.sold).where(products.c.tenant_id == work.tenant)
            )

    refund = await approved(business, paying)
    await refund.sent()
    await settled(business, await unanswered(business, refund))
    assert await sold() == (3 if handed_over else 1)
    await refund.called(NO)
    after = "fulfilled" if handed_over else "paid"
    assert await stands(business, refund) == ("failed", Unrefunded.DENIED, "succeeded", after)
    assert await sold() == 3


async def test_a_yes_after_that_no_is_booked_once_and_told(business, one):
    for word in (NO, YES, YES, NO):
        await one.called(word)
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await stands(business, one))[2:] == ("refunded", "refunded")
    assert len(await told_of(business, business.customer, RefundMade)) == 2
    await proven(business)


async def test_paid_out_a_yes_after_that_no_is_booked_under_its_own_receipt_and_may_come_back(business, out):
    await settled(business, await unanswered(business, out))
    for word in (NO, Succeeded("UKP9", kes("500")), Succeeded("UKP9", kes("500")), NO):
        await out.called(word)
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await business.row(refund_attempts, out.attempt)).receipt == "UKP9"
    assert (await items(business, out))[Kind.SENT] == kes("500")
    await proven(business)
    for _ in range(2):
        await out.called(BACK)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await stands(business, out))[2:] == ("succeeded", "paid")
    assert await items(business, out) == {Kind.SENT: kes("500"), Kind.RETURNED: kes("500")}
    assert len(await told_of(business, business.customer, RefundUndone)) == 2
    await proven(business)


async def test_of_what_the_provider_had_said_itself_no_is_believed(business, one):
    await one.called(Succeeded("SJK7ABC123", kes("500")))
    await one.called(NO)
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await stands(business, one))[0] == "completed"
    assert (await business.row(tenants, business.tenant)).payouts_frozen


async def test_what_the_provider_took_back_itself_meanwhile_is_not_booked_back(business, one):
    payment = await business.row(refunds, one.refund.id)
    await told(business, payment.attempt_id, "D1", "500")
    assert "payment.reversal_beyond" in await business.alerts()
    await one.called(NO)
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert (await stands(business, one))[0] == "completed"


async def test_of_what_was_paid_twice_it_lies_in_suspense_again(business):
    second = await paid_twice_by(business)
    refund = await Refunding.of(
        business, await approve(business, await resolve(business, second.attempt, keep=False))
    )
    await refund.sent()
    await settled(business, await unanswered(business, refund))
    assert (await business.balances())["suspense"] == 0
    await refund.called(NO)
    assert (await business.balances())["suspense"] == second.checkout.amount.minor
    async with business.work() as work:
        (lying,) = await paid_twice(work)
    assert lying.amount == second.checkout.amount
    assert (await told_of(business, business.customer, RefundUndone))[0].twice
    await proven(business)


async def test_what_was_paid_out_and_comes_back_is_in_the_wallet_again_once(business, out):
    await out.called(YES)
    for word in (BACK, BACK, YES, BACK):
        await out.called(word)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await stands(business, out) == ("failed", Unrefunded.RETURNED, "succeeded", "paid")
    assert await business.alerts() == ["refund.returned"]
    assert not (await business.row(tenants, business.tenant)).payouts_frozen
    for person in (business.manager, business.owner):
        assert (await told_of(business, person, RefundTold))[-1].because == Unrefunded.RETURNED
    assert len(await told_of(business, business.customer, RefundUndone)) == 1
    assert await items(business, out) == {Kind.SENT: kes("500"), Kind.RETURNED: kes("500")}
    await proven(business)


async def test_another_amount_moves_nothing(business, out):
    await out.called(YES)
    await out.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("400")))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await business.alerts() == ["refund.return_mismatch"]


async def test_told_before_the_success_it_is_a_failure_and_a_late_success_moves_nothing(business, out):
    await out.called(BACK)
    await out.called(YES)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == ["refund.succeeded_before_return"]
    assert await items(business, out) == {Kind.SENT: None, Kind.RETURNED: None}
    await proven(business)


async def test_denied_and_come_back_it_has_come_back_once(business, out):
    await settled(business, await unanswered(business, out))
    for word in (NO, BACK, YES):
        await out.called(word)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert "refund.succeeded_before_return" in await business.alerts()
    await proven(business)


async def test_an_answer_has_to_name_what_came_back(business, out):
    about = await out.asked()
    await out.called(YES)
    await out.called(BACK, about, "another")
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    await out.called(BACK, about, "another", payout_references=frozenset({str(out.attempt)}))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert await business.alerts() == ["refund.return_unproven", "refund.returned"]


async def test_what_is_owed_is_paid_of_it_first(business):
    """Paid after all while the wallet was empty: it is owed, and what comes back pays it."""
    refund = await approved(business, await business.paid("500"), None, Way.PAYOUT)
    await refund.sent()
    await refund.called(NO)
    spent = await approved(business, await paying_of(business, refund))
    await spent.sent()
    await spent.called(YES)
    await refund.called(Succeeded("UKP7", kes("500")))
    assert await owed(business) == 500_00
    await refund.called(BACK)
    assert await owed(business) == 0
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    await proven(business)


async def test_of_suspense_what_was_paid_out_after_all_and_came_back_lies_there_again(business):
    second = await paid_twice_by(business)
    await told(business, second.attempt, "D1", "200")  # so that the rest is paid out
    late = await Refunding.of(
        business, await approve(business, await resolve(business, second.attempt, keep=False))
    )
    await late.sent()
    await late.called(NO)
    await late.called(Succeeded("UKP1", kes("300")))
    await late.called(Failed(Unpaid.PROVIDER, "reversed", returned=kes("300")))
    assert (await business.balances())["suspense"] == 300_00
    async with business.work() as work:
        (lying,) = await paid_twice(work)
    assert lying.amount == kes("300")
    await proven(business)


async def test_it_has_a_line_of_its_own_in_a_statement(business, out):
    await out.called(YES)
    business.forward(minutes=1)
    await out.called(BACK)
    since, until = business.now.replace(hour=0), business.now.replace(hour=23)
    async with business.work() as work:
        found = await statement(work, Period(since, until), "KES")
        lines = [line async for page in pages(work, found) for line in page]
    (back,) = [line for line in lines if line.kind == "refund_returned"]
    assert (back.amount, back.receipt) == (kes("500"), "UKR1")
    assert back.number is not None


@pytest.mark.parametrize("column", ["denied_at", "returned_at"])
async def test_the_books_find_what_does_not_follow(business, out, database, column):
    if column == "denied_at":
        await settled(business, await unanswered(business, out))
        await out.called(NO)
    else:
        await out.called(YES)
        await out.called(BACK)
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.text(f"UPDATE refund_attempts SET {column} = NULL"))
        breaches = {breach.rule for breach in await books.check(connection)}
        await connection.rollback()
    assert "a refund that came back is where it was taken from once, in full" in breaches
    assert "a hold is open while its refund is" in breaches
