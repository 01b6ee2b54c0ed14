"""Mailboxes: where those of the staff are written to whose entry in the tenant's file has an `email`."""

import re
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.people import people
from services.store.schema import staff
from services.work import Work

COLUMN = "staff.email"
_MOST = 254
# What every server takes, and no header can be broken with.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]",
    re.ASCII,
)


def address(text: str) -> str:
    """Raises ValueError."""
    if len(text) > _MOST or _ADDRESS.fullmatch(text) is None:
        raise ValueError('must be an e-mail address like "name@example.org"')
    return text


async def addresses(work: Work, scope: str) -> dict[UUID, str]:
    """Of the active staff who hold the scope now, and have one."""
    holders = await people.with_scope(work, scope)
    query = sa.select(staff.c.person_id, staff.c.email_sealed).where(
        staff.c.tenant_id == work.tenant, staff.c.email_sealed.is_not(None)
    )
    rows = await work.connection.execute(query)
    return {row.person_id: opened(work, row) for row in rows if row.person_id in holders}


def of(work: Work, row: Any) -> str | None:
    """Of a row of `staff`. Raises Unopenable."""
    return None if row.email_sealed is None else opened(work, row)


def sealed(work: Work, person_id: UUID, email: str | None) -> bytes | None:
    return None if email is None else work.vault.seal(email.encode(), work.tenant, COLUMN, str(person_id))


def opened(work: Work, row: Any) -> str:
    """Of a row of `staff` that has one. Raises Unopenable."""
    return work.vault.open(row.email_sealed, work.tenant, COLUMN, str(row.person_id)).decode()


def masked(email: str) -> str:
    """As it is shown: the first letter, and where it is kept."""
    name, _, host = email.rpartition("@")
    return f"{name[0]}***@{host}"
