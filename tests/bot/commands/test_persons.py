"""A customer erased while the processes go on, and the commands that do it."""

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands.costs import apply_costs, margin
from bot.commands.persons import erase_person, rename_person, show_person
from bot.commands.retention import apply_retention
from bot.intake import Intake
from bot.parts import CannotRun
from bot.retention import Retention
from bot.settings import Settings, WhatsAppSettings
from bot.watch import next_night
from services.people.tenants import TenantBook
from services.privacy import detach
from services.privacy.periods import Periods
from services.safety.vault import Vault
from services.store import schema
from services.store.bell import Bell
from services.store.database import Database
from services.store.scope import OWNER
from services.store.upgrade import upgrade
from tests.bot.test_intake import NUMBER, post, text
from tests.services.business import Business

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VAULT = Vault([bytes(range(32))])


async def test_a_process_that_knew_the_number_finds_a_new_person_once_they_are_detached(business_here, moved):
    intake = Intake(
        business_here.database, VAULT, TenantBook(business_here.database, VAULT, moved), Bell(), moved
    )
    await intake.store(post(text("w1")))
    await intake.store(post(text("w2")))
    before = await _chats(business_here)
    assert before["w1"] == before["w2"]
    async with business_here.behind() as work:
        query = sa.select(schema.conversations.c.person_id).where(schema.conversations.c.id == before["w1"])
        await detach.detach(work, (await work.connection.execute(query)).scalar_one())
    moved.forward(2)
    await intake.store(post(text("w3")))
    await intake.store(post(text("w4")))
    after = await _chats(business_here)
    assert after["w3"] == after["w4"] != before["w1"]


async def _chats(business):
    async with business.database.reading(OWNER) as connection:
        found = await connection.execute(
            sa.select(schema.inbox.c.external_id, schema.inbox.c.conversation_id)
        )
        return dict(found.all())


class Moved:
    """A clock."""

    def __init__(self, business):
        self.business = business

    def __call__(self):
        return self.business.now

    def forward(self, seconds):
        self.business.forward(seconds=seconds)


@pytest.fixture
async def business_here(database):
    return await Business(database, VAULT).open(phone_number_id=NUMBER)


@pytest.fixture
def moved(business_here):
    return Moved(business_here)


@pytest.fixture
async def settings(tmp_path):
    """An installation with a tenant and a customer who has paid."""
    url = f"sqlite+aiosqlite:///{tmp_path}/all.db"
    await upgrade(url)
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    return Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp, database_url=url)


async def test_the_commands_show_refuse_and_erase(settings, tmp_path):
    database = Database(settings.database_url)
    business = await Business(database, VAULT).open()
    file = tmp_path / "costs.toml"
    file.write_text('[[costs]]\nprovider = "mpesa"\nrail = "collection"\nflat = 2\n')
    assert (await apply_costs(settings, file))["added"] == 1
    await business.set(payment_fee_ppm=10_000)
    await business.paid("500")
    told = await margin(settings, "2026-11", None)
    assert [(line["price"], line["cost"], line["margin"]) for line in told["lines"]] == [
        ("5.00", "2.00", "3.00")
    ]
    assert told["totals"] == [
        {"currency": "KES", "items": 1, "volume": "500.00", "price": "5.00", "cost": "2.00", "margin": "3.00"}
    ]
    with pytest.raises(CannotRun, match="no month"):
        await margin(settings, "2026-13", None)
    who = str(business.customer)
    said: list[str] = []
    shown = await show_person(settings, business.slug, who)
    assert shown["person"]["name"] == "Achieng"
    assert (await rename_person(settings, business.slug, who, " Achieng  Atieno "))["changed"]
    assert not (await rename_person(settings, business.slug, who, "Achieng Atieno"))["changed"]
    assert (await show_person(settings, business.slug, who))["person"]["name"] == "Achieng Atieno"
    for person, name in ((who, " "), (str(business.owner), "Somebody")):
        with pytest.raises(CannotRun):
            await rename_person(settings, business.slug, person, name)
    for stranger in ("0712000999", str(business.tenant)):
        with pytest.raises(CannotRun, match="Nobody of"):
            await show_person(settings, business.slug, stranger)
    with pytest.raises(CannotRun, match="on the staff"):
        await erase_person(settings, business.slug, str(business.owner), really=True, say=said.append, seen=0)
    preview = await erase_person(settings, business.slug, who, really=False, say=said.append)
    assert (preview["erased"], preview["erases"]["people"]) == (False, 1)
    assert said == []
    async with database.transaction(OWNER) as connection:  # nobody here plays what the staff are to be told
        await connection.execute(sa.update(schema.inbox).values(state="done"))
        long_ago = business.now.replace(year=2020)
        await connection.execute(sa.update(schema.attempts).values(created_at=long_ago))
    done = await erase_person(settings, business.slug, who, really=True, say=said.append, seen=0)
    assert (done["erased"], done["compacted"]) == (True, True)
    with pytest.raises(CannotRun, match="They were erased at"):
        await erase_person(settings, business.slug, who, really=True, say=said.append, seen=0)
    old = await apply_retention(settings, really=False)
    assert (old["applied"], old["days"]["messages_days"]) == (False, 90)
    await database.close()


async def test_every_night_the_job_forgets_and_is_due_again(business_here, moved):
    business_here.forward(days=100)
    statuses = {"tenant_id": business_here.tenant, "kind": "status", "external_id": "w", "status": "read"}
    when = {"due_at": business_here.now, "received_at": business_here.now.replace(year=2025)}
    async with business_here.work() as work:
        row = statuses | when | {"state": "done", "body_sealed": b"x"}
        await work.connection.execute(sa.insert(schema.inbox).values(row))
    await Retention(business_here.database, VAULT, moved, Periods()).as_job()
    async with business_here.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(schema.inbox))).all() == []
        query = sa.select(schema.jobs.c.due_at).where(schema.jobs.c.kind == "retention")
        assert (await connection.execute(query)).scalar_one() == next_night(business_here.now)
