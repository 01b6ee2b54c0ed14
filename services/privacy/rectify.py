"""Rectify: a customer's name is put right, the only thing about them that nobody but they and the shop tell.
What it was and is, is kept where it can be erased."""

from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.store.schema import people
from services.work import Work


async def rename(work: Work, person_id: UUID, name: str) -> bool:
    """False where it is their name already."""
    mine = (people.c.tenant_id == work.tenant, people.c.id == person_id)
    before = await work.connection.scalar(sa.select(people.c.name).where(*mine).with_for_update())
    if before == name:
        return False
    await work.connection.execute(sa.update(people).where(*mine).values(name=name))
    private = audit.Private(person_id, {"before": before, "after": name})
    await audit.record(work, audit.OPERATOR, "person.renamed", person_id, {}, private=private)
    return True
