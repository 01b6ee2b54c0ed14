"""A6: a thousand races of approve, reject, cancel, expire and execute, in random order, over eight
connections of PostgreSQL. Each has one winner, whoever comes second hears of it, and the sums stay right."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import approval, ledger
from services.errors import NotPending
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.store.schema import conversations, holds, operations, payouts, withdrawals
from services.store.scope import OWNER
from services.withdrawals import decide, destinations, sending
from services.withdrawals.record import WITHDRAWAL, facts
from services.work import Work
from tests.conftest import BOTH
from tests.services.business import PUBLIC, TO_PHONE, kes

RACES, WORKERS = 500, 8  # two halves, so that two cores share them
ENDED = {"approved": "processing", "rejected": "rejected", "canceled": "canceled", "expired": "expired"}


@pytest.mark.parametrize("half", [1, 2])
@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_a6_of_decisions_at_once_exactly_one_wins_and_the_sums_are_intact(business, half):
    rng = random.Random(half)
    ids = await waiting(business, rng)
    acts = Acts(business)
    runners: list[tuple[Any, UUID]] = []
    for id_ in ids:
        mine = rng.sample(acts.decisions, 2)
        mine.insert(rng.randint(1, 2), acts.execute)
        runners += [(act, id_) for act in mine]
    queue = iter(runners)  # the contenders of one race are taken at the same time

    async def worker():
        for act, id_ in queue:
            await act(id_)

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    for id_ in ids:  # what was approved after its execution was tried is executed now
        if acts.won[id_, "approved"] and not acts.begun[id_]:
            await acts.execute(id_)
    await proven(business, ids, acts)


class Acts:
    """What people and clocks do, and who of them won."""

    def __init__(self, business):
        self.business = business
        self.won: Counter[Any] = Counter()
        self.begun: Counter[UUID] = Counter()
        self.seen: dict[UUID, list[str]] = {}
        self.decisions = [self.approve, self.approve_too, self.reject, self.cancel, self.expire]

    async def approve(self, id_):
        await self._decide(id_, "approved", lambda work: self._approve(work, self.business.manager, id_))

    async def approve_too(self, id_):
        await self._decide(id_, "approved", lambda work: self._approve(work, self.business.owner, id_))

    async def reject(self, id_):
        owner = self.business.owner
        await self._decide(id_, "rejected", lambda work: decide.reject(work, owner, id_, "not today"))

    async def cancel(self, id_):
        await self._decide(id_, "canceled", lambda work: decide.cancel(work, self.business.cashier, id_))

    async def expire(self, id_):
        """By a clock that is a day ahead; what it did is seen by the row."""
        async with self.business.database.transaction(OWNER) as connection:
            later = self.business.now + timedelta(hours=25)
            work = Work(connection, self.business.vault, self.business.tenant, later)
            before = await approval.locked(work, WITHDRAWAL, id_)
            await decide.expire(work, id_)
        if before.state == "pending":
            self.won[id_, "expired"] += 1

    async def execute(self, id_):
        async with self.business.work() as work:
            mine = (payouts.c.tenant_id == work.tenant, payouts.c.withdrawal_id == id_)
            query = sa.select(payouts.c.id).where(*mine)
            payout_id = await work.connection.scalar(query)
            if payout_id and await sending.begin_payout(work, payout_id, PUBLIC) is not None:
                self.begun[id_] += 1

    async def _approve(self, work, person, id_):
        row = await approval.locked(work, WITHDRAWAL, id_)
        return await decide.approve(work, person, id_, row.digest)

    async def _decide(self, id_, state, act):
        try:
            async with self.business.work() as work:
                after = await act(work)
        except NotPending as decided:
            self.seen.setdefault(id_, []).append(decided.status)
        else:
            self.won[id_, state] += after.status != "pending"


async def waiting(business, rng):
    """Withdrawals that wait, written at once: asking for each would take longer than the races."""
    ids, rows, ops, held = [new_id() for _ in range(RACES)], [], [], []
    async with business.behind() as work:
        await work.connection.execute(sa.delete(conversations))  # telling everybody would take the most time
        funds = [Transfer("provider:mpesa", WALLET, kes("1000000"), "opening")]
        await ledger.post(work, new_id(), funds)
        account = ledger.account_id(business.tenant, WALLET, "KES")
        own = {"tenant_id": business.tenant, "maker_id": business.cashier, "created_at": business.now}

        for id_ in ids:
            amount = rng.randint(50, 900) * 100
            money = {"amount": amount, "fee": 33_00, "net": amount - 33_00, "currency": "KES"}
            row = own | money | {"id": id_, "status": "pending", "method_type": "mpesa"}
            row |= {"new_destination": True, **destinations.seal(work, TO_PHONE, id_)}
            op = own | {"id": id_, "kind": "withdrawal", "round": 1, "step_up": False, "state": "pending"}
            op |= {
                "approvals_needed": rng.choice((1, 1, 2)),
                "expires_at": business.now + timedelta(hours=24),
            }
            op["digest"] = approval.digest(
                business.tenant, SimpleNamespace(**op), facts(SimpleNamespace(**row))
            )
            rows.append(row)
            ops.append(op)
            hold = {"tenant_id": business.tenant, "id": id_, "account_id": account, "amount": amount}
            held.append(hold | {"state": "open", "created_at": business.now})
        for table, made in ((operations, ops), (withdrawals, rows), (holds, held)):
            await work.connection.execute(sa.insert(table), made)
        total = sum(row["amount"] for row in rows)
        await work.connection.execute(
            sa.text("UPDATE accounts SET held = :held WHERE id = :id"), {"held": total, "id": account}
        )
    return ids


async def proven(business, ids, acts):
    async with business.behind() as work:
        query = (
            sa.select(withdrawals.c.id, withdrawals.c.status, withdrawals.c.amount, operations.c.state)
            .join(operations, operations.c.id == withdrawals.c.id)
            .where(withdrawals.c.id.in_(ids))
        )
        rows = {row.id: row for row in await work.connection.execute(query)}
        open_holds = sa.select(holds.c.id, holds.c.amount).where(holds.c.state == "open")
        still = {row.id: row.amount for row in await work.connection.execute(open_holds)}
        held = (await ledger.balance(work, "KES")).held
        sent = Counter((await work.connection.execute(sa.select(payouts.c.withdrawal_id))).scalars())
    ended = Counter(row.state for row in rows.values())
    assert set(ended) >= {"approved", "rejected", "canceled", "expired"}  # the races are no foregone ones
    for id_, row in rows.items():
        winners = {state: acts.won[id_, state] for state in ENDED if acts.won[id_, state]}
        if row.state == "pending":  # one of two approvals, and nobody else came
            assert (winners, row.status) == ({}, "pending")
        else:
            assert winners == {row.state: 1}
            assert row.status == ENDED[row.state]
        assert set(acts.seen.get(id_, [])) <= {row.status}
        assert sent[id_] == acts.begun[id_] == (row.state == "approved")
        assert (id_ in still) == (row.status in ("pending", "processing"))
    assert held.minor == sum(still.values())
