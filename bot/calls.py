"""Calls: what is due, done: providers asked, payouts sent, requests expired.

Each call is made in three steps: a commit that says that it is being made, the call outside any
transaction, and a commit that takes its answer. Whoever dies in between is found by the lease's end,
and the services make *unknown* of it; nothing is ever sent twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot import collect_calls, refund_calls
from bot.alone import ALONE
from bot.away import AWAY
from bot.failures import log_failure, same
from bot.guarded import Guarded
from bot.log import redacted
from bot.providers import Providers
from bot.stopping import unbroken
from bot.watch import Watch
from services import jobs
from services.books import watch
from services.jobs import Job
from services.payments import collect
from services.points import point
from services.providers.base import Misconfigured, NotSent, Pending, Unknown
from services.refunds import sending as refunds
from services.refunds import still_paid
from services.safety.vault import Vault
from services.store import schema
from services.store.bell import Bell
from services.store.database import Database
from services.store.scope import PLATFORM
from services.withdrawals import float_question, sending
from services.work import Via, Work

log = structlog.get_logger()

_BATCH = 50
_POLL_SECONDS = 1.0
_LEASE = timedelta(seconds=120)
# Below the lease, or a call could begin to be sent after another worker has given it up for lost.
_MOST_SECONDS = 90.0
_KEEP_AGAIN_SECONDS, _KEPT_SECONDS = 0.5, 15.0  # with the call itself, less than the lease
_LONGEST_WAIT = timedelta(minutes=10)


class Calls:
    """`abreast` calls at once; none of them holds a connection while it waits for its answer."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        providers: Providers,
        bell: Bell,
        clock: Callable[[], datetime],
        public_url: str,
        *,
        abreast: int = 600,
        most_seconds: float = _MOST_SECONDS,
        own: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        others: Mapping[str, Callable[[Job], Awaitable[None]]] | None = None,
    ) -> None:
        """`own`: jobs of the installation itself, by kind; `others` reach somebody who is no provider."""
        self._database, self._vault, self._providers = database, vault, providers
        self._bell, self._clock, self._public_url = bell, clock, public_url
        self._abreast, self._own = abreast, own or {}
        self._guarded = Guarded(database, vault, clock, most_seconds)
        ends = collect_calls.Ends(database, vault, providers, clock)
        self._others = {"page_close": ends.close_page, "forget": ends.forget, **(others or {})}
        self._watch = Watch(database, vault, bell, clock)
        self._under_way: set[asyncio.Task[None]] = set()
        self._failures: Counter[Job] = Counter()

    async def run(self) -> None:
        """For ever; whatever goes wrong below a call (the database is away) is waited out."""
        while True:
            if len(self._under_way) >= self._abreast:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            try:
                await self._watch.begin()
                begun = await unbroken(self._begin())
            except Exception:  # the edge: a worker outlives its database
                log.exception("calls.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if not begun:
                await self._bell.wait("jobs", _POLL_SECONDS)

    async def once(self) -> bool:
        """What is due, begun and finished; False when nothing was."""
        begun = await self._begin()
        await self.drain()
        return begun

    async def drain(self) -> None:
        """What was claimed is finished."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _begin(self) -> bool:
        free = self._abreast - len(self._under_way)
        async with self._database.transaction(PLATFORM) as connection:
            claimed = await jobs.claim(connection, self._clock(), _LEASE, min(free, _BATCH))
        if claimed:
            point("jobs.claimed")
        for job in claimed:
            task = asyncio.create_task(self._try(job))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(claimed)

    async def _try(self, job: Job) -> None:
        """One job; a bug in it is none of the others'. Its task is its own, and with it what the log says."""
        about = {"job": job.kind, "target_id": str(job.target_id), "tenant_id": str(job.tenant_id)}
        structlog.contextvars.bind_contextvars(**about)
        try:
            do = self._others.get(job.kind, self._do)
            await self._own.get(job.kind, lambda: do(job))()
            self._failures.pop(same(job), None)
        except Exception as error:  # noqa: BLE001
            log_failure("call.failed", job, error)
            await self._put_off(job, error)
        await self._guarded.note(job)
        self._bell.ring("turns")

    async def _put_off(self, job: Job, error: Exception) -> None:
        """It comes again after a wait that doubles, unless somebody has made it due anew by then."""
        self._failures[same(job)] += 1
        wait = min(timedelta(seconds=2 ** min(self._failures[same(job)], 10)), _LONGEST_WAIT)
        table = schema.jobs.c
        mine = (table.tenant_id == job.tenant_id, table.target_id == job.target_id, table.kind == job.kind)
        later = (
            sa.update(schema.jobs)
            .where(*mine, table.leased_until.is_not(None))
            .values(leased_until=self._clock() + wait, error=redacted(repr(error))[:2000])
        )
        try:
            async with self._database.transaction(job.tenant_id) as connection:
                await connection.execute(later)
        except Exception:  # it comes again when its lease has ended
            log.exception("calls.failed")

    @asynccontextmanager
    async def _work(self, job: Job) -> AsyncIterator[Work]:
        async with self._database.transaction(job.tenant_id) as connection:
            yield Work(connection, self._vault, job.tenant_id, self._clock(), Via("clock", job.kind))

    # --- the kinds -----------------------------------------------------------------------------------

    async def _do(self, job: Job) -> None:
        match job.kind:
            case "collect":
                await self._collect(job)
            case "collect_check":
                await self._check(job)
            case "payout":
                await self._pay_out(job)
            case "payout_check":
                await self._ask(job)
            case "float":
                await self._ask_float(job)
            case "refund":
                await self._refund(job)
            case "refund_check" | "payment_check":
                await self._ask_back(job, refunds if job.kind == "refund_check" else still_paid)
            case watch.MINUTE:
                await self._watch.minute()
            case watch.NIGHT:
                await self._watch.night()
            case kind:
                async with self._work(job) as work:
                    await ALONE[kind](work, job.target_id)

    async def _collect(self, job: Job) -> None:
        async with self._work(job) as work:
            wanted = await collect.begin_collect(work, job.target_id, self._public_url)
        if wanted is None:
            return
        sends = collect_calls.sends(self._providers, wanted)
        operation = collect_calls.operation(wanted)
        answer = await self._guarded.call(job, wanted.provider, *sends, operation)
        await self._keep(job, lambda work: collect.collect_answered(work, job.target_id, answer))

    async def _check(self, job: Job) -> None:
        async with self._work(job) as work:
            question = await collect.begin_check(work, job.target_id)
        if question is None:
            return
        provider, reference = question
        client_of = self._providers.collecting
        asks = (client_of, lambda client: client.check(reference))
        word = await self._guarded.call(job, provider, *asks, "check")
        if isinstance(word, Misconfigured | NotSent | Unknown):
            word = Pending(word.detail, ours=isinstance(word, Misconfigured))
        async with self._work(job) as work:
            await collect.collect_checked(work, job.target_id, word)

    async def _pay_out(self, job: Job) -> None:
        async with self._work(job) as work:
            payout = await sending.begin_payout(work, job.target_id, self._public_url)
        if payout is None:
            return
        client_of = self._providers.paying_out
        sends = (client_of, lambda client: client.pay_out(payout))
        answer = await self._guarded.call(job, payout.provider, *sends, "payout")
        await self._keep(job, lambda work: sending.payout_answered(work, job.target_id, answer))

    async def _ask(self, job: Job) -> None:
        async with self._work(job) as work:
            question = await sending.begin_payout_check(work, job.target_id, self._public_url)
        if question is None:
            return
        urls = (question.callback_url, question.timeout_url)
        one = (question.attempt_id, question.reference, *urls, question.method_type)
        client_of = self._providers.paying_out
        asks = (client_of, lambda client: client.ask(*one))
        answer = await self._guarded.call(job, question.provider, *asks, "payout_check")
        async with self._work(job) as work:
            await sending.payout_check_answered(work, job.target_id, answer)

    async def _ask_float(self, job: Job) -> None:
        async with self._work(job) as work:
            asks = await float_question.begin_float(work, job.target_id, self._public_url)
        if asks:
            answer = await self._guarded.call(job, asks.provider, self._providers.paying_out, asks.ask)
            async with self._work(job) as work:
                await float_question.float_answered(work, job.target_id, answer)

    async def _refund(self, job: Job) -> None:
        async with self._work(job) as work:
            sending = await refunds.begin(work, job.target_id, self._public_url)
        if sending is not None:
            sends = refund_calls.sends(self._providers, sending)
            operation = refund_calls.operation(sending)
            answer = await self._guarded.call(job, sending.provider, *sends, operation)
            await self._keep(job, lambda work: refunds.answered(work, job.target_id, answer))

    async def _ask_back(self, job: Job, about: Any) -> None:
        async with self._work(job) as work:
            question = await about.begin_check(work, job.target_id, self._public_url)
        if question is not None:
            asks = refund_calls.asks(self._providers, question)
            operation = refund_calls.asking(question)
            answer = await self._guarded.call(job, question.provider, *asks, operation)
            async with self._work(job) as work:
                await about.check_answered(work, job.target_id, answer)

    async def _keep(self, job: Job, take: Callable[[Work], Awaitable[None]]) -> None:
        """Take an answer. It is told once, so while the database is away it is kept for a while; but not
        where the commit itself was lost, for it may have been done."""
        end = asyncio.get_running_loop().time() + _KEPT_SECONDS
        while True:
            taken = False
            try:
                async with self._work(job) as work:
                    await take(work)
                    point(f"{job.kind}.kept")
                    taken = True
            except AWAY as error:
                if taken or asyncio.get_running_loop().time() > end:
                    raise
                log.warning("call.not_kept_yet", kind=job.kind, error=type(error).__name__)
                await asyncio.sleep(_KEEP_AGAIN_SECONDS)
            else:
                return
