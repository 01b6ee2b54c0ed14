"""Refunding: a refund on its way, as `Paying` and `PayingOut` are."""

from uuid import UUID

import sqlalchemy as sa

from services import callbacks
from services.facts import Shop
from services.ids import new_id
from services.money import Money
from services.news.refunds import Refund, Way
from services.providers.abilities import Payout
from services.providers.base import Accepted, Answer, Report, Succeeded, Word
from services.providers.refunds import Refund as Reversal
from services.refunds import decide, request, sending
from services.store.schema import refund_attempts
from tests.services.business import PUBLIC, Business, Paying, kes

SHOP = Shop(
    name="Mama Njeri",
    currency="KES",
    country="KE",
    timezone="Africa/Nairobi",
    collects_by=("mpesa",),
    pays_out_by=("mpesa",),
)


async def ask(
    business: Business,
    paying: Paying,
    amount: str | None = None,
    way: Way | None = None,
    maker: UUID | None = None,
    id_: UUID | None = None,
) -> Refund:
    async with business.work() as work:
        return await request.request(
            work,
            SHOP,
            maker or business.manager,
            id_ or new_id(),
            paying.started.payment_id,
            "the wrong size",
            kes(amount) if amount else None,
            way,
        )


async def resolve(business: Business, attempt: UUID, *, keep: bool, maker: UUID | None = None) -> Refund:
    async with business.work() as work:
        return await request.resolve_twice(
            work, SHOP, maker or business.manager, new_id(), attempt, "twice", keep=keep
        )


async def approve(business: Business, refund: Refund, by: UUID | None = None) -> Refund:
    async with business.work() as work:
        return await decide.approve(work, by or business.owner, refund.id, refund.digest)


class Refunding:
    """The one attempt of an approved refund."""

    def __init__(self, business: Business, refund: Refund, attempt: UUID) -> None:
        self.business, self.refund, self.attempt = business, refund, attempt
        self.tokens: dict[str, str] = {}
        self.message: Payout | Reversal | None = None

    @classmethod
    async def of(cls, business: Business, refund: Refund) -> "Refunding":
        async with business.behind() as work:
            attempt = await work.connection.scalar(
                sa.select(refund_attempts.c.id).where(refund_attempts.c.refund_id == refund.id)
            )
        assert attempt is not None
        return cls(business, refund, attempt)

    @property
    def reference(self) -> str:
        return str(self.attempt) if self.refund.way == Way.PAYOUT else f"71840-{self.attempt.hex[-8:]}"

    async def begun(self) -> bool:
        async with self.business.work() as work:
            self.message = await sending.begin(work, self.attempt, PUBLIC)
        if self.message is None:
            return False
        about = "payout" if self.refund.way == Way.PAYOUT else "refund"
        self.tokens[about] = _token(self.message.callback_url)
        self.tokens[f"{about}_timeout"] = _token(self.message.timeout_url)
        return True

    async def answered(self, answer: Answer) -> None:
        async with self.business.work() as work:
            await sending.answered(work, self.attempt, answer)

    async def sent(self) -> None:
        assert await self.begun()
        await self.answered(Accepted(self.reference))

    async def asked(self) -> str | None:
        """What the answer will be about."""
        async with self.business.work() as work:
            question = await sending.begin_check(work, self.attempt, PUBLIC)
        if question is None:
            return None
        about = "query"
        if question.way == Way.REVERSAL:
            about = "refund_query" if question.reference else "refunded_query"
        self.tokens[about] = _token(question.callback_url)
        return about

    async def called(
        self, word: Word, about: str | None = None, reference: str | None = None, **facts: object
    ) -> None:
        about = about or ("payout" if self.refund.way == Way.PAYOUT else "refund")
        report = Report(about, frozenset({reference or self.reference}), word, dict(facts))
        async with self.business.work() as work:
            hook = await self.business.hook(self.tokens[about])
            assert hook is not None
            assert hook.read_as == about
            await callbacks.apply(work, hook, report)


async def approved(
    business: Business, paying: Paying, amount: str | None = None, way: Way | None = None
) -> Refunding:
    refund = await approve(business, await ask(business, paying, amount, way))
    return await Refunding.of(business, refund)


async def refunded(
    business: Business, paying: Paying, amount: str | None = None, receipt: str = "UKR1"
) -> Refunding:
    one = await approved(business, paying, amount)
    await one.sent()
    sent: Money = one.refund.amount
    await one.called(Succeeded(receipt, sent))
    return one


def _token(url: str) -> str:
    return url.removeprefix(f"{PUBLIC}/hooks/")
