"""Scenes: what people and a shop's programs want, and how they go on until they have it, whatever dies.

Each ends when its money has come to rest: where it was to go, where it came from, or, where nobody can know
whether it left, still held (`HELD`). Amounts are of one scene alone, so that all of its traces can be found.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
import sqlalchemy as sa

from services.ids import new_id
from services.store.schema import (
    attempts,
    inbox,
    jobs,
    operations,
    outbox,
    payments,
    payouts,
    refund_attempts,
    refunds,
    withdrawals,
)
from services.store.scope import OWNER
from tests.crash.ground import Ground
from tests.e2e.town import Town

RESTED, HELD = "settled", "held: unknown"
_STUCK_SECONDS = 1.5  # then what waits is hastened
_LOOK_SECONDS = 0.03
_PIN_SECONDS = 0.2
_QUIET_SECONDS = 0.5

T = TypeVar("T")


class Never(AssertionError):
    """What was waited for has not come."""


class Scenes:
    """`paid`, `withdrawn` and `refunded`: what was wanted, each once; whole shillings."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._town = ground, ground.town
        self._amounts = itertools.count(1001)
        self.paid: list[int] = []
        self.withdrawn: dict[UUID, int] = {}
        self.refunded: dict[UUID, int] = {}

    async def open(self) -> str:
        """Nobody may be written to who has not written in 24 hours; and there is money in the till."""
        for who in ("kamau", "achieng"):
            await self._says(who, "hello")
        for _ in range(4):
            await self.pay()
        return RESTED

    async def rest(self) -> str:
        """Nothing is under way any more: all that came in is taken, and all that is to go out has gone."""
        coming = sa.select(sa.func.count()).where(inbox.c.state == "waiting")
        going = sa.select(sa.func.count()).where(outbox.c.state.in_(("waiting", "sending", "unknown")))

        since = time.monotonic()

        async def quiet() -> bool:
            nonlocal since
            if await self._one(coming) or await self._one(going):
                since = time.monotonic()
            return time.monotonic() - since > _QUIET_SECONDS

        await self._until(quiet, "rest")
        return RESTED

    # --- a customer pays -----------------------------------------------------------------------------

    async def pay(self) -> str:
        """By the chat; the prompt is answered when it rings, and asked for again where none came."""
        amount = next(self._amounts)
        told = f"KES {amount:,}.00"
        wanjiku = Ears(self._town, "wanjiku")
        await self._says("wanjiku", f"pay {amount}")
        await self._until(lambda: wanjiku.heard(f"Pay *{told}*"), f"the question for {told}")
        await self._taps("wanjiku", "Pay")
        self.paid.append(amount)

        async def goes_on() -> bool:
            await self._answer_prompt(amount)
            if await wanjiku.heard(f"Paid: {told}") or await wanjiku.heard(f"arrived after all: {told}"):
                return True
            if await wanjiku.heard_again(f"for {told} is not paid"):
                await self._taps("wanjiku", "Try again")
            return False

        await self._until(goes_on, f"{told} paid", "collect_check", "collect_expire")
        return RESTED

    async def pay_untold(self) -> str:
        """M-Pesa's word is lost on its way, so it has to be asked."""
        await self._town.post("/faults", {"at": "stk.callback", "fault": "lost"})
        return await self.pay()

    # --- the staff withdraw --------------------------------------------------------------------------

    async def withdraw(self, way: str = "mpesa", **to: str) -> str:
        """Asked for by a program, approved in chat."""
        withdrawal = await self._asked(way, **to)
        number = str(withdrawal)[-6:].upper()
        kamau = Ears(self._town, "kamau")
        await self._until(lambda: kamau.heard("is waiting for your decision", number), f"{number} to decide")
        await self._says("kamau", f"approve {number}")
        out = sa.select(withdrawals.c.status).where(withdrawals.c.id == withdrawal)
        sent = sa.select(payouts.c.id, payouts.c.state).where(payouts.c.withdrawal_id == withdrawal)
        return await self._rests(out, sent, "payout", ("completed",))

    async def withdraw_untold(self) -> str:
        await self._town.post("/faults", {"at": "b2c.callback", "fault": "lost"})
        return await self.withdraw()

    async def withdraw_to_till(self) -> str:
        """M-Pesa takes no id of ours for it, and tells once what became of it: which it does once the app is
        there again."""
        await self._town.post("/faults", {"at": "b2b.outcome", "fault": "hang"})
        telling = asyncio.create_task(self._tell_of_till())
        try:
            return await self.withdraw("till", till_number="123456")
        finally:
            telling.cancel()

    async def _tell_of_till(self) -> None:
        while True:
            await asyncio.sleep(_PIN_SECONDS)
            for each in (await self._town.get("/payouts"))["payouts"]:
                if each["state"] == "queued" and "till" in each["number"] and await self._is_there():
                    await self._town.post(f"/payouts/{each['id']}", {"outcome": "succeed"})

    async def expire(self) -> str:
        """Nobody decides, and a day goes by."""
        withdrawal = await self._asked()
        past = datetime.now(UTC) - timedelta(minutes=1)
        async with self._ground.database.transaction(OWNER) as connection:
            old = sa.update(operations).where(operations.c.id == withdrawal)
            await connection.execute(old.values(expires_at=past))
            due = sa.update(jobs).where(jobs.c.target_id == withdrawal)
            await connection.execute(due.values(due_at=past, leased_until=None))
        query = sa.select(withdrawals.c.status).where(withdrawals.c.id == withdrawal)

        async def closed() -> bool:
            return bool(await self._one(query) == "expired")

        await self._until(closed, f"{withdrawal} expired", "withdrawal_expire")
        return RESTED

    async def _asked(self, way: str = "mpesa", **to: str) -> UUID:
        amount = next(self._amounts)
        destination = {"method_type": way, "method_details": to or {"phone_number": "0712345678"}}
        answer = await self._call("Achieng", "/wallet/withdrawals", {"amount": amount} | destination)
        withdrawal = UUID(answer["transaction_id"])
        self.withdrawn[withdrawal] = amount
        return withdrawal

    # --- money goes back -----------------------------------------------------------------------------

    async def refund(self) -> str:
        """Of a payment that has just come in; asked for by one program and approved by another."""
        await self.pay()
        query = sa.select(payments.c.id).where(payments.c.amount == self.paid[-1] * 100)
        payment = await self._one(query)
        answer = await self._call("Kamau", f"/payments/{payment}/refunds", {"reason": "sent back"})
        refund = UUID(answer["refund_id"])
        self.refunded[refund] = self.paid[-1]
        await self._call("Njeri", f"/refunds/{refund}/approve", {})
        went = sa.select(refunds.c.status).where(refunds.c.id == refund)
        sent = sa.select(refund_attempts.c.id, refund_attempts.c.state).where(
            refund_attempts.c.refund_id == refund
        )
        return await self._rests(went, sent, "refund", ("completed",))

    async def refund_untold(self) -> str:
        await self._town.post("/faults", {"at": "reversal.callback", "fault": "lost"})
        return await self.refund()

    # --- how they wait -------------------------------------------------------------------------------

    async def _rests(
        self, status: sa.Select[Any], attempt: sa.Select[Any], kind: str, ends: tuple[str, ...]
    ) -> str:
        """Until it has gone, or nobody can say whether it has: asked about in vain."""

        async def look() -> str | None:
            if await self._one(status) in ends:
                return RESTED
            async with self._ground.database.reading(OWNER) as connection:
                found = (await connection.execute(attempt)).all()
                if not found or found[-1].state != "unknown":
                    return None
                due = sa.select(jobs.c.tries).where(
                    jobs.c.target_id == found[-1].id, jobs.c.kind == f"{kind}_check"
                )
                tries = await connection.scalar(due) or 0
            return HELD if tries > 1 and not await self._left(kind) else None

        return await self._until(look, f"the {kind} at rest", f"{kind}_check", kind)

    async def _left(self, kind: str) -> bool:
        """Whether the provider has one of which we have no word yet; the last of its own books."""
        sent = (await self._town.get("/payouts"))["payouts"]
        if kind == "refund":
            texts = (await self._town.get("/state"))["sms"]
            return any(each["amount"] == self.paid[-1] for each in sent) or any(
                f"Ksh{self.paid[-1]:,}.00" in each["text"] and "reversed" in each["text"] for each in texts
            )
        net = sa.select(withdrawals.c.net).order_by(withdrawals.c.id.desc()).limit(1)
        last = await self._one(net)
        return any(each["amount"] * 100 == last for each in sent)

    async def _until(self, look: Callable[[], Awaitable[T | None]], what: str, *hasten: str) -> T:
        """What `look` finds. What waits for its time is hastened once and again where nothing else happens.
        Raises Never, and Unexpected."""
        end = time.monotonic() + self._ground.patience
        stuck = time.monotonic() + _STUCK_SECONDS
        while time.monotonic() < end:
            self._ground.look()
            if found := await look():
                return found
            if hasten and time.monotonic() > stuck:
                await self._ground.hasten(*hasten)
                stuck = time.monotonic() + _STUCK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        raise Never(f"never came: {what}")

    async def _one(self, query: sa.Select[Any]) -> Any:
        async with self._ground.database.reading(OWNER) as connection:
            return await connection.scalar(query)

    async def _says(self, who: str, words: str) -> None:
        await self._town.post(f"/phones/{who}/text", {"text": words})

    async def _taps(self, who: str, label: str) -> None:
        await self._town.post(f"/phones/{who}/tap", {"choice": label})

    async def _answer_prompt(self, amount: int) -> None:
        """Once the app knows the prompt's name, or has died of it and is there again: M-Pesa tells once, and
        what was told to nobody about a prompt without a name cannot be asked for."""
        named = sa.select(attempts.c.id).join(payments, payments.c.id == attempts.c.payment_id)
        known = await self._one(
            named.where(payments.c.amount == amount * 100, attempts.c.reference_sealed.is_not(None))
        )
        for prompt in (await self._town.get("/prompts"))["prompts"]:
            asking = prompt["state"] == "asking" and prompt["amount"] == amount
            died = prompt["at"] / 1000 < self._ground.restarted
            if asking and (known or died) and await self._is_there():
                await self._town.post(f"/prompts/{prompt['id']}", {"outcome": "pay"})

    async def _is_there(self) -> bool:
        try:
            async with self._town.http.get(f"{self._ground.url}/livez") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    async def _call(self, who: str, path: str, body: Any, **head: str) -> Any:
        """As programs should: the same request under the same key, until it is answered."""
        told = head | {"Idempotency-Key": str(new_id())}

        async def answered() -> Any:
            try:
                status, answer = await self._ground.programs[who]("POST", path, body, **told)
            except (aiohttp.ClientError, OSError):
                return None
            if status == 503 or (status == 409 and answer["code"] == "idempotency_key_in_use"):
                return None
            assert status in (200, 201), answer
            return answer

        return await self._until(answered, f"an answer of {path}")


class Ears:
    """What is new on a phone since now."""

    def __init__(self, town: Town, who: str) -> None:
        self._town, self._who, self._counted = town, who, 0

    async def heard(self, *words: str) -> bool:
        return bool(await self._count(words))

    async def heard_again(self, *words: str) -> bool:
        """Once more than at the last time that this was asked."""
        count = await self._count(words)
        more = count > self._counted
        self._counted = count
        return more

    async def _count(self, words: tuple[str, ...]) -> int:
        chat = await self._town.get(f"/phones/{self._who}/messages")
        return sum(not m["mine"] and all(word in str(m) for word in words) for m in chat["messages"])
