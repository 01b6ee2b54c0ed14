"""File values: what a value of the tenant file may be, whichever key it stands at."""

from datetime import date, datetime, time
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from services import hours
from services.people.mailboxes import address
from services.readable import is_blank

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_NO_PICTURES = (".webp", ".gif", ".svg", ".avif", ".heic", ".bmp", ".tif", ".tiff", ".pdf")
_YEARS = range(2000, 2101)


def _legible(text: str) -> str:
    """PostgreSQL keeps no NUL, and nobody reads the others."""
    if any(sign < " " and sign not in "\n\t" for sign in text):
        raise ValueError("holds a control character")
    return text


def _shown(text: str) -> str:
    """As WhatsApp takes it for a button or a row: something to read, on one line."""
    if is_blank(text):
        raise ValueError("has nothing in it that can be read")
    return " ".join(text.split())


def _moment(value: Any) -> datetime:
    """TOML's own dates and times; a date means its midnight."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime) or value.year not in _YEARS:
        raise ValueError("not a date like 2026-12-01 or 2026-12-01T08:00:00, without quotes")
    return value.replace(microsecond=0)


def picture(address: str) -> str:
    """WhatsApp fetches it from there. On this machine it may be plain HTTP, for a sandbox."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = None, ""
    if parts is None or not host or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError("is no address like https://example.org/soap.jpg")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _THIS_MACHINE):
        raise ValueError("must begin with https://")
    if parts.path.lower().endswith(_NO_PICTURES):
        raise ValueError("WhatsApp shows JPEG and PNG only")
    return address


def _hours(written: str) -> str:
    hours.parsed(written)
    return written


Text = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_legible)]
Name = Annotated[Text, AfterValidator(_shown)]
LongText = Annotated[str, Field(max_length=4000), AfterValidator(_legible)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Email = Annotated[str, AfterValidator(address)]
Hours = Annotated[str, AfterValidator(_hours)]
