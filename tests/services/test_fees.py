from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import fees as pricing
from services.errors import BelowMinimum, NotWholeShillings, OverLimit, ProviderNotConfigured
from services.ids import new_id
from services.money import Money
from services.store.schema import fees
from tests.services.business import kes


async def quoted(business, amount, method_type="mpesa"):
    async with business.work() as work:
        quote = await pricing.quote(work, kes(amount), method_type)
    assert quote.gross == quote.fee + quote.net
    return str(quote.fee), str(quote.net)


async def band(business, start, end, flat=0, ppm=0, method_type="mpesa", **more):
    async with business.work() as work:
        await work.connection.execute(
            sa.insert(fees).values(
                tenant_id=business.tenant,
                id=new_id(),
                method_type=method_type,
                from_amount=start,
                to_amount=end,
                flat=flat,
                ppm=ppm,
                **more,
            )
        )


@pytest.mark.parametrize(
    ("method_type", "fee", "net", "least"),
    [
        ("mpesa", "33.00", "967.00", "43"),
        ("bank_transfer", "50.00", "950.00", "150"),
        ("till", "27.00", "973.00", "37"),
    ],
)
async def test_the_defaults_are_the_contracts(business, method_type, fee, net, least):
    assert await quoted(business, "1000", method_type) == (fee, net)
    await quoted(business, least, method_type)
    with pytest.raises(BelowMinimum):
        await quoted(business, str(int(least) - 1), method_type)


async def test_a_bank_takes_cents_and_mpesa_does_not(business):
    assert await quoted(business, "1000.50", "bank_transfer") == ("50.00", "950.50")
    with pytest.raises(NotWholeShillings):
        await quoted(business, "1000.50", "till")


async def test_mpesa_sends_at_most_a_quarter_of_a_million(business):
    await quoted(business, "250033")
    with pytest.raises(OverLimit):
        await quoted(business, "250034")


async def test_the_tenants_bands_stand_in_place_of_the_defaults(business):
    await band(business, 100_00, 1_000_00, flat=10_00)
    await band(business, 1_000_01, 5_000_00, flat=20_00, ppm=10_000)
    assert await quoted(business, "1000") == ("10.00", "990.00")
    assert await quoted(business, "2000") == ("40.00", "1960.00")
    assert await quoted(business, "1000", "till") == ("27.00", "973.00")


async def test_an_amount_outside_every_band_is_refused(business):
    await band(business, 100_00, 1_000_00, flat=10_00)
    await band(business, 2_000_00, 5_000_00, flat=10_00)
    with pytest.raises(BelowMinimum) as below:
        await quoted(business, "99")
    assert below.value.minimum == kes("100")
    for amount, limit in (("1500", "1000"), ("5001", "5000")):
        with pytest.raises(OverLimit) as over:
            await quoted(business, amount)
        assert over.value.limit == kes(limit)


async def test_a_percentage_leaves_a_whole_net_on_a_rail_of_whole_shillings(business):
    await band(business, 1, None, ppm=15_000)
    assert await quoted(business, "1010") == ("15.00", "995.00")  # 15.15
    assert await quoted(business, "1100") == ("17.00", "1083.00")  # 16.50


async def test_the_newest_band_in_force_counts(business):
    await band(business, 1, None, flat=30_00)
    await band(business, 1, None, flat=40_00, valid_from=business.now)
    await band(business, 1, None, flat=50_00, valid_from=business.now + timedelta(days=1))
    assert await quoted(business, "1000") == ("40.00", "960.00")
    business.forward(days=1)
    assert await quoted(business, "1000") == ("50.00", "950.00")


async def test_a_band_counts_up_to_its_end_and_then_the_one_before_it_again(business):
    tomorrow = business.now + timedelta(days=1)
    await band(business, 1, None, flat=30_00)
    await band(business, 1, None, flat=40_00, valid_from=business.now, valid_until=tomorrow)
    assert await quoted(business, "1000") == ("40.00", "960.00")
    business.forward(days=1)
    assert await quoted(business, "1000") == ("30.00", "970.00")


async def test_a_band_that_is_not_in_force_yet_leaves_the_default(business):
    await band(business, 1, None, flat=50_00, valid_from=business.now + timedelta(days=1))
    assert await quoted(business, "1000") == ("33.00", "967.00")


async def test_unknown_rails_and_currencies_have_no_price(business):
    with pytest.raises(ProviderNotConfigured):
        await quoted(business, "1000", "pigeon")
    async with business.work() as work:
        with pytest.raises(ProviderNotConfigured):
            await pricing.quote(work, Money(100_000, "UGX"), "mpesa")


async def test_a_band_of_another_currency_prices_nothing_here(business):
    await band(business, 1, None, flat=1_00, currency="UGX")
    assert await quoted(business, "1000") == ("33.00", "967.00")
    await band(business, 1, None, flat=20_00)
    assert await quoted(business, "1000") == ("20.00", "980.00")
