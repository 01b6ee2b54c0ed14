"""Trial: the smallest amount that a provider takes, asked for once, where somebody says yes.

It is real money beside the books: the merchant's own account at the provider has it afterwards, and who
compares the books with a statement finds it there, and closes it with that reason.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from bot.http import open_session
from bot.onboarding.asker import Asker
from bot.parts import utc_now
from bot.proving import NotKept
from bot.settings import Settings
from services.errors import InvalidPhone
from services.money import Money
from services.phones import mpesa_number
from services.providers import PROVIDERS
from services.providers.abilities import Collects, OpensPages, Page, Prompt, Prompts
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Misconfigured,
    NotSent,
    ProviderSettings,
    Succeeded,
    Unknown,
    Word,
)
from services.providers.refunds import Refund, Refunds

_EVERY_SECONDS, _TIMES = 3, 30
_OPEN_FOR = timedelta(minutes=30)
_ABOUT = "Lipachat trial"
_STAYS = "It stays in your account there, outside the books: close the line where a statement shows it."


def trial(asker: Asker, settings: Settings, name: str, given: ProviderSettings, currency: str) -> bool:
    """False where the provider refused it, and its part is to be entered again."""
    provider = PROVIDERS[name]
    limits = provider.collects.get(currency)
    if limits is None or not asker.wants(f"trial.{name}", _question(name, limits.minimum)):
        return True
    if provider.by == "page" and not asker.present:
        asker.say("  A page is for somebody who sits here: no trial.")
        return True
    phone = (
        asker.ask(f"trial.{name}", "  Your phone, such as +254722000001", check=_phone)
        if (provider.by == "prompt")
        else ""
    )
    one = _Trial(settings, name, given, limits.minimum)
    answer = asyncio.run(one.asked(phone))
    if not isinstance(answer, Accepted):
        asker.say(f"  It was not asked for: {answer.detail}.")
        unsure = isinstance(answer, NotSent | Unknown)
        return unsure or not asker.confirm(f"trial.{name}.again", "  Enter this part again?", default=True)
    if answer.page is not None:
        asker.say(f"  Open this page and pay: {answer.page}")
        asker.ask(f"trial.{name}.paid", "  Press Enter once it is paid", "")
    else:
        asker.say("  Look at the phone.")
    _told(asker, one, asyncio.run(one.word(answer.reference)))
    return True


def _question(name: str, amount: Money) -> str:
    said = f"{amount.currency} {amount}"
    asks = "ask your phone for" if PROVIDERS[name].by == "prompt" else "open a page to pay"
    return f"  Try it with {said}? It would {asks} {said} of real money, where these keys are live ones"


def _told(asker: Asker, one: "_Trial", word: Word) -> None:
    match word:
        case Succeeded(receipt):
            told = f" Receipt: {receipt}." if receipt else ""
            asker.say(f"  Paid: {one.amount.currency} {one.amount}.{told}")
            rules = PROVIDERS[one.name].refunds
            can = one.name != "mpesa" and rules is not None and receipt is not None
            if can and asker.confirm(f"trial.{one.name}.refund", "  Give it back now?", default=True):
                answer = asyncio.run(one.refunded(receipt or ""))
                asked = isinstance(answer, Accepted)
                asker.say("  Asked for: it goes back." if asked else f"  It was not given back. {_STAYS}")
            else:
                asker.say(f"  {_STAYS}")
        case Failed(because, detail):
            asker.say(f"  Not paid: {because} ({detail}). Nothing has moved.")
        case _:
            asker.say("  Nothing is known of it yet: look at the account there. Nothing is asked again.")


class _Trial:
    """One asking, under an id of its own."""

    def __init__(self, settings: Settings, name: str, given: ProviderSettings, amount: Money) -> None:
        self._settings, self._given = settings, given
        self.name, self.amount, self.id = name, amount, uuid4()
        # Nobody is there: the answer is found out by asking.
        self._hook = f"{settings.public_url}/hooks/{secrets.token_hex(32)}"

    async def asked(self, phone: str) -> Answer:
        return await self._with(lambda client: self._ask(client, phone))  # type: ignore[no-any-return]

    async def word(self, reference: str) -> Word:
        """After a minute and a half at the latest."""

        async def ask(client: Collects) -> Word | NotSent | Unknown:
            for _ in range(_TIMES):
                told = await client.check(reference)
                if isinstance(told, Succeeded | Failed):
                    return told
                await asyncio.sleep(_EVERY_SECONDS)
            return told

        return await self._with(ask)  # type: ignore[no-any-return]

    async def refunded(self, receipt: str) -> Answer:
        async def ask(client: Any) -> Answer:
            if not isinstance(client, Refunds):
                return Misconfigured("it gives nothing back")
            refund = Refund(self.name, uuid4(), self.amount, receipt, self._hook, self._hook, _ABOUT)
            return await client.refund(refund)

        return await self._with(ask)  # type: ignore[no-any-return]

    async def _ask(self, client: Any, phone: str) -> Answer:
        if isinstance(client, OpensPages):
            return await client.open_page(self._page())
        if isinstance(client, Prompts):
            return await client.prompt(
                Prompt(self.name, self.id, self.amount, phone, "TRIAL", self._hook, "trial@example.com")
            )
        return Misconfigured("it takes no payments")

    def _page(self) -> Page:
        return Page(
            provider=self.name,
            attempt_id=self.id,
            amount=self.amount,
            number="TRIAL",
            about=_ABOUT,
            ends_at=utc_now() + _OPEN_FOR,
            return_url=self._settings.public_url,
            callback_url=self._hook,
            ipn_url=self._hook,
            email="trial@example.com",
        )

    async def _with(self, ask: Callable[[Any], Any]) -> Any:
        async with open_session() as http:
            url = self._settings.provider_urls[self.name]
            return await ask(PROVIDERS[self.name].open(self._given, http, url, NotKept(), utc_now))


def _phone(answer: str) -> str:
    try:
        return mpesa_number(answer)
    except InvalidPhone:
        raise ValueError("it is no Kenyan mobile number") from None
