"""Carriers: which of a tenant's providers sends a withdrawal, where several could go by its way out."""

import json
from collections.abc import Mapping

import sqlalchemy as sa

from services.providers import PROVIDERS, Provider
from services.rails import RAILS, carrier, carriers
from services.store.schema import credentials
from services.work import Work


async def carrier_of(work: Work, way: str, providers: Mapping[str, Provider] = PROVIDERS) -> str:
    """Of those that carry this way, the first that the tenant has whole settings of; the usual one where it
    has none."""
    able = carriers(way, providers)
    if able == (RAILS[way].provider,):
        return able[0]
    query = sa.select(credentials.c.part, credentials.c.sealed).where(
        credentials.c.tenant_id == work.tenant, credentials.c.part.in_(able)
    )
    rows = (await work.connection.execute(query)).all()
    place = (work.tenant, "credentials.sealed")
    opened = {each.part: json.loads(work.vault.open(each.sealed, *place, each.part)) for each in rows}
    return carrier(way, opened, providers)
