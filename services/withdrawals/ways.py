"""Ways out: phones, tills and bank accounts each stop and go on by themselves.

What a provider refuses for our settings would fail every other payout by the same way, and repeated failures
lock the credential; but it says nothing of the other ways. What is wrong with the tenant as a whole (its
books, a contradiction) stops all of them: see `freeze`.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from services import ledger
from services.facts import Balance
from services.news import Frozen, Resting
from services.store.hot import Hot
from services.store.schema import rails, tenants
from services.work import Work

# Causes that are those of one way; and what each is graver than.
OF_A_WAY = frozenset({Frozen.SETTINGS, Frozen.FUNDS, Frozen.OPERATOR})
_GRAVER: dict[Frozen, tuple[Frozen, ...]] = {
    Frozen.SETTINGS: (Frozen.FUNDS,),
    Frozen.OPERATOR: (Frozen.FUNDS, Frozen.SETTINGS),
}


async def freeze(work: Work, way: str, because: Frozen) -> bool:
    """False where it rests already, for this or for something graver; that settings are wrong is kept beside
    a graver cause."""
    rests = {"stopped_because": because, "stopped_at": work.now}
    statement = work.insert(rails).values(tenant_id=work.tenant, rail=way, **rests)
    lighter = sa.or_(rails.c.stopped_at.is_(None), rails.c.stopped_because.in_(_GRAVER.get(because, ())))
    stopping = statement.on_conflict_do_update(
        index_elements=[rails.c.tenant_id, rails.c.rail], set_=rests, where=lighter
    ).returning(rails.c.rail)
    stopped = (await work.connection.execute(stopping)).first() is not None
    if because is Frozen.SETTINGS:
        wrong = sa.update(rails).where(
            rails.c.tenant_id == work.tenant, rails.c.rail == way, rails.c.refused_at.is_(None)
        )
        await work.connection.execute(wrong.values(refused_at=work.now))
    return stopped


async def go_on(work: Work, ways: Iterable[str] | None = None, because: Frozen | None = None) -> list[str]:
    """Those of these ways that rested, for this cause; None: all, for any. None of them counts as wrongly set
    any more."""
    these = [rails.c.tenant_id == work.tenant]
    if ways is not None:
        these.append(rails.c.rail.in_(sorted(ways)))
    await work.connection.execute(sa.update(rails).where(*these).values(refused_at=None))
    which = [*these, rails.c.stopped_at.is_not(None)]
    if because is not None:
        which.append(rails.c.stopped_because == because)
    going = (
        sa.update(rails).where(*which).values(stopped_because=None, stopped_at=None).returning(rails.c.rail)
    )
    return sorted((await work.connection.execute(going)).scalars())


async def cause(work: Work, way: str) -> Frozen | None:
    """Why it rests; None where it does not."""
    query = sa.select(rails.c.stopped_because).where(rails.c.tenant_id == work.tenant, rails.c.rail == way)
    found = await work.connection.scalar(query)
    return None if found is None else Frozen(found)


async def wrongly_set(work: Work, way: str) -> bool:
    """Its settings were refused and nobody let it go on since, also where it rests for something graver."""
    query = sa.select(rails.c.refused_at).where(rails.c.tenant_id == work.tenant, rails.c.rail == way)
    return await work.connection.scalar(query) is not None


# One row at least: the tenant's.
_RESTING = Hot(
    sa.select(
        tenants.c.payouts_frozen,
        tenants.c.frozen_because,
        rails.c.rail,
        rails.c.stopped_because,
        rails.c.stopped_at,
    )
    .select_from(
        tenants.outerjoin(rails, sa.and_(rails.c.tenant_id == tenants.c.id, rails.c.stopped_at.is_not(None)))
    )
    .where(tenants.c.id == sa.bindparam("tenant"))
    .order_by(rails.c.rail)
)


async def resting(work: Work) -> tuple[Resting, ...]:
    """All that rests by now; where all payouts do, that first, as no way of its own."""
    rows = await _RESTING(work.connection, tenant=work.tenant)
    frozen, because = rows[0][:2]
    all_of_them = Resting(way=None, because=Frozen(because or Frozen.OPERATOR), since=None)
    return (
        *((all_of_them,) if frozen else ()),
        *(
            Resting(way=way, because=Frozen(because), since=since)
            for *_, way, because, since in rows
            if way is not None
        ),
    )


async def balance(work: Work, currency: str) -> Balance:
    """What the wallet has, and by which ways nothing leaves it now."""
    funds = await ledger.balance(work, currency)
    return funds.model_copy(update={"resting": await resting(work)})
