"""Refusals of webhook endpoints."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class InvalidEndpoint(Refusal):
    """Nothing is posted to such an address."""

    code: ClassVar[str] = "invalid_url"
    because: str


@dataclass(eq=False)
class TooManyEndpoints(Refusal):
    """There are as many as a tenant may have."""

    code: ClassVar[str] = "too_many_endpoints"
    most: int


@dataclass(eq=False)
class EndpointDisabled(Refusal):
    """Nothing is sent to it until it is enabled again."""

    code: ClassVar[str] = "endpoint_disabled"
    because: str
