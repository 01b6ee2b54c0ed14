"""Poster: posts to the ledger as fast as it can, each posting a transaction of its own:
`python -m tests.bench.poster PLAN`, and prints what came of it.

The plan, in JSON: `url`, the database; `seconds`; `abreast`, how many at once; `accounts`: how many tenants
take turns, by chance (1: all postings go to one wallet); `audited`: each with an entry of the audit besides
its own place in the ledger's chain; `together`: how many postings share a transaction; `turns`: by turns
with the audit and without it, in all processes by the same clock.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from functools import lru_cache
from typing import Any
from uuid import UUID

import uvloop

from bot.parts import utc_now
from bot.run import spare_the_collector
from services import audit, ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer, chain, provider_account, sql
from services.money import Money
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work
from tests.bench.load import quantiles

_SALE = Transfer(provider_account("mpesa"), WALLET, Money(50_000, "KES"), "sale")
_VAULT = Vault([bytes(32)])  # nothing is sealed
_WARMUP = 0.5
_TURN_SECONDS = 0.2  # long beside a posting, and short beside what else the machine does
_MPESA, _UNSEEN = Via("provider", "mpesa"), Via(None)  # type: ignore[arg-type]


class _Turns:
    """While it is nobody's turn to look, a posting is what it would be without an audit: no digest is made,
    nothing is hashed, and neither a hash is kept nor by which way it came."""

    def __init__(self) -> None:
        self.audited = True
        self._statement, self._digest_of = sql.statement, chain.digest_of
        sql.statement = self._statement_now  # type: ignore[assignment]
        chain.digest_of = self._digest_now  # type: ignore[assignment]

    def take(self) -> Via:
        """Right before a posting, which asks for its digests and its statement before it waits."""
        self.audited = int(time.time() / _TURN_SECONDS) % 2 == 0
        return _MPESA if self.audited else _UNSEEN

    def _statement_now(self, shape: Any, *, opened: bool) -> str:
        return (self._statement if self.audited else self._bare)(shape, opened=opened)

    def _digest_now(self, *of: Any) -> Any:
        return self._digest_of(*of) if self.audited else None

    @lru_cache  # noqa: B019  one of them, for as long as the process
    def _bare(self, shape: Any, *, opened: bool) -> str:
        hashed = r"sha256\(.*\|\| (\$\d+::bytea)\) AS hash"
        statement, entries = re.subn(hashed, r"\1 AS hash", self._statement(shape, opened=opened))
        statement, kept = re.subn(r", hash = entry0.hash", "", statement)
        if (entries, kept) != (len(shape.legs), 1):
            raise ValueError(f"this is no posting with a chain: {statement}")
        return statement


async def posted(
    url: str,
    seconds: float,
    abreast: int,
    accounts: int,
    *,
    audited: bool = False,
    together: int = 1,
    turns: bool = False,
) -> dict[str, Any]:
    database = Database(url, pool_size=abreast)
    taking = _Turns() if turns else None
    dice, took, done = random.Random(abreast), list[float](), Counter[bool]()
    tenants = [UUID(int=n) for n in range(1, accounts + 1)]
    end = 0.0

    async def post() -> None:
        tenant = dice.choice(tenants)
        async with database.transaction(tenant) as connection:
            for _ in range(together):
                via = taking.take() if taking else _MPESA
                done[taking is None or taking.audited] += 1
                work, cause = Work(connection, _VAULT, tenant, utc_now(), via), new_id()
                await ledger.post(work, cause, [_SALE])
                if audited:
                    await audit.record(work, audit.PROVIDER, "payment.credited", cause, {"amount": "500.00"})

    async def go_on() -> None:
        while (began := time.perf_counter()) < end:
            await post()
            took.append(time.perf_counter() - began)

    for length in (_WARMUP, seconds):
        spare_the_collector()  # as `serve` and `work` do
        took.clear()
        done.clear()
        began = time.perf_counter()
        end = began + length
        await asyncio.gather(*(go_on() for _ in range(abreast)))
        elapsed = time.perf_counter() - began
    await database.close()
    told = {"postings_per_second": len(took) * together / elapsed, "posting_ms": quantiles(took)}
    by_turns = {"audited": 2 * done[True] / elapsed, "unaudited": 2 * done[False] / elapsed}
    return told | by_turns if turns else told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(posted(**json.loads(sys.argv[1])))))
