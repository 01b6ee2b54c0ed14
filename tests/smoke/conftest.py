"""Smoke: our adapters against the providers' own sandboxes, where `--smoke` and credentials are given."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.http import open_session
from bot.proving import NotKept
from services.ids import new_id
from services.money import Money
from services.providers import PROVIDERS, settings_of
from services.providers.abilities import Page
from services.providers.base import Pending, Word
from tests.smoke.keys import given, url_of

# Of a domain that is nobody's: what is told there is lost, and found out by asking.
NOWHERE = f"https://example.com/hooks/{secrets.token_hex(32)}"
_ASKED, _EVERY_SECONDS = 12, 5.0


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def client(http: aiohttp.ClientSession) -> Callable[..., Any]:
    """Of a provider, by its name; with other settings than those of the environment."""

    def opened(name: str, **changes: str) -> Any:
        provider = PROVIDERS[name]
        settings = settings_of(provider, given(name) | changes)
        return provider.open(settings, http, url_of(name), NotKept(), lambda: datetime.now(UTC))

    return opened


@pytest.fixture
def page() -> Callable[..., Page]:
    def of(name: str, amount: Money) -> Page:
        return Page(
            provider=name,
            attempt_id=new_id(),
            amount=amount,
            number=secrets.token_hex(3).upper(),
            about="A smoke test",
            ends_at=datetime.now(UTC) + timedelta(hours=1),
            return_url="https://example.com/back",
            callback_url=NOWHERE,
            ipn_url="https://example.com/hooks/smoke",
            email="smoke@example.com",
            phone="+254708374149",
        )

    return of


@pytest.fixture
def told() -> Callable[..., Any]:
    """What becomes of a payment, asked until that is known or nobody may know it yet."""

    async def ask(client: Any, reference: str, times: int = _ASKED) -> Word:
        word: Word = Pending()
        for asked in range(times):
            await asyncio.sleep(_EVERY_SECONDS if asked else 1.0)
            word = await client.check(reference)
            if not isinstance(word, Pending):
                return word
            assert not word.unheard, f"a word that we do not know: {word.detail}"
            assert not word.ours, f"refused for our settings: {word.detail}"
        return word

    return ask
