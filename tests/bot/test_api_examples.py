"""The examples of docs/api-examples.md are answered as they stand there, on both databases.

LIPACHAT_WRITE_TRANSCRIPTS=1 writes the answers; read the difference.
"""

import os
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from services.ids import new_id
from services.jobs import PAYOUT_LADDER
from services.money import Money
from services.payments import settle
from services.providers.base import Accepted, Succeeded
from services.store.schema import attempts, payouts, tenants
from services.store.scope import OWNER
from services.withdrawals import sending
from services.work import Work
from tests.bot import examples
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.examples import DOCUMENT, Example, Names
from tests.bot.test_api import change
from tests.services.business import floats_known
from tests.services.reconciliation.portal import came, statement

MORE = """
[limits]
per_day = "20000"
[providers.paystack]
secret_key = "sk_test_paystack"
[[staff]]
name = "Njeri"
role = "Owner"
[[products]]
sku = "bread"
name = "Bread"
price = "65"
stock = 10
"""
CSV = {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="friday.csv"'}


class Story:
    """The shop that it is played at."""

    def __init__(self, door, shop, staff):
        self.door, self.shop, self.staff = door, shop, staff
        self.names = Names({name: str(each.person) for name, each in staff.items()})
        self.names.known |= {
            "in_a_week": f"{now() + timedelta(days=7):%Y-%m-%dT18:00:00Z}",
            "in_a_month": f"{now() + timedelta(days=30):%Y-%m-%d}",
            "statement": exported(),
        }

    async def call(self, example):
        path = self.names.put(example.path)
        body = self.names.put(example.body)
        headers = CSV if "/wallet/batches" in path and not body.startswith("{") else {}
        sent = body.encode() if example.body else None
        return await self.staff[example.person].call(example.method, path, sent, **headers)

    async def meanwhile(self, what):
        match what:
            case "the customer pays":
                await self.paid(Money(1630_00, "KES"), "UKO0000001")
            case "two customers pay twice":
                for number in ("0712000001", "0712000002"):
                    await self.paid_twice(number)
            case "M-Pesa takes the withdrawal, and says no more of it":
                await self.left_undecided()
            case _:
                raise AssertionError(what)

    async def paid(self, amount, receipt):
        """What was asked for last."""
        async with self.door.database.transaction(OWNER) as connection:
            query = sa.select(attempts.c.id).order_by(attempts.c.created_at.desc(), attempts.c.id.desc())
            attempt = (await connection.scalars(query.limit(1))).one()
            await settle.settle(self.work(connection), attempt, Succeeded(receipt, amount))

    async def paid_twice(self, number):
        """The first prompt was given up, and answered after the second."""
        njeri = self.staff["Njeri"]
        customer = (await njeri.post("/customers", {"phone": number})).body["id"]
        lines = [{"name": "Soap", "price": "500", "quantity": 1}]
        order = (await njeri.post("/orders", {"customer_id": customer, "lines": lines})).body["id"]
        made = await njeri.post(f"/orders/{order}/checkout", {"provider": "mpesa"})
        first = new_id()
        async with self.door.database.transaction(OWNER) as connection:
            mine = sa.select(attempts).where(attempts.c.payment_id == UUID(made.body["payment_id"]))
            second = (await connection.execute(mine)).one()
            sealed = self.work(connection).seal(
                {"phone_number": f"+254{number[1:]}"}, "attempts.details", first
            )
            own = {"id": first, "state": "expired", "details_sealed": sealed, "reference_sealed": None}
            await connection.execute(sa.insert(attempts).values(dict(second._mapping) | own))
        for attempt, receipt in ((second.id, f"UKO{number}1"), (first, f"UKO{number}2")):
            async with self.door.database.transaction(OWNER) as connection:
                work = self.work(connection)
                await settle.settle(work, attempt, Succeeded(receipt, Money(500_00, "KES")))

    async def left_undecided(self):
        public = "https://pay.example"
        async with self.door.database.transaction(OWNER) as connection:
            mine = sa.select(payouts.c.id).where(
                payouts.c.withdrawal_id == UUID(self.names.known["withdrawal"])
            )
            payout = (await connection.scalars(mine)).one()
        async with self.door.database.transaction(self.shop) as connection:
            work = self.work(connection)
            await floats_known(work)
            assert await sending.begin_payout(work, payout, public)
            await sending.payout_answered(work, payout, Accepted("AG_1"))
            for _ in range(len(PAYOUT_LADDER) + 1):
                await sending.begin_payout_check(work, payout, public)

    def work(self, connection):
        return Work(connection, self.door.vault, self.shop, now())


def exported():
    """What M-Pesa's portal exports: one has paid the till by hand. In a JSON string, without its quotes."""
    at = now() - timedelta(days=2)
    row = came("SJK0000001", at, "70.00", party="254700111222 - TOM T")
    content = statement(at - timedelta(days=1), at + timedelta(days=1), row).decode()
    return content.replace('"', '\\"').replace("\n", "\\n")


def where_it_is_noon():
    """A time zone, so that nothing that is asked for is unusual by its hour, whenever this is played."""
    return f"Etc/GMT{now().hour - 12:+d}"  # whose signs are turned round


async def played(door):
    """What each example was answered, as the document shows it."""
    shop = await door.open_shop(more=MORE)
    await change(door, tenants, tenants.c.id == shop, timezone=where_it_is_noon())
    await door.fund(shop, "10000")
    staff = {name: await caller(door, shop, name) for name in ("Njeri", "Kamau", "Achieng")}
    story = Story(door, shop, staff)
    for step in examples.steps(DOCUMENT.read_text()):
        if not isinstance(step, Example):
            await story.meanwhile(step.what)
            continue
        said = await story.call(step)
        assert said.status < 300, (step.method, step.path, said.body)
        yield step, story.names.answer(step.path, said.status, said.body)


async def test_each_example_is_answered_as_it_stands(database, vault):
    async with opened(database, vault) as door:
        told = [each async for each in played(door)]
    if os.environ.get("LIPACHAT_WRITE_TRANSCRIPTS"):
        DOCUMENT.write_text(examples.written(DOCUMENT.read_text(), [answer for _, answer in told]))
    for step, answer in told:
        assert answer == step.answer, f"{step.method} {step.path} as {step.person}"
