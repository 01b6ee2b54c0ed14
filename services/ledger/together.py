"""Ledger together: many holds at once, all of them or none."""

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from services.errors import InsufficientBalance
from services.ledger import WALLET
from services.ledger.rows import hold, locked
from services.money import Money
from services.store.schema import holds
from services.work import Work


async def hold_all(work: Work, amounts: Mapping[UUID, Money], currency: str) -> None:
    """Keep each amount of the wallet apart under its own id, none of which was there before.

    Raises InsufficientBalance, having written nothing.
    """
    wallet = (await locked(work, [WALLET], currency))[WALLET]
    total = sum((each.minor for each in amounts.values()), 0)
    if wallet.available < total:
        raise InsufficientBalance(Money(wallet.available, currency), Money(total, currency))
    rows = [
        {
            "tenant_id": work.tenant,
            "id": hold_id,
            "account_id": wallet.id,
            "amount": amount.minor,
            "state": "open",
            "created_at": work.now,
        }
        for hold_id, amount in amounts.items()
    ]
    await work.connection.execute(sa.insert(holds), rows)
    await hold(work, wallet, total)
