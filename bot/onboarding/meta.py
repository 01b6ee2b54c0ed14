"""Meta: the number, its token and the app's secret, each tried as it is entered."""

import asyncio
import re

from bot.doctor.meta import subscription
from bot.http import open_session
from bot.onboarding.asker import Asker
from bot.onboarding.files import Draft, EnvFile
from bot.onboarding.variables import APP_SECRET, app_secret
from bot.settings import Settings, load
from bot.whatsapp.account import Account, Number, Subscription, Token, Trouble
from services.people.file_lines import TenantFileError

_ID = re.compile(r"\d{1,32}", re.ASCII)
_MANAGES = "whatsapp_business_management"
_WHERE = """
WhatsApp (developers.facebook.com, your app, WhatsApp, API setup)
  The token is that of a system user (business.facebook.com, Settings, Users, System users): it lasts for
  ever, and has whatsapp_business_messaging and whatsapp_business_management."""


def whatsapp(asker: Asker, settings: Settings, env: EnvFile, draft: Draft) -> None:
    asker.say(_WHERE)
    while True:
        number_id = asker.ask("whatsapp.phone_number_id", "  Phone number ID", check=_an_id)
        waba_id = asker.ask("whatsapp.waba_id", "  WhatsApp Business account ID", check=_an_id)
        token = asker.ask("whatsapp.access_token", "  Access token", secret=True)
        number, about, apps = asyncio.run(_look(settings, number_id, waba_id, token))
        if (against := _against(number, about, apps)) is not None:
            asker.refused(*against)
            continue
        if isinstance(number, Trouble) and not _keep_unproven(asker, number):
            continue
        part = {"phone_number_id": number_id, "waba_id": waba_id, "access_token": token}
        if isinstance(number, Number):
            asker.say(f"  Meta knows it: {number.name}, {number.display}.")
            part |= {"display_phone_number": number.display} if number.display else {}
        try:
            draft.add("[whatsapp]", part)
        except TenantFileError as error:
            asker.refused(f"whatsapp.{error.wrong[0].where.rpartition('.')[2]}", error.wrong[0].what)
            continue
        break
    if isinstance(about, Token):
        _app(asker, settings, env, about)
        _account(asker, settings, part, about, apps)


def _an_id(answer: str) -> str:
    if _ID.fullmatch(answer) is None:
        raise ValueError("it is digits alone, as Meta shows it; not the phone number itself")
    return answer


async def _look(
    settings: Settings, number_id: str, waba_id: str, token: str
) -> tuple[Number | Trouble, Token | Trouble, frozenset[str] | Trouble]:
    """The number, the token, and the apps that hear of the account."""
    async with open_session() as http:
        account = account_of(settings, http)
        number = await account.number(number_id, token)
        about = number if isinstance(number, Trouble) else await account.token(token)
        return number, about, about if isinstance(about, Trouble) else await account.apps(waba_id, token)


def account_of(settings: Settings, http: object) -> Account:
    return Account(http, settings.whatsapp.graph_url, settings.whatsapp.api_version)  # type: ignore[arg-type]


def _against(
    number: Number | Trouble, token: Token | Trouble, apps: frozenset[str] | Trouble
) -> tuple[str, str] | None:
    """A plain no of Meta's: to which answer, and why."""
    if isinstance(number, Trouble) and number.refused:
        return "whatsapp.access_token", f"Meta refuses this number or token ({number.said})"
    if not isinstance(token, Token):
        return None
    if "whatsapp_business_messaging" not in token.scopes:
        return "whatsapp.access_token", "this token may not send: it lacks whatsapp_business_messaging"
    if isinstance(apps, Trouble) and apps.refused and _MANAGES in token.scopes:
        return "whatsapp.waba_id", f"Meta refuses this account ID for this token ({apps.said})"
    return None


def _keep_unproven(asker: Asker, trouble: Trouble) -> bool:
    asker.say(f"  Meta does not answer now ({trouble.said}).")
    return asker.confirm(
        "whatsapp.unproven", "  Keep them without proof? doctor tries them later", default=True
    )


def _app(asker: Asker, settings: Settings, env: EnvFile, token: Token) -> None:
    """The app that the token is of says whether the secret is its own."""
    if token.expires_at is not None:
        asker.say(f"  Mind: this token ends at {token.expires_at:%Y-%m-%d %H:%M} UTC.")
    while True:
        told = asyncio.run(_subscription(settings, token.app_id))
        if not isinstance(told, Trouble) or not told.refused:
            break
        asker.refused("settings.app_secret", f"Meta refuses the app secret for this app ({told.said})")
        if APP_SECRET not in env:
            asker.say(f"  Correct {APP_SECRET} where it is set.")
            return
        env.put(APP_SECRET, app_secret(asker))
        settings = load()
    if not isinstance(told, Trouble):
        asker.say("  Meta takes the app secret.")


async def _subscription(settings: Settings, app_id: str) -> Subscription | Trouble | None:
    async with open_session() as http:
        return await subscription(settings, account_of(settings, http), app_id)


def _account(
    asker: Asker, settings: Settings, part: dict[str, str], about: Token, apps: frozenset[str] | Trouble
) -> None:
    """What happens to the account's numbers has to be told to the app."""
    if isinstance(apps, Trouble):
        lacks = "" if _MANAGES in about.scopes else f": this token lacks {_MANAGES}"
        asker.say(f"  Mind: who hears of this account could not be looked at ({apps.said}){lacks}.")
    elif about.app_id not in apps and asker.confirm(
        "whatsapp.subscribe", "  The app does not hear of this account yet. Subscribe it now?", default=True
    ):
        trouble = asyncio.run(_subscribe(settings, part["waba_id"], part["access_token"]))
        asker.say(f"  Meta refuses it ({trouble.said})." if trouble else "  Subscribed.")


async def _subscribe(settings: Settings, waba_id: str, token: str) -> Trouble | None:
    async with open_session() as http:
        return await account_of(settings, http).subscribe(waba_id, token)
