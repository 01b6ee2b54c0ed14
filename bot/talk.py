"""Talk: what a turn is made of: an event that waits, who speaks, and what is said to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.sending.purposes import Purpose
from flows.reply import Reply


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits for its turn. `tries`: those before this one. `flood`: its mark by
    `bot/flood.py`; of one that was tried before, what went wrong."""

    seq: int
    tenant_id: UUID
    conversation_id: UUID
    kind: str
    external_id: str
    status: str
    tries: int
    received_at: datetime
    body_sealed: bytes
    flood: str | None = None

    @property
    def about(self) -> dict[str, Any]:
        """What every line of its turn says."""
        ids = {"tenant_id": self.tenant_id, "conversation_id": self.conversation_id}
        return {name: str(id_) for name, id_ in ids.items()} | {"seq": self.seq}

    @property
    def row(self) -> str:
        """What its body is sealed for."""
        return f"{self.kind}|{self.external_id}|{self.status}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who speaks in a conversation, and where they stand. `stopped`: they want nothing unasked; `quiet`: no
    message to them is on its way."""

    tenant_id: UUID
    conversation_id: UUID
    person_id: UUID
    name: str | None
    language: str | None
    scopes: frozenset[str]
    phone_sealed: bytes | None
    user_id_sealed: bytes | None
    place_sealed: bytes | None
    heard_at: datetime | None
    stopped: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be written: Cloud API JSON without its recipient. `reads`: the id of the person's message
    that is marked as read, with a sign of typing, once this one is sent. `answers`: what it says, where it
    answers the person and is no news. `filling`: of the template that it goes by where WhatsApp's window is
    closed. `about`: the thread of news, whose later news say what is so now."""

    person: Person
    body: bytes
    reads: str | None = None
    answers: Reply | None = None
    purpose: Purpose = Purpose.ANSWER
    filling: bytes | None = None
    about: str | None = None

    def is_said_by(self, later: "Outgoing") -> bool:
        """Whether a later answer in the same burst says all of it: each message costs money."""
        return (
            self.answers is not None and later.answers is not None and self.answers.is_said_by(later.answers)
        )
