"""Sending: a message on its way from the outbox to the delivery, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from bot.sending.purposes import Purpose

ChatKey = tuple[UUID, UUID]  # tenant, conversation
LEASE = timedelta(seconds=45)  # longer than a send may take


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is to be sent now; nobody else sends it until its lease ends."""

    seq: int
    tenant_id: UUID
    conversation_id: UUID
    body: bytes
    tries: int
    unknown_sends: int
    phone_sealed: bytes | None
    user_id_sealed: bytes | None
    said_at: datetime
    heard_at: datetime | None
    stopped: bool
    purpose: Purpose
    template: bytes | None  # what fills it
    reads: str | None = None  # forgotten where another process sends it: it is a courtesy

    @property
    def about(self) -> dict[str, Any]:
        """What every line of its sending says."""
        ids = {"tenant_id": self.tenant_id, "conversation_id": self.conversation_id}
        return {name: str(id_) for name, id_ in ids.items()} | {"message": self.seq}


class Mark(NamedTuple):
    """What became of a message that was sending; in the order of the columns that it changes."""

    seq: int
    state: str
    tries: int
    unknown_sends: int
    wamid: str | None
    error: str | None
    due_at: datetime
    chat: ChatKey


class Sender(Protocol):
    """The delivery of this process: `room` messages may be handed over now."""

    @property
    def room(self) -> int: ...

    def hand_over(self, messages: Sequence[Message]) -> None: ...

    def follow(self, chats: Sequence[ChatKey]) -> None: ...
