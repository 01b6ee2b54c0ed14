import pytest

from services.errors import NotFound, NotPaid
from services.facts import Way
from services.news import PaymentMethod, Unpaid
from services.providers.base import Failed, Succeeded
from tests.services.business import kes

OTHER_WAY = Way(method=PaymentMethod(provider="mpesa", label="********0111"), phone="+254722000111")


async def receipt(business, number, person=None):
    async with business.teller(person or business.customer) as teller:
        return await teller.receipt(number)


async def test_what_was_paid_is_told_again_by_its_number_or_its_code(business):
    paying = await business.paid("750")
    told = await receipt(business, paying.started.number)
    assert (told.amount, told.code, told.method.label) == (kes("750"), "UKO0000001", "********5678")
    assert (told.paid_at, told.lines) == (business.now, ())
    assert await receipt(business, "UKO0000001") == told


async def test_the_latest_comes_first(business):
    first = await business.paid()
    business.forward(minutes=5)
    second = await business.paid("700")
    await business.pay("900")
    async with business.teller(business.customer) as teller:
        paid = await teller.paid_orders()
    assert [each.number for each in paid] == [second.started.number, first.started.number]
    assert [each.amount for each in paid] == [kes("700"), kes("500")]


async def test_nobody_reads_the_receipt_of_another(business):
    number = (await business.paid()).started.number
    for other in (business.owner, business.cashier):
        with pytest.raises(NotFound):
            await receipt(business, number, other)
        with pytest.raises(NotFound):
            await receipt(business, "UKO0000001", other)
        async with business.teller(other) as teller:
            assert await teller.paid_orders() == ()


async def test_what_is_not_paid_has_none(business):
    with pytest.raises(NotPaid):
        await receipt(business, (await business.pay()).started.number)


async def test_a_second_success_changes_nothing_of_it(business):
    first = await business.pay()
    await first.sent()
    await first.called(Failed(Unpaid.UNREACHABLE, "1037"))
    paying = await business.pay(order=first.checkout.order_id, way=OTHER_WAY)
    await paying.sent()
    await paying.called(Succeeded("UKO0000001", kes("500")))
    before = await receipt(business, paying.started.number)
    assert before.method.label == "********0111"
    business.forward(minutes=1)
    await first.called(Succeeded("UKO9999999", kes("500")))
    assert await receipt(business, paying.started.number) == before
