"""Business: a merchant to act in. Each verb is a transaction of its own, as at the edge."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import books, callbacks, hooks, ledger
from services.books.breach import Breach
from services.errors import Refusal
from services.facts import Checkout, Destination, Me, Shop, Started, Way
from services.ids import new_id
from services.money import Money
from services.news import News, PaymentMethod, Withdrawal, read_news
from services.payments import collect, start
from services.people.access import ROLES
from services.providers.abilities import Charge, Page, Prompt
from services.providers.base import Accepted, Answer, Report, Succeeded, Word
from services.rails import RAILS
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import (
    accounts,
    attempts,
    audit,
    conversations,
    inbox,
    jobs,
    payouts,
    people,
    rails,
    staff,
    tenants,
)
from services.store.scope import AUDITOR, OWNER, PLATFORM, within
from services.teller import Teller
from services.withdrawals import destinations, request, sending, ways
from services.work import UNSAID, Via, Work

PHONE = "+254712345678"
NEW_WAY = Way(method=PaymentMethod(provider="mpesa", label="********5678"), phone=PHONE)
TO_PHONE = Destination(
    method_type="mpesa", details={"phone_number": "+254722000111"}, label="********0111", configured=False
)
TO_BANK = Destination(
    method_type="bank_transfer",
    details={"account_number": "1110099887", "bank_code": "01", "account_name": "Mama Njeri"},
    label="******9887",
    configured=False,
)
TO_TILL = Destination(method_type="till", details={"till_number": "600100"}, label="**0100", configured=False)
PUBLIC = "https://pay.example"


def kes(amount: str) -> Money:
    return Money.parse(amount, "KES")


class Business:
    """`cashier` makes, `manager` approves, `owner` does both; `customer` pays."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database, self.vault = database, vault
        self.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
        self.tenant = new_id()
        self.slug = f"shop-{self.tenant.hex[-12:]}"
        self.receipts = (f"UKO{n:07}" for n in itertools.count(1))
        self.chats: dict[UUID, UUID] = {}

    async def open(self, **settings: Any) -> "Business":
        values = {
            "id": self.tenant,
            "slug": self.slug,
            "name": "Mama Njeri",
            "active": True,
            "currency": "KES",
            "country": "KE",
            "timezone": "Africa/Nairobi",
            "language": "en",
            "payment_fee_ppm": 0,
            "templates": {},
            "approvals": 1,
            "approval_hours": 24,
            "new_destination_hours": 0,
            "version": 1,
            "created_at": self.now,
        }
        async with self.work() as work:
            await work.connection.execute(sa.insert(tenants).values(**values | settings))
            await floats_known(work)
            self.customer, self.cashier, self.manager, self.owner = await self._joined(
                work,
                [("Achieng", None), ("Wanjiku", "Cashier"), ("Otieno", "Finance Admin"), ("Njeri", "Owner")],
            )
        return self

    async def floats(self, held: int = 10**13) -> None:
        """What the providers' accounts hold is known for ever, and they are not asked."""
        async with self.work() as work:
            await floats_known(work, held)

    @asynccontextmanager
    async def work(self, via: Via = UNSAID) -> AsyncIterator[Work]:
        """Commits whether or not it was refused, as a turn does."""
        refusal = None
        async with self.database.transaction(self.tenant) as connection:
            try:
                yield Work(connection, self.vault, self.tenant, self.now, via)
            except Refusal as error:
                refusal = error
        if refusal is not None:
            raise refusal

    @asynccontextmanager
    async def behind(self) -> AsyncIterator[Work]:
        """To look at rows, or to spoil them, past all that keeps tenants apart."""
        async with self.database.transaction(OWNER) as connection:
            yield Work(connection, self.vault, self.tenant, self.now)

    @asynccontextmanager
    async def teller(self, person: UUID) -> AsyncIterator[Teller]:
        async with self.work() as work:
            yield self.teller_in(work, person)

    def teller_in(self, work: Work, person: UUID, collects_by: tuple[str, ...] = ("mpesa",)) -> Teller:
        shop = Shop(
            name="Mama Njeri",
            currency="KES",
            country="KE",
            timezone="Africa/Nairobi",
            collects_by=collects_by,
            pays_out_by=("mpesa",),
        )
        me = Me(person_id=person, name=None, language="en", phone=PHONE, scopes=self.scopes[person])
        return Teller(work, shop, me, self.chats[person])

    scopes: dict[UUID, frozenset[str]]

    async def person(self, name: str, role: str | None = None, phones: int = 1) -> UUID:
        async with self.work() as work:
            (person,) = await self._joined(work, [(name, role)], phones)
        return person

    async def _joined(self, work: Work, who: list[tuple[str, str | None]], phones: int = 1) -> list[UUID]:
        """People with their roles, of whom the last phone counts."""
        new = [(new_id(), name, role) for name, role in who]
        scopes = {person: ROLES.get(role or "", frozenset()) for person, _, role in new}
        self.scopes = getattr(self, "scopes", {}) | scopes
        chats = [(new_id(), person) for person, _, _ in new for _ in range(phones)]
        self.chats |= {person: chat for chat, person in chats}
        mine = {"tenant_id": self.tenant}
        hired = {"scopes": [], "active": True}
        rows = {
            people: [mine | {"id": id_, "name": name, "created_at": self.now} for id_, name, _ in new],
            staff: [mine | hired | {"person_id": id_, "role": role} for id_, _, role in new if role],
            conversations: [
                mine | {"id": chat, "person_id": person, "created_at": self.now} for chat, person in chats
            ],
        }
        for table, values in rows.items():
            if values:
                await work.connection.execute(sa.insert(table), values)
        return [person for person, _, _ in new]

    async def change(self, table: sa.Table, where: sa.ColumnElement[bool], **values: Any) -> None:
        async with self.work() as work:
            await work.connection.execute(
                sa.update(table).where(table.c.tenant_id == self.tenant, where).values(**values)
            )

    async def set(self, **settings: Any) -> None:
        async with self.work() as work:
            await work.connection.execute(
                sa.update(tenants).where(tenants.c.id == self.tenant).values(**settings)
            )

    async def resting(self) -> dict[str | None, str]:
        """What is stopped, and why: by its way out, or all of them."""
        async with self.work() as work:
            return {each.way: str(each.because) for each in await ways.resting(work)}

    async def go_on(self) -> None:
        """All payouts, with nothing made due and nobody told."""
        await self.set(payouts_frozen=False, frozen_because=None)
        async with self.work() as work:
            await ways.go_on(work)

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)

    # --- a customer pays

    async def pay(self, amount: str = "500", order: UUID | None = None, way: Way = NEW_WAY) -> "Paying":
        checkout = Checkout(order_id=order or new_id(), amount=kes(amount))
        async with self.work() as work:
            payer = start.Payer(self.customer, self.chats[self.customer])
            started = await start.start(work, payer, checkout, way)
        return await self.paying(started, checkout)

    async def paying(self, started: Started, checkout: Checkout) -> "Paying":
        async with self.behind() as work:
            attempt = await work.connection.scalar(
                sa.select(attempts.c.id)
                .where(attempts.c.payment_id == started.payment_id)
                .order_by(attempts.c.created_at.desc(), attempts.c.id.desc())
                .limit(1)
            )
        assert attempt is not None
        return Paying(self, started, checkout, attempt)

    async def paid(self, amount: str = "500", order: UUID | None = None) -> "Paying":
        paying = await self.pay(amount, order)
        await paying.sent()
        await paying.called(Succeeded(next(self.receipts), kes(amount)))
        return paying

    # --- the staff withdraw

    async def withdraw(
        self, amount: str = "1000", maker: UUID | None = None, to: Destination = TO_PHONE, **given: Any
    ) -> Withdrawal:
        async with self.work() as work:
            quoted = await request.quote(work, kes(amount), to.method_type)
            return await request.request(
                work, maker or self.cashier, given.get("id") or new_id(), quoted, to, given.get("notes")
            )

    async def approved(self, amount: str = "1000", to: Destination = TO_PHONE) -> "PayingOut":
        withdrawal = await self.withdraw(amount, to=to)
        async with self.teller(self.manager) as teller:
            withdrawal = await teller.approve(withdrawal.id, withdrawal.digest)
        return PayingOut(self, withdrawal, await self.payout_of(withdrawal.id))

    async def payout_of(self, withdrawal_id: UUID) -> UUID:
        """The latest."""
        async with self.behind() as work:
            found: UUID | None = await work.connection.scalar(
                sa.select(payouts.c.id)
                .where(payouts.c.withdrawal_id == withdrawal_id)
                .order_by(payouts.c.id.desc())
                .limit(1)
            )
        assert found is not None
        return found

    # --- what can be seen of it

    async def balances(self) -> dict[str, int]:
        async with self.work() as work:
            rows = await work.connection.execute(
                sa.select(accounts).where(accounts.c.tenant_id == self.tenant)
            )
            return {row.name: row.posted for row in rows if row.posted or row.name != "owed"}

    async def wallet(self) -> tuple[str, str, str]:
        async with self.work() as work:
            balance = await ledger.balance(work, "KES")
        return str(balance.posted), str(balance.held), str(balance.available)

    async def news(self, person: UUID) -> list[News]:
        async with self.behind() as work:
            rows = await work.connection.execute(
                sa.select(inbox)
                .join(conversations, conversations.c.id == inbox.c.conversation_id)
                .where(conversations.c.person_id == person)
                .order_by(inbox.c.seq)
            )
            return [
                read_news.validate_json(
                    self.vault.open(
                        row.body_sealed,
                        self.tenant,
                        "inbox.body",
                        f"{row.kind}|{row.external_id}|{row.status}",
                    )
                )
                for row in rows
            ]

    async def breaches(self, work: Work) -> list[Breach]:
        """Of what the transaction sees, as the auditor reads it."""
        async with within(work.connection, AUDITOR):
            return await books.check(work.connection)

    async def hook(self, token: str) -> hooks.Hook | None:
        """As it is looked up by the address that was called."""
        async with self.database.reading(PLATFORM) as connection:
            return await hooks.resolve(connection, token)

    async def alerts(self) -> list[str]:
        async with self.behind() as work:
            rows = await work.connection.execute(
                sa.select(audit.c.action).where(audit.c.alert).order_by(audit.c.seq)
            )
            return list(rows.scalars())

    async def alerts_of(self, target: UUID) -> list[str]:
        async with self.behind() as work:
            mine = sa.select(audit.c.action).where(audit.c.alert, audit.c.target == str(target))
            return list((await work.connection.execute(mine.order_by(audit.c.seq))).scalars())

    async def jobs(self, target: UUID) -> dict[str, timedelta]:
        async with self.behind() as work:
            rows = await work.connection.execute(sa.select(jobs).where(jobs.c.target_id == target))
            return {row.kind: row.due_at - self.now for row in rows}

    async def row(self, table: sa.Table, row_id: UUID) -> sa.Row[Any]:
        async with self.behind() as work:
            return (await work.connection.execute(sa.select(table).where(table.c.id == row_id))).one()


class Paying:
    """An attempt on its way."""

    def __init__(self, business: Business, started: Started, checkout: Checkout, attempt: UUID) -> None:
        self.business, self.started, self.checkout, self.attempt = business, started, checkout, attempt
        self.reference = f"ws_CO_{attempt.hex[-12:]}"
        self.token = ""
        self.wanted: Prompt | Page | Charge | None = None

    async def begun(self) -> bool:
        async with self.business.work() as work:
            self.wanted = await collect.begin_collect(work, self.attempt, PUBLIC)
        if self.wanted is not None:
            asked = self.wanted.page if isinstance(self.wanted, Charge) else self.wanted
            self.token = asked.callback_url.removeprefix(f"{PUBLIC}/hooks/")
        return self.wanted is not None

    async def answered(self, answer: Answer) -> None:
        async with self.business.work() as work:
            await collect.collect_answered(work, self.attempt, answer)

    async def sent(self) -> None:
        assert await self.begun()
        await self.answered(Accepted(self.reference, "merchant-1"))

    async def called(
        self, word: Word, reference: str | None = None, confirm_above: Money | None = None
    ) -> None:
        references = frozenset({reference or self.reference, "merchant-1"})
        report = Report("collect", references, word, {"reference": reference or self.reference})
        async with self.business.work(Via("provider", "mpesa")) as work:
            hook = await self.business.hook(self.token)
            assert hook is not None
            await callbacks.apply(work, hook, report, confirm_above=confirm_above)

    async def checked(self, word: Word) -> None:
        async with self.business.work() as work:
            await collect.collect_checked(work, self.attempt, word)


class PayingOut:
    """A payout on its way."""

    def __init__(self, business: Business, withdrawal: Withdrawal, payout_id: UUID) -> None:
        self.business, self.withdrawal, self.payout = business, withdrawal, payout_id
        self.tokens: dict[str, str] = {}

    async def begun(self) -> bool:
        async with self.business.work() as work:
            begun = await sending.begin_payout(work, self.payout, PUBLIC)
        if begun is not None:
            self.sending = begun
            self.tokens["payout"] = begun.callback_url.removeprefix(f"{PUBLIC}/hooks/")
            self.tokens["payout_timeout"] = begun.timeout_url.removeprefix(f"{PUBLIC}/hooks/")
        return begun is not None

    async def answered(self, answer: Answer) -> None:
        async with self.business.work() as work:
            await sending.payout_answered(work, self.payout, answer)

    async def sent(self) -> None:
        assert await self.begun()
        await self.answered(Accepted(str(self.payout)))

    async def asked(self) -> bool:
        async with self.business.work() as work:
            question = await sending.begin_payout_check(work, self.payout, PUBLIC)
        if question is not None:
            self.tokens["query"] = question.callback_url.removeprefix(f"{PUBLIC}/hooks/")
        return question is not None

    async def called(
        self, word: Word, about: str = "payout", reference: str | None = None, named: str | None = None
    ) -> None:
        """`named`: the payout as the answer to a query calls it."""
        facts = {"payout_references": frozenset({named})} if named else {}
        report = Report(about, frozenset({reference or str(self.payout)}), word, facts)
        async with self.business.work() as work:
            hook = await self.business.hook(self.tokens[about])
            assert hook is not None
            await callbacks.apply(work, hook, report)


def destination(phone: str) -> Destination:
    return destinations.of("mpesa", {"phone_number": phone})


async def floats_known(work: Work, held: int = 10**13) -> None:
    known = {"tenant_id": work.tenant, "float_funds": held, "float_told_at": work.now + timedelta(days=9999)}
    await work.connection.execute(sa.insert(rails), [known | {"rail": rail} for rail in RAILS])
