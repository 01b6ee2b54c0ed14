"""What the command tells of the order in which ways to pay are offered."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from bot.commands.methods import tell_methods
from bot.commands.tenants import apply_file
from bot.parts import CannotRun, utc_now
from bot.settings import Settings, WhatsAppSettings
from services import breakers
from services.people import customers
from services.people.apply import id_of
from services.store.database import Database
from services.store.scope import PLATFORM
from services.store.upgrade import upgrade
from services.work import CLI, Work
from tests.bot.commands.test_persons import KEY, VAULT

FILE = """
[tenant]
slug = "duka"
[providers.mpesa]
shortcode = "600100"
consumer_key = "k"
consumer_secret = "s"
passkey = "p"
[providers.paystack]
secret_key = "sk_test_1"
"""


@pytest.fixture
async def settings(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/all.db"
    await upgrade(url)
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp, database_url=url)
    file = tmp_path / "duka.toml"
    file.write_text(FILE)
    await apply_file(settings, file)
    return settings


async def test_the_order_is_told_with_its_reasons_and_what_is_not_answered(settings):
    database = Database(settings.database_url)
    async with database.reading(PLATFORM) as connection:
        tenant = await id_of(connection, "duka")
    assert tenant is not None
    for _ in range(5):
        async with database.transaction(tenant) as connection:
            work = Work(connection, VAULT, tenant, utc_now(), CLI)
            await breakers.heard(work, "mpesa", "prompt", lost=True)
    async with database.transaction(tenant) as connection:
        known, _ = await customers.add(
            Work(connection, VAULT, tenant, utc_now(), CLI), "+254712345678", None, "W"
        )
    await database.close()
    told = await tell_methods(settings, "duka", "500", str(known.id))
    assert (told["amount"], told["currency"], told["smart_order"]) == ("500.00", "KES", True)
    assert [(each["provider"], each["slow"]) for each in told["order"]] == [
        ("paystack", False),
        ("mpesa", True),
    ]
    assert told["order"][0] == {
        "provider": "paystack",
        "slow": False,
        "paid_by_customer": 0,
        "tried": 0,
        "paid": 0,
        "tenths": 5,
        "cost": None,
    }
    (unanswered,) = told["unanswered"]
    assert (unanswered["operation"], unanswered["lost"], unanswered["of"]) == ("prompt", 5, 5)
    assert unanswered["open_until"].endswith("Z")


@pytest.mark.parametrize(
    ("slug", "amount", "customer", "because"),
    [
        ("nobody", "500", None, "No tenant"),
        ("duka", "-5", None, "is no amount"),
        ("duka", "500", "x", "is the id of no customer"),
        ("duka", "500", str(UUID(int=7)), "is the id of no customer"),
    ],
)
async def test_what_cannot_be_told_is_refused(settings, slug, amount, customer, because):
    with pytest.raises(CannotRun, match=because):
        await tell_methods(settings, slug, amount, customer)
