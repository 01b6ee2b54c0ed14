"""Providers: who moves the money; each one's settings and way in, by a visible line.

A provider is one file (with its settings) and one line of PROVIDERS: what customers can pay with, what
withdrawals can go by, who is called and who reads a callback all follow from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import aiohttp
from pydantic import ValidationError

from services.providers import (
    mpesa_portal,
    paystack_collect,
    paystack_disputes,
    paystack_prompts,
    pesapal_words,
    stripe_words,
)
from services.providers.abilities import Collects, PaysOut
from services.providers.base import Limits, ProviderSettings, Tokens
from services.providers.daraja_codes import LIMITS
from services.providers.listing import Listed
from services.providers.mpesa import Mpesa
from services.providers.mpesa_settings import MpesaSettings
from services.providers.paystack import Paystack
from services.providers.paystack_settings import PaystackSettings
from services.providers.pesapal import Pesapal
from services.providers.pesapal_settings import PesapalSettings
from services.providers.pesapal_words import acknowledged
from services.providers.refunds import RefundRules
from services.providers.stripe import Stripe
from services.providers.stripe_events import event_id
from services.providers.stripe_settings import StripeSettings

Open = Callable[[Any, aiohttp.ClientSession, str, Tokens, Callable[[], datetime]], Collects | PaysOut]


@dataclass(frozen=True)
class Provider:
    """`settings` is what a tenant's file holds under [providers.NAME]; `open` takes them, a session,
    the provider's address, its tokens and the clock. `collects`: what it takes of customers at once, by
    currency, empty where it takes nothing; `by`: how it asks for it, by a prompt on the phone or by a page;
    `prompts`: what one that opens pages takes by a prompt too, for a shop without another way to ask a phone;
    `charges`: what was saved of it is charged; `knows_ours`: a payment is asked about there by the id of our
    attempt, even where its answer was lost. `pays_out`: the ways out that it carries, of money in
    `currency`; `signature`: the header with which it
    signs its callbacks, which then come to "/hooks/NAME/SLUG"; `event_id`: what such a callback calls itself,
    however often it is told, None where it has no name but its bytes; `asks`: whether it is
    nothing but a reason to ask, and so is new each time, in the same bytes too; `refunds`: how it gives
    payments back, None where it does not; `statements`: reads a file that was exported there, None where
    nobody exports one; `acknowledges`: what it wants to hear once a callback is stored, where it calls an
    address that lasts."""

    settings: type[ProviderSettings]
    open: Open
    currency: str
    collects: Mapping[str, Limits] = field(default_factory=dict)
    by: Literal["prompt", "page"] = "prompt"
    prompts: Mapping[str, Limits] = field(default_factory=dict)
    charges: bool = False
    knows_ours: bool = False
    pays_out: frozenset[str] = frozenset()
    signature: str | None = None
    event_id: Callable[[bytes], str | None] | None = None
    asks: Callable[[bytes], bool] | None = None
    refunds: RefundRules | None = None
    statements: Callable[[bytes, Any, datetime], Listed] | None = None
    acknowledges: Callable[[bytes], dict[str, Any]] | None = None

    @property
    def currencies(self) -> frozenset[str]:
        """Of the money that it moves, in or out."""
        return frozenset(self.collects) | (frozenset({self.currency}) if self.pays_out else frozenset())


PROVIDERS: Mapping[str, Provider] = {
    "mpesa": Provider(
        MpesaSettings,
        Mpesa,
        "KES",
        {"KES": LIMITS["collect"]},
        pays_out=frozenset({"mpesa", "till"}),
        refunds=RefundRules(whole=True, otherwise="mpesa"),
        statements=mpesa_portal.read,
    ),
    "paystack": Provider(
        PaystackSettings,
        Paystack,
        "KES",
        paystack_collect.LIMITS,
        "page",
        prompts=paystack_prompts.LIMITS,
        charges=True,
        knows_ours=True,
        pays_out=frozenset({"bank_transfer"}),
        signature="X-Paystack-Signature",
        asks=paystack_disputes.asks,
        refunds=RefundRules(takes=timedelta(days=14)),  # ten working days
    ),
    "pesapal": Provider(
        PesapalSettings,
        Pesapal,
        "KES",
        pesapal_words.LIMITS,
        "page",
        refunds=RefundRules(whole=True, by_payment=True),
        acknowledges=acknowledged,
    ),
    "stripe": Provider(
        StripeSettings,
        Stripe,
        "KES",
        stripe_words.LIMITS,
        "page",
        charges=True,
        signature="Stripe-Signature",
        event_id=event_id,
        refunds=RefundRules(),
    ),
}


class WrongSettings(Exception):
    """They cannot be read: `keys` are wrong or missing."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(", ".join(keys))
        self.keys = keys


def settings_of(provider: Provider, facts: Mapping[str, Any]) -> ProviderSettings:
    """Raises WrongSettings."""
    try:
        return provider.settings.model_validate(facts)
    except ValidationError as error:
        wrong = error.errors(include_input=False)
        raise WrongSettings(tuple(".".join(map(str, each["loc"])) for each in wrong)) from None
