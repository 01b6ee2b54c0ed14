"""What the command line refuses: in a sentence, with the exit code of the manual, and without a trace."""

import asyncio
import base64
import json
import socket
import sqlite3
import time
from datetime import UTC, datetime

import aiohttp
import pytest
import sqlalchemy as sa

from services import ledger
from services.ids import new_id
from services.money import Money
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import tenants
from services.store.scope import OWNER
from services.work import Work
from tests.e2e.installation import Installation, ready, stopping
from tests.servers import free_port
from tests.services.people.registry import SMALL


@pytest.fixture
def installation(tmp_path):
    """On an empty SQLite database."""
    return Installation(tmp_path, LIPACHAT_DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/lipachat.db")


@pytest.fixture
def current(installation):
    installation.run("db", "upgrade")
    return installation


def one_sentence(said):
    """Without its end of line."""
    assert "Traceback" not in said
    assert said.count("\n") == 1, said
    return said.strip()


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["work"], ["ledger", "check"]], ids=str)
def test_an_old_schema_is_refused_with_the_command_that_mends_it(installation, command):
    said = one_sentence(installation.run(*command, code=1))
    assert said == "The database has an older schema. Run: python main.py db upgrade"


def newer(path):
    """What a later release's upgrade may leave behind: a table, a column, and a revision that is unknown."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE gifts (id INTEGER PRIMARY KEY)")
        connection.execute("ALTER TABLE tenants ADD COLUMN motto TEXT")
        connection.execute("UPDATE alembic_version SET version_num = '0123456789ab'")


async def test_a_newer_schema_is_run_on_and_not_touched(current):
    """As it is while a later release takes the place of this one."""
    newer(current.folder / "lipachat.db")
    said = one_sentence(current.run("db", "upgrade", code=1))
    assert (
        said == "The database has the schema of a newer release (0123456789ab): there is nothing to upgrade."
    )
    (current.folder / "shop.toml").write_text(SMALL)
    current.run("tenant", "apply", "shop.toml")
    port = free_port()
    async with stopping(current), aiohttp.ClientSession() as http:
        current.start("serve", "--port", str(port))
        await ready(http, f"http://127.0.0.1:{port}")
    assert "schema.newer" in current.logs()
    assert "Traceback" not in current.logs()


def test_a_database_that_is_not_there_is_not_made_by_looking(installation):
    said = installation.run("db", "current", code=1)
    assert "There is no database yet. Make one with: python main.py db upgrade\n" in said
    assert '"up_to_date": false' in said
    assert not list(installation.folder.iterdir())


def test_a_number_of_another_tenant_is_refused_with_its_line(current):
    path, number = current.folder / "shop.toml", 'phone_number_id = "106540352242922"'
    text = f"{SMALL}\n[whatsapp]\n{number}\n"
    path.write_text(text)
    current.run("tenant", "apply", "shop.toml")
    path.write_text(text.replace('slug = "mama-njeri"', 'slug = "otieno"'))
    said = one_sentence(current.run("tenant", "apply", "shop.toml", code=1))
    assert said.startswith(f"shop.toml:{text.splitlines().index(number) + 1}: whatsapp.phone_number_id: ")
    assert "belongs to tenant 'mama-njeri' already" in said


def test_the_currency_of_a_tenant_with_books_is_refused_with_its_line(current):
    path = current.folder / "shop.toml"
    path.write_text(SMALL)
    current.run("tenant", "apply", "shop.toml")
    asyncio.run(with_a_sale(current))
    path.write_text(SMALL.replace("[tenant]", '[tenant]\ncurrency = "UGX"'))
    line = SMALL.splitlines().index("[tenant]") + 2
    said = one_sentence(current.run("tenant", "apply", "shop.toml", code=1))
    assert said.startswith(f"shop.toml:{line}: ")
    assert "has books in KES already" in said
    assert json.loads(current.run("tenant", "show", "mama-njeri"))["tenant"]["currency"] == "KES"


async def with_a_sale(installation):
    database = Database(installation.environment["LIPACHAT_DATABASE_URL"])
    async with database.transaction(OWNER) as connection:
        (tenant,) = (await connection.execute(sa.select(tenants.c.id))).scalars().all()
        work = Work(connection, Vault([bytes(range(32))]), tenant, datetime.now(UTC))
        sale = ledger.Transfer("provider:mpesa", ledger.WALLET, Money.parse("500", "KES"), "sale")
        await ledger.post(work, new_id(), [sale])
    await database.close()


def test_it_serves_on_ipv6_and_says_where(current):
    port = free_port()
    process = current.start("serve", "--host", "::1", "--port", str(port))
    asyncio.run(answers(f"http://[::1]:{port}"))
    current.stop()
    assert process.returncode == 0
    assert f"http://[::1]:{port}" in current.logs()


async def answers(url):
    async with aiohttp.ClientSession() as http:
        await ready(http, url)


def test_what_is_not_set_is_named_all_at_once_with_how_to_make_it(installation):
    for name in list(installation.environment):
        if name.startswith("LIPACHAT_"):
            del installation.environment[name]
    said = installation.run("serve", code=1)
    assert "Traceback" not in said
    assert "LIPACHAT_SECRET_KEYS is not set; make one with: python -c" in said
    assert "LIPACHAT_WHATSAPP__APP_SECRET" in said
    assert "LIPACHAT_WHATSAPP__VERIFY_TOKEN" in said


def test_what_is_wrong_is_named_all_at_once_and_never_shown(installation):
    installation.environment |= {
        "LIPACHAT_SECRET_KEYS": base64.b64encode(b"too short").decode(),
        "LIPACHAT_DATABASE_URL": "mysql://root:hunter2@db/x",
        "LIPACHAT_REDIS_URL": "localhost:6379",
        "LIPACHAT_LOG_FORMAT": "xml",
    }
    said = installation.run("work", code=1)
    assert "Traceback" not in said
    for name in ("SECRET_KEYS", "DATABASE_URL", "REDIS_URL", "LOG_FORMAT"):
        assert said.count(f"LIPACHAT_{name} ") == 1, said
    assert "hunter2" not in said


def test_two_processes_on_sqlite_are_refused(current):
    said = one_sentence(current.run("serve", "--workers", "2", code=1))
    assert said == "SQLite serves one process only: leave out --workers, or use PostgreSQL."


def test_a_port_that_is_taken_is_refused(current):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = one_sentence(current.run("serve", "--port", str(port), code=1))
    assert said == f"Cannot listen on 127.0.0.1:{port}: Address already in use."


def test_a_tenant_file_that_cannot_be_used_changes_nothing(current, tmp_path):
    """Each fault with its line; the other faults of a file are looked for beside its reading."""
    for content, words in (
        (b"[tenant]\nslug = 'caf\xe9'", "2: file: is not UTF-8 text; save it as UTF-8"),
        (b"[tenant", "1: TOML: Expected ']' at the end of a table declaration"),
        (
            b"[tenant]\nslug = 'shop'\ncolour = 'red'",
            "3: tenant.colour: unknown key; remove it or correct its spelling",
        ),
    ):
        (tmp_path / "tenant.toml").write_bytes(content)
        said = one_sentence(current.run("tenant", "apply", "tenant.toml", code=1))
        assert said == f"tenant.toml:{words}"
    assert "No tenant is called shop." in current.run("tenant", "show", "shop", code=1)


def test_a_database_that_is_none_is_said_in_a_sentence(installation, tmp_path):
    (tmp_path / "lipachat.db").write_bytes(b"no database at all, and longer than a header of one" * 100)
    for command in (["db", "current"], ["work"], ["db", "upgrade"]):
        said = one_sentence(installation.run(*command, code=1))
        assert "file is not a database" in said


@pytest.mark.postgres
def test_a_database_or_user_that_postgres_does_not_know_is_said_in_a_sentence(installation, postgres_server):
    url = postgres_server.set(database="nothing_such").render_as_string(hide_password=False)
    installation.environment["LIPACHAT_DATABASE_URL"] = url
    for command in (["db", "current"], ["work"], ["ledger", "check"]):
        said = one_sentence(installation.run(*command, code=1))
        assert 'database "nothing_such" does not exist' in said


@pytest.mark.parametrize(
    "command",
    [
        ["nonsense"],
        ["serve", "--nonsense"],
        ["serve", "--port", "http"],
        ["serve", "--port", "99999"],
        ["serve", "--workers", "0"],
        ["tenant", "apply"],
        ["tenant", "apply", "nothing.toml"],
        ["tenant", "apply", "."],
        ["db", "downgrade"],
    ],
    ids=str,
)
def test_wrong_use_is_2_and_says_what_is_wrong(installation, command):
    said = installation.run(*command, code=2)
    assert "Traceback" not in said
    assert "Error" in said


def test_help_is_there_in_under_half_a_second(installation):
    quickest = min(timed(installation) for _ in range(3))  # of three, since the machine has other work
    assert quickest < 0.5


def timed(installation):
    start = time.perf_counter()
    assert "serve" in installation.run("--help")
    return time.perf_counter() - start


def test_the_doctor_says_without_settings_what_is_missing_and_that_it_is_broken(installation):
    for name in list(installation.environment):
        if name.startswith("LIPACHAT_"):
            del installation.environment[name]
    findings = json.loads(installation.run("doctor", "--json", code=2))
    assert [set(finding) for finding in findings] == [{"level", "what", "fix"}] * len(findings)
    assert [finding["level"] for finding in findings] == ["broken"] * len(findings)
    assert findings[0]["what"] == "LIPACHAT_SECRET_KEYS is not set"
    assert findings[0]["fix"].startswith("make one with: python -c")
    assert "fix: make one with" in installation.run("doctor", code=2)


def test_the_doctor_makes_no_database_where_there_is_none(installation, tmp_path):
    findings = json.loads(installation.run("doctor", "--json", code=2))
    last = findings[-1]
    assert last["what"] == f"there is no database at {tmp_path}/lipachat.db yet"
    assert last["fix"].startswith("run: python main.py db upgrade")
    assert list(tmp_path.iterdir()) == []


def test_what_is_applied_is_told_in_the_shape_of_the_manual(current, tmp_path):
    (tmp_path / "tenant.toml").write_text(
        '[tenant]\nslug = "shop"\n[[staff]]\nname = "Kamau"\nphone = "+254722000002"\nrole = "Owner"\n'
    )
    told = json.loads(current.run("tenant", "apply", "tenant.toml"))
    assert list(told) == ["tenant_id", "slug", "created", "changed", "staff", "warnings"]
    assert (told["slug"], told["created"], told["changed"]) == ("shop", True, [])
    assert told["staff"] == [{"id": told["staff"][0]["id"], "name": "Kamau", "role": "Owner"}]
    assert len(told["warnings"]) == 1
    again = json.loads(current.run("tenant", "apply", "tenant.toml"))
    assert again == told | {"created": False}
