"""What the doctor says, with its fix: of the installation, its tenants and their providers."""

import secrets
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.anchoring import AuditSettings
from bot.commands.tenants import apply_file
from bot.doctor import installation
from bot.doctor.finding import good
from bot.doctor.installation import address, exit_code
from bot.doctor.tenants import providers
from bot.parts import parts_of, utc_now
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.run import addresses
from bot.sandbox.seed import SHOP as STALL
from bot.sandbox.seed import (
    TEMPLATES,
    accounts,
    daraja_app,
    file_text,
)
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from bot.settings import Settings, WhatsAppSettings
from bot.webhooks_out.settings import WebhooksSettings
from bot.whatsapp.forms import new_key
from services.facts import Shop
from services.ids import new_id
from services.people.tenants import Tenant
from services.store import upgrade
from services.store.database import Database
from services.store.schema import inbox, metadata, outbox, provider_tokens, rails, tenants
from services.store.scope import OWNER
from services.store.tokens import SharedTokens
from tests.bot.market import NOWHERE, PAYSTACK, SETTINGS
from tests.conftest import BOTH, administer, drop

SHOP = Shop(name="Mama Njeri", currency="KES", country="KE", timezone="Africa/Nairobi")
TENANT = Tenant(
    id=new_id(),
    slug="mama-njeri",
    version=1,
    language="en",
    phone_number_id=None,
    waba_id=None,
    templates={},
    shop=SHOP,
    forms={},
    access_token=None,
    providers={},
)
IN_UGANDA = SHOP.model_copy(update={"currency": "UGX"})


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"mpesa": SETTINGS}, []),
        ({}, [("warning", "customers cannot pay: no provider is set")]),
        ({"paystack": PAYSTACK}, []),
        ({"mpesa": SETTINGS | {"passkey": None}}, [("warning", "mpesa cannot collect: passkey missing")]),
        (
            {"mpesa": SETTINGS | {"initiator_name": None}},
            [("warning", "mpesa cannot pay out: initiator_name missing")],
        ),
        (
            {"mpesa": SETTINGS | {"shortcode": "none"}},
            [("broken", "the settings of mpesa are wrong: shortcode")],
        ),
    ],
)
def test_what_a_provider_lacks_is_found(parts, found):
    findings = list(providers(replace(TENANT, providers=parts)))
    assert [(each.level, each.what) for each in findings] == found
    assert all(each.fix for each in findings)


def test_a_provider_of_another_money_is_of_no_use():
    (finding,) = providers(replace(TENANT, shop=IN_UGANDA, providers={"mpesa": SETTINGS}))
    assert finding.what == "mpesa moves KES only, and its currency is UGX"


def test_one_that_takes_several_currencies_is_of_use_with_each():
    stripe = {"secret_key": "sk_test_1", "webhook_secret": "whsec_1"}
    assert list(providers(replace(TENANT, shop=IN_UGANDA, providers={"stripe": stripe}))) == []
    (finding,) = providers(replace(TENANT, providers={"stripe": stripe | {"webhook_secret": None}}))
    assert finding.what == "stripe cannot collect: webhook_secret missing"


# --- the installation -------------------------------------------------------------------------------

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PRIVATE_KEY = new_private_key()
FORMS_PEM = new_key()
ANCHORS = Path("anchors-that-nobody-has-written-yet")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://pay.shop.co.ke", None),
        ("https://pay.shop.co.ke:8443/lipachat", None),
        ("https://41.90.1.1", None),
        ("http://pay.shop.co.ke", "which no provider can call"),
        ("http://127.0.0.1:8080", "which no provider can call"),
        ("https://localhost", "which no provider can call"),
        ("https://10.0.0.7", "which no provider can call"),
        ("https://[::1]", "which no provider can call"),
        ("https://server", "which no provider can call"),
        ("https://server.local", "which no provider can call"),
        ("https://mpesa.shop.co.ke", "holds 'mpesa'"),
        ("https://M-Pesa.shop.co.ke", "holds 'm-pesa'"),
        ("https://safaricom.shop.co.ke", "holds 'safaricom'"),
        ("https://shop.co.ke/sql", "holds 'sql'"),
        ("https://shop.co.ke/Query/", "holds 'query'"),
        ("https://cmd.shop.co.ke", "holds 'cmd'"),
        ("https://executive.co.ke", "holds 'exe'"),
    ],
)
def test_an_address_that_providers_cannot_call_is_found(url, said):
    findings = list(address(url))
    assert [each.level for each in findings] == ["warning"] * (said is not None)
    assert all(said in each.what and each.fix for each in findings)


@pytest.fixture(params=BOTH)
async def url(request, tmp_path):
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/fresh.db"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"lipachat_doctor_{secrets.token_hex(6)}"
    await administer(server, f'CREATE DATABASE "{name}"')
    yield server.set(database=name).render_as_string(hide_password=False)
    await drop(server, name)


@pytest.fixture
async def outside():
    """Emulators of WhatsApp and M-Pesa; nobody calls back."""
    world = World(
        app_url=NOWHERE,
        app_secret="app-secret",
        shops=(STALL,),
        phones=(),
        daraja=(daraja_app(PRIVATE_KEY),),
        **accounts(),
        templates=TEMPLATES,
        callback_url="https://pay.shop.co.ke/webhooks/whatsapp",
    )
    async with TestServer(emulators(world)) as server:
        yield str(server.make_url("")).rstrip("/")


async def reached(_settings, _http, _clock):
    """Without the network: what is asked of it is tested in test_reach.py."""
    yield good("reached")


async def examine(settings, clock=utc_now):
    return await installation.examine(settings, clock, reached)


def settings_of(url, outside, **more):
    graph = more.pop("graph", outside)
    whatsapp = WhatsAppSettings(
        app_secret=SecretStr("app-secret"),
        verify_token=SecretStr("y"),
        graph_url=graph,
        forms_key=more.pop("forms_key", SecretStr(FORMS_PEM)),
    )
    values = {"secret_keys": SecretStr(KEY), "database_url": url, "public_url": "https://pay.shop.co.ke"}
    values["audit"] = AuditSettings(anchor=ANCHORS)
    return Settings(whatsapp=whatsapp, **addresses(outside) | values | more)


@pytest.fixture
async def settings(url, outside, tmp_path):
    """All is well: upgraded, with a tenant whose number and keys are good."""
    await upgrade.upgrade(url)
    settings = settings_of(url, outside)
    (tmp_path / "tenant.toml").write_text(file_text(certificate_pem(PRIVATE_KEY, datetime.now(UTC))))
    await apply_file(settings, tmp_path / "tenant.toml")
    return settings


@asynccontextmanager
async def transaction(settings):
    database = Database(settings.database_url)
    async with database.transaction(OWNER) as connection:
        yield connection
    await database.close()


async def contents(settings):
    async with transaction(settings) as connection:
        return [
            str((await connection.execute(sa.select(table).order_by(*table.primary_key))).all())
            for table in metadata.sorted_tables
        ]


def bad(findings):
    return [(each.level, each.what, each.fix) for each in findings if each.level != "good"]


async def test_where_all_is_well_it_says_so_and_changes_nothing(settings):
    before = await contents(settings)
    findings = await examine(settings)
    assert bad(findings) == []
    assert exit_code(findings) == 0
    assert [each.what for each in findings] == [
        "the database answers and its schema is current",
        "the clock of this machine agrees with the Graph API's",
        "reached",
        "forms can be opened, at https://pay.shop.co.ke/webhooks/whatsapp/forms",
        (
            "what messages cost is not told ([[messages]] in a file of costs, and python main.py costs apply "
            "FILE): they are counted alone"
        ),
        "the chains of the audit: not to be proven yet",
        "mama-njeri: the keys of mpesa are good",
        (
            "mama-njeri: mpesa does not tell of payments that nobody asked for; for that run: "
            "python main.py tenant register mama-njeri"
        ),
        "mama-njeri: the keys of paystack are good",
        (
            "mama-njeri: paystack tells what becomes of payments and payouts at "
            "https://pay.shop.co.ke/hooks/paystack/mama-njeri: its dashboard must have this address"
        ),
        "mama-njeri: the keys of pesapal are good",
        "mama-njeri: the keys of stripe are good",
        (
            "mama-njeri: stripe tells what becomes of payments at "
            "https://pay.shop.co.ke/hooks/stripe/mama-njeri: its dashboard must have this address"
        ),
        (
            "mama-njeri: its WhatsApp number and token are good; "
            "2,000 people a day may be written to by templates"
        ),
        (
            "mama-njeri: Meta tells us of messages and user_preferences, at "
            "https://pay.shop.co.ke/webhooks/whatsapp"
        ),
        "mama-njeri: its templates are as they are sent",
    ]
    assert await contents(settings) == before


async def test_an_audit_that_no_folder_has_the_ends_of_is_found(settings):
    ((level, what, fix),) = bad(await examine(settings.model_copy(update={"audit": AuditSettings()})))
    assert level == "warning"
    assert what == "the audit is anchored in the log alone (LIPACHAT_AUDIT__ANCHOR is not set)"
    assert fix.startswith("set it, for the workers and here")


async def test_a_token_that_is_alive_is_not_killed_by_asking_for_another(settings, outside):
    parts = parts_of(settings)

    async def fetch():
        return "alive", 3599

    await SharedTokens(parts.database, parts.vault, "sandbox-consumer", parts.clock).get(fetch)
    await parts.database.close()
    findings = await examine(settings_of(settings.database_url, NOWHERE, graph=outside))
    assert "mama-njeri: the keys of mpesa are good: an access token is alive" in [f.what for f in findings]
    async with transaction(settings) as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(provider_tokens)) == 1


async def test_keys_that_mpesa_refuses_are_found(settings, tmp_path):
    text = (tmp_path / "tenant.toml").read_text().replace("sandbox-consumer-secret", "wrong")
    (tmp_path / "tenant.toml").write_text(text)
    await apply_file(settings, tmp_path / "tenant.toml")
    ((level, what, fix),) = bad(await examine(settings))
    assert level == "broken"
    assert what.startswith("mama-njeri: mpesa refuses its keys (token: HTTP 400")
    assert fix == "correct [providers.mpesa] and apply the file"


async def test_keys_that_stripe_refuses_are_found(settings, tmp_path):
    text = (tmp_path / "tenant.toml").read_text().replace("sk_test_stripe_sandbox", "sk_test_wrong")
    (tmp_path / "tenant.toml").write_text(text)
    await apply_file(settings, tmp_path / "tenant.toml")
    ((level, what, fix),) = bad(await examine(settings))
    assert level == "broken"
    assert what.startswith("mama-njeri: stripe refuses its keys (HTTP 401 invalid_request_error")
    assert fix == "correct [providers.stripe] and apply the file"


async def test_keys_that_paystack_refuses_are_found(settings, tmp_path):
    text = (tmp_path / "tenant.toml").read_text().replace("sk_test_sandbox", "sk_test_wrong")
    (tmp_path / "tenant.toml").write_text(text)
    await apply_file(settings, tmp_path / "tenant.toml")
    ((level, what, fix),) = bad(await examine(settings))
    assert level == "broken"
    assert what == "mama-njeri: paystack refuses its keys (HTTP 401 invalid_Key Invalid key)"
    assert fix == "correct [providers.paystack] and apply the file"


@pytest.mark.parametrize(
    ("way", "said", "fix"),
    [
        (
            (
                'method_type = "bank_transfer"\n'
                'method_details = { account_number = "111", bank_code = "01", account_name = "Njeri" }'
            ),
            "bank_transfer, which paystack carries, and that is not set",
            "add [providers.paystack] to its file",
        ),
        ('method_type = "till"\nmethod_details = { till_number = "123456" }', None, None),
    ],
    ids=["bank", "till"],
)
async def test_a_configured_way_out_that_nothing_carries_is_found(settings, tmp_path, way, said, fix):
    """A till is carried by M-Pesa, which this file has."""
    text = (tmp_path / "tenant.toml").read_text()
    before, _, rest = text.partition("[providers.paystack]")
    staff = rest[rest.index("[[staff]]") :]
    (tmp_path / "tenant.toml").write_text(f"{before}[payout]\n{way}\n\n{staff}")
    await apply_file(settings, tmp_path / "tenant.toml")
    found = bad(await examine(settings))
    expected = [("warning", f"mama-njeri: its withdrawals go by {said}", fix)] if said else []
    assert found == expected


async def test_who_does_not_answer_is_named(settings):
    found = bad(await examine(settings_of(settings.database_url, NOWHERE)))
    assert [what.split(" (")[0] for _, what, _ in found] == [
        f"the Graph API at {NOWHERE} does not answer",
        "mama-njeri: mpesa does not answer",
        "mama-njeri: paystack does not answer",
        "mama-njeri: pesapal does not answer",
        "mama-njeri: stripe does not answer",
        "mama-njeri: its number could not be looked at",
    ]
    assert all(fix for *_, fix in found)


async def test_a_token_that_meta_refuses_is_found(settings, tmp_path):
    text = (tmp_path / "tenant.toml").read_text().replace("sandbox-access-token", "wrong")
    (tmp_path / "tenant.toml").write_text(text)
    await apply_file(settings, tmp_path / "tenant.toml")
    ((level, what, _),) = bad(await examine(settings))
    assert (level, what) == ("broken", "mama-njeri: Meta refuses its number or token (HTTP 401, code 190)")


@pytest.mark.parametrize(
    ("slip", "said"), [(-300, "300 s ahead of"), (300, "300 s behind"), (20, None), (-20, None)]
)
async def test_a_clock_that_is_wrong_is_found(settings, slip, said):
    async def answer(_request):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=slip), usegmt=True)
        return web.json_response({}, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        found = bad(
            await examine(settings_of(settings.database_url, NOWHERE, graph=str(server.make_url(""))))
        )
    clocks = [what for _, what, _ in found if "clock" in what]
    assert len(clocks) == (said is not None)
    if said:
        seconds, side = said.split(" s ")
        assert f" s {side} the Graph API's" in clocks[0]
        assert abs(int(clocks[0].split(" is ")[1].split(" s ")[0]) - int(seconds)) <= 2


async def test_queues_and_stopped_payouts_are_counted_with_the_command_that_shows_them(settings):
    then = datetime.now(UTC) - timedelta(minutes=10)
    async with transaction(settings) as connection:
        tenant = await connection.scalar(sa.select(tenants.c.id))
        await connection.execute(sa.update(tenants).values(payouts_frozen=True))
        event = {"tenant_id": tenant, "kind": "message", "status": "", "due_at": then, "received_at": then}
        rows = [
            event | {"external_id": str(n), "state": s, "body_sealed": b""}
            for n, s in enumerate(("parked", "parked", "waiting"))
        ]
        await connection.execute(sa.insert(inbox), rows)
        message = {"tenant_id": tenant, "conversation_id": new_id(), "body_sealed": b"", "state": "held"}
        await connection.execute(sa.insert(outbox).values(due_at=then, created_at=then, **message))
    assert bad(await examine(settings)) == [
        ("warning", "events that failed and are parked: 2", "look: python main.py events list"),
        (
            "warning",
            "messages (answer) that wait until their person writes: 1",
            (
                "look: python main.py events list --state held; ask these people to write *menu*, or see "
                "docs/templates.md"
            ),
        ),
        (
            "warning",
            "events that have waited for more than five minutes: 1",
            "start a worker: python main.py work, or serve without --no-worker",
        ),
        (
            "warning",
            "mama-njeri: its payouts are stopped",
            "look at the alerts in the audit, then run: python main.py tenant unfreeze mama-njeri",
        ),
    ]


async def test_a_way_out_that_rests_is_found_with_its_cause_and_the_command_for_it_alone(settings):
    async with transaction(settings) as connection:
        tenant = await connection.scalar(sa.select(tenants.c.id))
        stop = {"tenant_id": tenant, "rail": "till", "stopped_because": "settings"}
        await connection.execute(sa.insert(rails).values(**stop, stopped_at=datetime.now(UTC)))
    fix = "look at the alerts in the audit, then run: python main.py tenant unfreeze mama-njeri --rail till"
    assert bad(await examine(settings)) == [
        ("warning", "mama-njeri: its payouts by till are stopped (because: settings)", fix)
    ]


async def test_hands_are_counted_by_the_approvals_that_are_needed(settings):
    async with transaction(settings) as connection:
        await connection.execute(sa.update(tenants).values(approvals=2))
    ((level, what, _),) = bad(await examine(settings))
    assert level == "warning"
    assert what == "mama-njeri: nobody can withdraw: it takes one who asks and 2 others who approve"


@pytest.mark.parametrize(("days", "warned"), [(79, False), (81, True)])
async def test_a_password_that_will_expire_is_remembered(settings, days, warned):
    then = datetime.now(UTC) + timedelta(days=days, hours=1)
    found = bad(await examine(settings, lambda: then))
    said = f"mama-njeri: mpesa's initiator password is {days} days old or more; it expires after 90"
    assert [what for _, what, _ in found if "password" in what] == [said] * warned


async def test_secret_keys_that_open_nothing_are_found(settings, outside):
    another = SecretStr("AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    findings = await examine(settings_of(settings.database_url, outside, secret_keys=another))
    ((level, what, _),) = bad(findings)
    assert (level, what) == ("broken", "the secret keys do not open what is stored")


async def test_an_empty_database_is_not_called_an_old_one(url, outside):
    ((level, what, fix),) = bad(await examine(settings_of(url, outside)))
    assert level == "broken"
    assert "is empty" in what or "there is no database at" in what
    assert "run: python main.py db upgrade" in fix


async def test_a_schema_of_a_newer_release_is_told_apart(settings):
    async with transaction(settings) as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    ((level, what, _),) = bad(await examine(settings))
    assert (level, what) == ("warning", "the database has a schema that this release does not know (later)")


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
async def test_a_file_that_is_no_database_of_ours_is_left_as_it_is(tmp_path, outside, content):
    path = tmp_path / "data" / "lipachat.db"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    ((level, what, _),) = bad(await examine(settings_of(f"sqlite+aiosqlite:///{path}", outside)))
    assert level == "broken"
    assert str(path) in what
    assert [each.name for each in tmp_path.rglob("*")] == ([] if content is None else ["data", "lipachat.db"])
    assert content is None or path.read_bytes() == content


async def test_a_form_without_a_key_is_found(settings, url, outside):
    without = settings_of(url, outside, forms_key=None)
    (found,) = [each for each in bad(await examine(without)) if "form" in each[1]]
    assert found[:2] == (
        "warning",
        "mama-njeri: it names a form, and forms are off: all is asked in the chat",
    )
    assert "python main.py forms key" in found[2]


async def test_webhooks_to_this_machine_itself_are_found(settings):
    inside = settings.model_copy(update={"webhooks": WebhooksSettings(allow_loopback=True)})
    ((level, what, fix),) = bad(await examine(inside))
    assert level == "warning"
    assert what == "shops may have webhooks posted to programs on this machine"
    assert "LIPACHAT_WEBHOOKS__ALLOW_LOOPBACK" in fix
