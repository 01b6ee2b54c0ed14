"""Statements: opening + lines = closing = the ledger, whatever happened and wherever it is cut."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.errors import statement as errors
from services.ledger import WALLET, account_id
from services.money import Money
from services.providers.base import Succeeded
from services.refunds.taken_back import taken_back
from services.statement import period, read
from services.statement.period import Period
from services.store.schema import accounts, transfers
from services.work import Work
from tests.services.business import kes
from tests.services.program import Program
from tests.services.refunding import refunded
from tests.services.test_money_machine import ACTS

ZONE = "Africa/Nairobi"
NOON = datetime(2026, 11, 24, 9, tzinfo=UTC)


async def told(business, since, until):
    """The statement and its lines, read in pages of three."""
    async with business.database.snapshot(business.tenant) as connection:
        work = Work(connection, business.vault, business.tenant, business.now)
        cut = Period(since, until)
        statement = await read.statement(work, cut, "KES")
        lines, last = [], None
        while page := await read.page(work, cut, "KES", last, most=3):
            lines += page
            last = await read.after(work, cut, "KES", page[-1].id)
            assert last == read.After(page[-1].at, page[-1].id, page[-1].balance.minor)
        assert [line async for lines in read.pages(work, statement) for line in lines] == lines
    return statement, lines


async def entries(business):
    """What the ledger has of the wallet, by time."""
    wallet = account_id(business.tenant, WALLET, "KES")
    query = sa.select(transfers).where(
        transfers.c.tenant_id == business.tenant,
        sa.or_(transfers.c.source_id == wallet, transfers.c.target_id == wallet),
    )
    async with business.behind() as work:
        rows = (await work.connection.execute(query)).all()
        posted = await work.connection.scalar(sa.select(accounts.c.posted).where(accounts.c.id == wallet))
    return [(row.created_at, row.amount if row.target_id == wallet else -row.amount) for row in rows], posted


@pytest.mark.parametrize("seed", range(2))
async def test_it_adds_up_wherever_a_random_program_is_cut(business, seed):
    chance = random.Random(seed)
    await business.set(payment_fee_ppm=25_000)
    program = Program(business)
    for _ in range(3):
        await business.paid("3000")
    for _ in range(50):
        await program.act(chance.choice(ACTS), chance.randrange(6), chance.randrange(66))
    moved, posted = await entries(business)
    times = sorted({at for at, _ in moved})
    cuts = [at + timedelta(microseconds=step) for at in times for step in (-1, 0, 1)]
    for _ in range(12):
        since, until = sorted(chance.sample(cuts, 2))
        before = sum(amount for at, amount in moved if at < since)
        within = [amount for at, amount in moved if since <= at < until]
        if not within:
            with pytest.raises(errors.EmptyPeriod) as empty:
                await told(business, since, until)
            assert empty.value.balance.minor == before
            continue
        statement, lines = await told(business, since, until)
        assert statement.opening.minor == before
        assert statement.closing.minor == before + sum(within)
        assert statement.count == len(lines) == len(within)
        assert lines[-1].balance == statement.closing
        assert sum((each.amount.minor for each in statement.sums), before) == statement.closing.minor
        assert [line.at for line in lines] == sorted(line.at for line in lines)
    whole, _ = await told(business, times[0], times[-1] + timedelta(microseconds=1))
    assert whole.closing.minor == posted


async def test_what_its_lines_tell(business):
    await business.set(payment_fee_ppm=25_000)
    sale = await business.paid("3000")
    business.forward(minutes=1)
    paying_out = await business.approved("1000")
    await paying_out.sent()
    await paying_out.called(Succeeded("UKO7", kes("967")))
    business.forward(minutes=1)
    await business.withdraw("500")
    business.forward(minutes=1)
    statement, lines = await told(business, NOON, business.now)
    assert [(line.kind, str(line.amount), str(line.balance)) for line in lines] == [
        ("sale", "3000.00", "3000.00"),
        ("sale_fee", "-75.00", "2925.00"),
        ("withdrawal", "-967.00", "1958.00"),
        ("withdrawal_fee", "-33.00", "1925.00"),
    ]
    assert {(line.number, line.provider, line.account) for line in lines[:2]} == {
        (sale.started.number, "mpesa", "********5678")
    }
    assert {(line.withdrawal_id, line.provider, line.account) for line in lines[2:]} == {
        (paying_out.withdrawal.id, "mpesa", "********0111")
    }
    assert all(line.receipt for line in lines)
    assert (str(statement.held), str(statement.owed)) == ("500.00", "0.00")


async def test_what_went_back_names_the_order_that_it_was_paid_for(business):
    sale = await business.paid("1000")
    business.forward(minutes=1)
    await refunded(business, sale, "400")
    business.forward(minutes=1)
    async with business.work() as work:
        await taken_back(work, sale.attempt, "UKV9", kes("250"))
    business.forward(minutes=1)
    _, lines = await told(business, NOON, business.now)
    assert [(line.kind, line.number, line.account, line.receipt) for line in lines] == [
        ("sale", sale.started.number, "********5678", "UKO0000001"),
        ("refund", sale.started.number, "********5678", "UKR1"),
        ("reversal", sale.started.number, "********5678", "UKO0000001"),
    ]


def test_days_are_those_of_the_shops_clocks_and_the_last_one_counts():
    whole = period.days(date(2026, 11, 1), date(2026, 11, 23), ZONE, NOON)
    assert whole == Period(datetime(2026, 10, 31, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC))
    assert period.told("2026-11-01", "2026-11-23", ZONE, NOON) == whole
    assert period.days(date(2026, 11, 1), date(2026, 11, 30), ZONE, NOON).until == NOON


def test_times_are_exact_and_nothing_said_is_this_month_until_now():
    exact = period.told("2026-11-24T08:00:00.000001+03:00", "2026-11-24T06:00:00Z", ZONE, NOON)
    assert exact.since == datetime(2026, 11, 24, 5, 0, 0, 1, tzinfo=UTC)
    assert exact.until == datetime(2026, 11, 24, 6, tzinfo=UTC)
    unescaped = period.told("2026-11-24T08:00:00.000001 03:00", "2026-11-24T06:00:00Z", ZONE, NOON)
    assert unescaped == exact
    assert period.told(None, None, ZONE, NOON) == Period(datetime(2026, 10, 31, 21, tzinfo=UTC), NOON)


@pytest.mark.parametrize(
    ("since", "until", "error"),
    [
        ("2026-13-01", None, errors.InvalidPeriod),
        ("2026-02-30", None, errors.InvalidPeriod),
        ("yesterday", None, errors.InvalidPeriod),
        ("2026-11-01T10:00:00", None, errors.InvalidPeriod),
        ("0001-01-01", None, errors.InvalidPeriod),
        ("9999-12-31", "9999-12-31", errors.InvalidPeriod),
        ("2026-11-24T10:00:00+25:00", None, errors.InvalidPeriod),
        ("2026-11-20", "2026-11-18", errors.PeriodBackwards),
        ("2026-11-20T06:00:00Z", "2026-11-20T06:00:00Z", errors.PeriodBackwards),
        ("2026-11-25", "2026-11-30", errors.PeriodInFuture),
        ("2025-11-01", "2026-11-20", errors.PeriodTooLong),
    ],
)
def test_periods_that_are_none(since, until, error):
    with pytest.raises(error):
        period.told(since, until, ZONE, NOON)


def test_an_end_that_is_far_ahead_is_cut_off_before_the_days_are_counted():
    ahead = period.told("2026-11-01", "2030-01-01", ZONE, NOON)
    assert ahead == Period(datetime(2026, 10, 31, 21, tzinfo=UTC), NOON)
    assert period.told(None, "2099-01-01T00:00:00Z", ZONE, NOON) == ahead
    with pytest.raises(errors.PeriodTooLong):
        period.told("2025-11-01", "2030-01-01", ZONE, NOON)


def test_a_leap_year_is_not_too_long_and_neighbours_share_no_moment():
    period.told("2024-01-01", "2024-12-31", ZONE, NOON)
    for zone in ("Africa/Nairobi", "Africa/Cairo", "Asia/Beirut", "America/Sao_Paulo"):
        days = [date(2017, 1, 1) + timedelta(days=n) for n in range(900)]
        cut = [period.days(day, day, zone, NOON) for day in days]
        assert all(one.until == other.since for one, other in itertools.pairwise(cut))


async def test_a_snapshot_does_not_see_what_comes_meanwhile(business):
    await business.paid("3000")
    business.forward(minutes=1)
    cut = Period(NOON, business.now)
    async with business.database.snapshot(business.tenant) as connection:
        work = Work(connection, business.vault, business.tenant, business.now)
        before = await read.statement(work, cut, "KES")
        late = business.now
        business.now = NOON + timedelta(seconds=30)
        await business.paid("200")
        business.now = late
        assert await read.statement(work, cut, "KES") == before
        assert [len(page) async for page in read.pages(work, before)] == [1]
    after, _ = await told(business, cut.since, cut.until)
    assert after.closing == before.closing + kes("200")


async def test_lines_that_do_not_add_up_are_no_statement(business):
    await business.paid("3000")
    business.forward(minutes=1)
    statement, _ = await told(business, NOON, business.now)
    wrong = statement.model_copy(update={"closing": Money(1, "KES")})
    async with business.database.snapshot(business.tenant) as connection:
        work = Work(connection, business.vault, business.tenant, business.now)
        with pytest.raises(read.DoesNotAddUp):
            assert [page async for page in read.pages(work, wrong)]
