"""The tenant file: TOML, read strictly; each error names its line, what is wrong and what to do."""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from services.errors import InvalidPhone
from services.money import PLACES, Money, NotAnAmount
from services.people.access import ROLES, SCOPES
from services.phones import mpesa_number, normalize
from services.providers.mpesa_settings import MpesaSettings


@dataclass(frozen=True)
class Wrong:
    line: int
    where: str
    what: str


class TenantFileError(Exception):
    """Everything that is wrong with the file, a line each: FILE:LINE: where: what."""

    def __init__(self, name: str, wrong: list[Wrong]) -> None:
        self.wrong = wrong
        super().__init__("\n".join(f"{name}:{each.line}: {each.where}: {each.what}" for each in wrong))


def _plain(value: Any) -> Any:
    """Numbers as they are written; TOML's floats came in as Decimal."""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


Amount = Annotated[str, BeforeValidator(_plain), Field(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
Percent = Annotated[str, BeforeValidator(_plain), Field(pattern=r"^\d{1,2}(\.\d{1,4})?$")]
MethodType = Literal["mpesa", "till", "bank_transfer"]
Text = Annotated[str, Field(min_length=1, max_length=120)]

_DETAILS: dict[str, tuple[str, ...]] = {
    "mpesa": ("phone_number",),
    "till": ("till_number",),
    "bank_transfer": ("account_number", "bank_code", "account_name"),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class TenantPart(_Part):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    name: Text | None = None
    active: bool = True
    currency: Literal[tuple(PLACES)] = "KES"  # type: ignore[valid-type]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "KE"
    timezone: str = "Africa/Nairobi"
    language: Literal["en", "sw"] = "en"
    payment_fee_percent: Percent = "0"

    @model_validator(mode="after")
    def _is_a_zone(self) -> "TenantPart":
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"timezone: {self.timezone!r} is no time zone like Africa/Nairobi") from None
        return self


class Template(_Part):
    name: Text
    language: Text


class WhatsAppPart(_Part):
    phone_number_id: Annotated[str, Field(pattern=r"^\d{1,32}$")]
    display_phone_number: str | None = None
    access_token: SecretStr | None = None
    templates: dict[str, Template] = {}


class PaystackPart(_Part):
    public_key: str | None = None
    secret_key: SecretStr


class PesapalPart(_Part):
    consumer_key: SecretStr
    consumer_secret: SecretStr


class StripePart(_Part):
    public_key: str | None = None
    secret_key: SecretStr
    webhook_secret: SecretStr | None = None


class ProvidersPart(_Part):
    mpesa: MpesaSettings | None = None
    paystack: PaystackPart | None = None
    pesapal: PesapalPart | None = None
    stripe: StripePart | None = None


class PayoutPart(_Part):
    method_type: MethodType
    method_details: dict[str, str]

    @model_validator(mode="after")
    def _has_its_details(self) -> "PayoutPart":
        needed = set(_DETAILS[self.method_type])
        if set(self.method_details) != needed:
            listed = ", ".join(sorted(needed))
            raise ValueError(f"method_details of {self.method_type} takes exactly: {listed}")
        if self.method_type == "mpesa":
            try:
                number = mpesa_number(self.method_details["phone_number"])
            except InvalidPhone:
                raise ValueError("method_details.phone_number is no Kenyan mobile number") from None
            self.method_details = {"phone_number": number}
        return self


class LimitsPart(_Part):
    per_withdrawal: Amount | None = None
    per_day: Amount | None = None
    totp_above: Amount | None = None
    approvals: Annotated[int, Field(ge=1, le=10)] = 1
    approval_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    new_destination_hours: Annotated[int, Field(ge=0, le=24 * 30)] = 0


class FeePart(_Part):
    model_config = ConfigDict(populate_by_name=True)

    method_type: MethodType
    from_: Amount = Field(default="0", alias="from")
    to: Amount | None = None
    flat: Amount = "0"
    percent: Percent = "0"
    valid_from: datetime | None = None


class StaffPart(_Part):
    name: Text
    phone: str | None = None
    phones: list[str] = []
    role: Literal[tuple(ROLES)] | None = None  # type: ignore[valid-type]
    scopes: list[Literal[SCOPES]] = []  # type: ignore[valid-type]
    language: Literal["en", "sw"] | None = None
    active: bool = True

    @model_validator(mode="after")
    def _may_do_something(self) -> "StaffPart":
        if self.role is None and not self.scopes:
            raise ValueError("needs a role or scopes")
        if self.phone is not None and self.phones:
            raise ValueError("give phone or phones, not both")
        return self

    @property
    def all_phones(self) -> list[str]:
        return [self.phone] if self.phone is not None else self.phones


class ProductPart(_Part):
    sku: Text
    name: Text
    price: Amount
    description: str | None = None
    stock: Annotated[int, Field(ge=0)] | None = None


class TenantFile(_Part):
    tenant: TenantPart
    whatsapp: WhatsAppPart | None = None
    providers: ProvidersPart = ProvidersPart()
    payout: PayoutPart | None = None
    limits: LimitsPart = LimitsPart()
    fees: list[FeePart] = []
    staff: list[StaffPart] = []
    products: list[ProductPart] = []


def read(text: str, name: str = "tenant.toml") -> TenantFile:
    """Raises TenantFileError."""
    try:
        parsed = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise TenantFileError(name, [Wrong(int(found[1]) if found else 1, "TOML", str(error))]) from None
    lines = _Lines(text)
    try:
        file = TenantFile.model_validate(parsed)
    except ValidationError as error:
        raise TenantFileError(
            name, [_wrong(each, lines) for each in error.errors(include_input=False, include_url=False)]
        ) from None
    if wrong := list(_meaningless(file, lines)):
        raise TenantFileError(name, wrong)
    return file


def _wrong(error: Any, lines: "_Lines") -> Wrong:
    where = tuple(part for part in error["loc"] if part != "function-after")
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what = "unknown key; remove it or correct its spelling"
    return Wrong(lines.of(where), ".".join(map(str, where)) or "file", what)


def _meaningless(file: TenantFile, lines: "_Lines") -> Any:
    """What has the right shape and makes no sense together."""
    currency = file.tenant.currency
    amounts: list[tuple[tuple[str | int, ...], str | None]] = [
        (("limits", key), getattr(file.limits, key)) for key in ("per_withdrawal", "per_day", "totp_above")
    ]
    amounts += [(("products", n, "price"), product.price) for n, product in enumerate(file.products)]
    for n, fee in enumerate(file.fees):
        amounts += [
            (("fees", n, "from"), fee.from_),
            (("fees", n, "to"), fee.to),
            (("fees", n, "flat"), fee.flat),
        ]
    for where, amount in amounts:
        if amount is not None and _minor(amount, currency) is None:
            yield Wrong(
                lines.of(where), ".".join(map(str, where)), f"{amount} has more places than {currency}"
            )
    seen: dict[str, int] = {}
    for n, person in enumerate(file.staff):
        where = ("staff", n, "phone" if person.phone is not None else "phones")
        for phone in person.all_phones:
            try:
                number = normalize(phone, file.tenant.country)
            except InvalidPhone:
                yield Wrong(
                    lines.of(where), ".".join(map(str, where)), "is no phone number; write +254712345678"
                )
                continue
            if number in seen:
                yield Wrong(
                    lines.of(where), ".".join(map(str, where)), "another member of staff has this phone"
                )
            seen[number] = n
    names = [person.name for person in file.staff]
    for n, name in enumerate(names):
        if name in names[:n]:
            yield Wrong(lines.of(("staff", n, "name")), f"staff.{n}.name", f"{name} is there twice")


def _minor(amount: str, currency: str) -> int | None:
    """Zero is an amount here."""
    try:
        return Money.parse(amount, currency).minor
    except NotAnAmount:
        return 0 if Decimal(amount) == 0 else None


class _Lines:
    """Where each key stands, as far as TOML lets a simple reader see."""

    _TABLE = re.compile(r"^\s*(\[\[?)\s*([\w.\-\" ]+?)\s*\]\]?\s*(#.*)?$")
    _KEY = re.compile(r"^\s*([\w\-\"]+(?:\s*\.\s*[\w\-\"]+)*)\s*=")

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, ...], int] = {}
        here: tuple[str, ...] = ()
        counts: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if table := self._TABLE.match(line):
                here = tuple(part.strip(' "') for part in table[2].split("."))
                if table[1] == "[[":
                    counts[here] = counts.get(here, -1) + 1
                    here = (*here, str(counts[here]))
                self._at.setdefault(here, number)
            elif key := self._KEY.match(line):
                path = tuple(part.strip(' "') for part in key[1].split("."))
                self._at.setdefault((*here, *path), number)

    def of(self, where: tuple[str | int, ...]) -> int:
        """The line of the key, or of the nearest thing that holds it."""
        path = tuple(map(str, where))
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path, 1)
