"""Publishing: what Meta is given of a tenant from the command line."""

from typing import Any

import aiohttp

from bot.commands.opening import known_tenant, opened
from bot.http import open_session
from bot.parts import CannotRun
from bot.settings import Settings
from bot.whatsapp.client import WhatsApp
from services.store.scope import PLATFORM


async def publish_forms_key(settings: Settings, slug: str) -> dict[str, Any]:
    """Raises CannotRun where there is no key, no number with its token, or Meta refuses."""
    if settings.whatsapp.forms is None:
        raise CannotRun("LIPACHAT_WHATSAPP__FORMS_KEY is not set: python main.py forms key makes one.")
    pem = settings.whatsapp.forms.public_pem
    async with opened(settings) as parts, open_session() as http:
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await known_tenant(connection, slug)
        tenant = await parts.tenants.by_id(tenant_id)
        if tenant.phone_number_id is None or tenant.access_token is None:
            raise CannotRun(f"{slug} has no WhatsApp number or token: add [whatsapp] to its file.")
        whatsapp = WhatsApp(http, settings.whatsapp.graph_url, settings.whatsapp.api_version)
        try:
            refused = await whatsapp.give_forms_key(tenant.phone_number_id, tenant.access_token, pem)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CannotRun(f"Meta does not answer ({type(error).__name__}). Try again later.") from None
    if refused is not None:
        raise CannotRun(f"Meta refuses the key: {refused}.")
    return {"phone_number_id": tenant.phone_number_id, "public_key": pem}
