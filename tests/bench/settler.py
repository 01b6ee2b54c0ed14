"""Settler: takes the callbacks of payments that were prepared, each in a transaction of its own with all
that follows of it (the order, the ledger, the audit, the customer's message):
`python -m tests.bench.settler PLAN`, and prints what came of it.

The plan, in JSON: `url`, the database; `tenants`: how many take turns; `payments`: how many in all;
`abreast`, how many at once.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from services.providers.base import Succeeded
from services.safety.vault import Vault
from services.store.database import Database
from tests.bench.load import quantiles
from tests.services.business import Business, Paying, kes


async def settled(url: str, tenants: int, payments: int, abreast: int) -> dict[str, Any]:
    database = Database(url, pool_size=abreast)
    shops = [await Business(database, Vault([bytes(32)])).open() for _ in range(tenants)]
    waiting = [await _sent(shops[n % tenants]) for n in range(payments)]
    took = list[float]()

    async def go_on() -> None:
        while waiting:
            paying = waiting.pop()
            began = time.perf_counter()
            await paying.called(Succeeded(next(paying.business.receipts), kes("500")))
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(abreast)))
    elapsed = time.perf_counter() - began
    await database.close()
    return {"postings_per_second": len(took) / elapsed, "posting_ms": quantiles(took)}


async def _sent(shop: Business) -> Paying:
    paying = await shop.pay("500")
    await paying.sent()
    return paying


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(settled(**json.loads(sys.argv[1])))))
