"""Ranks: in which order the providers are offered to a customer, beside what they prefer and what is slow.

By what has worked: first what this customer has paid by the more often, then what share of this shop's latest
tries was paid, in tenths, since a few more or less say nothing; then by what the provider charges. Each is a
number that can be read (`main.py tenant methods`), and none is weighed against another.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services import costs
from services.facts import Shop
from services.money import Money
from services.reasons import Unpaid
from services.store.schema import attempts, orders, payments
from services.work import Work

_OWN, _LATEST = 10, 200
_ENOUGH = 10  # tries: fewer say as little as none, and such a provider stands in the middle
_MIDDLE = 5


@dataclass(frozen=True)
class Rank:
    """Why a provider stands where it does. `own`: how many of this customer's last ten payments; `paid` of
    `tried`: of the shop's latest two hundred tries by all; `cost`: None where nobody has told it."""

    provider: str
    own: int
    paid: int
    tried: int
    cost: Money | None

    @property
    def tenths(self) -> int:
        """Of what was tried; the middle where too little was."""
        return _MIDDLE if self.tried < _ENOUGH else round(10 * self.paid / self.tried)


async def ranked(
    work: Work, providers: Sequence[str], amount: Money, person_id: UUID | None = None
) -> tuple[Rank, ...]:
    """The first is offered first; where nothing tells them apart they stay as given. `person_id`: a customer,
    None for one of whom nothing is known."""
    own = await _own(work, person_id) if person_id is not None else Counter()
    tried, paid = await _tried(work)
    found = [
        Rank(
            provider=name,
            own=own[name],
            paid=paid[name],
            tried=tried[name],
            cost=await costs.expected(work, name, costs.COLLECTION, amount),
        )
        for name in providers
    ]
    return tuple(sorted(found, key=_place))


async def offered(
    work: Work, shop: Shop, providers: Sequence[str], amount: Money, person_id: UUID | None = None
) -> tuple[Rank, ...]:
    """In the order in which the chat offers them to who has saved none: as ranked, or as given where the shop
    does not want that, and what is slow at the end."""
    found = await ranked(work, providers, amount, person_id)
    if not shop.smart_order:
        found = tuple(sorted(found, key=lambda rank: list(providers).index(rank.provider)))
    return tuple(sorted(found, key=lambda rank: rank.provider in shop.slow))


def _place(rank: Rank) -> tuple[int, int, bool, int]:
    """What nobody has told the cost of stands behind what is known."""
    return -rank.own, -rank.tenths, rank.cost is None, rank.cost.minor if rank.cost else 0


async def _own(work: Work, person_id: UUID) -> Counter[str]:
    same = sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id)
    of_it = sa.and_(attempts.c.tenant_id == payments.c.tenant_id, attempts.c.payment_id == payments.c.id)
    query = (
        sa.select(attempts.c.provider)
        .select_from(orders)
        .join(payments, same)
        .join(attempts, of_it)
        .where(
            orders.c.tenant_id == work.tenant,
            orders.c.person_id == person_id,
            attempts.c.state == "succeeded",
        )
        .order_by(attempts.c.id.desc())
        .limit(_OWN)
    )
    return Counter((await work.connection.execute(query)).scalars())


async def _tried(work: Work) -> tuple[Counter[str], Counter[str]]:
    """Of the latest that are decided, the last made first by their ids. Where nobody was asked, that says
    nothing."""
    asked = sa.or_(attempts.c.because.is_(None), attempts.c.because != Unpaid.RESTING)
    query = (
        sa.select(attempts.c.provider, attempts.c.state)
        .where(
            attempts.c.tenant_id == work.tenant,
            attempts.c.state.in_(["succeeded", "failed", "expired"]),
            asked,
        )
        .order_by(attempts.c.id.desc())
        .limit(_LATEST)
    )
    tried: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for provider, state in await work.connection.execute(query):
        tried[provider] += 1
        paid[provider] += state == "succeeded"
    return tried, paid
