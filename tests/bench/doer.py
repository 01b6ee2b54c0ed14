"""Doer: does what moves money through the services, each deed in a transaction of its own with all that
follows of it (the order, the ledger, the audit, the messages): `python -m tests.bench.doer PLAN`, and prints
what came of it.

The plan, in JSON: `url`, the database; `deed`: one of DEEDS; `tenants`: how many take turns; `deeds`: how
many in all; `abreast`, how many at once.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from services import audit
from services.providers.base import Succeeded
from services.safety.vault import Vault
from services.store.database import Database
from tests.bench.load import quantiles
from tests.services.business import Business, kes

_FUNDS = "250000"
_TURN = 20
Deed = Callable[[], Awaitable[Any]]


async def _payment(shop: Business) -> Deed:
    """The provider's word that a payment came."""
    paying = await shop.pay("500")
    await paying.sent()
    return lambda: paying.called(Succeeded(next(shop.receipts), kes("500")))


async def _withdrawal(shop: Business) -> Deed:
    """Asked for: its amount is held, and the approvers are asked."""
    return lambda: shop.withdraw("100")


async def _approval(shop: Business) -> Deed:
    withdrawal = await shop.withdraw("100")

    async def approve() -> None:
        async with shop.teller(shop.manager) as teller:
            await teller.approve(withdrawal.id, withdrawal.digest)

    return approve


async def _payout(shop: Business) -> Deed:
    """The provider's word that a payout arrived."""
    paying_out = await shop.approved("100")
    await paying_out.sent()
    return lambda: paying_out.called(Succeeded(next(shop.receipts), paying_out.withdrawal.net))


DEEDS: dict[str, Callable[[Business], Awaitable[Deed]]] = {
    "payment": _payment,
    "withdrawal": _withdrawal,
    "approval": _approval,
    "payout": _payout,
}


async def done(url: str, deed: str, tenants: int, deeds: int, abreast: int) -> dict[str, Any]:
    """By turns with the audit and without it, so that whatever else the machine does falls on both."""
    database = Database(url, pool_size=abreast)
    shops = [await _funded(database) for _ in range(tenants)]
    ready = [await DEEDS[deed](shops[n % tenants]) for n in range(deeds + 2 * _TURN)]
    record, seconds, took = audit.record, {True: 0.0, False: 0.0}, list[float]()

    async def go_on(until: int) -> None:
        while len(ready) > until:
            do, began = ready.pop(), time.perf_counter()
            await do()
            took.append(time.perf_counter() - began)

    for audited in itertools.cycle((True, False)):
        if not ready:
            break
        audit.record = record if audited else _nothing
        began = time.perf_counter()
        await asyncio.gather(*(go_on(len(ready) - _TURN) for _ in range(abreast)))
        if len(ready) < deeds:  # the first of each was to get warm
            seconds[audited] += time.perf_counter() - began
    audit.record = record
    await database.close()
    rates = {audited: deeds / 2 / spent for audited, spent in seconds.items()}
    return {"audited": rates[True], "unaudited": rates[False], "deed_ms": quantiles(took)}


async def _funded(database: Database) -> Business:
    shop = await Business(database, Vault([bytes(32)])).open()
    await shop.paid(_FUNDS)
    return shop


async def _nothing(*_: Any, **__: Any) -> None: ...


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(done(**json.loads(sys.argv[1])))))
