import asyncio
import hashlib
import secrets
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from services import approval, audit, ledger
from services.audit.chain import START
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.money import Money
from services.store import upgrade
from services.store.database import Database
from services.store.schema import Moment
from services.store.schema import audit as audit_table
from services.store.scope import OWNER
from services.withdrawals.record import WITHDRAWAL, facts, locked
from services.work import Work, canonical
from tests.conftest import BOTH, administer, drop


@pytest.fixture(params=BOTH)
async def url(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/new.db"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"lipachat_new_{secrets.token_hex(6)}"
    await administer(server, f'CREATE DATABASE "{name}"')
    yield server.set(database=name).render_as_string(hide_password=False)
    await drop(server, name)


async def test_upgrading_brings_an_empty_database_to_the_newest_schema(url):
    database = Database(url)
    assert await upgrade.current(database) is None
    await upgrade.upgrade(url)
    await upgrade.upgrade(url)
    assert await upgrade.current(database) == upgrade.head()
    await database.close()


async def test_the_migrations_make_the_tables_of_the_code(url):
    await upgrade.upgrade(url)
    await upgrade.check(url)


@pytest.mark.parametrize("url", BOTH[1:], indirect=True)
async def test_two_upgrades_at_once_wait_for_each_other(url):
    await asyncio.gather(upgrade.upgrade(url), upgrade.upgrade(url))
    await upgrade.check(url)


@pytest.mark.parametrize("verb", ["UPDATE transfers SET amount = 1", "DELETE FROM transfers"])
async def test_what_was_posted_cannot_be_changed(url, verb, vault):
    await upgrade.upgrade(url)
    database = Database(url)
    async with database.transaction(OWNER) as connection:
        work = Work(connection, vault, new_id(), datetime(2026, 11, 24, tzinfo=UTC))
        await ledger.post(work, new_id(), [Transfer("provider:mpesa", WALLET, Money(5_00, "KES"), "sale")])
    with pytest.raises(DBAPIError, match="transfers is append-only"):
        async with database.transaction(OWNER) as connection:
            await connection.execute(sa.text(verb))
    await database.close()


BEFORE_CHAINS = "a0d17c5e9b42-1"
OLD_ENTRY = (
    "INSERT INTO audit (tenant_id, at, actor, action, target, facts, alert) "
    "VALUES (:tenant, :at, 'operator', :action, 'x', :facts, false)"
)


async def test_the_audit_that_was_there_is_chained_and_can_be_changed_no_more(url, vault):
    await upgrade._with(url, lambda c: command.upgrade(upgrade.config(c), BEFORE_CHAINS))
    database, one, other = Database(url), new_id(), new_id()
    at = datetime(2026, 11, 24, tzinfo=UTC)
    async with database.transaction(OWNER) as connection:
        for n, tenant in enumerate((one, other, one)):
            facts = {"tenant": tenant, "at": at, "action": f"a{n}", "facts": {"words": "é"}}
            types = [sa.bindparam("tenant", type_=sa.Uuid), sa.bindparam("at", type_=Moment)]
            statement = sa.text(OLD_ENTRY).bindparams(*types, sa.bindparam("facts", type_=sa.JSON))
            await connection.execute(statement, facts)
    await upgrade.upgrade(url)
    async with database.transaction(OWNER) as connection:
        await audit.record(Work(connection, vault, one, at), audit.CLOCK, "later", one, {})
    async with database.reading(OWNER) as connection:
        query = sa.select(audit_table).where(audit_table.c.tenant_id == one).order_by(audit_table.c.seq)
        first, second, later = (await connection.execute(query)).all()
    assert [(row.seq, row.action, row.channel) for row in (first, second, later)] == [
        (1, "a0", "cli"),
        (2, "a2", "cli"),
        (3, "later", "clock"),
    ]
    assert (first.previous, second.previous, later.previous) == (START, first.hash, second.hash)
    for verb in (
        "UPDATE audit SET action = 'other'",
        "DELETE FROM audit",
        "DELETE FROM audit_heads",
        "UPDATE audit_heads SET seq = seq - 1",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction(OWNER) as connection:
                await connection.execute(sa.text(verb))
    await database.close()


BEFORE_OPERATIONS = "d27f6a10c8b5"
OLD_TENANT = (
    "INSERT INTO tenants (id, slug, name, active, currency, country, timezone, language, payment_fee_ppm, "
    "templates, totp_above, approvals, approval_hours, new_destination_hours, version, created_at) VALUES "
    "(:tenant, 's', 's', true, 'KES', 'KE', 'UTC', 'en', 0, '{}', 150000, 1, 24, 0, 1, :at)"
)
OLD_WITHDRAWAL = (
    "INSERT INTO withdrawals (tenant_id, id, maker_id, amount, fee, net, currency, status, method_type, "
    "details_sealed, details_index, destination, new_destination, approvals_needed, digest, created_at, "
    "expires_at) VALUES (:tenant, :id, :maker, :amount, 3300, :net, 'KES', :status, 'mpesa', :sealed, "
    ":sealed, '***1, KCB, Mama Njeri', true, 1, :digest, :at, :at)"
)
OLD_APPROVAL = (
    "INSERT INTO approvals (tenant_id, withdrawal_id, approver_id, maker_id, digest, created_at) VALUES "
    "(:tenant, :id, :approver, :maker, :digest, :at)"
)


def old_digest(tenant, id_, maker, amount):
    """As it was made of a withdrawal before it was an operation."""
    told = {"id": str(id_), "tenant": str(tenant), "amount": amount, "currency": "KES", "fee": 33_00}
    told |= {"net": amount - 33_00, "method_type": "mpesa", "details_index": b"x".hex()}
    told |= {"maker": str(maker), "approvals_needed": 1}
    return hashlib.sha256(canonical(told).encode()).hexdigest()


async def test_withdrawals_that_were_there_become_operations_that_stand(url, vault):
    """Pending ones can be approved, approved ones sent; a forged one is refused as it was before."""
    await upgrade._with(url, lambda c: command.upgrade(upgrade.config(c), BEFORE_OPERATIONS))
    database, tenant, maker, approver = Database(url), new_id(), new_id(), new_id()
    at = datetime(2026, 11, 24, tzinfo=UTC)
    ids = {status: new_id() for status in ("pending", "processing", "forged", "rejected")}
    types = [sa.bindparam(name, type_=sa.Uuid) for name in ("tenant", "id", "maker", "approver")]
    when = sa.bindparam("at", type_=Moment)

    async def put(connection, statement, **values):
        known = [each for each in (*types, when) if f":{each.key}" in statement]
        given = {"tenant": tenant, "at": at} | values
        needed = {key: value for key, value in given.items() if f":{key}" in statement}
        await connection.execute(sa.text(statement).bindparams(*known), needed)

    async with database.transaction(OWNER) as connection:
        await put(connection, OLD_TENANT)
        for person in (maker, approver):
            await put(
                connection,
                "INSERT INTO people (tenant_id, id, created_at) VALUES (:tenant, :id, :at)",
                id=person,
            )
            await put(
                connection,
                "INSERT INTO staff (tenant_id, person_id, role, scopes, active) "
                "VALUES (:tenant, :id, 'Owner', '[]', true)",
                id=person,
            )
        for status, id_ in ids.items():
            amount = 2_000_00 if status == "pending" else 1_000_00
            digest = "0" * 64 if status == "forged" else old_digest(tenant, id_, maker, amount)
            row = {"id": id_, "maker": maker, "amount": amount, "net": amount - 33_00, "digest": digest}
            kept = "pending" if status == "forged" else status
            await put(connection, OLD_WITHDRAWAL, **row, status=kept, sealed=b"x")
            if status == "processing":
                await put(connection, OLD_APPROVAL, **row, approver=approver)
    await upgrade.upgrade(url)
    async with database.transaction(OWNER) as connection:
        work = Work(connection, vault, tenant, at)
        stand, states, steps = {}, {}, {}
        for status, id_ in ids.items():
            made = await locked(work, id_)
            operation = await approval.locked(work, WITHDRAWAL, id_)
            stand[status] = approval.digest(tenant, operation, facts(made)) == operation.digest
            assert made.destination == "***1, KCB, M. N."
            states[status], steps[status] = operation.state, operation.step_up
        assert await approval.stands(
            work, WITHDRAWAL, ids["processing"], facts(await locked(work, ids["processing"]))
        )
    assert stand == {"pending": True, "processing": True, "forged": False, "rejected": True}
    assert states == {
        "pending": "pending",
        "processing": "approved",
        "forged": "pending",
        "rejected": "rejected",
    }
    assert steps == {"pending": True, "processing": False, "forged": False, "rejected": False}
    await database.close()


def test_holders_that_are_there_become_initials(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/holders.db")
    with engine.begin() as connection:
        for table in ("withdrawals", "schedules"):
            connection.exec_driver_sql(f"CREATE TABLE {table} (destination TEXT)")
            connection.exec_driver_sql(
                f"INSERT INTO {table} VALUES ('******9887, KCB, Mama Njeri'), ('M-Pesa ********5678')"
            )
        module = ScriptDirectory.from_config(upgrade.config()).get_revision("b05e7c41d9a2").module
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()
            module.upgrade()  # the same again
        for table in ("withdrawals", "schedules"):
            rows = connection.exec_driver_sql(f"SELECT destination FROM {table}").scalars().all()
            assert rows == ["******9887, KCB, M. N.", "M-Pesa ********5678"]
    engine.dispose()
