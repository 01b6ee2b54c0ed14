"""SMTP: hands one e-mail to the server of LIPACHAT_SMTP__URL. Never without TLS, but on this machine."""

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from bot.http import NetworkInTransaction
from services.store.database import in_transaction

_SECONDS = 30  # with all that it takes, less than a lease
_PORTS = {"smtp": 587, "smtps": 465}
_PERMANENT = 500


class Refused(Exception):
    """The server has heard it and will not take it, now or later."""


@dataclass(frozen=True)
class Smtp:
    """`smtps`: TLS from the first byte; else the server has to offer STARTTLS, unless it is this machine."""

    host: str
    port: int
    smtps: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None  # instead of the authorities that the machine trusts

    @classmethod
    def of(cls, url: str) -> "Smtp":
        """Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be like smtp://user:password@mail.example.org:587, or begin with smtps://")
        user, password = (
            None if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        if (user is None) != (password is None):
            raise ValueError("must have a user with a password, or neither")
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.hostname, port, parts.scheme == "smtps", user or None, password or None)

    @property
    def is_here(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    async def send(self, message: EmailMessage) -> None:
        """To its one recipient. Raises Refused; SMTPException or OSError where it may be tried again."""
        if in_transaction.get():
            raise NetworkInTransaction(self.host)
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.smtps,
                start_tls=False if self.smtps else (None if self.is_here else True),
                tls_context=self.trust,
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPAuthenticationError:
            raise  # a setting that somebody will put right
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise (Refused(f"{refused.code}") if refused.code >= _PERMANENT else error) from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= _PERMANENT:
                raise Refused(f"{error.code}") from None
            raise
