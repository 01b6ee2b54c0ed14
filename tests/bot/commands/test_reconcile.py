"""What the command prints: sums and ages by type, and what stands in the clearing accounts."""

from datetime import timedelta

from bot.commands.reconcile import Outcome, lines, told
from services.reconciliation import ages
from tests.bot.reconciled import Reconciled, number
from tests.services.reconciliation.portal import came


async def test_a_table_of_counts_and_sums_with_ages_and_the_same_as_json(market):
    reconciled, business = Reconciled(market), market.business
    paid = await business.paid("500")
    at = business.now
    rows = [
        came("UKO0000001", at, "500", number(paid)),
        came("SJK0000002", at + timedelta(seconds=1), "70"),
        came("SJK0000003", at + timedelta(seconds=2), "1,000"),
    ]
    business.forward(minutes=1)
    await reconciled.file(*rows)
    business.forward(hours=30)
    report = await reconciled.again()
    async with market.database.reading(business.tenant) as connection:
        standing = await ages.standing(connection, business.tenant)
    outcome = Outcome([report], standing, business.now)
    printed = [" ".join(line.split()) for line in lines(outcome)]
    assert "told (0 new) paid 3 KES 1570.00" in printed
    assert "booked paid 1 KES 500.00" in printed
    assert "unknown_reference 2 KES 1070.00 30 h" in printed
    assert any(line.endswith("theirs KES 70.00 30 h SJK0000002 ********5678") for line in printed)
    assert any(
        line.startswith("provider:mpesa KES -500.00 oldest 30 h, statements up to") for line in printed
    )
    assert not outcome.fits
    data = told(outcome)
    assert (data["ok"], data["clearing"][0]["account"]) == (False, "provider:mpesa")
    assert data["providers"][0]["open"][0]["age_seconds"] > 29 * 3600
    assert Outcome([], [], business.now).fits
