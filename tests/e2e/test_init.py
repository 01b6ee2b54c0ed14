"""`init`, played at a pseudo terminal beside the emulators: from nothing to a tenant that can be paid."""

import asyncio
import contextlib
import json
import stat
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from dotenv import dotenv_values
from sqlalchemy.engine import make_url

from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import (
    PHONES,
    SHOP,
    TEMPLATES,
    accounts,
    daraja_app,
)
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from tests.e2e.installation import NOWHERE, Installation
from tests.e2e.terminal import Terminal
from tests.processes import inherited

PRIVATE_KEY = new_private_key()
APP_SECRET = "0123456789abcdef0123456789abcdef"
AT_META = ("withdrawal_request", "summary")
# All that must never be seen; some of it is wrong at first.
SECRETS = (
    APP_SECRET,
    "f" * 32,
    SHOP.access_token,
    "EAA-wrong",
    "sandbox-consumer",
    "sandbox-consumer-secret",
    "sandbox-passkey",
    "sandbox-initiator",
    "not-the-secret",
    "sk_test_sandbox",
    "sk_test_nobody",
    "pk_test_not_secret",
    "sandbox-pesapal-secret",
    "whsec_sandbox",
)


@dataclass
class Place:
    folder: Path
    environment: dict[str, str]
    outside: str
    world: World

    def init(self, *arguments: str) -> Terminal:
        return Terminal(self.folder, self.environment, "init", *arguments)

    @property
    def env(self) -> dict[str, str | None]:
        return dotenv_values(self.folder / ".env")

    @property
    def file(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "tenant.toml").read_text())


@pytest.fixture
async def place(tmp_path):
    world = World(
        app_url=NOWHERE,
        app_secret=APP_SECRET,
        shops=(replace(SHOP, told=False),),
        phones=PHONES,
        templates=tuple(each for each in TEMPLATES if each.name in AT_META),
        daraja=(daraja_app(PRIVATE_KEY),),
        **accounts(),
        callback_url="http://127.0.0.1:9/webhooks/whatsapp",
    )
    (tmp_path / "safaricom.cer").write_text(certificate_pem(PRIVATE_KEY, datetime.now(UTC)))
    async with TestServer(emulators(world)) as server:
        outside = str(server.make_url("")).rstrip("/")
        urls = {
            "LIPACHAT_WHATSAPP__GRAPH_URL": outside,
            "LIPACHAT_MPESA__URL": outside,
            "LIPACHAT_PAYSTACK__URL": f"{outside}/paystack",
            "LIPACHAT_PESAPAL__URL": f"{outside}/pesapal",
            "LIPACHAT_STRIPE__URL": f"{outside}/stripe",
        }
        yield Place(tmp_path, inherited() | urls, outside, world)


@pytest.fixture
def played():
    """Plays in a thread, while the emulators answer; whatever is left is killed."""
    terminals: list[Terminal] = []

    async def play(terminal, act):
        terminals.append(terminal)
        return await asyncio.to_thread(act, terminal)

    yield play
    for terminal in terminals:
        terminal.kill()


def begin(t: Terminal) -> None:
    t.talk(
        ("Meta's app secret", "f" * 32),  # of another app: it is found out by the token
        ("reach this server", "ftp://nowhere"),
        ("must begin with https://", "https://mpesa.shop.example"),
        ("M-Pesa refuses addresses with that word", "n"),
        ("reach this server", NOWHERE),
        ("Take it all the same?", ""),
        ("The database", ""),
        ("Redis", ""),
    )
    t.expect("The tables are there")
    t.talk(
        ("A short name", "Mama Njeri"),
        ("must be written like", "mama-njeri"),
        ("customers read", "Mama Njeri Duka"),
        ("Currency", "kes"),
        ("Country", "kenya"),
        ("Not taken", "ke"),
        ("Time zone", "Nairobi"),
        ("no time zone like", ""),
        ("Language", "de"),
        ("one of these: en", "en"),
        ("fee of each sale", "1,5"),
        ("write a number such as 1.5", "1.5%"),
    )


def whatsapp(t: Terminal) -> None:
    t.talk(
        ("Phone number ID", "+254711000100"),
        ("it is digits alone", SHOP.phone_number_id),
        (
            "Business account ID",
            SHOP.account_id,
        ),
        ("Access token", "EAA-wrong"),
        ("Meta refuses this number or token (HTTP 401, code 190)", SHOP.phone_number_id),
        ("Business account ID", "77"),
        ("Access token", SHOP.access_token),
        ("Meta refuses this account ID for this token (HTTP 400, code 100)", SHOP.phone_number_id),
        ("Business account ID", SHOP.account_id),
        ("Access token", SHOP.access_token),
    )
    t.expect("Meta knows it: Mama Njeri Duka, 254711000100")
    t.talk(("Meta refuses the app secret for this app", APP_SECRET))
    t.expect("Meta takes the app secret")
    t.talk(("does not hear of this account yet", "y"))
    t.expect("Subscribed.")


def templates(t: Terminal) -> None:
    t.expect("withdrawal_request  an approver is asked for a decision (needed to go live)")
    t.talk(("which of them Meta has", ""))
    t.expect("withdrawal_request  withdrawal_request in en, sw, fr")
    t.expect("summary             summary in en, sw, fr")
    t.talk(("Write these into the file?", ""))


def mpesa(t: Terminal) -> None:
    keys = (("Paybill", "600100"), ("Till", ""), ("Consumer key", "sandbox-consumer"))
    t.talk(("Use M-Pesa?", "y"), *keys, ("Consumer secret", "not-the-secret"), ("Passkey", "x"))
    t.talk(("Pay withdrawals out", "n"), ("M-Pesa refuses these keys", "600100"), *keys[1:])
    t.talk(("Consumer secret", "sandbox-consumer-secret"), ("Passkey", "sandbox-passkey"))
    t.talk(("Pay withdrawals out", "y"), ("operator's name", "lipachat"))
    t.talk(("operator's password", "sandbox-initiator"), ("Safaricom's certificate", "nowhere.cer"))
    t.talk(("cannot be read", "safaricom.cer"))
    t.expect("M-Pesa takes these keys.")
    t.talk(("Try it with KES 1.00?", "y"), ("Your phone", "12"), ("Not taken", "+254712345678"))
    t.expect("Look at the phone.")


async def pay(place: Place) -> None:
    """The PIN, once the prompt is there."""
    async with aiohttp.ClientSession() as http:
        for _ in range(200):
            async with http.get(f"{place.outside}/control/prompts") as answer:
                prompts = (await answer.json())["prompts"]
            if prompts:
                url = f"{place.outside}/control/prompts/{prompts[0]['id']}"
                async with http.post(url, json={"outcome": "pay"}) as answer:
                    assert answer.status == 200
                return
            await asyncio.sleep(0.05)


def pay_on(page: str) -> None:
    """The page then leads back to where nobody listens."""
    with contextlib.suppress(urllib.error.URLError):
        urllib.request.urlopen(page, b"outcome=pay", timeout=10)


def rest(t: Terminal) -> None:
    t.talk(
        ("Use Paystack?", "y"),
        ("Secret key", "pk_test_not_secret"),
        ("is no secret key", "sk_test_nobody"),
        ("Paystack refuses these keys", "sk_test_sandbox"),
    )
    t.expect("Paystack takes these keys.")
    t.talk(("Try it with KES", "y"))
    t.expect("Open this page and pay: ")
    pay_on(t.line())
    t.talk(("Press Enter", ""))
    t.expect("Paid: KES")
    t.talk(("Give it back now?", "y"))
    t.expect("Asked for: it goes back.")
    t.talk(
        ("Use Pesapal?", "n"),
        ("Use Stripe?", "n"),
        ("withdrawals go to", "0700123456"),
        ("Add somebody?", "y"),
        ("Name", "Achieng"),
        ("Phone", "0722"),
        ("it is no phone number", "0722000001"),
        ("Role", ""),
        ("Add another?", "y"),
        ("Name", "Kamau"),
        ("Phone", "0722000002"),
        ("Role", "finance admin"),
        ("Add another?", ""),
    )
    terms(t)
    t.expect("The tenant mama-njeri is made.")
    t.talk(("key of the REST API", "y"), ("For whom", "0733"), ("For somebody else?", ""), ("For whom", ""))
    t.expect('"api_key": "lipa_')


def terms(t: Terminal) -> None:
    t.talk(
        ("Set limits?", ""),
        ("one withdrawal [100000]", "lots"),
        ("write a sum such as 100000", "50,000"),
        ("in 24 hours, of all withdrawals together [300000]", ""),
        ("two others approve, instead of one [none]", "0"),
        ("Not taken", "None"),
        ("one-time code [none]", "20000"),
    )
    t.expect("33.00 to an M-Pesa number, 50.00 to a bank account, 27.00 to a till")
    t.talk(
        ("Others than these?", "y"),
        ("To an M-Pesa number: for each [33.00]", ""),
        ("percent", ""),
        ("To a bank account: for each [50.00]", "60"),
        ("percent", ""),
        ("To a till: for each [27.00]", "20.005"),
        ("has more places than KES", "20"),
        ("percent", "1"),
    )


async def test_from_nothing_to_a_tenant_with_wrong_answers_and_broken_off_between(place, played):
    def first(t: Terminal) -> int:
        begin(t)
        whatsapp(t)
        templates(t)
        t.expect("Use M-Pesa?")
        t.interrupt()
        t.expect("Broken off.")
        return t.end()

    one = place.init()
    assert await played(one, first) == 1
    assert set(place.file) == {"tenant", "whatsapp"}
    kept = place.env["LIPACHAT_SECRET_KEYS"]

    two = place.init()

    def on(t: Terminal) -> None:
        t.expect("payment_receipt     a customer's payment has arrived (needed to go live)")
        t.talk(("which of them Meta has", ""))
        t.expect("Meta has none yet that fits.")
        mpesa(t)

    await played(two, on)
    await pay(place)

    def second(t: Terminal) -> int:
        t.expect("Paid: KES 1.00.")
        t.expect("It stays in your account there")
        rest(t)
        t.expect("Callback URL:  http://127.0.0.1:9/webhooks/whatsapp")
        t.expect("messages, user_preferences")
        t.expect("/hooks/paystack/mama-njeri")
        t.expect("payment_receipt (en, needed to go live)")
        t.expect("Thank you. We have received {{1}} for order {{2}}.")
        t.expect("payment_request (en)   quick replies: Pay, Not now, Change method")
        t.expect("What doctor finds now:")
        t.expect("mama-njeri: the keys of mpesa are good")
        t.expect("mama-njeri: the keys of paystack are good")
        t.expect("mama-njeri: Meta tells us of messages and user_preferences")
        return t.end()

    assert await played(two, second) == 0
    assert place.env["LIPACHAT_SECRET_KEYS"] == kept  # made once
    assert place.env["LIPACHAT_WHATSAPP__APP_SECRET"] == APP_SECRET
    assert set(place.file) == {"tenant", "whatsapp", "providers", "payout", "staff", "limits", "fees"}
    assert place.file["tenant"]["payment_fee_percent"] == "1.5"
    assert place.file["whatsapp"]["templates"] == {
        name: {"name": name, "language": "en", "languages": ["sw", "fr"]} for name in AT_META
    }
    assert place.file["limits"] == {
        "approvals": 1,
        "per_withdrawal": "50000",
        "per_day": "300000",
        "totp_above": "20000",
    }
    assert place.file["fees"] == [
        {"method_type": "bank_transfer", "flat": "60", "percent": "0"},
        {"method_type": "till", "flat": "20", "percent": "1"},
    ]
    for name in (".env", "tenant.toml"):
        assert stat.S_IMODE((place.folder / name).stat().st_mode) == 0o600
    for secret in SECRETS:
        assert secret not in one.screen
        assert secret not in two.screen
    assert kept not in one.screen


ANSWERS = """
api_key = true
[settings]
public_url = "http://127.0.0.1:9"
app_secret = "{secret}"
[tenant]
slug = "mama-njeri"
name = "Mama Njeri Duka"
[whatsapp]
phone_number_id = "106540352242922"
waba_id = "102290129340398"
access_token = "{token}"
[providers.pesapal]
consumer_key = "sandbox-pesapal"
consumer_secret = "sandbox-pesapal-secret"
[providers]
mpesa = false
[[staff]]
name = "Achieng"
phone = "0722000001"
role = "Cashier"
"""


def answered(place: Place, text: str, code: int = 0) -> str:
    (place.folder / "answers.toml").write_text(text)
    installation = Installation(place.folder)
    installation.environment = place.environment
    return installation.run("init", "--answers", "answers.toml", code=code)


def answers(token: str = SHOP.access_token) -> str:
    text = ANSWERS.format(secret=APP_SECRET, token=token)
    return text.replace("[providers]\nmpesa = false\n", "").replace("[settings]", "[settings]", 1)


async def test_a_file_answers_too_and_once_more_changes_nothing(place):
    text = answers().replace("[providers.pesapal]", "[providers]\nmpesa = false\n[providers.pesapal]")
    out = await asyncio.to_thread(answered, place, text)
    assert json.loads(out)["api_key"].startswith("lipa_")
    before = (place.env, place.file)
    out = await asyncio.to_thread(answered, place, text.replace("api_key = true", ""))
    assert out == ""
    assert (place.env, place.file) == before


async def test_what_a_file_answers_wrongly_is_named_and_what_came_before_is_kept(place):
    told = await asyncio.to_thread(answered, place, answers("EAA-wrong"), 1)
    assert "answers.toml: whatsapp.access_token is not taken: Meta refuses this number or token" in told
    assert "EAA-wrong" not in told
    assert set(place.file) == {"tenant"}
    lacking = answers().replace('waba_id = "102290129340398"\n', "")
    told = await asyncio.to_thread(answered, place, lacking, 1)
    assert "answers.toml: whatsapp.waba_id is missing" in told


async def test_a_file_that_was_there_is_never_written_over(place):
    (place.folder / ".env").write_text("# mine\nexport LIPACHAT_LOG_LEVEL=debug\n")
    (place.folder / "tenant.toml").write_text("[tenant]\nslug = 7\n")
    told = await asyncio.to_thread(answered, place, answers(), 1)
    assert "tenant.toml:2: tenant.slug: must be a text in quotes" in told
    assert (place.folder / "tenant.toml").read_text() == "[tenant]\nslug = 7\n"
    (place.folder / "tenant.toml").unlink()
    text = answers().replace("[providers.pesapal]", "[providers]\nmpesa = false\n[providers.pesapal]")
    await asyncio.to_thread(answered, place, text)
    assert (place.folder / ".env").read_text().startswith("# mine\nexport LIPACHAT_LOG_LEVEL=debug\n")


async def test_a_secret_that_was_entered_anew_is_the_one_that_doctor_uses(place, played):
    def act(t: Terminal) -> int:
        begin(t)
        whatsapp(t)
        t.talk(("which of them Meta has", "n"))
        for name in ("M-Pesa", "Paystack", "Pesapal", "Stripe"):
            t.talk((f"Use {name}?", "n"))
        t.talk(("Add somebody?", "n"))  # and of no limits, fees and destination: nothing can be paid out
        t.expect("mama-njeri: Meta tells us of messages and user_preferences")
        return t.end()

    assert await played(place.init(), act) == 0


async def test_without_a_terminal_and_without_answers_it_says_so(place):
    installation = Installation(place.folder)
    installation.environment = place.environment
    told = await asyncio.to_thread(lambda: installation.run("init", code=1))
    assert "init asks at a terminal" in told
    assert not (place.folder / ".env").exists()


async def test_a_password_of_a_database_or_of_redis_is_never_on_the_screen(place, played):
    def act(t: Terminal) -> int:
        t.talk(
            ("The database", "postgres://lipachat:hunter2@127.0.0.1/x"),
            ("must begin with", "postgresql+asyncpg://lipachat:hunt@er2@127.0.0.1:9/x?password=hunter2"),
        )
        t.expect("It is postgresql+asyncpg://lipachat:***@127.0.0.1:9/x?password=***.")
        t.talk(("it cannot be used", ""))
        t.expect("It is sqlite+aiosqlite:///")
        t.talk(("Redis", "http://:hunter2@127.0.0.1"), ("must begin with", "redis://:hunter2@127.0.0.1:9/0"))
        t.expect("It is redis://:***@127.0.0.1:9/0.")
        t.talk(("Keep it?", ""))
        t.expect("A short name")
        t.interrupt()
        return t.end()

    def broken_off(t: Terminal) -> int:
        t.talk(("The database", ""))
        t.expect("Redis, ")
        t.interrupt()
        return t.end()

    (place.folder / ".env").write_text(f"LIPACHAT_PUBLIC_URL={NOWHERE}\n")
    zero = place.init()
    assert await played(zero, lambda t: (t.talk(("app secret", APP_SECRET)), broken_off(t))[1]) == 1
    assert "LIPACHAT_DATABASE_URL" not in place.env  # so that Redis is asked for again
    one = place.init()
    assert await played(one, act) == 1
    assert "er2" not in one.screen
    assert place.env["LIPACHAT_REDIS_URL"] == "redis://:hunter2@127.0.0.1:9/0"


@pytest.mark.postgres
async def test_on_postgresql_the_password_is_kept_as_it_was_typed(place, played, postgres_database):
    password = "p@ss/w:rd'1 $2"
    url = make_url(postgres_database).set(password=password)  # where anybody is trusted

    def act(t: Terminal) -> int:
        t.talk(("app secret", APP_SECRET), ("reach this server", NOWHERE), ("all the same?", ""))
        t.talk(("The database", url.render_as_string(hide_password=False)), ("Redis, ", ""))
        t.expect("The tables are there")
        t.interrupt()
        return t.end()

    one = place.init()
    assert await played(one, act) == 1
    assert url.render_as_string() in one.screen
    assert "p%40ss" not in one.screen
    assert make_url(place.env["LIPACHAT_DATABASE_URL"] or "").password == password


async def test_a_certificate_may_be_pasted_and_none_of_its_lines_answers_another_question(place, played):
    pem = (place.folder / "safaricom.cer").read_text()
    await asyncio.to_thread(answered, place, answers().replace("providers.pesapal", "providers.not-yet"))
    (place.folder / "answers.toml").unlink()

    def act(t: Terminal) -> None:
        t.talk(("which of them Meta has", "n"), ("Use M-Pesa?", "y"), ("Paybill", "600100"), ("Till", ""))
        t.talk(("Consumer key", "sandbox-consumer"), ("Consumer secret", "sandbox-consumer-secret"))
        t.talk(("Passkey", ""), ("Pay withdrawals out", "y"), ("operator's name", "lipachat"))
        t.talk(("operator's password", "sandbox-initiator"), ("Safaricom's certificate", pem.strip()))
        t.expect("M-Pesa takes these keys.")
        t.talk(("Use Paystack?", "n"))

    await played(place.init(), act)
    assert place.file["providers"]["mpesa"]["certificate"] == pem


TERMS = """
[limits]
per_day = 250000
approvals_above = [{ amount = "50000", approvals = 2 }]
[[fees]]
method_type = "till"
to = "1000"
flat = 12.5
[[fees]]
method_type = "till"
from = "1000.01"
flat = "27"
valid_from = 2026-12-01T08:00:00Z
[whatsapp.templates.payment_receipt]
name = "receipt_of_ours"
language = "en_GB"
languages = ["sw"]
"""


async def test_what_a_file_says_of_limits_fees_and_templates_is_taken_as_it_is(place):
    text = answers().replace("[providers.pesapal]", "[providers]\nmpesa = false\n[providers.pesapal]")
    told = await asyncio.to_thread(answered, place, text + TERMS)
    assert "nothing has asked for" not in told
    assert place.file["limits"] == tomllib.loads(TERMS)["limits"]
    assert place.file["fees"] == tomllib.loads(TERMS)["fees"]
    assert place.file["whatsapp"]["templates"] == tomllib.loads(TERMS)["whatsapp"]["templates"]
