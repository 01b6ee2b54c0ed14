"""What the command prints: sums and ages by type, and what stands in the clearing accounts."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands.reconcile import Outcome, close, lines, told
from bot.parts import CannotRun
from bot.settings import Settings, WhatsAppSettings
from services.ids import new_id
from services.reconciliation import ages
from services.store.database import Database
from services.store.schema import breaks
from services.store.upgrade import upgrade
from tests.bot.commands.test_persons import KEY, VAULT
from tests.bot.reconciled import Reconciled, number
from tests.services.business import Business
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


async def test_the_operator_closes_a_break_by_its_id_and_with_a_reason(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/all.db"
    await upgrade(url)
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp, database_url=url)
    database = Database(url)
    business, one = await Business(database, VAULT).open(), new_id()
    found = {"provider": "mpesa", "subject": "theirs:x", "type": "unknown_reference", "kind": "paid"}
    sums = {"theirs": 70_00, "theirs_currency": "KES", "label": "", "state": "open"}
    times = {"at": business.now - timedelta(days=9), "found_at": business.now}
    async with business.work() as work:
        row = {"tenant_id": business.tenant, "id": one} | found | sums | times
        await work.connection.execute(sa.insert(breaks).values(row))
    for wanted, reason, because in (("x", "a", "no id"), (str(one), " ", "blank_reason")):
        with pytest.raises(CannotRun, match=because):
            await close(settings, business.slug, wanted, reason)
    closed = await close(settings, business.slug, str(one), "their ticket 12")
    assert (closed["state"], closed["amount"], closed["reason"]) == ("closed", "70.00", "their ticket 12")
    with pytest.raises(CannotRun, match="not_open"):
        await close(settings, business.slug, str(one), "again")
    await database.close()
