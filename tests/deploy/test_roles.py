"""The scripts of compose.yml: secrets are made, and of them the roles; the owner brings the schema
up to date, and the processes run as a role that owns nothing."""

import asyncio
import os
import secrets as secrets_module
import subprocess

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import administer, drop
from tests.deploy.dockerfile import ROOT
from tests.e2e.installation import Installation
from tests.servers import programs_of_postgres

SECRETS = ROOT / "deploy" / "secrets.sh"


@pytest.fixture
def secrets(tmp_path):
    folder = tmp_path / "secrets"
    asked = subprocess.run(["sh", SECRETS, folder], capture_output=True, text=True, check=False)
    assert (asked.returncode, "app secret of Meta" in asked.stderr) == (1, True)
    (folder / "whatsapp__app_secret").write_text("from-meta\n")
    return folder


@pytest.fixture
def own(postgres_server):
    """A name of our own instead of `lipachat`, which is the server's."""
    name = f"lipachat_{secrets_module.token_hex(4)}"
    yield name
    asyncio.run(drop(postgres_server, name))
    for each in (name, f"{name}_owner"):
        asyncio.run(administer(postgres_server, f'DROP ROLE IF EXISTS "{each}"'))


def test_what_was_made_stays_and_is_for_its_owner_alone(secrets):
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    again = subprocess.run(["sh", SECRETS, secrets], capture_output=True, text=True, check=True)
    assert before == {path.name: path.read_text() for path in secrets.iterdir()}
    assert before["whatsapp__verify_token"].strip() in again.stdout
    assert not any(before[name].strip() in again.stdout for name in ("secret_keys", "app_password"))
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len({*before.values()}) == len(before)


def made_roles(secrets, server, own):
    """By the script as it stands, but for the name."""
    script = (ROOT / "deploy" / "postgres" / "roles.sh").read_text().replace("lipachat", own)
    where = {"SECRETS": str(secrets), "PGHOST": server.host, "PGPORT": str(server.port or 5432)}
    environment = os.environ | where | {"PATH": programs_of_postgres(os.environ["PATH"])}
    subprocess.run(["sh", "-c", script], env=environment, check=True, stdout=subprocess.DEVNULL)


def pointed_at(server, secrets, own):
    """The addresses that were made name the database of compose.yml: here it is another."""
    for name in ("database_url", "database_owner_url"):
        path = secrets / name
        asked = make_url(path.read_text().strip())
        here = asked.set(host=server.host, port=server.port, database=own)
        here = here.set(username=str(asked.username).replace("lipachat", own))
        path.chmod(0o600)
        path.write_text(here.render_as_string(hide_password=False))


@pytest.mark.postgres
def test_the_roles_are_enough_to_run_and_the_processes_own_nothing(secrets, postgres_server, own, tmp_path):
    subprocess.run(["sh", SECRETS, secrets], capture_output=True, check=True)
    made_roles(secrets, postgres_server, own)
    pointed_at(postgres_server, secrets, own)
    installation = Installation(tmp_path, LIPACHAT_SECRETS_DIR=str(secrets))
    for name in ("SECRET_KEYS", "WHATSAPP__APP_SECRET", "WHATSAPP__VERIFY_TOKEN"):
        del installation.environment[f"LIPACHAT_{name}"]
    installation.run("db", "upgrade")
    (secrets / "database_owner_url").unlink()
    assert '"up_to_date": true' in installation.run("db", "current")
    installation.run("ledger", "check")
    assert asyncio.run(owned((secrets / "database_url").read_text())) == 0


async def owned(url):
    """How many tables whoever logs in so owns."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        mine = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        count = await connection.scalar(sa.text(mine))
    await engine.dispose()
    return count
