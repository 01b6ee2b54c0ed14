"""Schedules: what a conversation may do about withdrawals that come by themselves, as `Teller.schedules`."""

from typing import Protocol
from uuid import UUID

from services.news.schedules import Schedule
from services.schedules.asking import Wanted


class Schedules(Protocol):
    async def schedules(self) -> tuple[Schedule, ...]:
        """Those that are not over, the latest first."""
        ...

    async def schedule(self, schedule_id: UUID) -> Schedule:
        """Raises NotFound."""
        ...

    async def ask(self, id: UUID, wanted: Wanted) -> Schedule:  # noqa: A002
        """The same id again returns the same. Raises MissingScope, InvalidSchedule."""
        ...

    async def approve(self, schedule_id: UUID, digest: str, code: str | None = None) -> Schedule:
        """Exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed,
        StepUpRequired, TotpInvalid."""
        ...

    async def reject(self, schedule_id: UUID, reason: str) -> Schedule: ...

    async def stop(self, schedule_id: UUID) -> Schedule:
        """An owner, at once. Raises MissingScope, NotPending."""
        ...

    async def resume(self, schedule_id: UUID) -> Schedule: ...

    async def cancel(self, schedule_id: UUID) -> Schedule: ...
