"""Accounts: the providers' keys, each provider asked whether it takes them before they are written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError

from bot import proving
from bot.http import open_session
from bot.onboarding.asker import Asker
from bot.onboarding.files import Draft
from bot.onboarding.trial import trial
from bot.parts import parts_of
from bot.settings import Settings
from services.people.file_lines import TenantFileError
from services.providers import PROVIDERS
from services.providers.base import Misconfigured, NotSent, ProviderSettings

_PATIENCE_SECONDS = 15


@dataclass(frozen=True)
class Field:
    """`path`: the answer names a file that holds it."""

    name: str
    text: str
    secret: bool = False
    optional: bool = False
    path: bool = False


@dataclass(frozen=True)
class Account:
    """`more`: what one may do without, behind a question of its own."""

    title: str
    where: str
    fields: tuple[Field, ...]
    question: str = ""
    more: tuple[Field, ...] = ()


ACCOUNTS: Mapping[str, Account] = {
    "mpesa": Account(
        "M-Pesa",
        "developer.safaricom.co.ke, My apps; with Lipa na M-Pesa Online to collect, and B2C to pay out",
        (
            Field("shortcode", "Paybill, or a till's store number"),
            Field("till", "Till, where it collects to one (empty: none)", optional=True),
            Field("consumer_key", "Consumer key", secret=True),
            Field("consumer_secret", "Consumer secret", secret=True),
            Field("passkey", "Passkey of Lipa na M-Pesa Online (empty: not yet)", secret=True, optional=True),
        ),
        "Pay withdrawals out by M-Pesa too (it takes an API operator, made in the M-Pesa portal)",
        (
            Field("initiator_name", "The operator's name"),
            Field("initiator_password", "The operator's password", secret=True),
            Field(
                "certificate",
                "Safaricom's certificate (from the Daraja portal): its file, or pasted",
                path=True,
            ),
        ),
    ),
    "paystack": Account(
        "Paystack",
        "dashboard.paystack.com, Settings, API Keys & Webhooks",
        (Field("secret_key", "Secret key (sk_...)", secret=True),),
    ),
    "pesapal": Account(
        "Pesapal",
        "the mail that Pesapal sent with the merchant account",
        (
            Field("consumer_key", "Consumer key", secret=True),
            Field("consumer_secret", "Consumer secret", secret=True),
        ),
    ),
    "stripe": Account(
        "Stripe",
        "dashboard.stripe.com, Developers, API keys; and Webhooks for the signing secret",
        (
            Field("secret_key", "Secret key (sk_... or rk_...)", secret=True),
            Field(
                "webhook_secret", "The webhook's signing secret (empty: not yet)", secret=True, optional=True
            ),
        ),
    ),
}


def accounts(asker: Asker, settings: Settings, draft: Draft) -> None:
    """Those that the file has are kept: doctor tries them in the end."""
    assert draft.file is not None  # noqa: S101  the tenant is there
    currency = draft.file.tenant.currency
    for name, account in ACCOUNTS.items():
        if getattr(draft.file.providers, name) is not None:
            asker.say(f"\n{account.title}: kept as it is in the file.")
        elif currency in PROVIDERS[name].currencies:
            first = name == "mpesa" and currency == "KES"
            if asker.wants(f"providers.{name}", f"\nUse {account.title}?", default=first):
                _account(asker, settings, draft, name, account)


def _account(asker: Asker, settings: Settings, draft: Draft, name: str, account: Account) -> None:
    asker.say(f"  Where: {account.where}.")
    key, currency = f"providers.{name}", draft.file.tenant.currency if draft.file else ""
    while True:
        part = _asked(asker, key, account.fields)
        if account.more and asker.wants(f"{key}.{account.more[0].name}", f"  {account.question}?"):
            part |= _asked(asker, key, account.more)
        given = _read(asker, name, key, part)
        if given is None or not _proven(asker, settings, name, key, given, account.title):
            continue
        if not given.missing_to_collect and not trial(asker, settings, name, given, currency):
            continue
        try:
            draft.add(f"[{key}]", part)
        except TenantFileError as error:
            asker.refused(key, f"{error.wrong[0].where}: {error.wrong[0].what}")
            continue
        return


def _asked(asker: Asker, key: str, fields: tuple[Field, ...]) -> dict[str, str]:
    part = {}
    for field in fields:
        answer = asker.ask(
            f"{key}.{field.name}",
            f"  {field.text}",
            "" if field.optional else None,
            secret=field.secret,
            check=_content if field.path else str,
        )
        if answer:
            part[field.name] = answer
    return part


def _content(path: str) -> str:
    """Of the file; or itself, where it was pasted."""
    if path.startswith("-----BEGIN "):
        return f"{path}\n"
    try:
        return Path(path).expanduser().read_text()
    except (OSError, ValueError) as error:
        raise ValueError(f"it cannot be read ({type(error).__name__})") from None


def _read(asker: Asker, name: str, key: str, part: Mapping[str, str]) -> ProviderSettings | None:
    """None where it is not of the shape of such settings: that was said."""
    model = PROVIDERS[name].settings
    secret = {each for each, info in model.model_fields.items() if "SecretStr" in str(info.annotation)}
    facts = {each: SecretStr(value) if each in secret else value for each, value in part.items()}
    try:
        return model.model_validate(facts)
    except ValidationError as error:
        for each in error.errors(include_input=False):
            where = ".".join(map(str, each["loc"]))
            asker.refused(f"{key}.{where}" if where else key, each["msg"].removeprefix("Value error, "))
    return None


def _proven(
    asker: Asker, settings: Settings, name: str, key: str, given: ProviderSettings, title: str
) -> bool:
    match asyncio.run(_ask(settings, name, given)):
        case Misconfigured():  # its own words may hold a part of the key
            asker.refused(key, f"{title} refuses these keys")
            return False
        case NotSent(detail):
            asker.say(f"  {title} does not answer now ({detail}).")
            question = "  Keep them without proof? doctor tries them later"
            return asker.confirm(f"{key}.unproven", question, default=True)
        case None:
            asker.say(f"  {title} takes these keys.")
            return True


async def _ask(settings: Settings, name: str, given: ProviderSettings) -> NotSent | Misconfigured | None:
    parts = parts_of(settings)  # nothing of it is connected
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), open_session() as http:
            return await proving.ask(parts, http, name, given)
    except TimeoutError:
        return NotSent(f"no answer in {_PATIENCE_SECONDS} seconds")
    finally:
        await parts.database.close()
