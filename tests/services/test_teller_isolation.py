"""Whatever a teller, or a part of it, is asked by an id of another tenant is answered as if there were no
such thing, and changes nothing. Made of the signatures: a new method that takes an id is asked too, and one
that takes what is not known here fails until it is."""

import inspect
from datetime import UTC, datetime
from typing import Any, get_type_hints
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.batches.teller import Batches
from services.errors import Refusal
from services.ids import new_id
from services.reconciliation.teller import Reconciliation
from services.refunds.teller import Refunds
from services.review.teller import Review
from services.schedules.teller import Schedules
from services.settings.teller import Settings
from services.store.schema import metadata
from services.store.scope import OWNER
from services.teller import Teller
from tests.services import refunding
from tests.services.business import Business, kes

DOMAINS = {
    "": Teller,
    "settings": Settings,
    "refunds": Refunds,
    "reconciliation": Reconciliation,
    "review": Review,
    "batches": Batches,
    "schedules": Schedules,
}
GIVEN: dict[str, Any] = {
    "words": "hello",
    "digest": "0" * 64,
    "reason": "a mistake",
    "code": None,
    "keep": True,
    "amount": kes("10"),
    "typed": "UKO0000001",
    "outcome": "paid",
    "reference": "UKO0000001",
    "note": "seen in the portal",
    "until": datetime(2026, 11, 27, 9, tzinfo=UTC),
}


def _asked() -> list[tuple[str, str]]:
    return [
        (domain, name)
        for domain, kind in DOMAINS.items()
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if not name.startswith("_") and any(each != "id" for each in _ids(method))
    ]


def _ids(method: Any) -> list[str]:
    return [name for name, kind in get_type_hints(method).items() if kind is UUID and name != "return"]


async def _came_of(business: Business, person: UUID, domain: str, name: str, id_: UUID) -> object:
    """What was answered, without the id that was asked by."""
    try:
        async with business.teller(person) as teller:
            method = getattr(getattr(teller, domain) if domain else teller, name)
            ids = _ids(getattr(DOMAINS[domain], name))
            given = {each: new_id() if each == "id" else id_ for each in ids}
            rest = set(inspect.signature(method).parameters) - given.keys()
            return await method(**given, **{each: GIVEN[each] for each in rest})
    except Refusal as refusal:
        return repr(refusal)


async def _rows(business: Business) -> dict[str, list[Any]]:
    """All that the tenant has."""
    async with business.database.transaction(OWNER) as connection:
        return {
            table.name: sorted(map(repr, await connection.execute(sa.select(table).where(mine))))
            for table in metadata.sorted_tables
            if (mine := _mine(table, business.tenant)) is not None
        }


def _mine(table: sa.Table, tenant: UUID) -> Any:
    column = table.c.get("tenant_id")
    return None if column is None else column == tenant


@pytest.fixture
async def other(business, database, vault):
    """Another shop, with one at least of most things."""
    shop = await Business(database, vault).open()
    paying = await shop.paid("5000")
    await shop.pay("70")
    await shop.approved("1000")
    await shop.withdraw("500")
    await refunding.ask(shop, paying, "100")
    return shop


async def _known(business: Business) -> list[UUID]:
    """The ids of all that it has; of each table the latest few."""
    async with business.database.transaction(OWNER) as connection:
        found = set()
        for table in metadata.sorted_tables:
            if "id" in table.c and "tenant_id" in table.c and isinstance(table.c.id.type, sa.Uuid):
                query = sa.select(table.c.id).where(table.c.tenant_id == business.tenant).limit(2)
                found |= set((await connection.execute(query)).scalars())
        return sorted(found)


async def test_what_is_another_tenants_is_as_if_it_were_not_there(business, other):
    known, before = await _known(other), await _rows(other)
    assert len(known) > 8
    for domain, name in _asked():
        for person in (business.customer, business.owner):
            nothing = await _came_of(business, person, domain, name, new_id())
            for id_ in known:
                assert await _came_of(business, person, domain, name, id_) == nothing, (domain, name)
    assert await _rows(other) == before


async def test_to_its_own_people_it_is_there(other):
    """Else the test above would pass whatever leaked."""
    for domain, name in (("", "withdrawal"), ("refunds", "refund")):
        nothing = await _came_of(other, other.owner, domain, name, new_id())
        found = [await _came_of(other, other.owner, domain, name, each) for each in await _known(other)]
        assert any(each != nothing for each in found)
