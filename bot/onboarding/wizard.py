"""Wizard: everything that an installation and its first tenant need, one after the other."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bot.commands.keys import create_key
from bot.commands.tenants import apply_file
from bot.doctor.finding import Finding, lines
from bot.doctor.installation import examine
from bot.onboarding.accounts import accounts
from bot.onboarding.asker import Asker
from bot.onboarding.entering import to_enter
from bot.onboarding.files import Draft, EnvFile
from bot.onboarding.meta import whatsapp
from bot.onboarding.shop import payout, staff, tenant
from bot.onboarding.templates import templates, to_make
from bot.onboarding.terms import fees, limits
from bot.onboarding.variables import variables
from bot.parts import CannotRun
from bot.settings import Settings, load
from services.people.apikeys import LASTS
from services.people.apply import id_of
from services.people.file_parts import TenantFile
from services.store.database import Database
from services.store.scope import PLATFORM
from services.store.upgrade import head, upgrade


def init(asker: Asker, path: Path, show: Callable[[Any], None]) -> list[Finding]:
    """What doctor finds in the end; `show` is given what a program may want: the API key. Raises CannotRun,
    SettingsError and TenantFileError."""
    draft, env = Draft(path), EnvFile(Path(".env"))
    settings = variables(asker, env)
    asyncio.run(upgrade(settings.migration_url, make_url(settings.database_url).username))
    asker.say(f"  The tables are there, as {head()}.")
    if draft.file is None:
        tenant(asker, draft)
    file = _whole(draft)
    if file.whatsapp is None:
        whatsapp(asker, settings, env, draft)
        settings = load()  # the app's secret may have been entered anew
    templates(asker, settings, draft)
    accounts(asker, settings, draft)
    if _whole(draft).payout is None and _whole(draft).tenant.currency == "KES":
        payout(asker, draft)
    staff(asker, draft)
    limits(asker, draft)
    fees(asker, draft)
    _apply(asker, settings, draft)
    _key(asker, settings, _whole(draft), show)
    asker.say()
    for line in (*to_enter(settings, _whole(draft)), *to_make(_whole(draft))):
        asker.say(line)
    asker.say("\nWhat doctor finds now:")
    findings = asyncio.run(examine(settings))
    for line in lines(findings):
        asker.say(line)
    return findings


def _whole(draft: Draft) -> TenantFile:
    assert draft.file is not None  # noqa: S101  a tenant is written first
    return draft.file


def _apply(asker: Asker, settings: Settings, draft: Draft) -> None:
    """Raises CannotRun where another file than this has made the tenant, and nobody wants it replaced."""
    slug = _whole(draft).tenant.slug
    if draft.new and asyncio.run(_is_there(settings, slug)):
        question = f"\nA tenant {slug} is there already. Make it what this new file says?"
        if not asker.confirm("apply", question):
            raise CannotRun(f"{slug} stays as it is. The file is {draft.path}.")
    applied = asyncio.run(apply_file(settings, draft.path, ask=False))
    asker.say(f"\nThe tenant {slug} is {'made' if applied['created'] else 'as its file says'}.")
    for warning in applied["warnings"]:
        asker.say(f"  Mind: {warning}.")


async def _is_there(settings: Settings, slug: str) -> bool:
    database = Database(settings.database_url)
    try:
        async with database.reading(PLATFORM) as connection:
            return await id_of(connection, slug) is not None
    finally:
        await database.close()


def _key(asker: Asker, settings: Settings, file: TenantFile, show: Callable[[Any], None]) -> None:
    phones = [phone for person in file.staff if person.active for phone in person.all_phones]
    wanted = bool(phones) and asker.confirm("api_key", "\nMake a key of the REST API? It is shown once")
    while wanted:
        who = asker.ask("api_key.staff", "  For whom of the staff (phone)", phones[0])
        try:
            show(asyncio.run(create_key(settings, file.tenant.slug, who, LASTS.days)))
            wanted = False
        except CannotRun as error:
            asker.say(f"  {error}")
            wanted = asker.present and asker.confirm("api_key.again", "  For somebody else?", default=True)
