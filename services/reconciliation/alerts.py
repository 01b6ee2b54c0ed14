"""Alerts: what has not been explained for a day is told, once for each break."""

import sqlalchemy as sa

from services import audit, inbox
from services.money import Money
from services.news.reconciliation import BreaksAged
from services.people import people
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State, Type
from services.reconciliation.record import read
from services.reconciliation.seen import Seen
from services.store.schema import breaks
from services.work import Work


async def tell_aged(work: Work, provider: str) -> list[Seen]:
    """One alert and one piece of news for all that are told for the first time; those."""
    # One statement: of two processes that look at once, one finds them untold.
    marked = await work.connection.execute(
        sa.update(breaks)
        .where(
            breaks.c.tenant_id == work.tenant,
            breaks.c.provider == provider,
            breaks.c.state == State.OPEN,
            breaks.c.type != Type.LATE,
            breaks.c.told_at.is_(None),
            breaks.c.at <= work.now - LATE,
        )
        .values(told_at=work.now)
        .returning(breaks.c.id)
    )
    ids = set(marked.scalars())
    if not ids:
        return []
    opened = await read(work, breaks.c.provider == provider, breaks.c.state == State.OPEN)
    aged = [each for each in opened if each.id in ids]
    currency = (await people.tenant_of(work)).currency
    total = Money(sum(each.amount.minor for each in aged if each.amount.currency == currency), currency)
    facts = {
        "provider": provider,
        "count": str(len(aged)),
        "total": f"{total} {currency}",
        "oldest": aged[0].at.isoformat(),
        "to_do": "python main.py reconcile",
    }
    await audit.record(work, audit.CLOCK, "reconciliation.aged", aged[0].id, facts, alert=True)
    news = BreaksAged(provider=provider, count=len(aged), total=total, oldest=aged[0].at)
    await inbox.tell_people(work, await people.reconcilers(work), news)
    return aged
