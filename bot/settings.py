"""Settings: each part's own, and the only reader of the environment (prefix LIPACHAT_, nested by __)."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableSettings
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.access import ApiSettings, SecuritySettings
from bot.anchoring import AuditSettings
from bot.caller import Network, networks
from bot.commas import listed
from bot.mail.settings import SmtpSettings
from bot.webhooks_out.settings import WebhooksSettings
from bot.whatsapp.forms import FormsKey
from services.points import Crash, parse
from services.privacy.periods import Periods
from services.providers import PROVIDERS
from services.safety.vault import parse_keys

_MAKE_A_KEY = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'


class SettingsError(Exception):
    """Every problem of the settings, each with its variable and its fix, a line each."""

    def __init__(self, *problems: tuple[str, str | None]) -> None:
        self.problems = problems
        super().__init__("\n".join("; ".join(filter(None, problem)) for problem in problems))


def _is_an_address(value: str) -> str:
    if not re.match(r"https?://[^/\s]", value):
        raise ValueError("must begin with https:// (or http:// on this machine)")
    return value.rstrip("/")


def _told(url: str | SecretStr) -> str:
    return url if isinstance(url, str) else url.get_secret_value()


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "::1")


Address = Annotated[str, AfterValidator(_is_an_address)]


class WhatsAppSettings(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    app_secret: SecretStr
    verify_token: SecretStr
    graph_url: Address = "https://graph.facebook.com"
    api_version: str = "v25.0"
    forms_key: SecretStr | None = None
    per_minute: int = Field(default=6000, ge=0)  # messages of one person that are heard; 0: all of them

    @field_validator("app_secret", "verify_token")
    @classmethod
    def _is_there(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip(" ,"):
            raise ValueError("must not be empty")
        return value

    @field_validator("forms_key")
    @classmethod
    def _opens_forms(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            FormsKey(value.get_secret_value())
        return value

    @property
    def forms(self) -> FormsKey | None:
        """None: forms are off, and everything is asked in the chat."""
        return None if self.forms_key is None else FormsKey(self.forms_key.get_secret_value())

    @property
    def app_secrets(self) -> list[bytes]:
        """Several while one replaces another."""
        return [secret.encode() for secret in listed(self.app_secret.get_secret_value())]


class MpesaUrl(BaseModel):
    url: Address = "https://api.safaricom.co.ke"


class PaystackUrl(BaseModel):
    url: Address = "https://api.paystack.co"


class PesapalUrl(BaseModel):
    url: Address = "https://pay.pesapal.com/v3"


class StripeUrl(BaseModel):
    url: Address = "https://api.stripe.com"


class Settings(BaseModel):
    """All of them. Made of values, or by `load` of the environment."""

    model_config = ConfigDict(hide_input_in_errors=True)

    secret_keys: SecretStr
    whatsapp: WhatsAppSettings
    database_url: str = "sqlite+aiosqlite:///.data/lipachat.db"
    database_owner_url: str | None = None
    redis_url: str | None = None
    public_url: Address = "http://127.0.0.1:8080"
    mpesa: MpesaUrl = MpesaUrl()
    paystack: PaystackUrl = PaystackUrl()
    pesapal: PesapalUrl = PesapalUrl()
    stripe: StripeUrl = StripeUrl()
    api: ApiSettings = ApiSettings()
    security: SecuritySettings = SecuritySettings()
    audit: AuditSettings = AuditSettings()
    retention: Periods = Periods()
    smtp: SmtpSettings = SmtpSettings()
    otlp_endpoint: Address | None = None  # of a collector of OpenTelemetry's
    webhooks: WebhooksSettings = WebhooksSettings()
    trusted_proxies: str = ""
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    crash_at: str | None = None  # of tests; the last, since it looks at the addresses before it

    @field_validator("secret_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        parse_keys(value.get_secret_value())
        return value

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_a_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("must begin with sqlite+aiosqlite:// or postgresql+asyncpg://")
        try:
            return value and make_url(value).render_as_string(hide_password=False)
        except (ArgumentError, ValueError):
            raise ValueError("cannot be read: write it as postgresql+asyncpg://user@host:5432/name") from None

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            raise ValueError("must be addresses or networks between commas, such as 10.0.0.0/8") from None
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("crash_at")
    @classmethod
    def _reaches_nobody(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Who reaches WhatsApp or a provider is never killed on purpose, whoever set what by mistake."""
        if value is None:
            return None
        parts = info.data.items()
        outside = {name: _told(part.url) for name, part in parts if getattr(part, "url", None) is not None}
        if "whatsapp" in info.data:
            outside["whatsapp"] = info.data["whatsapp"].graph_url
        if far := sorted(name for name, url in outside.items() if not _is_here(url)):
            raise ValueError(f"is for tests against emulators on this machine, and refused beside {far[0]}")
        parse(value)
        return value

    @property
    def crash(self) -> Crash | None:
        return None if self.crash_at is None else parse(self.crash_at)

    @property
    def keys(self) -> list[bytes]:
        """The first encrypts, all decrypt."""
        return parse_keys(self.secret_keys.get_secret_value())

    @property
    def proxies(self) -> list[Network]:
        """Who is believed about whom they ask for."""
        return networks(self.trusted_proxies)

    @property
    def migration_url(self) -> str:
        """Where the schema is changed, as the role that owns it."""
        return self.database_owner_url or self.database_url

    @property
    def provider_urls(self) -> dict[str, str]:
        """By the names of `services.providers`: of each there is a field here."""
        return {name: getattr(self, name).url for name in PROVIDERS}


class _Environment(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="LIPACHAT_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A file may be called as its variable, with or without the prefix, in any case."""
        files = [
            NestedSecretsSettingsSource(file_secret_settings, secrets_prefix=prefix)
            for prefix in ("LIPACHAT_", "")
        ]
        return init_settings, env_settings, dotenv_settings, *files


def load() -> Settings:
    """From the environment, `.env` and the directory of LIPACHAT_SECRETS_DIR. Raises SettingsError."""
    folder = os.environ.get("LIPACHAT_SECRETS_DIR")
    if folder is not None and not Path(folder).is_dir():
        raise SettingsError(("LIPACHAT_SECRETS_DIR is no directory", "name one whose files are the secrets"))
    try:
        return _Environment(_secrets_dir=folder)
    except ValidationError as error:
        raise SettingsError(*(_problem(each) for each in error.errors(include_input=False))) from None
    except UnicodeDecodeError:
        raise SettingsError(("a file in LIPACHAT_SECRETS_DIR is no text", "save it as UTF-8")) from None
    except (UnreadableSettings, OSError) as error:
        raise SettingsError((f"the settings cannot be read: {error}", None)) from None


def live_keys() -> list[str]:
    """The variables of ours whose values are credentials for real money or real chats."""
    return sorted(
        name
        for name, value in os.environ.items()
        if name.startswith("LIPACHAT_") and re.match(r"(sk|pk|rk)_live_|EAA[A-Za-z0-9]{20}", value)
    )


def _problem(error: Any) -> tuple[str, str | None]:
    name = "LIPACHAT_" + "__".join(str(part) for part in error["loc"]).upper()
    wrong = "is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
    fixes = {
        "LIPACHAT_SECRET_KEYS": f"make one with: {_MAKE_A_KEY}",
        "LIPACHAT_WHATSAPP": "set LIPACHAT_WHATSAPP__APP_SECRET (Meta's App settings, Basic) and "
        "LIPACHAT_WHATSAPP__VERIFY_TOKEN (a word of your own, entered at Meta's webhook too)",
        "LIPACHAT_WHATSAPP__FORMS_KEY": "make one with: python main.py forms key",
        "LIPACHAT_WHATSAPP__APP_SECRET": "copy it from Meta's App settings, Basic",
        "LIPACHAT_CRASH_AT": "unset it",
        "LIPACHAT_WHATSAPP__VERIFY_TOKEN": "choose a word and enter it at Meta's webhook too",
    }
    return f"{name} {wrong}", fixes.get(name)
