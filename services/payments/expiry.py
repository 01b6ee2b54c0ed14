"""Expiry: until when a saved card can be charged, learnt of its provider whenever it is.

A bank may renew it, and of cards that were saved before nothing was kept.
"""

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.errors import InvalidMethodDetails, NotFound
from services.payments.details import read_told, token_of
from services.payments.methods import COLUMN, details_of
from services.store.schema import saved_methods
from services.work import Work


async def learn(work: Work, person_id: UUID, method_id: UUID, told: Mapping[str, str]) -> None:
    """What is told of this method; of another one, or nothing new, it changes nothing."""
    try:
        method, held = await details_of(work, person_id, method_id)
        known = read_told(method.provider, told)
    except (NotFound, InvalidMethodDetails):
        return
    same = token_of(method.provider, known) == token_of(method.provider, held)
    if not same or known.get("expires") in (None, held.get("expires")):
        return
    sealed = work.seal(held | {"expires": known["expires"]}, COLUMN, method_id)
    mine = (saved_methods.c.tenant_id == work.tenant, saved_methods.c.id == method_id)
    await work.connection.execute(sa.update(saved_methods).where(*mine).values(details_sealed=sealed))
    await audit.record(work, audit.PROVIDER, "method.expiry_told", person_id, {"method": method.label})
