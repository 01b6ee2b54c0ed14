"""Refunds of a payment that its provider lists, ours and others', in any order and however often they are
told: the books say what the provider's do."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.errors import Refusal
from services.news import Unpaid
from services.providers.base import Accepted, Failed, Pending, Report, Succeeded, Unknown, Word
from services.refunds import still_paid
from services.review import subject
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import attempts, refund_attempts, refunds
from tests.conftest import empty
from tests.services.business import Business, kes
from tests.services.refunding import Refunding, approve, ask

PAID, RECEIPT = 500, "4000000000"


@dataclass
class There:
    """A refund in the provider's own list; `note`: the id of ours that stands with it."""

    id: str
    shillings: int
    note: UUID | None
    status: str = "pending"
    kept: bool = True  # the note, as it was sent

    def told(self) -> Report:
        amount = kes(str(self.shillings))
        words: dict[str, Word] = {
            "pending": Pending("pending"),
            "processed": Succeeded(self.id, amount),
            "failed": Failed(Unpaid.RECEIVER, "failed", returned=amount),
        }
        names = frozenset({self.id} | ({str(self.note)} if self.note and self.kept else set()))
        facts = {
            "reference": self.id,
            "payout_references": names,
            "original": RECEIPT,
            "called": f"refund-{self.id}",
        }
        return Report("refund_query", names, words[self.status], facts)


class Walk:
    """A payment of 500, and what is done about it on both sides."""

    def __init__(self, business: Business) -> None:
        self.business = business
        self.there: list[There] = []
        self.lost: list[Refunding] = []

    async def open(self) -> "Walk":
        self.paying = await self.business.paid(str(PAID))
        of = attempts.c.id == self.paying.attempt
        await self.business.change(attempts, of, provider="paystack", receipt=RECEIPT)
        return self

    @property
    def left(self) -> int:
        return PAID - sum(each.shillings for each in self.there if each.status != "failed")

    async def ours(self, shillings: int, answer: str) -> None:
        """Asked for, approved and sent. "lost": they have it, and we hear nothing; "mangled": and they have
        changed the note; "never": they have not."""
        try:
            refund = await approve(self.business, await ask(self.business, self.paying, str(shillings)))
        except Refusal:
            return
        one = await Refunding.of(self.business, refund)
        if not await one.begun():
            return
        if answer == "never" or shillings > self.left:
            self.lost.append(one)
            await one.answered(Unknown("HTTP 500"))
            return
        made = There(str(15_000_000 + len(self.there)), shillings, one.attempt, kept=answer != "mangled")
        self.there.append(made)
        told = Accepted(made.id, told=made.told())
        await one.answered(told if answer == "told" else Unknown("HTTP 500"))

    def others(self, shillings: int) -> None:
        if shillings <= self.left:
            self.there.append(There(str(15_000_000 + len(self.there)), shillings, None, "processed"))

    def goes_on(self, which: int, status: str) -> None:
        """Of ours: what others have made stays as it is."""
        ours = [each for each in self.there if each.note]
        if ours and (one := ours[which % len(ours)]).status != "failed":
            one.status = status if one.status == "pending" else "failed"

    async def listed(self) -> None:
        facts = {"original": RECEIPT, "refunds": tuple(each.told() for each in self.there)}
        report = Report("refunded_query", frozenset({RECEIPT}), Pending(""), facts)
        async with self.business.work() as work:
            await still_paid.told(work, self.paying.attempt, report)
            assert await self.business.breaches(work) == []

    async def settled(self) -> None:
        """Two people find what became of those of which nothing is told; then the payment is asked about."""
        for one in self.lost:
            async with self.business.work() as work:
                await (await subject.locked(work, one.attempt)).not_paid(work)
        for each in self.there:
            if each.note and not each.kept:
                each.status = "failed" if each.status == "failed" else "processed"
                async with self.business.work() as work:
                    said = await subject.locked(work, each.note)
                    await (said.paid(work, each.id) if each.status == "processed" else said.not_paid(work))
        for _ in range(2):
            await self.listed()

    async def prove(self) -> None:
        """What has left is what the provider says that it gave back."""
        await self.settled()
        gone = sum(each.shillings for each in self.there if each.status == "processed")
        balances = await self.business.balances()
        assert balances.get("wallet", 0) + balances.get("owed", 0) == (PAID - gone) * 100
        for one in self.there:
            if one.note:
                refund_id = (await self.business.row(refund_attempts, one.note)).refund_id
                wanted = {"pending": "processing", "processed": "completed", "failed": "failed"}
                assert (await self.business.row(refunds, refund_id)).status == wanted[one.status]


AMOUNT = st.integers(10, 500)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("ours"), AMOUNT, st.sampled_from(["told", "lost", "mangled", "never"])),
        st.tuples(st.just("others"), AMOUNT),
        st.tuples(st.just("goes_on"), st.integers(0, 5), st.sampled_from(["pending", "processed", "failed"])),
        st.tuples(st.just("listed")),
    ),
    max_size=10,
)


def walked(url: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ACTS)
    @example([("ours", 200, "mangled"), ("goes_on", 0, "processed"), ("listed",)])
    @example([("ours", 200, "told"), ("goes_on", 0, "processed"), ("listed",), ("goes_on", 0, "failed")])
    def walk(acts: list[tuple[Any, ...]]) -> None:
        asyncio.run(_walk(url, acts))

    walk()


async def _walk(url: str, acts: list[tuple[Any, ...]]) -> None:
    database = Database(url, pool_size=2)
    await empty(database)
    walk = await Walk(await Business(database, Vault([bytes(range(32))])).open()).open()
    for name, *how in acts:
        done = getattr(walk, name)(*how)
        if done is not None:
            await done
    await walk.prove()
    await database.close()


def test_the_books_say_what_the_list_says_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    walked(f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path / 'listed.db')}", 40)


@pytest.mark.postgres
def test_the_books_say_what_the_list_says_on_postgres(postgres_url: str) -> None:
    walked(postgres_url, 10)


@pytest.mark.parametrize("answer", ["lost", "told"])
async def test_a_second_one_with_our_note_is_taken_back_as_anybody_elses(
    business: Business, answer: str
) -> None:
    walk = await Walk(business).open()
    await walk.ours(200, answer)
    walk.there[0].status = "processed"
    walk.there.append(There("15000099", 200, walk.there[0].note, "processed"))
    for _ in range(2):
        await walk.listed()
        walk.there.reverse()
    assert (await business.balances())["wallet"] == 100_00
    assert (await business.alerts()).count("payment.taken_back") == 1


async def test_one_that_was_made_against_the_word_of_two_people_comes_back_once(business: Business) -> None:
    walk = await Walk(business).open()
    await walk.ours(200, "told")
    made = walk.there[0]
    assert made.note is not None
    async with business.work() as work:
        await (await subject.locked(work, made.note)).not_paid(work)
    for status, wallet in (("processed", 300_00), ("failed", 500_00)):
        made.status = status
        for _ in range(3):
            await walk.listed()
        assert (await business.balances())["wallet"] == wallet
    assert (await business.alerts()).count("refund.returned") == 1
    again = await Refunding.of(business, await approve(business, await ask(business, walk.paying, "500")))
    assert await again.begun()
