"""Preferences: what a customer wants of us. The one place that is asked before writing unasked."""

from uuid import UUID

from services.work import Work


async def may_write_unasked(work: Work, person_id: UUID) -> bool:  # noqa: ARG001  nobody can say no yet
    """Whether the shop may write to this person without having been written to."""
    return True
