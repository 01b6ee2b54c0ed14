"""Books: the app's ledger as the phones page shows it beside the phones."""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from bot.sandbox.world import Json
from services.ledger import WALLET
from services.money import Money
from services.store.database import Database
from services.store.schema import accounts, transfers
from services.store.scope import AUDITOR

_SHOWN = 20


def ledger_of(database: Database, currency: str = "KES") -> Callable[[], Awaitable[Json]]:
    async def read() -> Json:
        source, target = accounts.alias("source"), accounts.alias("target")
        moved = (
            sa.select(transfers, source.c.name.label("source"), target.c.name.label("target"))
            .join(source, source.c.id == transfers.c.source_id)
            .join(target, target.c.id == transfers.c.target_id)
            .order_by(transfers.c.created_at.desc(), transfers.c.id.desc())
            .limit(_SHOWN)
        )
        async with database.reading(AUDITOR) as connection:
            kept = (await connection.execute(sa.select(accounts).order_by(accounts.c.name))).all()
            latest = (await connection.execute(moved)).all()
        return {
            "accounts": [
                {
                    "name": row.name,
                    "posted": str(Money(row.posted, currency)),
                    "held": str(Money(row.held, currency)),
                }
                for row in kept
                if row.posted or row.held or row.name == WALLET
            ],
            "transfers": [
                {
                    "at": row.created_at.isoformat(),
                    "from": row.source,
                    "to": row.target,
                    "amount": str(Money(row.amount, currency)),
                    "memo": row.reason,
                }
                for row in latest
            ],
            "sum": str(Money(sum(row.posted for row in kept), currency)),
            "currency": currency,
        }

    return read
