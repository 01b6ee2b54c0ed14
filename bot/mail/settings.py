"""Settings of e-mail (LIPACHAT_SMTP__URL...). Without a server nobody is written to."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from bot.commas import listed
from bot.mail.smtp import Smtp
from services.people.mailboxes import address


class SmtpSettings(BaseModel):
    """`sender`: else lipachat@ the host of LIPACHAT_PUBLIC_URL. `operators`: who is told of every alert."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url: SecretStr | None = None
    sender: str | None = None
    operators: str = ""  # between commas

    @field_validator("url")
    @classmethod
    def _is_a_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Smtp.of(value.get_secret_value())
        return value

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        return value and address(value)

    @field_validator("operators")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        for each in listed(value):
            address(each)
        return value

    @property
    def server(self) -> Smtp | None:
        return None if self.url is None else Smtp.of(self.url.get_secret_value())

    @property
    def addresses(self) -> list[str]:
        return listed(self.operators)

    def sent_by(self, public_url: str) -> str:
        return self.sender or f"lipachat@{urlsplit(public_url).hostname or 'localhost'}"
