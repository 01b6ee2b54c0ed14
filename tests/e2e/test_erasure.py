"""People are erased while the processes take their messages, answer them, and hear what becomes of their
payments: nothing of them comes back, nobody waits in a ring, and the books and the audit stand."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.commands.persons import erase_person
from bot.parts import CannotRun
from bot.settings import load
from services.privacy.traces import Traces
from services.safety.rotation import SEALED
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import attempts, conversations, inbox, metadata, outbox, payments, people
from services.store.scope import OWNER
from tests.e2e.crowd import PEOPLE

LEAVING = PEOPLE[:3]
SEEN_SECONDS = 2.5  # a process looks its tenants up once a second
LONG_AGO = timedelta(days=40)
PATIENCE = 60.0
_OPENED = {each.column: each for each in SEALED}


class Leaving:
    """Somebody who writes and pays until they are no longer found by their number."""

    def __init__(self, place, database, settings, phone):
        self.person, self.database, self.settings = place.town.person(phone.key), database, settings
        self.phone, self.id, self.refusals, self.gone = phone, None, [], False

    async def pays_and_goes(self, amount):
        await self.person.says(f"pay {amount}")
        await self.person.hears("Pay *KES")
        async with self.database.reading(OWNER) as connection:
            known = sa.select(people.c.id).where(people.c.name == self.phone.name)
            self.id = (await connection.execute(known)).scalar_one()
        await self.person.taps("Pay")
        await self.person.hears("Enter your M-Pesa PIN")
        talking = asyncio.create_task(self._talks(amount))
        try:
            async with asyncio.timeout(PATIENCE):
                await self._is_erased()
        finally:
            self.gone = True
            await talking

    async def _talks(self, amount):
        n = 0
        while not self.gone:
            n += 1
            await self.person.says(("menu", f"pay {amount + n}", "orders", "hello")[n % 4])
            if n % 4 == 2:
                await asyncio.sleep(0.05)
                await self._taps_what_is_there()
            await asyncio.sleep(0.03)

    async def _taps_what_is_there(self):
        with contextlib.suppress(AssertionError):  # the last message has no such button
            await self.person.taps("Pay")

    async def _is_erased(self):
        while True:
            try:
                await erase_person(
                    self.settings,
                    "mama-njeri",
                    str(self.id),
                    really=True,
                    say=self._is_detached,
                    seen=SEEN_SECONDS,
                )
            except CannotRun as refused:
                self.refusals.append(str(refused))
                await self._time_goes_by()
                await asyncio.sleep(0.1)
            else:
                return

    def _is_detached(self, _line):
        self.gone = True

    async def _time_goes_by(self):
        """What is decided of theirs was long ago."""
        then = datetime.now(UTC) - LONG_AGO
        theirs = sa.select(payments.c.id).where(payments.c.person_id == self.id)
        decided = attempts.c.state.in_(("succeeded", "failed", "expired"))
        async with self.database.transaction(OWNER) as connection:
            await connection.execute(
                sa.update(attempts).where(attempts.c.payment_id.in_(theirs), decided).values(created_at=then)
            )
            paid = sa.update(payments).where(payments.c.person_id == self.id, payments.c.paid_at.is_not(None))
            await connection.execute(paid.values(paid_at=then))


async def prompts_are_answered(town):
    """By whoever has them on the phone; every third one is declined."""
    n = 0
    while True:
        for prompt in (await town.get("/prompts"))["prompts"]:
            if prompt["state"] == "asking":
                n += 1
                await town.post(f"/prompts/{prompt['id']}", {"outcome": "cancel" if n % 3 == 0 else "pay"})
        await asyncio.sleep(0.05)


@pytest.mark.timeout(180)
async def test_nothing_of_who_is_erased_amid_their_own_traffic_comes_back(place, monkeypatch):
    for name, value in place.installation.environment.items():
        if name.startswith("LIPACHAT_"):
            monkeypatch.setenv(name, value)
    database = Database(place.database_url)
    await place.town.post("/faults", {"at": "stk.callback", "fault": "twice", "times": 50})
    everybody = [Leaving(place, database, load(), phone) for phone in LEAVING]
    answering = asyncio.create_task(prompts_are_answered(place.town))
    try:
        await asyncio.gather(*(each.pays_and_goes(1000 + 100 * n) for n, each in enumerate(everybody)))
        await quiet(database)
    finally:
        answering.cancel()
    assert all(each.refusals for each in everybody), "money was under way at first"
    assert await left_of(database, everybody) == []
    assert await rings(database) == 0
    await database.close()
    assert json.loads(place.installation.run("ledger", "check")) == {"ok": True, "breaches": []}
    assert json.loads(place.installation.run("audit", "verify"))["ok"]
    assert json.loads(place.installation.run("events", "list")) == []


async def quiet(database):
    """All that came in is taken, all that is said has gone, and each payment is decided."""
    coming = sa.select(sa.func.count()).where(inbox.c.state == "waiting")
    going = sa.select(sa.func.count()).where(outbox.c.state.in_(("waiting", "sending", "unknown")))
    still = 0
    async with asyncio.timeout(PATIENCE):
        while still < 10:
            async with database.reading(OWNER) as connection:
                now = [await connection.scalar(query) for query in (coming, going)]
            still = still + 1 if now == [0, 0] else 0
            await asyncio.sleep(0.1)


async def left_of(database, everybody):
    """Rows that name who was erased. Whoever wrote after that is somebody new, with the same number; and what
    Meta tells of a message that had gone before is forgotten in time."""
    vault = Vault([bytes(range(32))])
    erased = {each.id for each in everybody}
    traces = Traces(
        {each.phone.number for each in everybody}, {each.phone.user_id for each in everybody}, set()
    )
    found = []
    async with database.reading(OWNER) as connection:
        there = sa.select(people.c.id, people.c.name, people.c.erased_at).where(people.c.id.in_(erased))
        for row in await connection.execute(there):
            assert (row.name, row.erased_at is None) == ("erased customer", False)
        anew = set(await connection.scalars(sa.select(people.c.id).where(people.c.id.not_in(erased))))
        chats = {
            row.id: row.person_id
            for row in await connection.execute(sa.select(conversations.c.id, conversations.c.person_id))
        }
        assert not erased & set(chats.values())
        paid = dict((await connection.execute(sa.select(payments.c.id, payments.c.person_id))).all())
        for table in metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                known = row._mapping
                person = known.get("person_id") or chats.get(known.get("conversation_id"))
                person = person or paid.get(known.get("payment_id"))
                if table is people or table is conversations or person in anew:
                    continue
                if table is inbox and row.kind in ("status", "hook"):
                    continue
                if traces.number_in(opened(vault, table, row)):
                    found.append((table.name, row))
    return found


def opened(vault, table, row):
    """What stands in it, what is sealed opened."""
    told = []
    for column in table.c:
        how, value = _OPENED.get(column), row._mapping[column]
        if how is None or not value:
            told.append(str(value))
        else:
            told.append(vault.open(value, row._mapping[how.tenant], how.name, how.row(row)).decode("latin-1"))
    return "\n".join(told)


async def rings(database):
    """How often PostgreSQL had to break one off."""
    if not database.is_postgres:
        return 0
    statement = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    async with database.reading(OWNER) as connection:
        return await connection.scalar(statement)
