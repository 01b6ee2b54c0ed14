"""Staff scenes: what the staff want beside withdrawals to a phone. A bank account is paid, a file as a whole,
a schedule comes up by itself, two people settle what M-Pesa tells nobody, and an account there is asked."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import (
    accounts,
    batches,
    jobs,
    payouts,
    rails,
    schedule_runs,
    schedules,
    withdrawals,
)
from services.store.scope import OWNER
from tests.crash.scenes import RESTED, Scenes

_TO = "0712345678"
_CSV = {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="riders.csv"'}
_NEVER_TOLD = 50  # questions
_ENOUGH = 250_000  # cents


class StaffScenes(Scenes):
    """`settled_unpaid`: payouts that two people found unpaid."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.settled_unpaid: set[UUID] = set()

    async def batch(self) -> str:
        """Two lines, approved as one; each is paid once."""
        await self._covered()
        amounts = [next(self._amounts), next(self._amounts)]
        lines = "".join(f"phone,{_TO},{amount}\n" for amount in amounts)
        file = f"to,number,amount\n{lines}".encode()
        asked = UUID((await self._call("Achieng", "/wallet/batches", file, **_CSV))["id"])
        await self._call("Kamau", f"/wallet/batches/{asked}/approve", {})
        done = sa.select(batches.c.id).where(batches.c.id == asked, batches.c.state == "done")
        await self._until(lambda: self._one(done), f"{asked} done", "payout", "payout_check", "batch_done")
        made = await self._made(withdrawals.c.batch_id == asked)
        assert sorted(made.values()) == amounts, "each line is one withdrawal"
        return RESTED

    async def withdraw_to_bank(self) -> str:
        """One that Paystack does not know yet."""
        await self._covered()
        number = f"011{len(self.withdrawn):07}"
        return await self.withdraw(
            "bank_transfer", account_number=number, bank_code="68", account_name="Mama Njeri"
        )

    async def schedule(self) -> str:
        """It comes up once, and is called off before it would come up again."""
        await self._covered()
        amount = next(self._amounts)
        until = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
        rule = {"name": "Earnings", "every": "day", "hour": 0, "most": str(amount), "until": until}
        to = {"method_type": "mpesa", "method_details": {"phone_number": _TO}}
        asked = UUID((await self._call("Achieng", "/wallet/schedules", rule | to))["id"])
        await self._call("Kamau", f"/wallet/schedules/{asked}/approve", {})
        await self._comes_up(asked)
        run = sa.select(schedule_runs.c.withdrawal_id).where(schedule_runs.c.schedule_id == asked)
        withdrawal = await self._until(lambda: self._one(run), f"a run of {asked}", "schedule_run")
        again = sa.select(schedules.c.id).where(
            schedules.c.id == asked, schedules.c.state == "active", schedules.c.next_at > datetime.now(UTC)
        )
        await self._until(lambda: self._one(again), f"the next time of {asked}", "schedule_run")
        rested = await self._paid_out(withdrawal)
        await self._call("Njeri", f"/wallet/schedules/{asked}/cancel", {})
        made = await self._made(withdrawals.c.id.in_(run))
        assert made == {withdrawal: amount}
        return rested

    async def settle_paid(self) -> str:
        """M-Pesa has paid it, and no word of that comes through; two people read it in the portal."""
        await self._town.post("/faults", {"at": "b2c.callback", "fault": "lost"})
        silent = {"at": "status.callback", "fault": "lost", "times": _NEVER_TOLD}
        await self._town.post("/faults", silent)
        withdrawal, payout = await self._undecided()

        async def receipt() -> str | None:
            known = (await self._town.get("/payouts"))["payouts"]
            return next((each["receipt"] for each in known if each["id"] == str(payout)), None) or None

        said = {"outcome": "paid", "reference": await self._until(receipt, "its receipt")}
        rested = await self._settled(withdrawal, payout, said, "completed")
        async with self._town.http.delete(f"{self._town.url}/control/faults?at=status.callback") as answer:
            assert answer.status == 200
        return rested

    async def settle_unpaid(self) -> str:
        """M-Pesa never gets to it; two people find that it was not paid."""
        await self._town.post("/faults", {"at": "b2c.outcome", "fault": "hang"})
        withdrawal, payout = await self._undecided()
        self.settled_unpaid.add(payout)
        said = {"outcome": "not_paid", "reference": "in no statement"}
        return await self._settled(withdrawal, payout, said, "failed")

    async def _undecided(self) -> tuple[UUID, UUID]:
        """Withdrawal and payout, M-Pesa having been asked as often as it is."""
        withdrawal = await self._approved()
        open_ = payouts.c.state.in_(("pending", "unknown"))
        sent = sa.select(payouts.c.id).where(payouts.c.withdrawal_id == withdrawal, open_)
        payout = await self._until(lambda: self._one(sent), f"{withdrawal} sent", "payout")
        async with self._ground.database.transaction(OWNER) as connection:
            asked = sa.update(payouts).where(payouts.c.id == payout)
            await connection.execute(asked.values(undecided_at=datetime.now(UTC)))
        return withdrawal, payout

    async def _settled(self, withdrawal: UUID, payout: UUID, said: dict[str, str], end: str) -> str:
        told = said | {"note": "looked up in the portal"}
        path = f"/payouts/undecided/{payout}/settlements"
        settlement = (await self._call("Achieng", path, told))["id"]
        await self._call("Kamau", f"/settlements/{settlement}/approve", {})
        ended = sa.select(withdrawals.c.id).where(withdrawals.c.id == withdrawal, withdrawals.c.status == end)
        await self._until(lambda: self._one(ended), f"{withdrawal} {end}")
        return RESTED

    async def withdraw_asking(self) -> str:
        """So long after the last payout that the account is asked what it holds."""
        await self._forget_float()
        return await self._paid_out(await self._approved())

    async def withdraw_short(self) -> str:
        """The account that phones are paid from is empty, until somebody fills it out of the other one."""
        await self._forget_float()
        poured = await self._pour_out()
        withdrawal = await self._approved()
        waits = sa.select(payouts.c.id).where(
            payouts.c.withdrawal_id == withdrawal, payouts.c.held == "float", payouts.c.state == "created"
        )
        await self._until(lambda: self._one(waits), f"{withdrawal} held back")
        await self._pour_back(poured)
        await self._forget_float()
        async with self._ground.database.transaction(OWNER) as connection:
            due = sa.update(jobs).where(jobs.c.kind == "payout", jobs.c.leased_until.is_(None))
            await connection.execute(due.values(due_at=datetime.now(UTC)))
        return await self._paid_out(withdrawal)

    async def _covered(self) -> None:
        """There is enough for what is wanted next."""
        query = sa.select(accounts.c.posted - accounts.c.held).where(accounts.c.name == "wallet")
        while await self._one(query) < _ENOUGH:
            await self.pay()

    async def _approved(self) -> UUID:
        await self._covered()
        withdrawal = await self._asked()
        await self._call("Kamau", f"/wallet/withdrawals/{withdrawal}/approve", {})
        return withdrawal

    async def _paid_out(self, withdrawal: UUID) -> str:
        out = sa.select(withdrawals.c.status).where(withdrawals.c.id == withdrawal)
        sent = sa.select(payouts.c.id, payouts.c.state).where(payouts.c.withdrawal_id == withdrawal)
        return await self._rests(out, sent, "payout", ("completed",))

    async def _made(self, which: sa.ColumnElement[bool]) -> dict[UUID, int]:
        """What was asked for all at once; whole shillings."""
        async with self._ground.database.reading(OWNER) as connection:
            query = sa.select(withdrawals.c.id, withdrawals.c.amount).where(which)
            made = {row.id: row.amount // 100 for row in await connection.execute(query)}
        self.withdrawn |= made
        return made

    async def _comes_up(self, schedule: UUID) -> None:
        past = datetime.now(UTC) - timedelta(minutes=1)
        async with self._ground.database.transaction(OWNER) as connection:
            mine = sa.update(schedules).where(schedules.c.id == schedule)
            await connection.execute(mine.values(next_at=past))
            due = sa.update(jobs).where(jobs.c.target_id == schedule, jobs.c.kind == "schedule_run")
            await connection.execute(due.values(due_at=past, leased_until=None))

    async def _forget_float(self) -> None:
        """What was told of it is too old to be believed."""
        old = datetime.now(UTC) - timedelta(minutes=10)
        aged = sa.literal(old, rails.c.float_told_at.type)
        told = sa.case((rails.c.float_told_at.is_not(None), aged))
        async with self._ground.database.transaction(OWNER) as connection:
            row = {"float_told_at": told, "float_asked_at": old, "float_answered_at": old}
            await connection.execute(sa.update(rails).values(row))

    async def _pour_out(self) -> dict[str, Any]:
        """What was in it is in the other account."""
        box = next(each for each in (await self._town.get("/state"))["floats"] if "working" in each)
        await self._town.post("/float", self._filled(box, -box["utility"]))
        return dict(box)

    async def _pour_back(self, before: dict[str, Any]) -> None:
        box = next(each for each in (await self._town.get("/state"))["floats"] if "working" in each)
        await self._town.post("/float", self._filled(box, before["utility"]))

    @staticmethod
    def _filled(box: dict[str, Any], moved: int) -> dict[str, Any]:
        filled = {"utility": box["utility"] + moved, "working": box["working"] - moved}
        return {"shortcode": box["shortcode"]} | filled
