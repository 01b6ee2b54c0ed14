"""What the provider told of a payment in doubt: people who settle it see it, and nobody credits another
amount than it has told of without saying so."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import MissingScope, NotFound, NotPending
from services.errors.review import AmountDiffers, AmountNeeded, NotUndecided
from services.money import Money
from services.news import Doubt
from services.providers.base import Pending, Succeeded
from services.review import queue, subject
from services.store.schema import attempts, audit, orders, settlements
from tests.services.business import Business, kes
from tests.services.reviewing import approve, given_up, propose
from tests.services.test_by_hand import ordered
from tests.services.test_payments_in_doubt import CANCELLED, OTHER, PAID, gone_up_the_ladder

CREDITED = ("500.00", "0.00", "500.00")
NOTHING = ("0.00", "0.00", "0.00")


async def doubtful(business, *words, confirm_above=None):
    paying = await business.pay("500")
    await paying.sent()
    for word in words:
        await paying.called(word, confirm_above=confirm_above)
    await gone_up_the_ladder(paying, Pending())
    return paying


async def about(business, paying):
    async with business.work() as work:
        return await queue.one(work, paying.attempt)


async def test_another_amount_is_shown_with_its_receipt_when_and_how_it_was_told(business):
    at = business.now
    paying = await doubtful(business, OTHER)
    shown = await about(business, paying)
    (told,) = shown.told
    assert (told.paid, told.amount, told.receipt, told.by) == (True, OTHER.amount, OTHER.receipt, "callback")
    assert told.at == at
    assert (shown.doubt, shown.differs, shown.firm) == (Doubt.OTHER_AMOUNT, True, None)


async def test_who_approves_is_shown_the_same(business):
    paying = await doubtful(business, OTHER)
    made = await propose(business, paying.attempt, "not_paid", "statement of 24 November")
    assert made.about.told == (await about(business, paying)).told
    async with business.behind() as work:
        query = sa.select(audit.c.facts).where(audit.c.action == "settlement.asked")
        facts = await work.connection.scalar(query)
    assert facts["doubt"] == "other_amount"
    assert [each["amount"] for each in facts["told"]] == [str(OTHER.amount)]


async def test_paid_says_the_amount_that_the_providers_records_have_and_it_is_the_orders(business):
    paying = await doubtful(business, OTHER)
    with pytest.raises(AmountNeeded) as needed:
        await propose(business, paying.attempt)
    assert needed.value.told == OTHER.amount
    with pytest.raises(AmountDiffers) as differs:
        await propose(business, paying.attempt, amount=OTHER.amount)
    assert (differs.value.asked, differs.value.told) == (kes("500"), OTHER.amount)
    with pytest.raises(AmountDiffers):
        await propose(business, paying.attempt, amount=Money(500_00, "USD"))
    await approve(business, await propose(business, paying.attempt, amount=kes("500")))
    assert await business.wallet() == CREDITED


async def test_where_nothing_else_was_told_no_amount_is_asked_for_and_a_wrong_one_is_refused(business):
    paying = await doubtful(business)
    assert (await about_any(business, paying)).told == ()
    with pytest.raises(AmountDiffers):
        await propose(business, paying.attempt, amount=kes("499"))
    await approve(business, await propose(business, paying.attempt))
    assert await business.wallet() == CREDITED


async def about_any(business, paying):
    async with business.work() as work:
        return (await subject.locked(work, paying.attempt)).about


async def test_what_was_signed_or_asked_for_is_not_overruled(business):
    """Of a callback that nobody signs people may know better; of the provider's own word they do not."""
    paying = await business.pay("500")
    await paying.sent()
    await paying.checked(Succeeded("SJK7ABC123", kes("5")))
    await gone_up_the_ladder(paying, Pending())
    shown = await about(business, paying)
    assert (shown.told[0].by, shown.firm) == ("answer", kes("5"))
    with pytest.raises(AmountDiffers) as refused:
        await propose(business, paying.attempt, amount=kes("500"))
    assert refused.value.told == kes("5")
    await approve(business, await propose(business, paying.attempt, "not_paid", "given back on 25 May"))
    assert await business.wallet() == NOTHING


async def test_the_same_word_once_more_does_not_ask_people_again(business):
    paying = await doubtful(business, OTHER)
    await approve(business, await propose(business, paying.attempt, "not_paid", "given back on 25 May"))
    await paying.called(OTHER)
    assert (await business.row(attempts, paying.attempt)).doubt is None
    await paying.called(Succeeded("SJK7ABC777", kes("5")))
    assert (await business.row(attempts, paying.attempt)).doubt == "other_amount"


async def test_callbacks_that_nobody_signs_displace_no_word_that_counts(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.checked(Succeeded("SJK7ABC123", kes("5")))
    for amount in range(10, 20):
        await paying.called(Succeeded("SJK7ABC123", kes(str(amount))))
    await gone_up_the_ladder(paying, Pending())
    shown = await about(business, paying)
    assert (len(shown.told), shown.firm) == (5, kes("5"))
    assert shown.told[-1].amount == kes("19")


async def test_another_currency_is_another_amount(business):
    paying = await doubtful(business, Succeeded("SJK7ABC123", Money(500_00, "USD")))
    shown = await about(business, paying)
    assert (shown.differs, shown.told[0].amount) == (True, Money(500_00, "USD"))
    with pytest.raises(AmountNeeded):
        await propose(business, paying.attempt)


async def test_a_word_that_comes_while_it_waits_makes_it_void(business):
    """Who was asked to approve it has been shown less than is known now."""
    paying = await doubtful(business, OTHER)
    made = await propose(business, paying.attempt, amount=kes("500"))
    await paying.called(OTHER)
    assert (await business.row(settlements, made.id)).state == "pending", "nothing new"
    await paying.called(Succeeded("SJK7ABC777", kes("499")))
    row = await business.row(settlements, made.id)
    assert (row.state, row.because) == ("void", "told")
    with pytest.raises(NotPending):
        await approve(business, made)
    assert len((await about_any(business, paying)).told) == 2
    assert await business.wallet() == NOTHING


async def test_what_could_not_be_confirmed_and_the_no_after_it_are_shown(business):
    paying = await doubtful(business, PAID, CANCELLED, confirm_above=kes("499"))
    shown = await about(business, paying)
    yes, no = shown.told
    assert (yes.amount, yes.receipt, yes.paid) == (kes("500"), PAID.receipt, True)
    assert (no.paid, no.amount) == (False, None)
    assert (shown.doubt, shown.differs) == (Doubt.CONTRADICTED, False)


async def test_a_payment_by_hand_shows_its_call(business):
    order = await ordered(business)
    await order.told(confirm_above=kes("1"))
    async with business.behind() as work:
        attempt = await work.connection.scalar(sa.select(attempts.c.id))
    await given_up(business, attempt)
    async with business.work() as work:
        shown = await queue.one(work, attempt)
    assert [(each.amount, each.receipt) for each in shown.told] == [(kes("500"), "UKH0000001")]


async def test_an_order_that_is_paid_already_is_said_to_be(business):
    paying = await doubtful(business, OTHER)
    assert not (await about(business, paying)).twice
    again = await business.pay("500", order=paying.started.order_id)
    await again.sent()
    await again.called(PAID)
    assert (await about(business, paying)).twice
    made = await propose(business, paying.attempt, amount=kes("500"), reference="SJK7ABC999")
    after = await approve(business, made)
    assert after.about.twice, "it was kept apart"
    assert await business.wallet() == CREDITED


async def test_of_before_it_was_kept_what_was_told_it_is_known_that_it_differs(business):
    paying = await doubtful(business, OTHER)
    await business.change(attempts, attempts.c.id == paying.attempt, told=None)
    assert (await about(business, paying)).differs
    with pytest.raises(AmountNeeded):
        await propose(business, paying.attempt)
    business.now += timedelta(hours=1)
    await approve(business, await propose(business, paying.attempt, amount=kes("500")))
    assert await business.wallet() == CREDITED


# --- by the order's number --------------------------------------------------------------------------


async def of_order(business, number):
    async with business.teller(business.manager) as teller:
        return await teller.review.of_order(number)


async def number_of(business, paying):
    return (await business.row(orders, paying.started.order_id)).number


async def test_what_merely_expired_is_found_by_its_orders_number(business):
    paying = await doubtful(business)
    number = await number_of(business, paying)
    async with business.work() as work:
        assert (await queue.queue(work)).undecided == (), "it would bury the others"
    (one,) = (await of_order(business, number)).undecided
    assert (one.id, one.doubt, one.told) == (paying.attempt, None, ())
    made = await propose(business, one.id)
    found = await of_order(business, number)
    assert [each.id for each in found.settlements] == [made.id]
    await approve(business, made)
    with pytest.raises(NotUndecided) as known:
        await of_order(business, number)
    assert known.value.status == "succeeded"
    assert await business.wallet() == CREDITED


async def test_an_order_that_is_being_paid_or_was_not_tried_or_is_not_there_has_nothing_to_say(
    business, database, vault
):
    paying = await business.pay("500")
    await paying.sent()
    with pytest.raises(NotUndecided) as asked:
        await of_order(business, await number_of(business, paying))
    assert asked.value.status == "pending"
    await paying.called(CANCELLED)
    with pytest.raises(NotUndecided) as failed:
        await of_order(business, await number_of(business, paying))
    assert failed.value.status == "failed"
    untried = await ordered(business)
    with pytest.raises(NotUndecided) as unasked:
        await of_order(business, untried.number)
    assert unasked.value.status == "unasked"
    with pytest.raises(NotFound):
        await of_order(business, "ZZZZZZ")
    other = await Business(database, vault).open()
    theirs = await doubtful(other)
    with pytest.raises(NotFound):
        await of_order(business, await number_of(other, theirs))


async def test_who_does_not_reconcile_finds_nothing_by_it(business):
    paying = await doubtful(business)
    number = await number_of(business, paying)
    with pytest.raises(MissingScope):
        async with business.teller(business.cashier) as teller:
            await teller.review.of_order(number)


async def test_how_many_are_asked_about_still_is_told_beside_the_queue(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(OTHER)
    async with business.work() as work:
        found = await queue.queue(work)
    assert (found.undecided, found.asking) == ((), 1)
    await gone_up_the_ladder(paying, Pending())
    async with business.work() as work:
        found = await queue.queue(work)
    assert (len(found.undecided), found.asking) == (1, 0)
