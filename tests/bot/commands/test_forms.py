"""The public half of the forms' key, given to Meta for a tenant's number."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.commands.forms import publish_forms_key
from bot.commands.tenants import apply_file
from bot.parts import CannotRun
from bot.settings import Settings, WhatsAppSettings
from bot.whatsapp.forms import FormsKey, new_key
from services.store import upgrade

PEM = new_key()
FILE = """
[tenant]
slug = "mama-njeri"
[whatsapp]
phone_number_id = "106540352242922"
access_token = "the access token"
"""


@pytest.fixture
async def meta():
    """Takes keys, or refuses them by `answer`."""
    asked: list[tuple[str, str, str]] = []
    answer = [(200, {"success": True})]

    async def take(request):
        told = await request.post()
        asked.append((request.path, request.headers["Authorization"], str(told["business_public_key"])))
        status, body = answer[0]
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), asked, answer


async def installed(tmp_path, url, pem=PEM):
    key = SecretStr(pem) if pem else None
    settings = Settings(
        secret_keys=SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        database_url=f"sqlite+aiosqlite:///{tmp_path}/fresh.db",
        whatsapp=WhatsAppSettings(
            app_secret=SecretStr("x"), verify_token=SecretStr("y"), graph_url=url, forms_key=key
        ),
    )
    await upgrade.upgrade(settings.database_url)
    (tmp_path / "tenant.toml").write_text(FILE)
    await apply_file(settings, tmp_path / "tenant.toml")
    return settings


async def test_the_public_half_goes_to_the_tenants_number_and_the_private_one_nowhere(meta, tmp_path):
    url, asked, _ = meta
    told = await publish_forms_key(await installed(tmp_path, url), "mama-njeri")
    public = FormsKey(PEM).public_pem
    assert told == {"phone_number_id": "106540352242922", "public_key": public}
    path = "/v25.0/106540352242922/whatsapp_business_encryption"
    assert asked == [(path, "Bearer the access token", public)]


async def test_what_meta_says_against_it_is_told(meta, tmp_path):
    url, _, answer = meta
    answer[0] = (400, {"error": {"code": 100, "message": "Invalid parameter"}})
    with pytest.raises(CannotRun, match="Meta refuses the key: Invalid parameter"):
        await publish_forms_key(await installed(tmp_path, url), "mama-njeri")


@pytest.mark.parametrize(
    ("pem", "slug", "words"),
    [(None, "mama-njeri", "FORMS_KEY is not set"), (PEM, "nobody", "No tenant is called nobody")],
    ids=["no key", "no tenant"],
)
async def test_without_a_key_or_a_tenant_nothing_is_sent(meta, tmp_path, pem, slug, words):
    url, asked, _ = meta
    with pytest.raises(CannotRun, match=words):
        await publish_forms_key(await installed(tmp_path, url, pem), slug)
    assert asked == []
