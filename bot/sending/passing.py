"""Passing: whether a message may go to its person now, and how. Asked of every message right before it is
sent, and nowhere else.

Within 24 hours after the person has written it goes as it is. Later only a template of the merchant's
passes; without one it is held until they write again. What somebody who has said stop does not want is
not sent at all.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.sending.message import Message
from bot.sending.purposes import NOT_AFTER_STOP, NOT_LATER
from bot.whatsapp import templates
from services.people.tenants import Tenant
from services.people.window import is_open


@dataclass(frozen=True, slots=True)
class Passes:
    """`template`: the name of the one that it goes by."""

    body: bytes
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """It waits until the person writes."""

    why: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """It is never sent."""

    why: str


def passing(message: Message, tenant: Tenant, now: datetime) -> Passes | Held | Unwanted:
    purpose = message.purpose
    if message.stopped and purpose in NOT_AFTER_STOP:
        return Unwanted("the person has said stop")
    if is_open(message.heard_at, now):
        return Passes(message.body)
    if purpose in NOT_LATER:
        return Unwanted("the person has not written for a day")
    if message.template is None:
        return Held("no template is sent for it")
    named = tenant.templates.get(purpose)
    if named is None:
        return Held(f"its file names no template {purpose}")
    languages = [named["language"], *named.get("languages", ())]
    return Passes(templates.body(message.template, named["name"], languages), named["name"])
