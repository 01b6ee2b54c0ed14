import asyncio

import pytest
import sqlalchemy as sa

from services.errors import InvalidMethodDetails, NotFound
from services.facts import Way
from services.ids import new_id
from services.news import PaymentMethod
from services.payments import details, methods
from services.providers.base import Succeeded
from services.store.schema import audit, people, saved_methods
from tests.services.business import kes


async def saved(business, *ends):
    """Saved one after the other, the last preferred; their ids."""
    ids = []
    for end in ends:
        business.forward(minutes=1)
        async with business.work() as work:
            method = PaymentMethod(provider="mpesa", label=f"********{end}")
            await methods.save(work, business.customer, method, {"phone_number": f"+25471234{end}"})
            ids.append((await methods.listed(work, business.customer))[0].id)
    return ids


async def shown(business):
    async with business.teller(business.customer) as teller:
        return [way.method.label[-4:] for way in await teller.methods()]


async def test_the_preferred_one_is_listed_first_and_then_the_latest(business):
    await saved(business, "0111", "0222", "0333")
    assert await shown(business) == ["0333", "0222", "0111"]


async def test_another_one_is_preferred_and_its_provider_with_it(business):
    first, *_ = await saved(business, "0111", "0222", "0333")
    async with business.teller(business.customer) as teller:
        left = await teller.offer_first(first)
    assert left[0].method_id == first
    assert await shown(business) == ["0111", "0333", "0222"]
    assert (await business.row(people, business.customer)).preferred_provider == "mpesa"


async def test_what_is_removed_is_gone_and_the_first_saved_of_the_rest_is_preferred(business):
    _, _, last = await saved(business, "0111", "0222", "0333")
    async with business.teller(business.customer) as teller:
        assert [way.method.label[-4:] for way in await teller.remove_method(last)] == ["0111", "0222"]
    assert (await business.row(saved_methods, (await listed(business))[0].id)).is_default


async def test_removing_another_one_leaves_the_preferred_one(business):
    first, second = await saved(business, "0111", "0222")
    async with business.teller(business.customer) as teller:
        assert [way.method_id for way in await teller.remove_method(first)] == [second]
        assert await teller.remove_method(second) == ()


async def listed(business):
    async with business.work() as work:
        return await methods.listed(work, business.customer)


@pytest.mark.parametrize("verb", ["offer_first", "remove_method"])
async def test_anothers_method_and_none_at_all_are_not_found(business, verb):
    (mine,) = await saved(business, "0111")
    for person, method_id in ((business.cashier, mine), (business.customer, new_id())):
        with pytest.raises(NotFound):
            async with business.teller(person) as teller:
                await getattr(teller, verb)(method_id)
    assert [each.id for each in await listed(business)] == [mine]


async def test_what_is_removed_cannot_be_paid_with_any_more(business):
    (mine,) = await saved(business, "0111")
    method = PaymentMethod(provider="mpesa", label="********0111")
    async with business.teller(business.customer) as teller:
        await teller.remove_method(mine)
    with pytest.raises(NotFound):
        await business.pay(way=Way(method=method, method_id=mine))


async def test_however_they_are_changed_at_once_one_is_preferred(business):
    """Each waits for the person's lock, and none breaks on the index of the preferred one."""
    first, second, third = await saved(business, "0111", "0222", "0333")

    async def act(verb, method_id):
        async with business.teller(business.customer) as teller:
            await getattr(teller, verb)(method_id)

    acts = [("offer_first", first), ("offer_first", second), ("remove_method", third)] * 3
    told = await asyncio.gather(*(act(*each) for each in acts), return_exceptions=True)
    assert {type(each) for each in told if each is not None} <= {NotFound}
    async with business.behind() as work:
        query = sa.select(sa.func.count()).where(saved_methods.c.is_default)
        assert await work.connection.scalar(query) == 1
    assert {each.id for each in await listed(business)} == {first, second}


async def test_the_methods_of_the_preferred_provider_are_offered_first_whichever_is_the_default(business):
    await saved(business, "0111")
    card = {"authorization_code": "AUTH_x", "last4": "4081", "bank": "KCB"}
    async with business.work() as work:
        method = details.method_of("paystack", card)
        assert method.label == "KCB ****4081"
        card_id, new = await methods.put(work, business.customer, method, card, business.owner)
        again = await methods.put(work, business.customer, method, card | {"bank": "Equity"}, business.owner)
        assert (new, again) == (True, (card_id, False))
        await methods.prefer(work, business.customer, "paystack", business.owner)
    assert [(each.method.provider, each.is_default) for each in await listed(business)] == [
        ("paystack", False),
        ("mpesa", True),
    ]


CARD = {"authorization_code": "AUTH_x", "last4": "4081", "bank": "Visa"}


async def with_card(business, **more):
    card = CARD | more
    async with business.work() as work:
        method = details.method_of("paystack", card)
        card_id, _ = await methods.put(
            work, business.customer, method, details.read("paystack", card), business.owner
        )
    return card_id


async def expired(business):
    async with business.work() as work:
        return [way.expired for way in await methods.ways(work, business.customer)]


async def test_a_card_is_good_to_the_end_of_its_month(business):
    await with_card(business, expires="2026-11")
    assert await expired(business) == [False]
    business.forward(days=7)  # 1 December
    assert await expired(business) == [True]


async def test_of_a_card_that_was_saved_without_its_month_nothing_is_known(business):
    await with_card(business)
    business.forward(days=5000)
    assert await expired(business) == [False]


@pytest.mark.parametrize("month", ["2026-13", "26-11", "11/2026", "9999-12", "", 202611])
def test_what_is_no_month_is_refused(month):
    with pytest.raises(InvalidMethodDetails) as refused:
        details.read("paystack", CARD | {"expires": month})
    assert refused.value.wrong == ("expires",)


def test_a_phone_does_not_expire():
    with pytest.raises(InvalidMethodDetails):
        details.read("mpesa", {"phone_number": "0712345678", "expires": "2027-01"})


async def test_until_when_is_learnt_when_the_card_is_charged(business):
    """Of one saved before it was kept, and of one that its bank has renewed; never of another card."""
    card_id = await with_card(business)
    way = Way(method=PaymentMethod(provider="paystack", label="Visa ****4081"), method_id=card_id)
    for told, held in (
        (CARD | {"authorization_code": "AUTH_y", "expires": "2026-01"}, None),
        (CARD, None),
        (CARD | {"expires": "2026-10"}, "2026-10"),
        (CARD | {"expires": "2029-10"}, "2029-10"),
    ):
        paying = await business.pay("500", way=way)
        await paying.sent()
        await paying.called(Succeeded(next(business.receipts), kes("500"), method=told))
        (known,) = await listed(business)
        assert known.details.get("expires") == held
    assert (await business.row(saved_methods, card_id)).is_default
    async with business.behind() as work:
        actions = (await work.connection.execute(sa.select(audit.c.action))).scalars().all()
    assert actions.count("method.expiry_told") == 2
