"""Variables: what the installation needs, into `.env`. What the environment has already is not asked."""

import asyncio
import base64
import re
import secrets
from collections.abc import Callable

from pydantic import SecretStr, ValidationError

from bot.away import reason
from bot.doctor.installation import address, redis
from bot.onboarding.asker import Asker
from bot.onboarding.files import EnvFile, quoted
from bot.settings import Settings, SettingsError, WhatsAppSettings, load
from services.store.database import Database
from services.store.upgrade import current

APP_SECRET = "LIPACHAT_WHATSAPP__APP_SECRET"
_VERIFY_TOKEN = "LIPACHAT_WHATSAPP__VERIFY_TOKEN"
_KEYS = "LIPACHAT_SECRET_KEYS"
_ONE_WORD = re.compile(r"[!-~]+", re.ASCII)


def variables(asker: Asker, env: EnvFile) -> Settings:
    """Raises SettingsError for what is wrong and not ours to change."""
    asker.say(f"The installation: {env.path}")
    if env.is_open:
        asker.say(f"  Mind: others on this machine can read {env.path}. Run: chmod 600 {env.path}")
    missing = _missing()
    if _KEYS in missing:
        env.put(_KEYS, base64.b64encode(secrets.token_bytes(32)).decode())
        asker.say(f"  {_KEYS}: made. Keep a copy elsewhere: without it nothing sealed can be read again.")
    if _VERIFY_TOKEN in missing:
        env.put(_VERIFY_TOKEN, secrets.token_urlsafe(24))
        asker.say(f"  {_VERIFY_TOKEN}: made.")
    if APP_SECRET in missing:
        env.put(APP_SECRET, app_secret(asker))
    settings = load()
    given = settings.model_fields_set
    if "public_url" not in given:
        env.put("LIPACHAT_PUBLIC_URL", _public_url(asker, settings))
    if "database_url" not in given:
        _database(asker, env, settings)
    return load()


def _public_url(asker: Asker, settings: Settings) -> str:
    while True:
        url = asker.ask(
            "settings.public_url",
            "  The https address at which Meta and the providers reach this server",
            settings.public_url,
            check=_of(Settings, "public_url"),
        )
        findings = list(address(url))
        for finding in findings:
            asker.say(f"  Mind: {finding.what}; {finding.fix}.")
        if not findings or asker.confirm("settings.public_url_kept", "  Take it all the same?", default=True):
            return url


def app_secret(asker: Asker) -> str:
    return asker.ask(
        "settings.app_secret",
        "  Meta's app secret (developers.facebook.com, your app, App settings, Basic)",
        secret=True,
        check=_is_a_secret,
    )


def _database(asker: Asker, env: EnvFile, settings: Settings) -> None:
    asker.say("  Addresses of a database and of Redis are typed unseen, since a password may stand in them.")
    while True:
        url = asker.ask(
            "settings.database_url",
            "  The database, as postgresql+asyncpg://USER:PASSWORD@HOST/NAME (Enter: a file on this machine)",
            settings.database_url,
            secret=True,
            check=_of(Settings, "database_url"),
        )
        asker.say(f"  It is {_shown(url)}.")
        if url.startswith("sqlite") or (why := asyncio.run(_unreachable(url))) is None:
            break
        asker.refused("settings.database_url", f"it cannot be used: {why}")
    if others := _redis(asker):
        env.put("LIPACHAT_REDIS_URL", others)
    env.put("LIPACHAT_DATABASE_URL", url)  # the last: who breaks off before is asked for both again


def _redis(asker: Asker) -> str:
    """Empty: none."""
    while True:
        url = asker.ask(
            "settings.redis_url",
            "  Redis, for more than one machine, as redis://:PASSWORD@HOST:6379 (Enter: none)",
            "",
            secret=True,
            check=_of(Settings, "redis_url"),
        )
        if not url:
            return url
        asker.say(f"  It is {_shown(url)}.")
        finding = asyncio.run(redis(url))
        question = "  Redis does not answer now. Keep it? doctor tries it later"
        if finding.level == "good" or asker.confirm("settings.redis_unproven", question, default=True):
            return url


def _shown(url: str) -> str:
    """Without its password, wherever it stands."""
    return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url))


async def _unreachable(url: str) -> str | None:
    database = Database(url)
    try:
        await current(database)
    except Exception as error:  # noqa: BLE001  whatever the driver raises is why
        return reason(error)
    finally:
        await database.close()
    return None


def _missing() -> set[str]:
    """The variables that are required and nowhere. Raises SettingsError for those that are wrong."""
    try:
        load()
    except SettingsError as error:
        unset = {
            what.removesuffix(" is not set") for what, _ in error.problems if what.endswith(" is not set")
        }
        if len(unset) < len(error.problems):
            raise
        return unset | ({APP_SECRET, _VERIFY_TOKEN} if "LIPACHAT_WHATSAPP" in unset else set())
    return set()


def _of(model: type[Settings], field: str) -> Callable[[str], str]:
    """As the settings themselves take it."""
    least = {
        "secret_keys": SecretStr(base64.b64encode(bytes(32)).decode()),
        "whatsapp": WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("x")),
    }

    def check(answer: str) -> str:
        try:
            taken = str(getattr(model(**least | {field: answer}), field)) if answer else answer
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        quoted(taken)
        return taken

    return check


def _is_a_secret(answer: str) -> str:
    if _ONE_WORD.fullmatch(answer) is None:
        raise ValueError("it is one word of digits and letters")
    quoted(answer)
    return answer
