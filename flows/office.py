"""Office: what a conversation may do about the tenant's settings and its payouts as a whole, as
`Teller.office`."""

from typing import Any, Protocol
from uuid import UUID

from services.facts import Stopped
from services.news.settings import Change


class Office(Protocol):
    async def changes(self) -> tuple[Change, ...]:
        """Those that wait, the latest first."""
        ...

    async def change(self, change_id: UUID) -> Change:
        """Raises NotFound."""
        ...

    async def ask(self, id: UUID, kind: str, wanted: dict[str, Any]) -> Change:  # noqa: A002
        """Raises MissingScope, InvalidChange, InvalidMethodDetails, ChangesNothing, LeavesNoTwo."""
        ...

    async def approve(self, change_id: UUID, digest: str) -> Change:
        """Exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed."""
        ...

    async def reject(self, change_id: UUID, reason: str) -> Change: ...

    async def take_back(self, change_id: UUID) -> Change:
        """The maker or an owner, until it takes effect. Raises MissingScope, NotPending."""
        ...

    async def stopped(self) -> Stopped | None:
        """Who has stopped all payouts; None where nobody has."""
        ...

    async def stop(self) -> Stopped:
        """Stop all payouts now; whoever was first has stopped them. Raises MissingScope."""
        ...
