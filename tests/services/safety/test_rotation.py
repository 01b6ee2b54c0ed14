import asyncio

import pytest
import sqlalchemy as sa

from services.errors.approval import TotpInvalid
from services.payments import methods
from services.people import apikeys
from services.providers.base import Succeeded
from services.safety import rotation, stepup
from services.safety.vault import Unopenable, Vault
from services.store.schema import NOBODY, metadata
from services.store.scope import OWNER
from services.withdrawals import destinations
from tests.services.business import TO_BANK, TO_PHONE, Business

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def quiet(_column: str, _many: int) -> None:
    pass


def test_every_sealed_column_and_every_index_is_known():
    """A new one has to say how it is sealed anew."""
    sealed = {str(each.column) for each in rotation.SEALED}
    found = {str(column) for table in metadata.sorted_tables for column in table.c if "sealed" in column.name}
    assert found - sealed == {str(column) for column in rotation.SHORT_LIVED}
    assert sealed <= found
    told = {str(each.index) for each in rotation.SEALED if each.index is not None}
    indexes = {
        str(column) for table in metadata.sorted_tables for column in table.c if "_index" in column.name
    }
    assert indexes - told == {str(column) for column in rotation.MARKS}


@pytest.fixture
async def business(database):
    """Everything of it is sealed under the old key."""
    business = await Business(database, Vault([OLD])).open()
    paying = await business.paid("5000")
    async with business.teller(business.customer) as teller:
        await teller.save_method(paying.started.payment_id)
    return business


async def rotated(business: Business) -> rotation.Rotated:
    return await rotation.rotate(business.database, Vault([NEW, OLD]), quiet)


async def heads(business: Business) -> dict[str, set[bytes]]:
    """By which keys the values of each column are sealed."""
    found: dict[str, set[bytes]] = {}
    async with business.database.reading(OWNER) as connection:
        for sealed in rotation.SEALED:
            values = await connection.scalars(sa.select(sealed.column).where(sealed.column.is_not(None)))
            found[sealed.name] = {bytes(value[:5]) for value in values}
    return found


async def test_afterwards_the_old_key_is_not_needed(business):
    out = await business.approved("1000", to=TO_PHONE)
    await out.sent()
    await out.called(Succeeded(next(business.receipts), out.sending.amount))
    async with business.work() as work:
        key = await apikeys.create(work, business.cashier)
        assert key is not None
        await stepup.enrol(work, business.manager)
    done = await rotated(business)
    assert done.unopenable == {}
    assert done.left == {"api_keys.key_index": 1}
    assert {head for found in (await heads(business)).values() for head in found} == {Vault([NEW]).head}

    async with business.database.transaction(OWNER) as connection:
        holder = await apikeys.holder(connection, Vault([NEW, OLD]), key.text, business.now)
        assert isinstance(holder, apikeys.Holder)
        await apikeys.used(connection, holder, business.now)
    assert (await rotated(business)).left == {}

    business.vault = Vault([NEW])
    async with business.behind() as work:
        (way,) = await methods.ways(work, business.customer)
        assert way.method.label == "********5678"
        assert not await destinations.is_new(work, TO_PHONE)
        assert await apikeys.holder(work.connection, work.vault, key.text, business.now) is not None
        with pytest.raises(TotpInvalid):  # it was read, and is not the one
            await stepup.verify(work, business.manager, "000000")


async def test_a_withdrawal_that_is_being_decided_stays_until_then(business):
    """What was approved names its destination by the old index."""
    withdrawal = await business.withdraw("1000", to=TO_BANK)
    assert (await rotated(business)).left == {"withdrawals.details": 1}
    business.vault = Vault([NEW, OLD])
    async with business.teller(business.manager) as teller:
        await teller.reject(withdrawal.id, "not now")
    done = await rotated(business)
    assert done.left == {}
    assert done.sealed == {"withdrawals.details": 1}


async def test_what_no_key_opens_is_named_and_left(business):
    stranger = Vault([bytes(32)])
    (sealed,) = (each for each in rotation.SEALED if each.name == "attempts.details")
    async with business.behind() as work:
        moved = stranger.seal(b"{}", business.tenant, sealed.name, "another")
        await work.connection.execute(sa.update(sealed.column.table).values(details_sealed=moved))
    done = await rotated(business)
    assert done.unopenable == {"attempts.details": 1}
    assert "attempts.details" not in done.sealed


async def test_what_is_changed_meanwhile_is_not_overwritten(business):
    """Turns go on: whoever writes between the reading and the writing wins."""
    (sealed,) = (each for each in rotation.SEALED if each.name == "attempts.details")
    vault, done = Vault([NEW, OLD]), rotation.Rotated()
    async with business.behind() as work:
        (row,) = await work.connection.execute(sa.select(sealed.column.table))
        change = rotation._anew(vault, sealed, business.tenant, row, done)
        later = vault.seal(b'{"phone_number":"later"}', business.tenant, sealed.name, str(row.id))
        await work.connection.execute(sa.update(sealed.column.table).values(details_sealed=later))
        await work.connection.execute(rotation._change(sealed), [change])
        assert await work.connection.scalar(sa.select(sealed.column)) == later


async def test_customers_pay_while_it_goes_on(business, monkeypatch):
    monkeypatch.setattr(rotation, "_BATCH", 2)
    for _ in range(6):
        await business.paid("100")
    other = Business(business.database, Vault([NEW, OLD]))
    other.__dict__ |= {name: value for name, value in business.__dict__.items() if name != "vault"}

    async def pays() -> None:
        for _ in range(4):
            await other.paid("100")

    await asyncio.gather(rotated(business), pays())
    await rotated(business)
    assert await heads(business) == {
        name: found & {Vault([NEW]).head} for name, found in (await heads(business)).items()
    }
    assert (await business.wallet())[0] == "6000.00"


def test_a_mark_names_its_key_and_is_proven_under_any():
    old, both = Vault([OLD]), Vault([NEW, OLD])
    tenant = NOBODY
    mark = old.mark("value", tenant, "a.b")
    assert both.is_marked(mark, "value", tenant, "a.b")
    assert not both.is_marked(mark, "another", tenant, "a.b")
    assert both.mark("value", tenant, "a.b")[:4] == both.head[1:] != mark[:4]
    assert not Vault([NEW]).is_marked(mark, "value", tenant, "a.b")


@pytest.mark.parametrize("change", ["row", "column", "tenant"])
async def test_a_ciphertext_of_a_row_opens_nowhere_else(business, change):
    """Who can write to the database cannot have one person's number paid out to another's."""
    await business.paid("100")
    other = await Business(business.database, business.vault).open()
    async with business.behind() as work:
        rows = (await work.connection.execute(sa.select(metadata.tables["attempts"]))).all()
        first, second = rows
        place = {
            "row": (business.tenant, "attempts.details", str(second.id)),
            "column": (business.tenant, "saved_methods.details", str(first.id)),
            "tenant": (other.tenant, "attempts.details", str(first.id)),
        }[change]
        assert work.vault.open(first.details_sealed, business.tenant, "attempts.details", str(first.id))
        with pytest.raises(Unopenable):
            work.vault.open(first.details_sealed, *place)
