"""Talk: what a turn is made of: an event that waits, who speaks, and what is said to them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits for its turn. `tries`: those before this one."""

    seq: int
    tenant_id: UUID
    conversation_id: UUID
    kind: str
    row: str
    tries: int
    received_at: datetime
    body_sealed: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """Who speaks in a conversation, and where they stand. `quiet`: no message to them is on its way."""

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
    quiet: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be written: Cloud API JSON without its recipient."""

    person: Person
    body: bytes
