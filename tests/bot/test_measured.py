"""What a scrape reads out of the database: the numbers, on both databases, and what they cost."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from bot import metrics
from bot.measured import NAMES, Measured
from services.ids import new_id
from services.providers.base import Failed, Succeeded
from services.reasons import Unpaid
from services.store.schema import approvals, attempts, fees, inbox, operations, payouts, withdrawals
from services.store.scope import AUDITOR, OWNER
from services.withdrawals import measure
from tests.services.business import TO_TILL, Business, kes


@pytest.fixture
async def business(database, vault):
    return await Business(database, vault).open()


async def scraped(business, measured=None):
    measured = measured or Measured(business.database, lambda: business.now)
    await measured.measure()
    families = text_string_to_metric_families(metrics._written(measured).decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def arrived(business, amount="1000", wait=timedelta(0), **to):
    """A withdrawal that was approved at once, and took so long."""
    paid = await business.approved(amount, **to)
    await paid.sent()
    business.now += wait
    await paid.called(Succeeded(next(business.receipts), paid.withdrawal.net))
    return paid


async def test_what_is_open_is_counted_with_its_age(business):
    await business.paid("5000")
    await business.withdraw()
    await business.pay()
    business.forward(minutes=10)
    numbers = await scraped(business)
    assert numbers["lipachat_open", "payment"] == 1
    assert numbers["lipachat_open_age_seconds", "payment"] == 600
    assert numbers["lipachat_open", "payout"] == numbers["lipachat_open", "refund"] == 0
    assert numbers["lipachat_approvals_waiting", "withdrawal"] == 1
    assert numbers["lipachat_approvals_waiting_age_seconds", "withdrawal"] == 600


async def test_withdrawals_are_counted_by_way_and_by_how_long_they_took(business):
    await business.paid("9000")
    await arrived(business, wait=timedelta(seconds=10))
    await arrived(business, "2000", wait=timedelta(minutes=10), to=TO_TILL)
    failing = await business.approved("500")
    await failing.sent()
    await failing.called(Failed(Unpaid.PROVIDER, "no"))
    numbers = await scraped(business)
    assert numbers["lipachat_withdrawals_ended", "succeeded", "mpesa"] == 1
    assert numbers["lipachat_withdrawals_ended", "failed", "mpesa"] == 1
    assert numbers["lipachat_withdrawals_ended", "succeeded", "till"] == 1
    buckets = {
        key[1]: value
        for key, value in numbers.items()
        if key[0] == "lipachat_withdrawal_seconds_bucket" and key[2:] == ("mpesa", "request")
    }
    assert (buckets["5.0"], buckets["15.0"], buckets["+Inf"]) == (0, 1, 1)
    assert numbers["lipachat_withdrawal_seconds_bucket", "300.0", "till", "approval"] == 0
    assert numbers["lipachat_withdrawal_seconds_bucket", "900.0", "till", "approval"] == 1
    assert numbers["lipachat_withdrawal_seconds_gsum", "mpesa", "approval"] == 10
    business.forward(hours=25)
    assert ("lipachat_withdrawals_ended", "succeeded", "mpesa") not in await scraped(business)


async def test_the_request_counts_from_when_it_was_made_and_the_approval_from_the_last(business):
    await business.paid("9000")
    withdrawal = await business.withdraw()
    business.forward(minutes=30)
    async with business.teller(business.manager) as teller:
        await teller.approve(withdrawal.id, withdrawal.digest)
    payout = await business.payout_of(withdrawal.id)
    business.forward(seconds=20)
    await business.change(payouts, payouts.c.id == payout, state="succeeded", resolved_at=business.now)
    async with business.database.reading(AUDITOR) as connection:
        (one,) = await measure.ended(connection, business.now - timedelta(days=1), (60.0,))
    assert one.took == {"request": measure.Took((0,), 1, 1820.0), "approval": measure.Took((1,), 1, 20.0)}


async def test_the_use_of_saved_methods_is_a_share_of_all_payments(business):
    first = await business.paid()
    numbers = await scraped(business)
    assert numbers["lipachat_payments_ended", "asked", "succeeded", "mpesa"] == 1
    assert not any("saved" in key for key in numbers)
    saved = first.attempt  # of an attempt it is the id of a method that tells
    await business.change(attempts, attempts.c.id == first.attempt, method_id=saved)
    numbers = await scraped(business)
    assert numbers["lipachat_payments_ended", "saved", "succeeded", "mpesa"] == 1


async def test_four_eyes_are_counted_and_a_withdrawal_without_them_is_found(business):
    await business.paid("9000")
    one = await arrived(business)
    await arrived(business, "2000")
    numbers = await scraped(business)
    assert numbers["lipachat_four_eyes_withdrawals",] == 2
    assert numbers["lipachat_four_eyes_approvals",] == 2
    assert numbers["lipachat_four_eyes_violations",] == 0
    async with business.behind() as work:  # as no code of ours does, and the database refuses of an app
        mine = approvals.c.operation_id == one.withdrawal.id
        await work.connection.execute(sa.delete(approvals).where(mine))
    assert (await scraped(business))["lipachat_four_eyes_violations",] == 1


async def test_one_that_needed_two_approvals_and_had_one_is_found(business):
    await business.paid("9000")
    one = await arrived(business)
    async with business.behind() as work:
        mine = operations.c.id == one.withdrawal.id
        await work.connection.execute(sa.update(operations).where(mine).values(approvals_needed=2))
    assert (await scraped(business))["lipachat_four_eyes_violations",] == 1


async def test_fees_are_held_against_the_table(business):
    await business.paid("9000")
    one = await arrived(business)
    numbers = await scraped(business)
    assert (numbers["lipachat_fees_checked",], numbers["lipachat_fees_wrong",]) == (1, 0)
    async with business.behind() as work:  # ten shillings from the net to the fee
        mine = withdrawals.c.id == one.withdrawal.id
        moved = {"fee": withdrawals.c.fee + 1000, "net": withdrawals.c.net - 1000}
        await work.connection.execute(sa.update(withdrawals).where(mine).values(**moved))
    assert (await scraped(business))["lipachat_fees_wrong",] == 1


async def test_a_table_of_the_tenants_own_counts_as_it_stood_when_it_was_asked_for(business):
    band = {"tenant_id": business.tenant, "method_type": "mpesa", "currency": "KES", "from_amount": 0}
    async with business.behind() as work:
        old = band | {"flat": 5000, "ppm": 0, "valid_until": business.now + timedelta(minutes=1)}
        new = band | {"flat": 7000, "ppm": 0, "valid_from": business.now + timedelta(minutes=1)}
        for row in (old, new):
            await work.connection.execute(sa.insert(fees).values(**row, id=new_id()))
    await business.paid("9000")
    one = await arrived(business, wait=timedelta(minutes=10))
    assert one.withdrawal.fee == kes("50")
    numbers = await scraped(business)
    assert (numbers["lipachat_fees_checked",], numbers["lipachat_fees_wrong",]) == (1, 0)


async def test_how_the_day_went_is_read_once_a_minute_and_queues_each_time(business):
    measured = Measured(business.database, lambda: business.now)
    await business.paid("9000")
    await scraped(business, measured)
    await business.pay("70")
    await business.paid("80")
    numbers = await scraped(business, measured)
    assert numbers["lipachat_open", "payment"] == 1
    assert numbers["lipachat_payments_ended", "asked", "succeeded", "mpesa"] == 1
    business.forward(minutes=1)
    numbers = await scraped(business, measured)
    assert numbers["lipachat_payments_ended", "asked", "succeeded", "mpesa"] == 2


async def test_every_name_is_declared_and_every_declared_one_is_told(business):
    await business.paid("9000")
    await arrived(business)
    measured = Measured(business.database, lambda: business.now)
    await measured.measure()
    assert {family.name for family in measured.collect()} == set(NAMES)
    for family in measured.collect():
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(NAMES[family.name][1]), family.name


async def test_dead_letters_are_a_queue(business):
    row = {
        "tenant_id": business.tenant,
        "kind": "hook",
        "external_id": "x",
        "status": "",
        "state": "parked",
        "due_at": business.now,
        "received_at": business.now,
        "body_sealed": b"",
    }
    async with business.behind() as work:
        await work.connection.execute(sa.insert(inbox).values(**row))
    business.forward(hours=2)
    numbers = await scraped(business)
    assert numbers["lipachat_queue_depth", "parked"] == 1
    assert numbers["lipachat_queue_age_seconds", "parked"] == 7200


async def test_a_scrape_of_much_takes_no_table_as_a_whole(business):
    """Where it would, a day's worth of rows more makes each scrape slower."""
    statements = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().startswith("SELECT"):
            statements.append((statement, parameters))

    engine = business.database._reader.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        await Measured(business.database, lambda: business.now).measure()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    wide = [
        statement for statement, parameters in statements if await _scans(business, statement, parameters)
    ]
    assert len(statements) > 12
    assert wide == []


_SMALL = (
    "book_checks",
    "breaches",
    "breakers",
    "tenants",
    "fees",
    "mails",
)  # of few rows, and read as they are


async def _scans(business, statement, parameters):
    """What is scanned as a whole although it grows with the business; PostgreSQL is told to avoid it."""
    async with business.database.reading(OWNER) as connection:
        if business.database.is_postgres:
            await connection.exec_driver_sql("SET enable_seqscan = off")
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines = [row[0] for row in plan if "Seq Scan on" in row[0]]
            await connection.exec_driver_sql("RESET enable_seqscan")
        else:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines = [row[3] for row in plan if row[3].startswith("SCAN") and "USING" not in row[3]]
    return [line for line in lines if not any(f" {table}" in line for table in (*_SMALL, "anon_1"))]
