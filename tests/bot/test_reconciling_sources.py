"""Reconciling with what the emulated providers tell: the portal's file, M-Pesa's list, Paystack's lists."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.reconciling import BY_HAND, JOB, next_night
from services.facts import Checkout
from services.ids import new_id
from services.payments.start import Payer, made
from services.providers.listing import Kind
from services.refunds import still_paid
from services.store.schema import NOBODY, credentials, jobs, tenants
from services.store.scope import OWNER, PLATFORM
from tests.bot.market import PAYSTACK, SETTINGS, until, with_phone
from tests.bot.reconciled import Reconciled, number, opened
from tests.services.business import TO_BANK, kes
from tests.services.refunding import approved


@pytest.fixture
def reconciled(market):
    return Reconciled(market)


async def paid(market, amount="500", lost=False, phone=1):
    if lost:
        await market.arm("stk.callback", "lost")
    paying = await market.business.pay(amount, way=with_phone(phone))
    await market.work()
    before = len(await market.hooks())
    await market.phone("pay")
    if not lost:
        await market.told(before + 1)
    return paying


async def test_the_portals_file_of_a_day_with_all_that_may_happen(market, reconciled):
    """A sale, one whose callback is lost, one that M-Pesa reverses by itself, a refund, a payout, and
    somebody at the counter."""
    business = market.business
    await paid(market, "2000")
    lost = await paid(market, "300", lost=True, phone=2)
    reversed_ = await paid(market, "400", phone=3)
    await market.act(f"prompts/{(await market.prompts())[-1]['id']}/reverse")
    refunded = await paid(market, "600", phone=4)
    await approved(business, refunded)
    await market.work()
    await market.told(4)
    await business.approved("500")
    await market.work()
    await market.told(5)
    await market.act("counter", amount=70, account="KWA DUKA")
    report = await reconciled.read(await reconciled.exported())
    told = {(each.type.value, each.label, str(each.amount)) for each in report.opened}
    assert told == {
        ("late", number(lost), "300.00"),
        ("late", number(reversed_), "400.00"),
        ("unknown_reference", "", "70.00"),
    }
    assert {each.kind: each.count for each in report.found.lines} == {
        Kind.PAID: 5,
        Kind.SENT: 1,
        Kind.BACK: 2,
        Kind.FEE: 1,
    }


async def test_what_mpesa_took_back_by_itself_is_explained_once_it_is_asked_about(market, reconciled):
    paying = await paid(market)
    await market.act(f"prompts/{(await market.prompts())[-1]['id']}/reverse")
    (only,) = (await reconciled.read(await reconciled.exported())).opened
    assert (only.kind, only.label) == (Kind.BACK, number(paying))
    async with market.business.work() as work:
        await still_paid.ask(work, market.business.manager, paying.started.payment_id)
    await market.work()
    await market.told(2)
    assert opened(await reconciled.again()) == set()


async def test_the_list_of_two_days_finds_a_lost_callback_page_after_page(market, reconciled):
    """And what the portal's file tells again is the same line."""
    await market.set_up(SETTINGS | {"pull": True})
    lost = await paid(market, lost=True)
    for n in range(60):
        await market.act("counter", amount=n + 1)
    market.business.forward(minutes=1)
    await market.arm("pull.query", "busy")
    report = await reconciled.again(ask=True)
    assert report.trouble is None
    assert report.new_lines == 61
    types = [each.type.value for each in report.opened]
    assert (types.count("unknown_reference"), types.count("late")) == (60, 1)
    assert [each.label for each in report.opened if each.type == "late"] == [number(lost)]
    report = await reconciled.read(await reconciled.exported())
    assert (report.new_lines, report.kept.new) == (0, 0)


async def test_paystacks_transfers_are_compared_and_what_the_bank_gave_back_is_nothing(market, reconciled):
    await market.business.paid("5000")
    sent = await market.business.approved("900", TO_BANK)
    await market.work()
    await until(lambda: _transfers(market, "success"))
    await market.told(1)
    assert await market.payout(sent.payout) == "succeeded"
    await market.arm("paystack.outcome", "given_back")
    back = await market.business.approved("1000", TO_BANK)
    await market.work()
    await until(lambda: _transfers(market, "reversed"))
    await market.told(2)
    assert await market.payout(back.payout) == "failed"
    await market.act(
        "paystack/transactions", slug=market.business.slug, amount=5000, reference="page-of-theirs"
    )
    market.business.forward(minutes=1)
    report = await reconciled.again("paystack", ask=True)
    assert opened(report) == {("unknown_reference", "4000000000", "page-of-theirs")}
    assert {each.kind: each.count for each in report.found.lines} == {"paid": 1, "sent": 2, "returned": 1}


async def test_a_transfer_that_the_bank_gives_back_later_is_booked_both_ways(market, reconciled):
    await market.business.paid("5000")
    await market.arm("paystack.outcome", "given_back_later")
    back = await market.business.approved("1000", TO_BANK)
    await market.work()
    await until(lambda: _transfers(market, "reversed"))
    await market.told(2)
    assert await market.withdrawal(back.withdrawal.id) == "failed"
    market.business.forward(minutes=1)
    report = await reconciled.again("paystack", ask=True)
    assert opened(report) == set()
    assert {each.kind: str(each.total) for each in report.found.booked} == {
        "sent": str(back.withdrawal.net),
        "returned": str(back.withdrawal.net),
    }


async def _transfers(market, status):
    return any(each["description"] == status for each in await market.sent_payouts())


async def test_a_provider_that_does_not_answer_is_told_of_and_nothing_is_missed(market, reconciled):
    await market.arm("paystack.list", "500", times=5)
    report = await reconciled.again("paystack", ask=True)
    assert "500" in str(report.trouble)
    assert report.opened == ()
    wrong = PAYSTACK | {"secret_key": "sk_test_of_another"}
    await market.set_up(wrong, "paystack")
    assert "401" in str((await reconciled.again("paystack", ask=True)).trouble)


async def test_every_night_all_that_can_be_asked_are_asked_and_old_breaks_told(market, reconciled):
    await market.act(
        "paystack/transactions", slug=market.business.slug, amount=5000, reference="page-of-theirs"
    )
    market.business.forward(days=2)
    calls, _ = market.workers(own={JOB: reconciled.edge.as_job})
    async with market.database.transaction(PLATFORM) as connection:
        row = {"tenant_id": NOBODY, "target_id": NOBODY, "kind": JOB, "due_at": market.business.now}
        await connection.execute(sa.insert(jobs).values(row))
    assert await calls.once()
    assert await market.business.alerts() == ["reconciliation.aged"]
    due = next_night(market.business.now)
    assert (await market.job(NOBODY, JOB)).due_at == due
    market.business.forward(days=1)
    assert await calls.once()
    assert await market.business.alerts() == ["reconciliation.aged"]


async def test_a_tenant_that_cannot_be_read_costs_no_other_its_night_and_is_alerted(market, reconciled):
    await market.act(
        "paystack/transactions", slug=market.business.slug, amount=5000, reference="page-of-theirs"
    )
    async with market.database.transaction(OWNER) as connection:
        row = (await connection.execute(sa.select(tenants))).mappings().first()
        # Another's settings, which its key does not open; its id comes first.
        spoiled = dict(row) | {"id": UUID(int=1), "slug": "spoiled", "phone_number_id": "999"}
        await connection.execute(sa.insert(tenants).values(spoiled))
        for part in (await connection.execute(sa.select(credentials))).mappings().all():
            await connection.execute(sa.insert(credentials).values(dict(part) | {"tenant_id": UUID(int=1)}))
    market.business.forward(days=2)
    await reconciled.edge.as_job()
    assert await market.business.alerts_of(UUID(int=1)) == ["reconciliation.failed"]
    assert "reconciliation.aged" in await market.business.alerts()
    assert (await market.job(NOBODY, JOB)).due_at == next_night(market.business.now)


async def ordered(market, amount="70"):
    """An order of the merchant's, which nobody was asked to pay on the phone; its number."""
    async with market.business.work() as work:
        checkout = Checkout(order_id=new_id(), amount=kes(amount))
        row = await made(work, Payer(market.business.customer, None), checkout)
    return row.number


async def test_who_types_an_orders_number_at_the_till_has_paid_it_within_the_hour(market, reconciled):
    await market.set_up(SETTINGS | {"pull": True})
    paid_by_hand, left_open = await ordered(market), await ordered(market)
    await market.act("counter", amount=70, account=f" {paid_by_hand.lower()} ")
    await market.act("counter", amount=69, account=left_open)
    await market.act("counter", amount=70, account="KWA DUKA")
    await reconciled.edge.as_frequent_job()  # too young: somebody may still be asked
    assert await market.business.wallet() == ("0.00", "0.00", "0.00")
    market.business.forward(minutes=31)
    await reconciled.edge.as_frequent_job()
    await reconciled.edge.as_frequent_job()
    assert await market.business.wallet() == ("70.00", "0.00", "70.00")
    assert (await market.job(NOBODY, BY_HAND)).due_at == market.business.now + timedelta(minutes=10)
    report = await reconciled.again(ask=True)
    assert {(each.type.value, str(each.amount)) for each in report.opened} == {
        ("unknown_reference", "69.00"),
        ("unknown_reference", "70.00"),
    }


async def test_what_fails_for_one_tenant_is_alerted_and_tried_again(market, reconciled):
    await market.set_up(SETTINGS | {"pull": True})
    market.business.forward(minutes=1)
    reconciled.edge.asked = _breaks
    await reconciled.edge.as_frequent_job()
    assert await market.business.alerts_of(market.business.tenant) == ["reconciliation.failed"]
    assert (await market.job(NOBODY, BY_HAND)).due_at == market.business.now + timedelta(minutes=10)


async def _breaks(*_):
    raise RuntimeError("a bug")


async def test_each_night_it_is_begun_anew(market, reconciled):
    await reconciled.edge.as_job()
    assert (await market.job(NOBODY, BY_HAND)).due_at <= market.business.now
