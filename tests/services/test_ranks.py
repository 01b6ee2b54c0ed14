"""Ranks, by what a real database holds of past payments: in which order providers are offered, and why."""

import pytest

from services.facts import Shop, Way
from services.news import PaymentMethod, Unpaid
from services.payments import ranks
from services.providers.base import Failed, Succeeded
from tests.services.business import NEW_WAY, Business, kes
from tests.services.test_costs import apply

PAGE = Way(method=PaymentMethod(provider="paystack", label=""))
BY = ("mpesa", "paystack")
SHOP = Shop(name="Mama Njeri", currency="KES", country="KE", timezone="Africa/Nairobi", collects_by=BY)
COSTS = """
[[costs]]
provider = "mpesa"
rail = "collection"
flat = "30"

[[costs]]
provider = "paystack"
rail = "collection"
percent = "2.9"
"""


async def pay(business, way, word):
    paying = await business.pay("500", way=way)
    await paying.sent()
    await paying.called(word)


async def paid(business, way, times=1):
    for _ in range(times):
        await pay(business, way, Succeeded(next(business.receipts), kes("500")))


async def failed(business, way, times=1, because=Unpaid.CANCELLED):
    for _ in range(times):
        await pay(business, way, Failed(because, "no"))


async def ranked(business, person=None, amount="1000"):
    async with business.work() as work:
        return await ranks.ranked(work, BY, kes(amount), person)


async def order(business, person=None, amount="1000"):
    return [rank.provider for rank in await ranked(business, person, amount)]


async def test_where_nothing_is_known_they_stay_as_given(business):
    assert await order(business, business.customer) == ["mpesa", "paystack"]


async def test_what_the_customer_has_paid_by_more_often_comes_first(business):
    await failed(business, PAGE, 5)
    await paid(business, NEW_WAY)
    await paid(business, PAGE, 2)
    first, second = await ranked(business, business.customer)
    assert (first.provider, first.own, second.own) == ("paystack", 2, 1)
    assert await order(business, business.owner) == ["mpesa", "paystack"]  # for whom that says nothing


async def test_then_what_more_of_the_shops_customers_get_done(business):
    await paid(business, PAGE, 9)
    await failed(business, PAGE, 1)
    await paid(business, NEW_WAY, 7)
    await failed(business, NEW_WAY, 3)
    first, second = await ranked(business)
    assert (first.provider, first.paid, first.tried, first.tenths) == ("paystack", 9, 10, 9)
    assert (second.provider, second.tenths) == ("mpesa", 7)


async def test_a_few_more_or_less_say_nothing(business):
    await paid(business, PAGE, 9)  # too few
    assert await order(business) == ["mpesa", "paystack"]


async def test_what_was_not_asked_at_all_counts_for_nobody(business):
    await paid(business, NEW_WAY, 10)
    await failed(business, NEW_WAY, 10, Unpaid.RESTING)
    rank = next(rank for rank in await ranked(business) if rank.provider == "mpesa")
    assert (rank.paid, rank.tried) == (10, 10)


async def test_then_what_costs_less_for_this_amount(business):
    await apply(business, COSTS)
    assert await order(business, amount="1000") == ["paystack", "mpesa"]
    assert await order(business, amount="2000") == ["mpesa", "paystack"]
    first, second = await ranked(business, amount="1000")
    assert (first.cost, second.cost) == (kes("29"), kes("30"))


async def test_of_another_shop_nothing_is_known(business):
    await paid(business, PAGE, 10)
    other = await Business(business.database, business.vault).open()
    assert all(rank.tried == 0 for rank in await ranked(other))


@pytest.mark.parametrize(
    ("smart", "slow", "expected"),
    [
        (True, (), ["paystack", "mpesa"]),
        (True, ("paystack",), ["mpesa", "paystack"]),
        (False, (), ["mpesa", "paystack"]),
        (False, ("mpesa",), ["paystack", "mpesa"]),
    ],
)
async def test_a_shop_can_do_without_and_what_is_slow_is_last_either_way(business, smart, slow, expected):
    await paid(business, PAGE)
    shop = SHOP.model_copy(update={"smart_order": smart, "slow": frozenset(slow)})
    async with business.work() as work:
        found = await ranks.offered(work, shop, BY, kes("500"), business.customer)
    assert [rank.provider for rank in found] == expected
