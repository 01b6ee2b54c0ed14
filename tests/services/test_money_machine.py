"""The money machine: payments and withdrawals in any order, with duplicate, late and contradictory
callbacks, crashes and forbidden decisions, and the books right after every act."""

import asyncio
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.safety.vault import Vault
from services.store.database import Database
from tests.conftest import empty
from tests.services.business import Business
from tests.services.program import Program

WHICH = st.integers(0, 5)
HOW = st.integers(0, 65)
ACTS = (
    "pay",
    "send_prompt",
    "callback",
    "query",
    "wait",
    "give_up",
    "withdraw",
    "approve",
    "reject",
    "cancel",
    "expire",
    "send_payout",
    "payout_result",
    "unfreeze",
    "refund",
    "resolve_twice",
    "decide_refund",
    "send_refund",
    "refund_result",
    "taken_back",
    "settle",
    "decide_settlement",
    "returned",
)
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))


async def opened(database: Database) -> Program:
    """A shop with a fee of 2.5 % and two sales in the till, so that there is money to withdraw."""
    await empty(database)
    business = await Business(database, Vault([bytes(range(32))])).open(payment_fee_ppm=25_000)
    return Program(business, [await business.paid("3000") for _ in range(2)])


class MoneyMachine(RuleBasedStateMachine):
    url: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.database = Database(self.url, pool_size=2)
        self.program = self.runner.run(opened(self.database))

    def act(self, name: str, which: int, how: int) -> None:
        self.runner.run(self.program.act(name, which, how))

    @rule(which=WHICH, how=HOW)
    def pay(self, which: int, how: int) -> None:
        self.act("pay", which, how)

    @rule(which=WHICH, how=HOW)
    def send_prompt(self, which: int, how: int) -> None:
        self.act("send_prompt", which, how)

    @rule(which=WHICH, how=HOW)
    def callback(self, which: int, how: int) -> None:
        self.act("callback", which, how)

    @rule(which=WHICH, how=HOW)
    def callback_again(self, which: int, how: int) -> None:
        for _ in range(2):
            self.act("callback", which, how)

    @rule(which=WHICH, how=HOW)
    def query(self, which: int, how: int) -> None:
        self.act("query", which, how)

    @rule()
    def wait(self) -> None:
        self.act("wait", 0, 0)

    @rule(which=WHICH, how=HOW)
    def give_up(self, which: int, how: int) -> None:
        self.act("give_up", which, how)

    @rule(which=WHICH, how=HOW)
    def withdraw(self, which: int, how: int) -> None:
        self.act("withdraw", which, how)

    @rule(which=WHICH, how=HOW)
    def approve(self, which: int, how: int) -> None:
        self.act("approve", which, how)

    @rule(which=WHICH, how=HOW)
    def reject(self, which: int, how: int) -> None:
        self.act("reject", which, how)

    @rule(which=WHICH, how=HOW)
    def cancel(self, which: int, how: int) -> None:
        self.act("cancel", which, how)

    @rule(which=WHICH, how=HOW)
    def expire(self, which: int, how: int) -> None:
        self.act("expire", which, how)

    @rule(which=WHICH, how=HOW)
    def send_payout(self, which: int, how: int) -> None:
        self.act("send_payout", which, how)

    @rule(which=WHICH, how=HOW)
    def payout_result(self, which: int, how: int) -> None:
        self.act("payout_result", which, how)

    @rule(which=WHICH, how=HOW)
    def payout_result_again(self, which: int, how: int) -> None:
        for _ in range(2):
            self.act("payout_result", which, how)

    @rule(which=WHICH, how=HOW)
    def refund(self, which: int, how: int) -> None:
        self.act("refund", which, how)

    @rule(which=WHICH, how=HOW)
    def refund_at_once(self, which: int, how: int) -> None:
        """So that whole ways are walked: asked, approved, sent, told."""
        for name, sure in (("refund", how), ("decide_refund", 3), ("send_refund", 1), ("refund_result", how)):
            self.act(name, which if name == "refund" else -1, sure)

    @rule(which=WHICH, how=HOW)
    def resolve_twice(self, which: int, how: int) -> None:
        self.act("resolve_twice", which, how)

    @rule(which=WHICH, how=HOW)
    def decide_refund(self, which: int, how: int) -> None:
        self.act("decide_refund", which, how)

    @rule(which=WHICH, how=HOW)
    def send_refund(self, which: int, how: int) -> None:
        self.act("send_refund", which, how)

    @rule(which=WHICH, how=HOW)
    def refund_result(self, which: int, how: int) -> None:
        self.act("refund_result", which, how)

    @rule(which=WHICH, how=HOW)
    def taken_back(self, which: int, how: int) -> None:
        self.act("taken_back", which, how)

    @rule(which=WHICH, how=HOW)
    def settle(self, which: int, how: int) -> None:
        self.act("settle", which, how)

    @rule(which=WHICH, how=HOW)
    def decide_settlement(self, which: int, how: int) -> None:
        self.act("decide_settlement", which, how)

    @rule(which=WHICH, how=HOW)
    def settle_at_once(self, which: int, how: int) -> None:
        """So that whole ways are walked: sent, said, approved, and told after all."""
        for name, one, sure in (
            ("withdraw", 1, 0),
            ("approve", -1, 0),
            ("send_payout", -1, 2),
            ("settle", -1, 2 * how),
            ("decide_settlement", -1, 3 + how % 2),
            ("payout_result", -1, how),
        ):
            self.act(name, one, sure)

    @rule(which=WHICH, how=HOW)
    def returned(self, which: int, how: int) -> None:
        self.act("returned", which, how)

    @rule()
    def unfreeze(self) -> None:
        self.act("unfreeze", 0, 0)

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "program"):
            self.runner.run(self.program.prove())

    def teardown(self) -> None:
        if hasattr(self, "program"):
            self.runner.run(self.database.close())
            self.runner.close()


def run(url: str, *, examples: int, steps: int) -> None:
    machine = type("Machine", (MoneyMachine,), {"url": url})
    chosen = settings(PATIENT, max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(machine, settings=chosen)


def test_the_books_are_right_on_sqlite(sqlite_file: str) -> None:
    run(sqlite_file, examples=25, steps=40)


@pytest.mark.postgres
def test_the_books_are_right_on_postgres(postgres_url: str) -> None:
    run(postgres_url, examples=8, steps=30)


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_the_same_program_ends_the_same_on_both_databases(sqlite_file: str, postgres_url: str) -> None:
    @seed(20261124)
    @settings(PATIENT, max_examples=3)
    @given(st.lists(st.tuples(st.sampled_from(ACTS), WHICH, HOW), min_size=20, max_size=60))
    def agree(acts: list[tuple[str, int, int]]) -> None:
        assert asyncio.run(played(sqlite_file, acts)) == asyncio.run(played(postgres_url, acts))

    agree()


async def played(url: str, acts: list[tuple[str, int, int]]) -> tuple[list[str], dict[str, Any]]:
    database = Database(url, pool_size=2)
    program = await opened(database)
    said = [await program.act(*act) for act in acts]
    await program.prove()
    outcome = await program.outcome()
    await database.close()
    return said, outcome


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path / 'machine.db')}"
