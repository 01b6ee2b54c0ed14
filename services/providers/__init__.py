"""Providers: who moves the money; each one's settings and way in, by a visible line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from pydantic import BaseModel

from services.providers.base import Collects, PaysOut, Tokens
from services.providers.mpesa import Mpesa
from services.providers.mpesa_settings import MpesaSettings

Open = Callable[[Any, aiohttp.ClientSession, str, Tokens, Callable[[], datetime]], Collects | PaysOut]


@dataclass(frozen=True)
class Provider:
    """`settings` is what a tenant's file holds under [providers.NAME]; `open` takes them, a session,
    the provider's address, its tokens and the clock."""

    settings: type[BaseModel]
    open: Open


PROVIDERS: Mapping[str, Provider] = {
    "mpesa": Provider(MpesaSettings, Mpesa),
}
