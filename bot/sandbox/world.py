"""World: who and what the emulators play: shops, phones, M-Pesa apps, accounts at the others, and
where the app under test is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Json = dict[str, Any]
RECEIVER_PATH = "/shop/webhooks"


class CannotError(ValueError):
    """What was asked of the sandbox does not exist in it."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A business number on WhatsApp. `display_phone_number` is digits, as Meta tells it; `token_ends` seconds
    since 1970, 0 for never; `blocked` why Meta lets it send nothing."""

    phone_number_id: str
    display_phone_number: str
    access_token: str
    name: str
    account_id: str = "102290129340398"
    app_id: str = "670843887433847"
    token_ends: int = 0
    token_scopes: tuple[str, ...] = ("whatsapp_business_management", "whatsapp_business_messaging")
    quality: str = "GREEN"
    limit: str = "TIER_2K"
    blocked: str | None = None
    told: bool = True  # its app is subscribed to what happens to its account


@dataclass(frozen=True, slots=True)
class Phone:
    """A person's phone. `number` is what WhatsApp tells a business of it, None for a username only;
    `sim` is the line that M-Pesa rings on it. Both are E.164 with plus."""

    key: str
    name: str
    role: str
    user_id: str
    number: str | None = None
    sim: str | None = None
    username: str | None = None
    hints: tuple[str, ...] = ()  # words that the page offers while the chat is empty

    @property
    def line(self) -> str | None:
        return self.sim or self.number


@dataclass(frozen=True, slots=True)
class Template:
    """A message template; `body` has its parameters as {{1}}, {{2}}, ... Only what is APPROVED is sent."""

    name: str
    language: str
    body: str
    buttons: tuple[str, ...] = ()
    status: str = "APPROVED"
    category: str = "UTILITY"


@dataclass(frozen=True, slots=True)
class Step:
    """What a newcomer does next on a phone; done when the shop says words with `until` there."""

    phone: str
    text: str
    until: str


@dataclass(frozen=True, slots=True)
class DarajaApp:
    """One merchant's app and shortcode at Daraja. `utility` is the float that payouts to phones draw on,
    `working` what payments come into and payouts to tills draw on, in whole shillings. `receiver_type`: what
    it calls a till that is paid. `private_key` opens the SecurityCredential: the merchant holds its
    certificate."""

    merchant: str
    consumer_key: str
    consumer_secret: str
    shortcode: str
    passkey: str
    initiator_name: str
    initiator_password: str
    private_key: RSAPrivateKey
    till: str | None = None
    utility: int = 1_000_000
    working: int = 0
    receiver_type: str = "4"


@dataclass(frozen=True, slots=True)
class PaystackAccount:
    """One merchant's account at Paystack, whose events go to "/hooks/paystack/SLUG" of the app. `balance` is
    what transfers draw on, in whole shillings."""

    merchant: str
    slug: str
    secret_key: str
    balance: int = 1_000_000


@dataclass(frozen=True, slots=True)
class PesapalAccount:
    """One merchant at Pesapal, who takes these currencies there."""

    merchant: str
    consumer_key: str
    consumer_secret: str
    currencies: tuple[str, ...] = ("KES", "UGX", "TZS", "USD")
    token_seconds: int = 300


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """One merchant's account at Stripe, whose events go to "/hooks/stripe/SLUG" of the app, signed by the
    secret of that endpoint."""

    merchant: str
    slug: str
    secret_key: str
    webhook_secret: str


class Endpoint(Protocol):
    """The shop's own program, as the app has it registered; `secrets` are those that it verifies by."""

    @property
    def secrets(self) -> tuple[str, ...]: ...
    async def view(self) -> Json: ...
    async def enable(self) -> None: ...
    async def again(self, webhook_id: str | None) -> None: ...


async def no_books() -> Json:
    return {"accounts": [], "transfers": [], "sum": "0.00", "currency": "KES"}


async def no_codes(phone: Phone) -> Json:
    raise CannotError(f"{phone.name} has no authenticator app here")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class World:
    """`seed` makes the ids: another one for each run whose app remembers the last run's.
    `ledger` gives {"accounts": [{"name", "posted", "held"}], "transfers": [{"at", "from", "to", "amount",
    "memo"}], "sum", "currency"}, amounts as decimal strings. Spans of time are seconds.
    """

    app_url: str
    app_secret: str
    shops: tuple[Shop, ...]
    phones: tuple[Phone, ...]
    daraja: tuple[DarajaApp, ...] = ()
    paystack: tuple[PaystackAccount, ...] = ()
    pesapal: tuple[PesapalAccount, ...] = ()
    stripe: tuple[StripeAccount, ...] = ()
    templates: tuple[Template, ...] = ()
    callback_url: str | None = None  # that is entered at Meta; else that of the app
    fields: tuple[str, ...] = ("messages", "user_preferences")  # that its webhook is subscribed to
    forms: Mapping[str, Json] = field(default_factory=dict)  # published ones by id, as Flow JSON
    forms_key: str | None = None  # the public one that the app has given for them
    guide: tuple[Step, ...] = ()
    ledger: Callable[[], Awaitable[Json]] = no_books
    codes: Callable[[Phone], Awaitable[Json]] = no_codes  # {"code", "seconds"}: what a phone shows now
    endpoint: Endpoint | None = None
    receiver_seconds: float = 20.0  # that its program takes when it is slow: longer than it is waited for
    seed: str = "sandbox"
    now: Callable[[], datetime] = utc_now
    forward: Callable[[timedelta], None] | None = None  # moves `now` on
    guests: list[Phone] = field(default_factory=list)  # who came along since
    prompt_timeout: float = 25.0
    payout_delay: float = 2.0
    delivery_delay: float = 0.15
    retry_delays: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60)
    ledger_every: float = 0.7

    @property
    def everybody(self) -> tuple[Phone, ...]:
        return (*self.phones, *self.guests)

    def shop(self, phone_number_id: str) -> Shop | None:
        return next((shop for shop in self.shops if shop.phone_number_id == phone_number_id), None)

    def phone(self, key: str) -> Phone | None:
        return next((phone for phone in self.everybody if phone.key == key), None)
