"""Handoffs: how people of the staff answer customers instead of the bot. Part of the `Teller`."""

from typing import Protocol
from uuid import UUID

from services.facts import Handoff


class Handoffs(Protocol):
    # --- the customer

    async def ask_person(self, words: tuple[str, ...]) -> UUID:
        """Have a person of the staff answer me, who is told these words of mine; the handoff's id.

        Raises AnswersCustomers and NobodyAnswers."""
        ...

    async def tell_person(self, handoff_id: UUID, words: str) -> bool:
        """False where nobody of the staff answers me any more."""
        ...

    async def leave_person(self, handoff_id: UUID) -> None:
        """Back to the bot; who answered me is told."""
        ...

    # --- staff

    async def take_customer(self, handoff_id: UUID) -> Handoff:
        """I answer the customer from now on. Raises MissingScope, NotFound, AnsweredBy and HandoffOver."""
        ...

    async def answer_customer(self, handoff_id: UUID, words: str) -> None:
        """Raises also OutsideWindow."""
        ...

    async def close_customer(self, handoff_id: UUID) -> None:
        """The bot answers them again, and says so."""
        ...
