"""The shop's own program as the app has it registered, from one run of the sandbox to the next."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands.opening import work_of
from bot.parts import parts_of
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import MANAGER, SLUG, file_text
from bot.sandbox.world import CannotError
from bot.settings import Settings, WhatsAppSettings
from services.ids import new_id
from services.people import tenant_file
from services.people.apply import apply
from services.people.identity import member
from services.store import upgrade
from services.store.schema import staff
from services.webhooks import endpoints
from services.work import CLI, Work

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
URL = "http://127.0.0.1:8081/shop/webhooks"
PEM = certificate_pem(new_private_key(), datetime.now(UTC))


@pytest.fixture
async def parts(tmp_path):
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    url = f"sqlite+aiosqlite:///{tmp_path}/lipachat.db"
    settings = Settings(database_url=url, secret_keys=SecretStr(KEY), whatsapp=whatsapp)
    await upgrade.upgrade(url)
    parts, tenant = parts_of(settings), new_id()
    async with parts.database.transaction(tenant) as connection:
        work = Work(connection, parts.vault, tenant, parts.clock(), CLI)
        await apply(work, tenant_file.read(file_text(PEM), "a tenant"))
    yield parts
    await parts.bell.close()
    await parts.database.close()


@pytest.fixture
def run(parts, tmp_path):
    """The endpoint as a run of the sandbox on some port has it."""

    async def run(port=8081):
        endpoint = Endpoint(parts, SLUG, MANAGER, URL.replace("8081", str(port)), tmp_path / "secret")
        await endpoint.ready()
        return endpoint

    return run


async def registered(parts):
    """The addresses, and the secrets that sign."""
    async with work_of(parts, SLUG) as work:
        rows = await endpoints.listed(work)
        return [(row.url, endpoints.secrets(work, row)) for row in rows]


async def let_manage_nothing(parts):
    async with work_of(parts, SLUG) as work:
        mine = staff.c.tenant_id == work.tenant
        await work.connection.execute(sa.update(staff).where(mine).values(scopes=[]))


async def test_it_is_registered_once_and_moves_with_the_port(parts, run):
    first = await run()
    assert await registered(parts) == [(URL, first.secrets)]
    again = await run(8281)
    assert again.secrets == first.secrets
    assert await registered(parts) == [(URL.replace("8081", "8281"), first.secrets)]


async def test_one_whose_secret_was_lost_is_given_another(parts, run, tmp_path):
    before = (await run()).secrets
    (tmp_path / "secret").unlink()
    after = (await run()).secrets
    assert after != before
    assert await registered(parts) == [(URL, after)]


async def test_one_that_was_removed_comes_back_only_when_somebody_asks_for_it(parts, run):
    endpoint = await run()
    async with work_of(parts, SLUG) as work:
        (row,) = await endpoints.listed(work)
        kamau = await member(work, MANAGER)
        assert kamau is not None
        await endpoints.remove(work, kamau, row.id)
    endpoint = await run()
    assert (await endpoint.view())["state"] == "missing"
    await endpoint.enable()
    assert (await endpoint.view())["state"] == "enabled"
    assert await registered(parts) == [(URL, endpoint.secrets)]


@pytest.mark.parametrize("port", [8081, 8281])
async def test_where_nobody_may_manage_it_the_sandbox_starts_all_the_same(parts, run, port):
    await run()
    await let_manage_nothing(parts)
    endpoint = await run(port)
    assert (await endpoint.view())["state"] == "enabled"
    for act in (endpoint.enable(), endpoint.again(None)):
        with pytest.raises(CannotError, match="Let Kamau manage integrations again"):
            await act


async def test_data_of_a_release_without_it_are_taken_as_they_are(parts, run):
    await let_manage_nothing(parts)
    endpoint = await run()
    assert ((await endpoint.view())["state"], endpoint.secrets) == ("missing", ())
    with pytest.raises(CannotError, match="missing_scope"):
        await endpoint.enable()


async def test_what_the_app_has_not_sent_cannot_be_sent_again(run):
    endpoint = await run()
    with pytest.raises(CannotError, match="sent nothing of that webhook-id"):
        await endpoint.again("msg_1")
