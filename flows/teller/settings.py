"""Settings: what a conversation may do about the tenant's settings and its payouts as a whole, as
`Teller.settings`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.facts import Destination, Member, Stopped
from services.news.approval import Lending
from services.news.settings import Change


class Settings(Protocol):
    async def changes(self) -> tuple[Change, ...]:
        """Those that wait, the latest first."""
        ...

    async def change(self, change_id: UUID) -> Change:
        """Raises NotFound."""
        ...

    async def limits(self) -> dict[str, Any]:
        """All limits and what approving takes, as they are now: masked, as a Change has them."""
        ...

    async def fees(self) -> dict[str, Any]:
        """The bands of each way out, as they are now."""
        ...

    async def staff(self) -> tuple[Member, ...]:
        """Who works here, by name."""
        ...

    async def destination(self, method_type: str, details: Mapping[str, str]) -> Destination:
        """As it was typed. Raises InvalidPhone, InvalidDestination."""
        ...

    async def phone(self, typed: str) -> str:
        """In E.164. Raises InvalidPhone."""
        ...

    async def ask(self, id: UUID, kind: str, wanted: dict[str, Any]) -> Change:  # noqa: A002
        """Raises MissingScope, InvalidChange, InvalidMethodDetails, ChangesNothing, LeavesNoTwo."""
        ...

    async def approve(self, change_id: UUID, digest: str, code: str | None = None) -> Change:
        """Exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed, OwnRights,
        StepUpRequired, TotpInvalid, ApproverCoolingDown."""
        ...

    async def reject(self, change_id: UUID, reason: str) -> Change: ...

    async def take_back(self, change_id: UUID) -> Change:
        """The maker or an owner, until it takes effect. Raises MissingScope, NotPending."""
        ...

    # --- the right to approve is lent

    async def lendings(self) -> tuple[Lending, ...]:
        """Those that wait or hold, the latest first. Raises MissingScope."""
        ...

    async def lending(self, lending_id: UUID) -> Lending:
        """Raises NotFound."""
        ...

    async def borrowers(self) -> tuple[Member, ...]:
        """To whom I may lend mine. Raises MissingScope."""
        ...

    async def lend(self, id: UUID, borrower: UUID, until: datetime) -> Lending:  # noqa: A002
        """Raises MissingScope, NotFound, NotLendable."""
        ...

    async def agree(self, lending_id: UUID, digest: str, code: str | None = None) -> Lending:
        """Raises FourEyesViolation, MissingScope, NotPending, Changed, StepUpRequired, TotpInvalid."""
        ...

    async def refuse(self, lending_id: UUID, reason: str) -> Lending: ...

    async def end(self, lending_id: UUID) -> Lending:
        """The lender or an approver. Raises MissingScope, NotPending."""
        ...

    async def stopped(self) -> Stopped | None:
        """Who has stopped all payouts; None where nobody has."""
        ...

    async def stop(self) -> Stopped:
        """Stop all payouts now; whoever was first has stopped them. Raises MissingScope."""
        ...
