"""Attacks on the settling of payments: by who may not decide, by what was shown before, by what is another
one's, and by receipts of other money."""

import pytest
import sqlalchemy as sa

from services.approval import lending
from services.errors import Changed, FourEyesViolation, MissingScope, NotFound, NotPending
from services.errors.review import AmountDiffers, InvalidReference, ReceiptUsed
from services.money import Money
from services.providers.base import Pending, Succeeded
from services.providers.listing import Kind, Line
from services.reconciliation import theirs
from services.review import settling
from services.store.schema import approvals, attempts, audit, settlements, staff
from tests.services.business import Business, kes
from tests.services.reviewing import approve, propose
from tests.services.test_payments_in_doubt import OTHER, gone_up_the_ladder

CREDITED = ("500.00", "0.00", "500.00")
NOTHING = ("0.00", "0.00", "0.00")


async def unheard(business, *words):
    paying = await business.pay("500")
    await paying.sent()
    for word in words:
        await paying.called(word)
    await gone_up_the_ladder(paying, Pending())
    return paying


async def listed(business, receipt, amount, kind=Kind.PAID, **facts):
    """A line of the provider's own statement."""
    line = Line(f"{receipt}:{kind}", kind, amount, business.now, receipt=receipt, **facts)
    async with business.work() as work:
        await theirs.take(work, "mpesa", [line], "file")


# --- who decides ------------------------------------------------------------------------------------


async def test_a_makers_second_phone_is_the_maker(business):
    maker = await business.person("Mwangi", "Owner", phones=2)
    paying = await unheard(business)
    made = await propose(business, paying.attempt, by=maker)
    async with business.teller(maker) as teller:
        with pytest.raises(FourEyesViolation):
            await teller.review.approve(made.id, made.digest)
    with pytest.raises(FourEyesViolation):
        await approve(business, made, maker)
    assert "settlement.self_approval" in await business.alerts()
    assert await business.wallet() == NOTHING


async def test_a_borrowed_right_neither_says_nor_approves(business):
    async with business.work() as work:
        until = business.now.replace(day=28)
        lent = await lending.lend(work, business.manager, business.cashier, until)
    async with business.work() as work:
        await lending.agree(work, business.owner, lent.id, lent.digest)
    paying = await unheard(business)
    with pytest.raises(MissingScope):
        await propose(business, paying.attempt, by=business.cashier)
    made = await propose(business, paying.attempt)
    with pytest.raises(MissingScope):
        await approve(business, made, business.cashier)
    assert await business.wallet() == NOTHING


async def test_who_was_let_go_decides_nothing_and_counts_for_nothing(business):
    third, fourth = await business.person("Mwangi", "Owner"), await business.person("Auma", "Owner")
    await business.set(approvals=2)
    paying = await unheard(business)
    made = await propose(business, paying.attempt)
    await approve(business, made, third)
    await business.change(staff, staff.c.person_id == third, active=False)
    after = await approve(business, made)
    assert after.state == "pending", "an approval of somebody who is gone counts no more"
    with pytest.raises(MissingScope):
        await approve(business, made, third)
    assert await business.wallet() == NOTHING
    assert (await approve(business, made, fourth)).state == "done"
    assert await business.wallet() == CREDITED


# --- what was shown ---------------------------------------------------------------------------------


async def test_an_old_button_approves_nothing_else(business):
    paying, other = await unheard(business), await unheard(business)
    before = await propose(business, paying.attempt)
    async with business.work() as work:
        await settling.cancel(work, business.manager, before.id)
    made = await propose(business, paying.attempt, reference="SJK7ABC124")
    with pytest.raises(NotPending):
        await approve(business, before)
    another = await propose(business, other.attempt, reference="SJK7ABC125")
    for stale in (before, another):
        with pytest.raises(Changed):
            async with business.work() as work:
                await settling.approve(work, business.owner, made.id, stale.digest)
    assert await business.wallet() == NOTHING


@pytest.mark.parametrize(
    "altered", [{"reference": "SJK7ABC999"}, {"outcome": "not_paid"}, {"note": "x"}], ids=str
)
async def test_what_was_altered_behind_it_is_not_approved(business, altered):
    paying = await unheard(business)
    made = await propose(business, paying.attempt)
    await business.change(settlements, settlements.c.id == made.id, **altered)
    with pytest.raises(Changed):
        await approve(business, made)
    assert await business.wallet() == NOTHING


async def test_a_word_that_was_taken_away_behind_it_is_missed(business):
    paying = await unheard(business, OTHER)
    made = await propose(business, paying.attempt, amount=kes("500"))
    await business.change(attempts, attempts.c.id == paying.attempt, told=None, doubt=None)
    with pytest.raises(Changed):
        await approve(business, made)


# --- another tenant's -------------------------------------------------------------------------------


async def test_another_tenants_attempt_and_settlement_are_not_there(business, database, vault):
    theirs_ = await Business(database, vault).open()
    paying = await unheard(theirs_)
    with pytest.raises(NotFound):
        await propose(business, paying.attempt)
    made = await propose(theirs_, paying.attempt)
    for act in (
        lambda work: settling.approve(work, business.owner, made.id, made.digest),
        lambda work: settling.reject(work, business.owner, made.id, "no"),
        lambda work: settling.cancel(work, business.owner, made.id),
    ):
        with pytest.raises(NotFound):
            async with business.work() as work:
                await act(work)
    with pytest.raises(MissingScope):
        async with theirs_.work() as work:
            await settling.approve(work, business.owner, made.id, made.digest)
    assert (await theirs_.row(settlements, made.id)).state == "pending"


async def test_of_another_tenants_receipt_nothing_is_told(business, database, vault):
    """Not even that there is one. That it is not in this one's statement shows the same night."""
    theirs_ = await Business(database, vault).open()
    paid = await theirs_.pay("500")
    await paid.sent()
    await paid.called(Succeeded("SJK7ABC123", kes("500")))
    paying = await unheard(business)
    assert (await propose(business, paying.attempt, reference="SJK7ABC123")).state == "pending"


# --- receipts of other money ------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["sjk7abc123", " SJK7ABC123 ", "Sjk7Abc123\n"])
async def test_a_receipt_is_the_same_however_it_is_written(business, written):
    paid = await business.pay("70")
    await paid.sent()
    await paid.called(Succeeded("SJK7ABC123", kes("70")))
    paying = await unheard(business)
    with pytest.raises(ReceiptUsed):
        await propose(business, paying.attempt, reference=written)


@pytest.mark.parametrize("written", ["SJK7 ABC123", "SJK7ABC123\u200b", "\u212aJK7ABC123", "SJK7-ABC123"])
async def test_what_only_looks_like_a_receipt_is_none(business, written):
    paying = await unheard(business)
    with pytest.raises(InvalidReference):
        await propose(business, paying.attempt, reference=written)


@pytest.mark.parametrize("provider", ["paystack", "pesapal", "stripe"])
async def test_nor_do_capitals_make_another_receipt_of_it_at_other_providers(business, provider):
    """They tell capitals apart, and give no two payments names that differ in nothing else."""
    paid = await business.pay("70")
    await paid.sent()
    await paid.called(Succeeded("pi_3NabcdEF", kes("70")))
    paying = await unheard(business)
    async with business.behind() as work:
        await work.connection.execute(sa.update(attempts).values(provider=provider))
    for written in ("pi_3NabcdEF", "PI_3NABCDEF", "pi_3nabcdef"):
        with pytest.raises(ReceiptUsed):
            await propose(business, paying.attempt, reference=written)


async def test_a_receipt_that_was_told_of_another_payment_is_that_ones(business):
    """Of 5 shillings, which were not credited, no 500 are made at another order."""
    await unheard(business, OTHER)
    paying = await unheard(business)
    for written in ("UKO9000001", "uko9000001"):
        with pytest.raises(ReceiptUsed):
            await propose(business, paying.attempt, reference=written)
    assert (await propose(business, paying.attempt, reference="UKO9000002")).state == "pending"


async def test_a_receipt_of_the_statement_is_of_the_amount_that_stands_there(business):
    paying = await unheard(business)
    await listed(business, "SJK7ABC123", kes("5"))
    with pytest.raises(AmountDiffers) as refused:
        await propose(business, paying.attempt, reference="SJK7ABC123")
    assert refused.value.told == kes("5")
    await listed(business, "SJK7ABC124", Money(500_00, "USD"))
    with pytest.raises(AmountDiffers):
        await propose(business, paying.attempt, reference="sjk7abc124")
    await listed(business, "SJK7ABC125", kes("500"))
    made = await propose(business, paying.attempt, reference="SJK7ABC125")
    assert (await approve(business, made)).state == "done"


async def test_a_statement_that_comes_while_it_waits_is_looked_at_too(business):
    paying = await unheard(business)
    made = await propose(business, paying.attempt, reference="SJK7ABC123")
    await listed(business, "SJK7ABC123", kes("5"))
    with pytest.raises(AmountDiffers):
        await approve(business, made)
    assert await business.wallet() == NOTHING
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(sa.func.count()).select_from(approvals)) == 0


@pytest.mark.parametrize("kind", [Kind.SENT, Kind.FEE, Kind.OWN, Kind.BACK])
async def test_a_receipt_of_what_was_no_payment_pays_nothing(business, kind):
    paying = await unheard(business)
    await listed(business, "SJK7ABC123", kes("500"), kind)
    with pytest.raises(ReceiptUsed):
        await propose(business, paying.attempt, reference="SJK7ABC123")


async def test_everything_that_was_said_stands_in_the_audit(business):
    paying = await unheard(business, OTHER)
    made = await propose(business, paying.attempt, amount=kes("500"), reference="SJK7ABC777")
    await approve(business, made)
    async with business.behind() as work:
        mine = audit.c.target == str(made.id)
        rows = (await work.connection.execute(sa.select(audit).where(mine).order_by(audit.c.seq))).all()
    assert [row.action for row in rows] == ["settlement.asked", "settlement.approved", "settlement.done"]
    told = [each["amount"] for each in rows[1].facts["told"]]
    assert told == [str(OTHER.amount)]
    assert rows[1].facts["reference"] == "SJK7ABC777"
