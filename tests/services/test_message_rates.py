"""What a message costs: by the rates that the operator tells, and never guessed."""

from datetime import UTC, datetime, timedelta

import pytest

from services.costs import file, messages
from services.ids import new_id
from services.people.file_lines import TenantFileError
from services.store.schema import NOBODY
from services.store.scope import PLATFORM
from services.work import CLI, Work
from tests.services.business import Business
from tests.services.test_costs import apply

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
RATES = """
[[messages]]
category = "utility"
price = "0.004"
valid_from = 2026-10-01

[[messages]]
category = "service"
price = 0.0038
valid_from = 2026-10-01
valid_until = 2027-01-01

[[messages]]
category = "utility"
countries = ["ZA", "NG"]
price = "0.0067"
currency = "EUR"
"""


async def cost(business: Business, *what: str, tenant=None, at: datetime = OCTOBER) -> str | None:
    """`what`: category, type, and country where it is known."""
    category, type_, country = (*what, "")[:3]
    async with business.database.reading(PLATFORM) as connection:
        rates = await messages.rates(connection)
    found = messages.cost(rates, tenant or business.tenant, category, type_, country, at)
    return None if found is None else f"{found.currency} {messages.written(found.millionths)}".strip()


async def test_a_message_costs_what_the_rate_of_its_category_and_country_says(business: Business) -> None:
    assert await cost(business, "utility", "regular", "KE") is None
    told = await apply(business, RATES)
    assert told == {"bands": 0, "messages": 3, "added": 3, "removed": 0}
    assert (await apply(business, RATES))["added"] == 0
    assert await cost(business, "utility", "regular", "KE") == "USD 0.004"
    assert await cost(business, "utility", "regular") == "USD 0.004"
    assert await cost(business, "utility", "regular", "NG") == "EUR 0.0067"
    assert await cost(business, "service", "regular", "NG") == "USD 0.0038"
    assert await cost(business, "marketing", "regular", "KE") is None
    assert (await apply(business, ""))["removed"] == 3


async def test_what_whatsapp_calls_free_costs_nothing_and_what_it_does_not_name_is_unknown(
    business: Business,
) -> None:
    assert await cost(business, "utility", "free_customer_service") == "0.00"
    await apply(business, RATES)
    for free in ("free_customer_service", "free_entry_point", "free_group_customer_service"):
        assert await cost(business, "utility", free, "KE") == "0.00"
        assert await cost(business, "marketing", free, "KE") == "0.00"
    assert await cost(business, "utility", "", "KE") is None
    assert await cost(business, "utility", "on_the_house", "KE") is None


async def test_a_rate_counts_from_its_beginning_up_to_its_end(business: Business) -> None:
    await apply(business, RATES)
    end, second = datetime(2027, 1, 1, tzinfo=UTC), timedelta(seconds=1)
    times = (OCTOBER - second, OCTOBER, end - second, end)
    assert [await cost(business, "service", "regular", at=at) for at in times] == [
        None,
        "USD 0.0038",
        "USD 0.0038",
        None,
    ]


async def test_a_tenants_own_goes_first_then_a_countrys_then_the_newest(business: Business) -> None:
    newer = '[[messages]]\ncategory = "utility"\nprice = 1\nvalid_from = 2026-10-01T00:00:01Z\n'
    own = f'[[messages]]\ncategory = "utility"\nprice = 0\ntenant = "{business.slug}"\n'
    await apply(business, RATES + newer + own)
    later = OCTOBER + timedelta(seconds=1)
    assert await cost(business, "utility", "regular", "ZA", at=later) == "USD 0.00"
    other = new_id()
    assert await cost(business, "utility", "regular", "ZA", tenant=other, at=later) == "EUR 0.0067"
    assert await cost(business, "utility", "regular", "KE", tenant=other, at=later) == "USD 1.00"
    assert await cost(business, "utility", "regular", "KE", tenant=other) == "USD 0.004"


async def test_what_was_applied_is_shown_in_the_keys_of_the_file(business: Business) -> None:
    own = f'[[messages]]\ncategory = "marketing"\nprice = "12.5"\ntenant = "{business.slug}"\n'
    await apply(business, RATES + own + '[[costs]]\nprovider = "mpesa"\nrail = "till"\nflat = 1\n')
    async with business.database.reading(PLATFORM) as connection:
        shown = await file.shown(Work(connection, business.vault, NOBODY, business.now, CLI))
    assert [each["rail"] for each in shown["costs"]] == ["till"]
    assert shown["messages"] == [
        {"category": "marketing", "currency": "USD", "price": "12.50", "tenant": business.slug},
        {
            "category": "service",
            "currency": "USD",
            "price": "0.0038",
            "valid_from": OCTOBER,
            "valid_until": datetime(2027, 1, 1, tzinfo=UTC),
        },
        {"category": "utility", "currency": "USD", "price": "0.004", "valid_from": OCTOBER},
        {"category": "utility", "countries": ["NG", "ZA"], "currency": "EUR", "price": "0.0067"},
    ]


ONE = '[[messages]]\ncategory = "utility"\nprice = "0.004"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace("utility", "utlity"), "costs.toml:2: messages.0.category: must be one of"),
        ('[[messages]]\ncategory = "utility"\n', "messages.0.price: is missing"),
        (ONE.replace('"0.004"', "-1"), "costs.toml:3: messages.0.price: not a price"),
        (ONE.replace("0.004", "0.0000001"), "costs.toml:3: messages.0.price: not a price"),
        (f'{ONE}currency = "shillings"\n', "costs.toml:4: messages.0.currency"),
        (f'{ONE}countries = ["Kenya"]\n', "costs.toml:4: messages.0.countries"),
        (f'{ONE}countries = ["XX"]\n', "XX is no country"),
        (f"{ONE}countries = []\n", "costs.toml:4: messages.0.countries"),
        (f'{ONE}tenant = "nobody"\n', ":4: messages.0.tenant: no tenant is called nobody"),
        (
            f"{ONE}valid_from = 2026-10-01\nvalid_until = 2026-10-01\n",
            ":5: messages.0.valid_until: is not after valid_from",
        ),
        (f'{ONE}{ONE}currency = "EUR"\n', "messages.1: says another price than line 1 for the same messages"),
        (
            f'{ONE}countries = ["KE", "UG"]\n{ONE}countries = ["UG"]\n',
            "messages.1: says another price than line 1 for the same messages",
        ),
        (f"{ONE}rail = 1\n", "unknown key"),
    ],
)
async def test_a_wrong_rate_is_refused_with_its_line_and_changes_nothing(
    business: Business, text: str, said: str
) -> None:
    await apply(business, RATES)
    with pytest.raises(TenantFileError) as wrong:
        await apply(business, text)
    assert said in str(wrong.value)
    assert await cost(business, "utility", "regular", "KE") == "USD 0.004"


def test_a_price_is_written_without_needless_zeros():
    told = {0: "0.00", 1: "0.000001", 4_000: "0.004", 100_000: "0.10", 1_250_000: "1.25"}
    assert {millionths: messages.written(millionths) for millionths in told} == told
