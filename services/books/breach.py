"""Breach: a rule that does not hold."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Breach:
    """In which row (its id, or what names it), what should be and what is."""

    rule: str
    tenant_id: UUID
    row: str
    expected: str
    found: str
