"""File parts: what a tenant file may say, key by key."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from services.errors import InvalidPhone
from services.languages import LANGUAGES
from services.money import PLACES
from services.people.access import NOTICES, ROLES, SCOPES, granted
from services.people.file_values import Email, Hours, LongText, Moment, Name, Secret, Text, picture
from services.phones import is_country, mpesa_number
from services.providers.mpesa_settings import MpesaSettings
from services.providers.paystack_settings import PaystackSettings
from services.providers.pesapal_settings import PesapalSettings
from services.providers.stripe_settings import StripeSettings
from services.written import Amount, Percent

_MOST_PIECES = 1_000_000_000

MethodType = Literal["mpesa", "till", "bank_transfer"]

_DETAILS: dict[str, tuple[str, ...]] = {
    "mpesa": ("phone_number",),
    "till": ("till_number",),
    "bank_transfer": ("account_number", "bank_code", "account_name"),
}
_TILL = re.compile(r"\d{5,9}", re.ASCII)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class TenantPart(_Part):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    name: Name | None = None
    active: bool = True
    currency: Literal[tuple(PLACES)] = "KES"  # type: ignore[valid-type]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "KE"
    timezone: str = "Africa/Nairobi"
    language: Literal[tuple(LANGUAGES)] = "en"  # type: ignore[valid-type]
    payment_fee_percent: Percent = "0"
    fixed_fees: bool = False
    smart_order: bool = True
    summary_at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "20:00"

    @field_validator("country")
    @classmethod
    def _is_a_country(cls, code: str) -> str:
        if not is_country(code):
            raise ValueError('no country like "KE", whose phone numbers are known')
        return code

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone like Africa/Nairobi") from None
        return name


class Template(_Part):
    """`languages`: further ones in which it is approved, as Meta spells them."""

    name: Text
    language: Text
    languages: list[Text] = []


class WhatsAppPart(_Part):
    phone_number_id: Annotated[str, Field(pattern=r"^\d{1,32}$")]
    display_phone_number: Text | None = None
    waba_id: Annotated[str, Field(pattern=r"^\d{1,32}$")] | None = None
    access_token: Secret | None = None
    templates: dict[str, Template] = {}
    bank_form: Annotated[str, Field(pattern=r"^\d{1,32}$")] | None = None


class ProvidersPart(_Part):
    mpesa: MpesaSettings | None = None
    paystack: PaystackSettings | None = None
    pesapal: PesapalSettings | None = None
    stripe: StripeSettings | None = None


class PayoutPart(_Part):
    method_type: MethodType
    method_details: dict[str, Text]

    @field_validator("method_details")
    @classmethod
    def _of_its_type(cls, details: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if (method_type := info.data.get("method_type")) is None:  # of which the mistake is told
            return details
        needed = set(_DETAILS[method_type])
        if set(details) != needed:
            raise ValueError(f"must be, for {method_type}, exactly: {', '.join(sorted(needed))}")
        if method_type == "till" and not _TILL.fullmatch(details["till_number"]):
            raise ValueError("till_number is not the digits of a till")
        if method_type == "mpesa":
            try:
                return {"phone_number": mpesa_number(details["phone_number"])}
            except InvalidPhone:
                raise ValueError("phone_number is no Kenyan mobile number") from None
        return details


# Of the limits, those that are amounts.
AMOUNTS = ("per_withdrawal", "per_day", "per_destination", "per_maker", "totp_above", "low_balance")


MOST_APPROVAL_HOURS = 24  # an approval is for what is so now


class ApprovalsAbove(_Part):  # where more than this is withdrawn within 24 hours, so many approve
    amount: Amount
    approvals: Annotated[int, Field(ge=1, le=10)]


class LimitsPart(_Part):
    per_withdrawal: Amount | None = None
    per_day: Amount | None = None
    per_destination: Amount | None = None
    per_maker: Amount | None = None
    count_per_day: Annotated[int, Field(ge=1, le=10_000)] | None = None
    count_per_destination: Annotated[int, Field(ge=1, le=10_000)] | None = None
    blocked_hours: Hours | None = None
    totp_above: Amount | None = None
    low_balance: Amount | None = None
    approvals: Annotated[int, Field(ge=1, le=10)] = 1
    approvals_above: Annotated[list[ApprovalsAbove], Field(max_length=20)] = []
    approval_hours: Annotated[int, Field(ge=1, le=MOST_APPROVAL_HOURS)] = MOST_APPROVAL_HOURS
    new_destination_hours: Annotated[int, Field(ge=0, le=24 * 30)] = 0


class FeePart(_Part):
    method_type: MethodType
    currency: Literal[tuple(PLACES)] | None = None  # type: ignore[valid-type]  # else the tenant's
    from_: Amount = Field(default="0", alias="from")
    to: Amount | None = None
    flat: Amount = "0"
    percent: Percent = "0"
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class StaffPart(_Part):
    name: Name
    phone: str | None = None
    phones: list[str] = []
    role: Literal[tuple(ROLES)] | None = None  # type: ignore[valid-type]
    scopes: list[Literal[SCOPES]] = []  # type: ignore[valid-type]
    language: Literal[tuple(LANGUAGES)] | None = None  # type: ignore[valid-type]
    email: Email | None = None
    tell: list[Literal[tuple(NOTICES)]] | None = None  # type: ignore[valid-type]
    active: bool = True

    @model_validator(mode="after")
    def _may_do_something(self) -> "StaffPart":
        if self.role is None and not self.scopes:
            raise ValueError("needs a role or scopes")
        if self.phone is not None and self.phones:
            raise ValueError("give phone or phones, not both")
        for notice in self.tell or []:
            if not NOTICES[notice] & granted(self.role, self.scopes):
                raise ValueError(f"tell: {notice} takes {' or '.join(sorted(NOTICES[notice]))}")
        return self

    @property
    def all_phones(self) -> list[str]:
        return [self.phone] if self.phone is not None else self.phones


class ProductPart(_Part):
    sku: Text
    name: Name
    price: Amount
    description: LongText | None = None
    stock: Annotated[int, Field(ge=0, le=_MOST_PIECES)] | None = None
    image: Annotated[str, Field(max_length=2000), AfterValidator(picture)] | None = None


class TenantFile(_Part):
    tenant: TenantPart
    whatsapp: WhatsAppPart | None = None
    providers: ProvidersPart = ProvidersPart()
    payout: PayoutPart | None = None
    limits: LimitsPart = LimitsPart()
    fees: list[FeePart] = []
    staff: list[StaffPart] = []
    products: list[ProductPart] = []

    def begins(self, fee: FeePart) -> datetime | None:
        """When this band comes into force, in UTC; without an offset it is the tenant's time."""
        return self._moment(fee.valid_from)

    def ends(self, fee: FeePart) -> datetime | None:
        """When it is no longer in force, as `begins`."""
        return self._moment(fee.valid_until)

    def currency_of(self, fee: FeePart) -> str:
        """What its amounts are in."""
        return str(fee.currency or self.tenant.currency)

    def _moment(self, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.tenant.timezone))
        return moment and moment.astimezone(UTC)
