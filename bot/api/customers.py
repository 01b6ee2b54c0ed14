"""Customers: who they are, and how each prefers to pay. The chat offers what is saved here, and the other
way round."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from bot.api.bodies import Body, Legible, money
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from bot.whatsapp.incoming import user_id_of
from flows.refusals import provider_name
from flows.text import render
from services import inbox
from services.errors import ProviderNotConfigured
from services.news import MethodAdded
from services.payments import details, methods
from services.payments.methods import Saved
from services.people import customers
from services.people.access import VIEW_CONVERSATIONS
from services.people.customers import Known
from services.phones import normalize

routes = Routes()

_Provider = Literal["mpesa", "paystack", "pesapal", "stripe"]


def _user_id(value: str) -> str:
    if user_id_of(value) is None:
        raise ValueError("not a user id as WhatsApp tells them, such as KE.13491208655302741918")
    return value


class Added(Body):
    phone: str | None = None
    whatsapp_user_id: Annotated[str, AfterValidator(_user_id)] | None = None
    name: Annotated[Legible, Field(min_length=1, max_length=120)] | None = None


class Preferred(Body):
    provider: _Provider


class Method(Body):
    provider: _Provider
    details: dict[str, Any]
    set_as_default: bool = False


class Nothing(Body):
    pass


@routes.post("/customers", VIEW_CONVERSATIONS, body=Added, success=201)
async def add(call: Call) -> Reply:
    """Whoever exists is answered as they are: nothing of theirs is changed."""
    asked: Added = call.body
    if asked.phone is None and asked.whatsapp_user_id is None:
        raise Problem(400, "malformed_body", "Malformed body", detail="phone or whatsapp_user_id is needed.")
    phone = normalize(asked.phone, call.tenant.shop.country) if asked.phone is not None else None
    known, new = await customers.add(call.work, phone, asked.whatsapp_user_id, asked.name)
    return Reply(_customer(known), status=201 if new else 200)


@routes.get("/customers", VIEW_CONVERSATIONS, query=("phone",))
async def find(call: Call) -> Reply:
    """One at most: a list, as every answer to a question that may have none."""
    typed = call.query.get("phone")
    if typed is None:
        raise Problem(400, "invalid_query", "Invalid query", detail="phone is needed.", field="phone")
    known = await customers.by_phone(call.work, normalize(typed, call.tenant.shop.country))
    found = [_customer(known)] if known else []
    return Reply({"count": len(found), "results": found, "next_cursor": None})


@routes.get("/customers/{id}/payment-preferences", VIEW_CONVERSATIONS)
async def preferences(call: Call) -> Reply:
    return Reply(await _preferences(call, await _person(call)))


@routes.get("/customers/{id}/checkout-options", VIEW_CONVERSATIONS, query=("amount",))
async def checkout_options(call: Call) -> Reply:
    """`preferred_method` is what the chat offers first."""
    amount = money(call.query.get("amount", ""), call.currency)
    person = await _person(call)
    usable = details.configured(call.tenant.shop, call.tenant.providers)
    offered = [each for each in await methods.listed(call.work, person) if each.method.provider in usable]
    more = {
        "preferred_method": _method(offered[0]) if offered else None,
        "can_change_provider": True,
        "amount": str(amount),
        "currency": call.currency,
    }
    return Reply(await _preferences(call, person) | more)


@routes.put("/customers/{id}/preferred-provider", VIEW_CONVERSATIONS, body=Preferred)
async def prefer(call: Call) -> Reply:
    person, provider = await _person(call), call.body.provider
    _refuse_unconfigured(call, provider)
    await methods.prefer(call.work, person, provider, call.person)
    return await _changed(call, person, f"{_named(provider)} is preferred from now on.")


@routes.post("/customers/{id}/payment-methods", VIEW_CONVERSATIONS, body=Method, success=201)
async def save(call: Call) -> Reply:
    """A new one is told to the customer: nobody else can know that it is not theirs."""
    person, asked = await _person(call), call.body
    _refuse_unconfigured(call, asked.provider)
    held = details.read(asked.provider, asked.details)
    method = details.method_of(asked.provider, held)
    default = bool(asked.set_as_default)
    method_id, new = await methods.put(call.work, person, method, held, call.person, default=default)
    if new:
        await inbox.tell_people(call.work, [person], MethodAdded(method=method))
    message = f"{_named(asked.provider)} {method.label} is saved{'' if new else ' anew'}."
    reply = await _changed(call, person, message, method_id=str(method_id))
    return Reply(reply.body, status=201 if new else 200)


@routes.delete("/customers/{id}/payment-methods/{method_id}", VIEW_CONVERSATIONS)
async def remove(call: Call) -> Reply:
    person = await _person(call)
    await methods.remove(call.work, person, call.id("payment_method", "method_id"), call.person)
    return await _changed(call, person, "The payment method is removed.")


@routes.put("/customers/{id}/payment-methods/{method_id}/default", VIEW_CONVERSATIONS, body=Nothing)
async def make_default(call: Call) -> Reply:
    person = await _person(call)
    method_id = call.id("payment_method", "method_id")
    await methods.make_default(call.work, person, method_id, call.person)
    return await _changed(call, person, "The payment method is the default from now on.")


async def _person(call: Call) -> UUID:
    """Raises NotFound."""
    return (await customers.one(call.work, call.id("customer"))).id


async def _changed(call: Call, person: UUID, message: str, **more: Any) -> Reply:
    return Reply({"message": message} | more | {"preferences": await _preferences(call, person)})


async def _preferences(call: Call, person: UUID) -> Json:
    """The methods in the order in which they were saved: the default passes to the first that remains."""
    saved = sorted(await methods.listed(call.work, person), key=lambda each: each.id)
    return {
        "preferred_provider": await methods.preferred_provider(call.work, person),
        "saved_methods": [_method(each) for each in saved],
        "available_providers": list(details.configured(call.tenant.shop, call.tenant.providers)),
    }


def _method(saved: Saved) -> Json:
    return {
        "method_id": str(saved.id),
        "provider": saved.method.provider,
        "details": details.shown(saved.method.provider, saved.details),
        "saved_at": plain(saved.saved_at),
        "is_default": saved.is_default,
    }


def _customer(known: Known) -> Json:
    return {"id": str(known.id), "name": known.name, "phone": known.phone}


def _refuse_unconfigured(call: Call, provider: str) -> None:
    if provider not in details.configured(call.tenant.shop, call.tenant.providers):
        raise ProviderNotConfigured(provider)


def _named(provider: str) -> str:
    return {"stripe": "Card"}.get(provider) or render(provider_name(provider), "en")
