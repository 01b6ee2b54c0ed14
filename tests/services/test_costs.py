"""What providers charge: expected by bands, posted apart from the tenant's money, and put right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services import costs
from services.books.chained import CHAINED
from services.costs import file
from services.costs.margin import Line, lines
from services.ids import new_id
from services.money import Money
from services.people.file_lines import TenantFileError
from services.providers.base import Succeeded
from services.reconciliation import charges
from services.store.schema import NOBODY, accounts, breaks, transfers
from services.store.scope import AUDITOR, PLATFORM
from services.work import CLI, Work
from tests.services.business import Business, kes
from tests.services.refunding import refunded

MPESA = """
[[costs]]
provider = "mpesa"
rail = "collection"
percent = "0.55"

[[costs]]
provider = "mpesa"
rail = "mpesa"
to = "1000"
flat = 5

[[costs]]
provider = "mpesa"
rail = "mpesa"
from = "1000.01"
flat = "9.50"

[[costs]]
provider = "mpesa"
rail = "reversal"
flat = 1
"""


async def apply(business: Business, text: str) -> dict[str, Any]:
    async with business.database.transaction(PLATFORM) as connection:
        return await file.apply(
            Work(connection, business.vault, NOBODY, business.now, CLI), text, "costs.toml"
        )


async def expected(
    business: Business, amount: str, at: datetime | None = None, rail: str = "mpesa"
) -> str | None:
    async with business.work() as work:
        found = await costs.expected(work, "mpesa", rail, kes(amount), at)
    return None if found is None else str(found)


async def test_a_cost_follows_from_the_band_of_the_amount_and_none_is_guessed(business: Business) -> None:
    assert await expected(business, "1000") is None
    assert await apply(business, MPESA) == {"bands": 4, "messages": 0, "added": 4, "removed": 0}
    assert [await expected(business, amount) for amount in ("1", "1000", "1000.01")] == [
        "5.00",
        "5.00",
        "9.50",
    ]
    assert await expected(business, "1000", rail="collection") == "5.50"
    assert await expected(business, "1000", rail="till") is None
    async with business.work() as work:
        assert await costs.expected(work, "mpesa", "mpesa", Money(1000, "UGX")) is None
    assert await apply(business, MPESA) == {"bands": 4, "messages": 0, "added": 0, "removed": 0}


async def test_a_newer_band_and_a_tariff_of_the_tenants_own_go_first(business: Business) -> None:
    band = '[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\n'
    dated = f"{band}flat = 7\nvalid_from = 2026-11-24T09:00:00Z\nvalid_until = 2026-11-25T09:00:00Z\n"
    own = f'{band}to = "100"\nflat = 2\ntenant = "{business.slug}"\n'
    await apply(business, f"{band}flat = 5\n{dated}{own}")
    assert await expected(business, "100") == "2.00"
    moment = datetime(2026, 11, 24, 9, tzinfo=UTC)
    times = (moment - timedelta(seconds=1), moment, moment + timedelta(days=1))
    assert [await expected(business, "101", at) for at in times] == ["5.00", "7.00", "5.00"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[costs]]\nprovider = "mpesa"\nrail = "pigeon"\n',
            "costs.toml:3: costs.0.rail: mpesa has no such rail",
        ),
        ('[[costs]]\nprovider = "post"\nrail = "mpesa"\n', "costs.toml:2: costs.0.provider"),
        (
            '[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\ntenant = "nobody"\n',
            ":4: costs.0.tenant: no tenant",
        ),
        ('[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\nflat = 0.001\n', "more places than KES"),
        (
            '[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\nfrom = 9\nto = 8\n',
            ":5: costs.0.to: 8 is below from",
        ),
        (
            f'{MPESA}[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\nfrom = 1000\n',
            "overlaps the band of line 7",
        ),
        ('[[costs]]\nprovider = "mpesa"\nrail = "mpesa"\nprice = 9\n', "unknown key"),
    ],
)
async def test_a_wrong_file_is_refused_with_its_line_and_changes_nothing(
    business: Business, text: str, said: str
) -> None:
    await apply(business, MPESA)
    with pytest.raises(TenantFileError) as wrong:
        await apply(business, text)
    assert said in str(wrong.value)
    assert await expected(business, "1000") == "5.00"


async def test_costs_are_posted_with_what_they_are_of_and_never_from_the_wallet(business: Business) -> None:
    await apply(business, MPESA)
    await business.set(payment_fee_ppm=10_000)
    sale = await business.paid("2000")
    await sale.called(Succeeded(None, kes("2000")))  # told again: nothing is posted twice
    assert await business.balances() == {
        "provider:mpesa": -2_000_00 + 11_00,
        "wallet": 1_980_00,
        "fees:payments": 20_00,
        "costs:mpesa": -11_00,
    }
    one = await business.approved("1000")
    await one.sent()
    await one.called(Succeeded("UKP1", kes("967")))
    await refunded(business, await business.paid("500"))
    balances = await business.balances()
    spent = 11_00 + 5_00 + 2_75 + 1_00  # 2,000 and 500 came in, 967 left, 500 was reversed
    assert balances["costs:mpesa"] == -spent
    assert balances["wallet"] == 1_980_00 - 1_000_00 + 495_00 - 500_00
    assert sum(balances.values()) == 0


async def test_the_providers_own_word_puts_a_cost_right_once_in_each_direction(business: Business) -> None:
    await apply(business, MPESA)
    sale = await business.paid("2000")  # 11.00

    async def told(amount: str) -> tuple[bool, str]:
        async with business.work() as work:
            posted = await costs.told(work, sale.attempt, "mpesa", kes(amount))
            return posted, str(await costs.booked(work, sale.attempt, "mpesa", "KES"))

    assert await told("11") == (False, "11.00")
    assert await told("12.50") == (True, "12.50")
    assert await told("12.50") == (False, "12.50")
    assert await told("3") == (True, "3.00")
    assert await told("20") == (False, "3.00")
    assert (await business.balances())["costs:mpesa"] == -3_00
    assert await business.wallet() == ("2000.00", "0.00", "2000.00")


async def test_the_margin_is_what_the_accounts_of_fees_and_costs_have_gained(business: Business) -> None:
    await apply(business, MPESA)
    await business.set(payment_fee_ppm=10_000)
    sale = await business.paid("2000")
    one = await business.approved("1000")
    await one.sent()
    await one.called(Succeeded("UKP1", kes("967")))
    async with business.work() as work:
        await costs.told(work, sale.attempt, "mpesa", kes("10"))
    await apply(business, "")
    await refunded(business, await business.paid("500"))
    async with business.database.reading(AUDITOR) as connection:
        found = await lines(connection, business.tenant, business.now, business.now + timedelta(hours=1))
        nothing = await lines(connection, business.tenant, business.now + timedelta(hours=1), business.now)
    assert nothing == []
    assert found == [
        Line("mpesa", "collection", "KES", 2, 2_500_00, 25_00, 10_00, 1),
        Line("mpesa", "mpesa", "KES", 1, 967_00, 33_00, 5_00, 0),
        Line("mpesa", "reversal", "KES", 1, 500_00, 0, 0, 1),
    ]
    balances = await business.balances()
    gained = balances["fees:payments"] + balances["fees:withdrawals"] + balances["costs:mpesa"]
    assert sum(line.margin for line in found) == gained


async def test_a_cost_without_what_it_is_of_breaks_the_books(business: Business) -> None:

    await apply(business, MPESA)
    sale = await business.paid("2000")
    cost = (transfers.c.cause_id == sale.attempt, transfers.c.reason == "cost")
    async with business.behind() as work:
        await work.connection.execute(sa.update(transfers).where(*cost).values(cause_id=business.tenant))
        broken = await business.breaches(work)
        assert [each.rule for each in broken] == ["a cost belongs to what succeeded", CHAINED]
        await work.connection.execute(
            sa.update(transfers).where(transfers.c.reason == "cost").values(cause_id=sale.attempt)
        )
        assert await work.connection.scalar(sa.select(sa.func.sum(accounts.c.posted))) == 0


async def test_what_a_statement_charges_is_posted_for_the_withdrawal_that_it_is_of(
    business: Business,
) -> None:
    await apply(business, MPESA)
    sale = await business.paid("2000")  # 11.00
    one = await business.approved("1000")  # 5.00
    await one.sent()
    await one.called(Succeeded("UKP1", kes("967")))
    found = {
        "tenant_id": business.tenant,
        "provider": "mpesa",
        "type": "fee_differs",
        "at": business.now,
        "found_at": business.now,
        "state": "open",
        "ours_currency": "KES",
        "theirs_currency": "KES",
        "label": "K7",
    }
    async with business.work() as work:
        for item, kind, ours, theirs in (
            (sale.attempt, "paid", 11_00, 12_00),
            (one.payout, "sent", 5_00, 4_00),
        ):
            row = {"id": new_id(), "subject": f"fee:{item}", "item_id": item, "kind": kind}
            amounts = {"ours": ours, "theirs": theirs}
            await work.connection.execute(sa.insert(breaks).values(**found | row | amounts))
    async with business.work() as work:
        told = await charges.take_theirs(work)
    assert [(each["cost"], each["posted"]) for each in told] == [("12.00", True), ("4.00", True)]
    async with business.work() as work:
        assert await costs.booked(work, sale.attempt, "mpesa", "KES") == kes("12")
        assert await costs.booked(work, one.withdrawal.id, "mpesa", "KES") == kes("4")
        again = await charges.take_theirs(work)  # until the books are compared anew
    assert [each["posted"] for each in again] == [False, False]
