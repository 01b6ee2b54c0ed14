"""A crowd: many people who write at once, each asking for amounts that nobody else asks for, so that it
can be seen which of them were answered, how often, and in what order."""

import asyncio
import re
from collections import Counter
from itertools import pairwise

import sqlalchemy as sa

from bot.sandbox.world import Phone
from services.store.database import Database
from services.store.schema import outbox
from services.store.scope import OWNER
from tests.e2e.town import Town

PEOPLE = tuple(
    Phone(
        key=f"crowd{n}",
        name=f"Person {n}",
        role="customer",
        user_id=f"KE.2{n:03}",
        number=f"+2547100000{n:02}",
    )
    for n in range(20)
)
_ASKED = re.compile(r"Pay \*KES ([\d,]+)\.00\*")
_EACH = 8
_PATIENCE = 60.0


class Crowd:
    def __init__(self, town: Town, database_url: str) -> None:
        self._town, self._database_url = town, database_url
        self.once_each = [_EACH] * len(PEOPLE)
        self.asked = {1000 + 100 * n + turn for n in range(len(PEOPLE)) for turn in range(_EACH)}

    async def talk(self) -> None:
        """All say everything; Meta tells the app one message after the other of each."""
        for turn in range(_EACH):
            for n, phone in enumerate(PEOPLE):
                await self._town.person(phone.key).says(f"pay {1000 + 100 * n + turn}")

    async def answered(self) -> Counter[int]:
        """How often each amount was answered."""
        return Counter(amount for heard in (await self._heard()).values() for amount in heard)

    async def until_answered(self, number: int | None = None) -> Counter[int]:
        """Once so many amounts are, all where it is not said."""
        wanted = len(self.asked) if number is None else number
        async with asyncio.timeout(_PATIENCE):
            while len(answered := await self.answered()) < wanted:  # noqa: ASYNC110  no phone rings
                await asyncio.sleep(0.05)
        return answered

    async def out_of_order(self) -> list[tuple[str, int, int]]:
        """Neighbouring answers of one phone whose questions came the other way round."""
        return [
            (key, earlier, later)
            for key, heard in (await self._heard()).items()
            for earlier, later in pairwise(dict.fromkeys(heard))
            if later < earlier
        ]

    async def said(self) -> tuple[list[int], int]:
        """How many messages turns have left for each person of the crowd, and how many sends of any
        message came after its first."""
        messages = sa.func.count().label("messages")
        query = sa.select(messages, sa.func.sum(outbox.c.tries - 1)).group_by(outbox.c.conversation_id)
        database = Database(self._database_url)
        async with database.reading(OWNER) as connection:
            rows = (await connection.execute(query)).all()
        await database.close()
        return [row.messages for row in rows if row.messages >= _EACH], sum(int(row[1]) for row in rows)

    async def _heard(self) -> dict[str, list[int]]:
        heard: dict[str, list[int]] = {}
        for chat in (await self._town.get("/state"))["chats"]:
            told = [m["text"] for m in chat["messages"] if not m["mine"]]
            heard[chat["phone"]] = [amount for text in told for amount in self._amounts(text)]
        return heard

    def _amounts(self, text: str) -> list[int]:
        found = (int(digits.replace(",", "")) for digits in _ASKED.findall(text))
        return [amount for amount in found if amount in self.asked]
