"""Meta doctor: a tenant's number, its token, and whether Meta tells us what people write to it."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import aiohttp

from bot.doctor.finding import Finding, broken, good, warning
from bot.doctor.templates import templates
from bot.parts import Parts
from bot.settings import Settings
from bot.whatsapp.account import NEEDED, WANTED, Account, Number, Subscription, Token, Trouble
from services.people.tenants import Tenant

PATH = "/webhooks/whatsapp"
SENDS, MANAGES = "whatsapp_business_messaging", "whatsapp_business_management"
_SOON = timedelta(days=14)
_NEW_TOKEN = "make a permanent token of a system user at Meta, put it into the file and apply it"
_WEBHOOK = "enter it at Meta: App dashboard, WhatsApp, Configuration, Webhook"
# TIER_250, TIER_2K...: how many people may be written to first in a day.
_LIMITS = {"250": "250", "2K": "2,000", "10K": "10,000", "100K": "100,000", "UNLIMITED": "any number of"}


async def meta(parts: Parts, tenant: Tenant, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    if tenant.phone_number_id is None or tenant.access_token is None:
        yield warning("it has no WhatsApp number or token", "add [whatsapp] to its file")
        return
    whatsapp = parts.settings.whatsapp
    account = Account(http, whatsapp.graph_url, whatsapp.api_version)
    number = await account.number(tenant.phone_number_id, tenant.access_token)
    if isinstance(number, Trouble):
        yield _unseen(number)
        return
    for finding in _number(number):
        yield finding
    token = await account.token(tenant.access_token)
    if isinstance(token, Trouble):
        yield warning(f"Meta does not say how long its token lives ({token.said})", "look again later")
    else:
        for finding in _token(token, parts.clock()):
            yield finding
        async for finding in _told(parts.settings, account, tenant, token.app_id):
            yield finding
    async for finding in templates(tenant, http, account.graph):
        yield finding


def _unseen(trouble: Trouble) -> Finding:
    if trouble.refused:
        return broken(f"Meta refuses its number or token ({trouble.said})", _NEW_TOKEN)
    what = f"its number could not be looked at ({trouble.said})"
    return warning(what, "check the network, and LIPACHAT_WHATSAPP__GRAPH_URL; or look again later")


def _number(number: Number) -> Iterator[Finding]:
    see = "see WhatsApp Manager, Account tools, Phone numbers"
    if number.can_send == "BLOCKED":
        yield broken(f"Meta lets its number send nothing: {_because(number)}", see)
    elif number.can_send == "LIMITED":
        yield warning(f"Meta lets its number send less than it might: {_because(number)}", see)
    if number.status not in ("", "CONNECTED"):
        yield warning(f"its number is {number.status} at Meta, and not CONNECTED", see)
    if number.quality in ("RED", "YELLOW"):
        fix = "send fewer messages that nobody asked for: people block or report the number"
        yield warning(f"Meta calls the quality of its number {number.quality}", fix)
    most = _LIMITS.get(number.limit.removeprefix("TIER_"))
    more = f"; {most} people a day may be written to by templates" if most else ""
    yield good(f"its WhatsApp number and token are good{more}")


def _because(number: Number) -> str:
    return "; ".join(number.because) or "it does not say why"


def _token(token: Token, now: datetime) -> Iterator[Finding]:
    if not token.valid:
        yield broken("Meta calls its token invalid", _NEW_TOKEN)
        return
    if token.expires_at is not None:
        what = f"its token expires at {token.expires_at:%Y-%m-%d %H:%M} UTC"
        yield warning(what, _NEW_TOKEN) if token.expires_at - now < _SOON else good(what)
    if SENDS not in token.scopes:
        yield broken(f"its token may not send: it lacks {SENDS}", _NEW_TOKEN)
    elif MANAGES not in token.scopes:
        fix = f"add {MANAGES} to the token: without it templates and subscriptions cannot be looked at"
        yield warning(f"its token lacks {MANAGES}", fix)


async def _told(settings: Settings, account: Account, tenant: Tenant, app_id: str) -> AsyncIterator[Finding]:
    """The way of a message: number -> WhatsApp Business account -> app -> our address."""
    if tenant.waba_id is not None and tenant.access_token is not None:
        apps = await account.apps(tenant.waba_id, tenant.access_token)
        if isinstance(apps, Trouble):
            what = f"Meta does not say who hears of its WhatsApp Business account ({apps.said})"
            yield warning(what, "check waba_id, and that the token may manage the account")
        elif app_id not in apps:
            url = f"{account.graph}/{tenant.waba_id}/subscribed_apps"
            what = (
                "our app is not subscribed to its WhatsApp Business account: nobody hears what people write"
            )
            yield broken(what, f"run: curl -X POST -H 'Authorization: Bearer TOKEN' {url}")
    for finding in _subscribed(settings, await subscription(settings, account, app_id)):
        yield finding


async def subscription(settings: Settings, account: Account, app_id: str) -> Subscription | Trouble | None:
    """By whichever of the app secrets Meta takes."""
    told: Subscription | Trouble | None = None
    for secret in settings.whatsapp.app_secrets:
        told = await account.subscription(app_id, secret.decode())
        if not isinstance(told, Trouble):
            break
    return told


def _subscribed(settings: Settings, told: Subscription | Trouble | None) -> Iterator[Finding]:
    ours = f"{settings.public_url}{PATH}"
    match told:
        case Trouble(refused=True):
            what = f"Meta refuses LIPACHAT_WHATSAPP__APP_SECRET for its app ({told.said})"
            yield broken(what, "copy it from Meta's App settings, Basic; without it no webhook is believed")
        case Trouble():
            yield warning(f"Meta does not say what it tells us ({told.said})", "look again later")
        case None:
            yield broken(f"Meta has no webhook of ours: it must be {ours}", _WEBHOOK)
        case Subscription():
            yield from _fields(told, ours)


def _fields(told: Subscription, ours: str) -> Iterator[Finding]:
    fix = f"subscribe it there too: {_WEBHOOK.removeprefix('enter it at Meta: ')}"
    if told.callback_url.rstrip("/") != ours:
        yield broken(f"Meta tells {told.callback_url} what people write, and not {ours}", _WEBHOOK)
    for name in WANTED:
        if name not in told.fields:
            level = broken if name == NEEDED else warning
            yield level(f"its webhook at Meta is not subscribed to the field {name}", fix)
    if set(WANTED) <= told.fields and told.callback_url.rstrip("/") == ours:
        yield good(f"Meta tells us of {' and '.join(WANTED)}, at {ours}")
