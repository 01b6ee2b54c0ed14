"""Customers: who they are, and how each prefers to pay. The chat offers what is saved here, and the other
way round."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from bot.api.answers import Answer, OneOf, Page, Sum, Time
from bot.api.bodies import Body, Legible, Nothing, money
from bot.api.pages import bad_cursor, whole
from bot.api.problems import Problem
from bot.api.queries import PAGING, Query, limit
from bot.api.routes import Call, Reply, Routes
from bot.whatsapp.incoming import user_id_of
from flows.refusals import provider_name
from flows.text import render
from services import inbox
from services.errors import ProviderNotConfigured
from services.news import MethodAdded
from services.payments import details, methods, ranks
from services.payments.methods import Saved
from services.people import customers
from services.people.access import VIEW_CONVERSATIONS
from services.people.customers import Known
from services.phones import normalize
from services.providers import PROVIDERS

routes = Routes("Customers")

Provider = Annotated[str, OneOf(*PROVIDERS)]
_PHONE = Query(
    "phone",
    "As it is dialled in the shop's country, or with its country's code.",
    {"type": "string"},
    required=True,
)
_AMOUNT = Query(
    "amount", "What is to be paid, as a decimal.", {"type": "string", "examples": ["1000"]}, required=True
)


def _user_id(value: str) -> str:
    if user_id_of(value) is None:
        raise ValueError("not a user id as WhatsApp tells them, such as KE.13491208655302741918")
    return value


class NewCustomer(Body):
    """`phone` or `whatsapp_user_id` is needed."""

    phone: str | None = None
    whatsapp_user_id: Annotated[str, AfterValidator(_user_id)] | None = None
    name: Annotated[Legible, Field(min_length=1, max_length=120)] | None = None


class PreferredProvider(Body):
    provider: Literal[tuple(PROVIDERS)]  # type: ignore[valid-type]


class NewPaymentMethod(Body):
    """`details` are the provider's own: see docs/api.md."""

    provider: Literal[tuple(PROVIDERS)]  # type: ignore[valid-type]
    details: dict[str, Any]
    set_as_default: bool = False


class Customer(Answer):
    id: UUID
    name: str | None
    phone: str | None  # masked


class PaymentMethod(Answer):
    method_id: UUID
    provider: Provider
    details: dict[str, str]  # masked
    saved_at: Time
    is_default: bool


class PaymentPreferences(Answer):
    """The methods in the order in which they were saved."""

    preferred_provider: Provider | None
    saved_methods: list[PaymentMethod]
    available_providers: list[Provider]


class CheckoutOptions(PaymentPreferences):
    """`preferred_method` is what the chat offers first."""

    preferred_method: PaymentMethod | None
    can_change_provider: bool
    amount: Sum
    currency: str


class PreferencesChanged(Answer):
    message: str
    preferences: PaymentPreferences


class MethodSaved(Answer):
    message: str
    method_id: UUID
    preferences: PaymentPreferences


@routes.post("/customers", VIEW_CONVERSATIONS, body=NewCustomer, success=201, also=200, answer=Customer)
async def add(call: Call) -> Reply[Customer]:
    """Add a customer.

    Whoever exists is answered as they are: nothing of theirs is changed."""
    asked: NewCustomer = call.body
    if asked.phone is None and asked.whatsapp_user_id is None:
        raise Problem(400, "malformed_body", "Malformed body", detail="phone or whatsapp_user_id is needed.")
    phone = normalize(asked.phone, call.tenant.shop.country) if asked.phone is not None else None
    known, new = await customers.add(call.work, phone, asked.whatsapp_user_id, asked.name)
    return Reply(_customer(known), status=201 if new else 200)


@routes.get("/customers", VIEW_CONVERSATIONS, query=(_PHONE, *PAGING), answer=Page[Customer])
async def find(call: Call) -> Reply[Page[Customer]]:
    """Find a customer by phone.

    One at most: a list, as every answer to a question that may have none."""
    limit(call.query)
    if "cursor" in call.query:
        raise bad_cursor()  # there is never a next page
    typed = call.query.get("phone")
    if typed is None:
        raise Problem(400, "invalid_query", "Invalid query", detail="phone is needed.", field="phone")
    known = await customers.by_phone(call.work, normalize(typed, call.tenant.shop.country))
    return whole([_customer(known)] if known else [])


@routes.get("/customers/{id}/payment-preferences", VIEW_CONVERSATIONS, answer=PaymentPreferences)
async def preferences(call: Call) -> Reply[PaymentPreferences]:
    """How a customer prefers to pay."""
    return Reply(await _preferences(call, await _person(call)))


@routes.get("/customers/{id}/checkout-options", VIEW_CONVERSATIONS, query=(_AMOUNT,), answer=CheckoutOptions)
async def checkout_options(call: Call) -> Reply[CheckoutOptions]:
    """What a customer may pay an amount with, the providers in the order in which the chat offers them."""
    amount = money(call.query.get("amount", ""), call.currency)
    person = await _person(call)
    usable = details.configured(call.tenant.shop, call.tenant.providers)
    saved = [each for each in await methods.listed(call.work, person) if each.method.provider in usable]
    offered = [each for each in saved if not details.expired(each.details, call.work.now)]
    order = await ranks.offered(call.work, call.tenant.shop, usable, amount, person)
    prefers = await _preferences(call, person)
    return Reply(
        CheckoutOptions(
            preferred_provider=prefers.preferred_provider,
            saved_methods=prefers.saved_methods,
            available_providers=[rank.provider for rank in order],
            preferred_method=_method(offered[0]) if offered else None,
            can_change_provider=True,
            amount=str(amount),
            currency=call.currency,
        )
    )


@routes.put(
    "/customers/{id}/preferred-provider",
    VIEW_CONVERSATIONS,
    body=PreferredProvider,
    answer=PreferencesChanged,
)
async def prefer(call: Call) -> Reply[PreferencesChanged]:
    """Choose the provider whose methods are offered first."""
    person, provider = await _person(call), call.body.provider
    _refuse_unconfigured(call, provider)
    await methods.prefer(call.work, person, provider, call.person)
    return await _changed(call, person, f"{_named(provider)} is preferred from now on.")


@routes.post(
    "/customers/{id}/payment-methods",
    VIEW_CONVERSATIONS,
    body=NewPaymentMethod,
    success=201,
    also=200,
    answer=MethodSaved,
)
async def save(call: Call) -> Reply[MethodSaved]:
    """Save a payment method; the same again replaces what was saved of it.

    A new one is told to the customer: nobody else can know that it is not theirs."""
    person, asked = await _person(call), call.body
    _refuse_unconfigured(call, asked.provider)
    held = details.read(asked.provider, asked.details)
    method = details.method_of(asked.provider, held)
    default = bool(asked.set_as_default)
    method_id, new = await methods.put(call.work, person, method, held, call.person, default=default)
    if new:
        await inbox.tell_people(call.work, [person], MethodAdded(method=method))
    message = f"{_named(asked.provider)} {method.label} is saved{'' if new else ' anew'}."
    prefers = await _preferences(call, person)
    saved = MethodSaved(message=message, method_id=method_id, preferences=prefers)
    return Reply(saved, status=201 if new else 200)


@routes.delete("/customers/{id}/payment-methods/{method_id}", VIEW_CONVERSATIONS, answer=PreferencesChanged)
async def remove(call: Call) -> Reply[PreferencesChanged]:
    """Remove a payment method; the default passes to the first that remains."""
    person = await _person(call)
    await methods.remove(call.work, person, call.id("payment_method", "method_id"), call.person)
    return await _changed(call, person, "The payment method is removed.")


@routes.put(
    "/customers/{id}/payment-methods/{method_id}/default",
    VIEW_CONVERSATIONS,
    body=Nothing,
    answer=PreferencesChanged,
)
async def make_default(call: Call) -> Reply[PreferencesChanged]:
    """Make a payment method the default, and its provider the preferred one."""
    person = await _person(call)
    method_id = call.id("payment_method", "method_id")
    await methods.make_default(call.work, person, method_id, call.person)
    return await _changed(call, person, "The payment method is the default from now on.")


async def _person(call: Call) -> UUID:
    """Raises NotFound."""
    return (await customers.one(call.work, call.id("customer"))).id


async def _changed(call: Call, person: UUID, message: str) -> Reply[PreferencesChanged]:
    return Reply(PreferencesChanged(message=message, preferences=await _preferences(call, person)))


async def _preferences(call: Call, person: UUID) -> PaymentPreferences:
    """The methods in the order in which they were saved: the default passes to the first that remains."""
    saved = sorted(await methods.listed(call.work, person), key=lambda each: each.id)
    return PaymentPreferences(
        preferred_provider=await methods.preferred_provider(call.work, person),
        saved_methods=[_method(each) for each in saved],
        available_providers=list(details.configured(call.tenant.shop, call.tenant.providers)),
    )


def _method(saved: Saved) -> PaymentMethod:
    return PaymentMethod(
        method_id=saved.id,
        provider=saved.method.provider,
        details=details.shown(saved.method.provider, saved.details),
        saved_at=saved.saved_at,
        is_default=saved.is_default,
    )


def _customer(known: Known) -> Customer:
    return Customer(id=known.id, name=known.name, phone=known.phone)


def _refuse_unconfigured(call: Call, provider: str) -> None:
    if provider not in details.configured(call.tenant.shop, call.tenant.providers):
        raise ProviderNotConfigured(provider)


def _named(provider: str) -> str:
    return {"stripe": "Card"}.get(provider) or render(provider_name(provider), "en")
