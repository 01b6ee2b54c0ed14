"""Poster: posts to the ledger as fast as it can, each posting a transaction of its own:
`python -m tests.bench.poster PLAN`, and prints what came of it.

The plan, in JSON: `url`, the database; `seconds`; `abreast`, how many at once; `accounts`: how many tenants
take turns, by chance (1: all postings go to one wallet); `audited`: each with an entry of the audit;
`together`: how many postings share a transaction.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any
from uuid import UUID

import uvloop

from bot.parts import utc_now
from services import audit, ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer, provider_account
from services.money import Money
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work
from tests.bench.load import quantiles

_SALE = Transfer(provider_account("mpesa"), WALLET, Money(50_000, "KES"), "sale")
_VAULT = Vault([bytes(32)])  # nothing is sealed
_WARMUP = 0.5


async def _post(database: Database, tenant: UUID, *, audited: bool, together: int) -> None:
    async with database.transaction(tenant) as connection:
        for _ in range(together):
            work, cause = Work(connection, _VAULT, tenant, utc_now(), Via("provider", "mpesa")), new_id()
            await ledger.post(work, cause, [_SALE])
            if audited:
                await audit.record(work, audit.PROVIDER, "payment.credited", cause, {"amount": "500.00"})


async def posted(
    url: str, seconds: float, abreast: int, accounts: int, *, audited: bool = False, together: int = 1
) -> dict[str, Any]:
    database = Database(url, pool_size=abreast)
    dice, took = random.Random(abreast), list[float]()
    tenants = [UUID(int=n) for n in range(1, accounts + 1)]
    end = 0.0

    async def go_on() -> None:
        while (began := time.perf_counter()) < end:
            await _post(database, dice.choice(tenants), audited=audited, together=together)
            took.append(time.perf_counter() - began)

    for length in (_WARMUP, seconds):
        took.clear()
        began = time.perf_counter()
        end = began + length
        await asyncio.gather(*(go_on() for _ in range(abreast)))
        elapsed = time.perf_counter() - began
    await database.close()
    return {"postings_per_second": len(took) * together / elapsed, "posting_ms": quantiles(took)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(posted(**json.loads(sys.argv[1])))))
