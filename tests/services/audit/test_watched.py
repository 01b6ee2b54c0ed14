"""That the watch over all tests of the services watches all tables, and sees what it should."""

import ast
from collections import Counter

import pytest
import sqlalchemy as sa

from services import ledger
from services.payments import methods
from services.people import people
from services.store.schema import metadata, staff
from tests.services.business import kes
from tests.services.watched import ROOT, UNSAID, UNWATCHED, WATCHED, watching

POSTED = ("transfers", "services/ledger")


def test_every_table_is_watched_or_said_why_not():
    counted = Counter([*WATCHED, *UNWATCHED])
    assert set(counted) == set(metadata.tables), "add it to tests/services/watched.py"
    assert set(counted.values()) == {1}
    assert all(UNWATCHED.values())


@pytest.mark.parametrize(("table", "site"), UNSAID, ids=str)
def test_what_is_left_out_is_there(table, site):
    assert table in WATCHED
    path, _, function = site.partition(":")
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert function in {each.name for each in ast.walk(tree) if isinstance(each, functions)}


async def test_a_commit_that_says_nothing_is_found(sqlite, business_on_sqlite):
    business = business_on_sqlite
    with watching(sqlite, unsaid={}) as watch:
        async with business.work() as work:
            await people.use_language(work, business.customer, "sw")
        async with business.work() as work:
            await methods.prefer(work, business.customer, "mpesa", business.customer)
        async with (
            business.behind() as work
        ):  # what a savepoint takes back, what finds no row, and a test's own
            attempt = await work.connection.begin_nested()
            await people.use_language(work, business.customer, "fr")
            await attempt.rollback()
            await people.use_language(work, business.tenant, "fr")
            await work.connection.execute(sa.update(staff).values(scopes=[]))
    site = ("people", "services/people/people.py:use_language")
    assert watch.silent == {(*site, ())}
    assert watch.seen == {site, ("people", "services/payments/methods.py:_prefer")}


async def test_money_that_moves_without_an_entry_is_found(sqlite, business_on_sqlite):
    business = business_on_sqlite
    with watching(sqlite) as watch:
        paying = await business.paid("500")
        assert (watch.silent, watch.seen & {POSTED}) == (set(), {POSTED})
        async with business.work() as work:
            back = ledger.Transfer(ledger.WALLET, "provider:mpesa", kes("1"), "reversal")
            await ledger.post(work, paying.attempt, [back])
    assert watch.silent == {(*POSTED, ())}
