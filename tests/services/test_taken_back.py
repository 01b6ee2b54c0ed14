"""What a provider takes back by itself: booked whatever the wallet holds, once, and paid by the next
sales."""

import asyncio

import pytest
import sqlalchemy as sa

from services import callbacks, hooks
from services.errors import NotPending
from services.errors.refunds import AlreadyRefunded, MoneyOwed
from services.ledger import SUSPENSE, WALLET
from services.ledger.rows import account_id, locked
from services.money import Money
from services.news.refunds import MoneyTakenBack, PaymentDisputed, Unrefunded, Way
from services.providers.base import Pending, Report, Succeeded
from services.reconciliation import ages
from services.refunds.queue import paid_twice
from services.store.schema import orders, payments, refund_attempts, refunds, tenants
from tests.services.business import Business, kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import Refunding, approve, approved, ask, resolve
from tests.services.reviewing import approve as settled
from tests.services.reviewing import propose, refund_left_undecided


async def told(business, attempt, reference="D1", amount="500", about="taken_back"):
    """By a signed event that names the attempt."""
    report = Report(about, frozenset({str(attempt)}), Succeeded(reference, kes(amount)))
    async with business.work() as work:
        hook = await hooks.named(work, "mpesa", report)
        assert hook is not None
        await callbacks.apply(work, hook, report)


async def owed(business):
    return -(await business.balances()).get("owed", 0)


async def test_the_wallet_pays_what_it_can_and_the_rest_is_owed_and_netted(business):
    paying = await business.paid("500")
    await (await business.approved("400")).sent()
    await told(business, paying.attempt)
    await told(business, paying.attempt)  # the same again
    assert await owed(business) == 400_00
    assert (await business.row(payments, paying.started.payment_id)).status == "refunded"
    assert (await business.row(orders, paying.started.order_id)).status == "refunded"
    news = (await business.news(business.owner))[-1]
    assert isinstance(news, MoneyTakenBack)
    assert (news.amount, news.owed) == (kes("500"), kes("400"))
    with pytest.raises(MoneyOwed):
        await business.withdraw("100")
    await business.paid("300")
    assert await owed(business) == 100_00
    await business.paid("300")
    assert await owed(business) == 0
    assert await business.wallet() == ("600.00", "400.00", "200.00")


async def test_no_withdrawal_is_approved_while_something_is_owed(business):
    paying = await business.paid("500")
    asked = await business.withdraw("500")
    await told(business, paying.attempt)
    with pytest.raises(MoneyOwed):
        async with business.teller(business.manager) as teller:
            await teller.approve(asked.id, asked.digest)
    async with business.teller(business.cashier) as teller:
        await teller.cancel_withdrawal(asked.id)  # what it held pays what is owed
    assert await owed(business) == 0
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_a_part_leaves_the_rest_to_refund_and_more_than_was_paid_is_not_believed(business):
    paying = await business.paid("500")
    await told(business, paying.attempt, "D1", "200")
    assert (await business.row(payments, paying.started.payment_id)).status == "partially_refunded"
    await told(business, paying.attempt, "D1", "200")  # the same again
    await told(business, paying.attempt, "D2", "400")
    assert await business.alerts() == ["payment.taken_back", "payment.reversal_beyond"]
    await told(business, paying.attempt, "D2", "400")  # the same again
    for person in (business.owner, business.manager):
        news = [each for each in await business.news(person) if isinstance(each, MoneyTakenBack)]
        assert [(each.amount, each.owed, each.left) for each in news] == [
            (kes("200"), Money(0, "KES"), None),
            (kes("400"), Money(0, "KES"), kes("300")),
        ]
    assert await business.wallet() == ("300.00", "0.00", "300.00")
    assert (await ask(business, paying)).amount == kes("300")


async def test_why_nothing_is_left_is_said(business):
    """Asked for, done, taken back, or kept as a sale: each is another reason."""

    async def why(paying):
        with pytest.raises(AlreadyRefunded) as refused:
            await ask(business, paying)
        return refused.value.because

    paying = await business.paid("500")
    refund = await ask(business, paying)
    assert await why(paying) == "waits"
    await approve(business, refund)
    assert await why(paying) == "waits"
    one = await Refunding.of(business, refund)
    await one.sent()
    await one.called(Succeeded("UKR1", kes("500")))
    assert await why(paying) == "refunded"
    paying = await business.paid("500")
    await told(business, paying.attempt)
    assert await why(paying) == "taken_back"


async def test_what_waited_to_be_sent_back_is_not_sent_any_more(business):
    paying = await business.paid("500")
    await business.paid("1000")
    asked = await ask(business, paying, "200")
    one = await approved(business, paying, "100")
    await told(business, paying.attempt)
    for refund in (asked, one.refund):
        row = await business.row(refunds, refund.id)
        assert (row.status, row.because) == ("failed", Unrefunded.TAKEN_BACK)
    assert not await one.begun()
    assert await business.wallet() == ("1000.00", "0.00", "1000.00")
    with pytest.raises(AlreadyRefunded):
        await ask(business, paying)


async def test_a_refund_of_our_own_is_not_booked_again_when_it_is_told(business):
    paying = await business.paid("500")
    one = await approved(business, paying)
    await one.sent()
    await one.called(Succeeded("UKR1", kes("500")))
    await told(business, paying.attempt, "UKR1")
    assert await owed(business) == 0
    assert "payment.reversal_unmatched" in await business.alerts()


async def test_a_dispute_is_told_once_and_moves_nothing(business):
    paying = await business.paid("500")
    for _ in range(2):
        await told(business, paying.attempt, about="disputed")
    found = [each for each in await business.news(business.owner) if isinstance(each, PaymentDisputed)]
    assert len(found) == 1
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_cannot_be_read_of_it_is_alerted(business):
    paying = await business.paid("500")
    report = Report("taken_back", frozenset({str(paying.attempt)}), Pending("says too little", unheard=True))
    async with business.work() as work:
        hook = await hooks.named(work, "mpesa", report)
        assert hook is not None
        await callbacks.apply(work, hook, report)
    assert await business.alerts() == ["payment.reversal_unreadable"]


async def test_what_was_paid_twice_goes_back_out_of_suspense(business):
    second = await paid_twice_by(business)
    async with business.work() as work:
        (twice,) = await paid_twice(work)
    assert (twice.attempt_id, twice.receipt) == (second.attempt, "UKO2")
    refund = await approve(business, await resolve(business, second.attempt, keep=False))
    with pytest.raises(AlreadyRefunded) as refused:
        await resolve(business, second.attempt, keep=True)
    assert refused.value.because == "waits"
    one = await Refunding.of(business, refund)
    await one.sent()
    await one.called(Succeeded("UKR1", kes("500")), original="UKO2")
    assert await business.balances() == {"provider:mpesa": -50_000, "wallet": 50_000, "suspense": 0}
    assert (await business.row(payments, second.started.payment_id)).status == "succeeded"


async def test_what_was_paid_twice_is_kept_with_the_fee_of_a_sale(business):
    second = await paid_twice_by(business)
    await business.set(payment_fee_ppm=10_000)
    kept = await approve(business, await resolve(business, second.attempt, keep=True))
    assert kept.status == "completed"
    assert await business.wallet() == ("995.00", "0.00", "995.00")
    assert (await business.balances())["suspense"] == 0
    with pytest.raises(AlreadyRefunded) as refused:
        await resolve(business, second.attempt, keep=False)
    assert refused.value.because == "kept"


async def test_what_lies_in_suspense_is_taken_back_out_of_it(business):
    second = await paid_twice_by(business)
    await told(business, second.attempt)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["suspense"] == 0
    async with business.work() as work:
        assert await paid_twice(work) == []


async def test_what_is_taken_back_in_parts_out_of_suspense_leaves_the_wallet_alone(business):
    second = await paid_twice_by(business)
    await told(business, second.attempt, "D1", "200")
    async with business.work() as work:
        (lies,) = await paid_twice(work)
        (old,) = [
            each for each in await ages.standing(work.connection, work.tenant) if each.account == SUSPENSE
        ]
    assert (lies.amount, old.stands, old.since) == (kes("300"), kes("300"), business.now)
    await told(business, second.attempt, "D2", "300")
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["suspense"] == 0
    async with business.work() as work:
        assert await paid_twice(work) == []
        assert await business.breaches(work) == []


async def test_what_a_part_taken_back_has_left_in_suspense_goes_back_and_no_more(business):
    second = await paid_twice_by(business)
    await told(business, second.attempt, "D1", "200")
    refund = await resolve(business, second.attempt, keep=False)
    assert (refund.amount, refund.way) == (kes("300"), Way.PAYOUT)  # M-Pesa reverses no part
    one = await Refunding.of(business, await approve(business, refund))
    await one.sent()
    await one.called(Succeeded("UKP1", kes("300")))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["suspense"] == 0


async def test_what_was_kept_as_a_sale_is_taken_back_out_of_the_wallet(business):
    second = await paid_twice_by(business)
    await approve(business, await resolve(business, second.attempt, keep=True))
    await told(business, second.attempt)
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert (await business.balances())["suspense"] == 0


async def test_a_payout_to_the_payer_and_a_reversal_of_the_same_payment_are_both_booked(business):
    """The customer has it twice: the shop owes the second, and nothing is lost from the books."""
    paying = await business.paid("500")
    one = await approved(business, paying, "400", Way.PAYOUT)
    await one.sent()
    await told(business, paying.attempt)
    await one.called(Succeeded("UKP1", kes("400")))
    assert await owed(business) == 400_00
    async with business.work() as work:
        assert await business.breaches(work) == []


async def test_what_people_said_of_a_refund_is_void_once_the_provider_says_it(business):
    one = await refund_left_undecided(business)
    said = await propose(business, one.attempt, "not_paid", "Statement of 25 May")
    await one.called(Succeeded("UKR1", kes("500")))
    with pytest.raises(NotPending):
        await settled(business, said)
    assert (await business.row(refunds, one.refund.id)).status == "completed"
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_a_yes_after_two_people_have_said_no_is_booked_once_and_stops_payouts(business):
    one = await refund_left_undecided(business)
    await settled(business, await propose(business, one.attempt, "not_paid", "Statement of 25 May"))
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    for _ in range(2):
        await one.called(Succeeded("UKR1", kes("500")))
    assert await business.wallet() == ("0.00", "0.00", "0.00")
    assert await owed(business) == 0
    assert (await business.row(tenants, business.tenant)).payouts_frozen


@pytest.mark.postgres
async def test_a_settlement_and_a_late_callback_at_once_move_the_money_once(business):
    for outcome in ("paid", "not_paid"):
        one = await refund_left_undecided(business)
        said = await propose(business, one.attempt, outcome, f"SJK7{outcome[:1].upper()}BC123")
        before = (await business.balances())["provider:mpesa"]
        word = Succeeded(f"SJK7{outcome[:1].upper()}BC123", kes("500"))
        await asyncio.gather(settled(business, said), one.called(word), return_exceptions=True)
        assert (await business.balances())["provider:mpesa"] - before == 500_00
        async with business.work() as work:
            assert await business.breaches(work) == []


@pytest.mark.postgres
async def test_one_refund_approved_many_times_at_once_is_sent_once(business):
    paying = await business.paid("500")
    refund = await ask(business, paying)
    await asyncio.gather(*(approve(business, refund) for _ in range(6)), return_exceptions=True)
    async with business.behind() as work:
        query = sa.select(sa.func.count()).where(refund_attempts.c.refund_id == refund.id)
        assert await work.connection.scalar(query) == 1


@pytest.mark.postgres
async def test_a_refund_and_a_reversal_at_once_leave_the_books_right(business):
    await business.paid("1000")
    for _ in range(6):
        paying = await business.paid("500")
        one = await approved(business, paying)
        await one.sent()
        await asyncio.gather(
            one.called(Succeeded(f"R{one.attempt.hex[-6:]}", kes("500"))),
            told(business, paying.attempt, f"D{one.attempt.hex[-6:]}"),
            business.paid("100"),
        )
        assert (await business.row(refunds, one.refund.id)).status == "completed"
    assert await business.wallet() == ("1600.00", "0.00", "1600.00")  # each given back once


async def opened_with(postgres, vault, first, then):
    """A business whose one account stands before the other in the order of locks."""
    business = Business(postgres, vault)
    while account_id(business.tenant, first, "KES") > account_id(business.tenant, then, "KES"):
        business = Business(postgres, vault)
    return await business.open()


async def waits_holding_nothing(business, attempt, first, then):
    """Whoever waits for the first account does not hold the second."""
    async with business.work() as other:
        await locked(other, [first], "KES")
        taking = asyncio.create_task(told(business, attempt))
        await asyncio.sleep(0.3)  # it has come as far as it can
        assert not taking.done()
        async with asyncio.timeout(0.7):  # PostgreSQL looks for deadlocks after a second
            await locked(other, [then], "KES")
    await taking


@pytest.mark.postgres
async def test_what_is_taken_back_with_a_refund_open_is_locked_in_the_order_of_all_others(postgres, vault):
    business = await opened_with(postgres, vault, "provider:mpesa", WALLET)
    paying = await business.paid("500")
    await approved(business, paying, "200")
    await waits_holding_nothing(business, paying.attempt, "provider:mpesa", WALLET)
    assert await business.balances() == {"provider:mpesa": 0, "wallet": 0}


@pytest.mark.postgres
async def test_what_is_taken_back_out_of_suspense_is_locked_so_as_well(postgres, vault):
    business = await opened_with(postgres, vault, SUSPENSE, "provider:mpesa")
    second = await paid_twice_by(business)
    await waits_holding_nothing(business, second.attempt, SUSPENSE, "provider:mpesa")
    assert (await business.balances())[SUSPENSE] == 0
