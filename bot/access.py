"""Access: the settings of how often somebody may ask, and of whom to write to."""

import re

from pydantic import BaseModel, Field, field_validator


class ApiSettings(BaseModel):
    per_minute: int = Field(default=6000, ge=1)  # requests of one key
    tenant_per_minute: int = Field(default=12_000, ge=1)  # of all keys of a tenant
    wrong_per_minute: int = Field(default=300, ge=1)  # keys and tokens that nobody has, of one address


class SecuritySettings(BaseModel):
    contact: str = ""  # whom to write to about a weakness: addresses of mail, web or phone between commas

    @field_validator("contact")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        for each in filter(None, (each.strip() for each in value.split(","))):
            if not re.fullmatch(r"(mailto:|https://|tel:)[!-~]+", each):
                raise ValueError("must begin with mailto:, https:// or tel:, several between commas")
        return value

    @property
    def contacts(self) -> list[str]:
        return [each.strip() for each in self.contact.split(",") if each.strip()]
