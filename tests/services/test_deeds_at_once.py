"""Eight at once ask, decide, send, settle, change and stop whatever there is, in random order, on PostgreSQL.
Who is broken off for another one's sake begins again, as programs do; nothing is sent twice, and in the end
the books say what the provider's own say."""

import asyncio
import os
import random
from collections import Counter
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.batches import asking as batch_asking
from services.batches import deciding as batch_deciding
from services.errors import Refusal
from services.ids import new_id
from services.money import Money
from services.news import Unpaid
from services.people import tenant_file
from services.people.apply import apply
from services.providers.base import Accepted, Failed, Misconfigured, NotSent, Succeeded, Unknown
from services.refunds import decide as refund_decide
from services.refunds import request as refund_request
from services.refunds import sending as refund_sending
from services.refunds import settle as refund_settle
from services.refunds import taken_back
from services.settings import changing
from services.store.away import is_broken_off
from services.store.schema import (
    attempts,
    batches,
    changes,
    operations,
    payments,
    payouts,
    refund_attempts,
    refunds,
    withdrawals,
)
from services.withdrawals import decide, freeze, request, sending, settle, stop
from tests.conftest import BOTH
from tests.services.business import PUBLIC, TO_PHONE, TO_TILL, destination, kes
from tests.services.refunding import SHOP

DEEDS, WORKERS, TRIES = 600, 8, 5
HOME, ELSEWHERE = "+254722000111", "+254733000999"
WAYS = ("mpesa", "till")
NOT_YET = (NotSent("no connection"), Misconfigured("a wrong initiator"))  # nothing has left
STAFF = {"Wanjiku": "Cashier", "Otieno": "Finance Admin", "Njeri": "Owner", "Baraka": "Owner"}


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_of_deeds_at_once_the_books_are_the_provider_s(business):
    await business.person("Baraka", "Owner")
    async with business.work() as work:
        sealed = work.seal({"phone_number": HOME}, "tenants.payout", business.tenant)
    await business.set(payout_method_type="mpesa", payout_sealed=sealed)
    for _ in range(10):
        await business.paid("2000")
    at_once = AtOnce(business, random.Random(int(os.environ.get("SEED", "1"))))
    deeds = iter([at_once.any() for _ in range(DEEDS)])

    async def worker():
        for deed in deeds:
            for _ in range(TRIES):
                try:
                    await deed()
                except Refusal:
                    at_once.refused += 1
                except Exception as error:
                    if not is_broken_off(error):
                        raise
                    continue
                break

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    await at_once.proven()


class AtOnce:
    """`fates`: what the provider did with each payout that it was sent. `clock`: nobody waits while somebody
    pays, whose prompt would be too old."""

    def __init__(self, business, rng):
        self.business, self.rng, self.refused = business, rng, 0
        self.fates: dict[UUID, str] = {}
        self.clock = asyncio.Lock()
        self.deeds = {
            self.sell: 4,
            self.ask: 8,
            self.approve: 12,
            self.close: 2,
            self.send: 10,
            self.told: 8,
            self.file_of_lines: 2,
            self.approve_file: 3,
            self.refund: 4,
            self.approve_refund: 4,
            self.send_refund: 4,
            self.refund_told: 4,
            self.taken: 1,
            self.change: 5,
            self.approve_change: 6,
            self.take_effect: 4,
            self.apply: 4,
            self.stop: 1,
            self.go_on: 5,
            self.wait: 1,
        }

    def any(self):
        return self.rng.choices(list(self.deeds), list(self.deeds.values()))[0]

    @property
    def somebody(self):
        return self.rng.choice([person for person, scopes in self.business.scopes.items() if scopes])

    async def one(self, column, *where):
        async with self.business.behind() as work:
            rows = (await work.connection.execute(sa.select(column).where(*where))).scalars().all()
        return self.rng.choice(rows) if rows else None

    async def digest(self, id_):
        return await self.one(operations.c.digest, operations.c.id == id_)

    def amount(self, least, most) -> Money:
        return kes(str(self.rng.randint(least, most)))

    # --- withdrawals

    async def ask(self):
        to = self.rng.choice([TO_PHONE, TO_TILL, destination(ELSEWHERE)])
        async with self.business.work() as work:
            quoted = await request.quote(work, self.amount(100, 400), to.method_type)
            await request.request(work, self.somebody, new_id(), quoted, to)

    async def approve(self):
        if id_ := await self.one(withdrawals.c.id, withdrawals.c.status == "pending"):
            digest = await self.digest(id_)
            async with self.business.work() as work:
                await decide.approve(work, self.somebody, id_, digest)

    async def close(self):
        if id_ := await self.one(withdrawals.c.id, withdrawals.c.status == "pending"):
            close = self.rng.choice([decide.reject, decide.cancel])
            async with self.business.work() as work:
                await close(work, self.somebody, id_, "not today")

    async def send(self):
        """One in ten processes is killed before it has the answer."""
        if (id_ := await self.one(payouts.c.id, payouts.c.state.in_(["created", "submitting"]))) is None:
            return
        async with self.business.work() as work:
            if await sending.begin_payout(work, id_, PUBLIC) is None:
                return
        assert id_ not in self.fates, "sent twice"
        if self.rng.random() < 0.1:
            answer = self.rng.choice(NOT_YET)
        else:
            self.fates[id_] = self.rng.choice(["paid", "paid", "failed"])
            answer = self.rng.choice([Accepted(f"AG_{id_.hex}"), Unknown("timeout")])
            if self.rng.random() < 0.1:
                return
        async with self.business.work() as work:
            await sending.payout_answered(work, id_, answer)

    async def told(self):
        if self.fates:
            await self.tell(self.rng.choice(list(self.fates)))

    async def tell(self, id_):
        mine = sa.and_(payouts.c.withdrawal_id == withdrawals.c.id, payouts.c.id == id_)
        net = Money(await self.one(withdrawals.c.net, sa.exists().where(mine)), "KES")
        paid, failed = Succeeded(f"UQ{id_.hex[-8:].upper()}", net), Failed(Unpaid.RECEIVER, "no such number")
        async with self.business.work() as work:
            await settle.settle(work, id_, paid if self.fates[id_] == "paid" else failed)

    async def file_of_lines(self):
        lines = (f"phone,0712345678,{100 + n}\ntill,123456,{200 + n}\n" for n in range(2))
        content = ("to,number,amount\n" + "".join(lines)).encode()
        async with self.business.work() as work:
            await batch_asking.ask_file(work, self.somebody, new_id(), "pay.csv", content, WAYS)

    async def approve_file(self):
        if id_ := await self.one(batches.c.id, batches.c.state == "pending"):
            digest = await self.digest(id_)
            async with self.business.work() as work:
                await batch_deciding.approve(work, self.somebody, id_, digest, WAYS)

    # --- what comes in and goes back

    async def sell(self):
        async with self.clock:
            await self.business.paid(str(self.amount(300, 2500).minor // 100))

    async def refund(self):
        paid = payments.c.status.in_(["succeeded", "partially_refunded"])
        if id_ := await self.one(payments.c.id, paid):
            amount = self.rng.choice([None, self.amount(50, 900)])
            async with self.business.work() as work:
                await refund_request.request(work, SHOP, self.somebody, new_id(), id_, "broken", amount)

    async def approve_refund(self):
        if id_ := await self.one(refunds.c.id, refunds.c.status == "pending"):
            digest = await self.digest(id_)
            async with self.business.work() as work:
                await refund_decide.approve(work, self.somebody, id_, digest)

    async def send_refund(self):
        if id_ := await self.one(refund_attempts.c.id, refund_attempts.c.state == "created"):
            async with self.business.work() as work:
                await refund_sending.begin(work, id_, PUBLIC)

    async def refund_told(self):
        if id_ := await self.one(refund_attempts.c.id, refund_attempts.c.state != "created"):
            mine = sa.and_(refund_attempts.c.refund_id == refunds.c.id, refund_attempts.c.id == id_)
            amount = Money(await self.one(refunds.c.amount, sa.exists().where(mine)), "KES")
            words = [Succeeded(f"UR{id_.hex[-8:].upper()}", amount), Failed(Unpaid.PROVIDER, "no")]
            async with self.business.work() as work:
                await refund_settle.settle(work, id_, self.rng.choice(words))

    async def taken(self):
        if id_ := await self.one(attempts.c.id, attempts.c.state == "succeeded"):
            async with self.business.work() as work:
                await taken_back.taken_back(work, id_, f"D{new_id().hex}", self.amount(100, 2000))

    # --- what the rules are

    async def change(self):
        to = {"method_type": "mpesa", "method_details": {"phone_number": self.rng.choice([HOME, ELSEWHERE])}}
        limits = {"approvals": self.rng.choice([1, 2])}
        kind, wanted = self.rng.choice([("destination", to), ("limits", limits), ("resume", {})])
        async with self.business.work() as work:
            await changing.ask(work, self.somebody, new_id(), kind, wanted)

    async def approve_change(self):
        if id_ := await self.one(changes.c.id, changes.c.state == "pending"):
            digest = await self.digest(id_)
            async with self.business.work() as work:
                await changing.approve(work, self.somebody, id_, digest)

    async def take_effect(self):
        if id_ := await self.one(changes.c.id, changes.c.state == "cooling"):
            await self.business.change(changes, changes.c.id == id_, due_at=self.business.now)
            async with self.business.work() as work:
                await changing.take_effect(work, id_)

    async def apply(self):
        listed = [f'[[staff]]\nname = "{name}"\nrole = "{role}"\n' for name, role in STAFF.items()]
        if self.rng.random() < 0.3:
            listed[-1] += "active = false\n"
        file = (
            f'[tenant]\nslug = "{self.business.slug}"\n[limits]\napprovals = {self.rng.choice([1, 2])}\n'
            f'[payout]\nmethod_type = "mpesa"\nmethod_details = {{ phone_number = "{HOME}" }}\n'
        )
        async with self.business.work() as work:
            await apply(work, tenant_file.read(file + "".join(listed)))

    async def stop(self):
        async with self.business.work() as work:
            await stop.stop(work, self.somebody)

    async def go_on(self):
        async with self.business.work() as work:
            await freeze.unfreeze(work, "operator")
            await stop.start_again(work, "operator")

    async def wait(self):
        async with self.clock:
            self.business.forward(minutes=self.rng.choice([0.5, 1, 2, 31]))

    # --- in the end

    async def proven(self):
        """Once the provider has told of all."""
        for id_ in self.fates:
            await self.tell(id_)
        query = sa.select(payouts, withdrawals.c.status).join(
            withdrawals, withdrawals.c.id == payouts.c.withdrawal_id
        )
        async with self.business.behind() as work:
            rows = (await work.connection.execute(query)).all()
        paid = Counter(row.withdrawal_id for row in rows if self.fates.get(row.id) == "paid")
        assert set(paid.values()) == {1}
        for row in rows:
            assert (row.state == "succeeded") == (self.fates.get(row.id) == "paid")
            assert (row.status == "completed") == (row.withdrawal_id in paid)
