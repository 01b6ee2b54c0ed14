"""Delivery: the outbox, sent to WhatsApp in each person's order.

A message is marked as sending in a commit before its first byte leaves: by the turn that says it, or by a
claim. Only the oldest open message of a conversation is ever on its way. A send of unknown outcome waits
for a status that carries our number back (`biz_opaque_callback_data`), longer each time, and is sent again
a few times when none has come.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from bot import metrics
from bot.log import redacted
from bot.paper.codes import Codes
from bot.paper.papers import Papers
from bot.paper.statement.making import Statements
from bot.sending import held, outbox
from bot.sending.message import ChatKey, Mark, Message
from bot.sending.passing import Held, Passes, Unwanted, passing
from bot.sending.receipts import Receipts
from bot.stopping import unbroken
from bot.whatsapp import outgoing
from bot.whatsapp.client import NotSent, Outcome, Refused, Sent, WhatsApp
from bot.whatsapp.errors import Verdict
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.grouping import GroupCommit
from services.store.scope import PLATFORM

log = structlog.get_logger()

_POLL_SECONDS = 1.0
_BREATH_SECONDS = 0.004  # between commits: what is sent meanwhile shares the next one
_UNKNOWN_WAIT = timedelta(seconds=30)
_MOST_TRIES = 12  # by growing waits, within half an hour
_SOON, _LATER, _LONG = timedelta(seconds=2), timedelta(minutes=1), timedelta(minutes=10)
_WINDOW = timedelta(hours=24)
_MOST_UNKNOWN = 3  # each may be one more copy on the person's screen
_MARK_AGAIN_SECONDS, _MOST_MARKINGS = 0.5, 30  # together with a send, less than a lease


class Delivery:
    """`abreast` messages on their way at once."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        whatsapp: WhatsApp,
        bell: Bell,
        clock: Callable[[], datetime],
        *,
        codes: Codes | None = None,
        abreast: int = 200,
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._whatsapp, self._bell, self._clock, self._abreast = whatsapp, bell, clock, abreast
        self._marks: GroupCommit[Mark | ChatKey] = GroupCommit(
            self._mark, pace=partial(asyncio.sleep, _BREATH_SECONDS)
        )
        self._ending, self._sending = False, set[asyncio.Task[None]]()
        self._receipts = Receipts(whatsapp)
        self._papers = Papers(whatsapp, clock, Statements(database, vault, clock), codes=codes)
        self._resting: dict[UUID, datetime] = {}  # tenants whose number must rest

    async def run(self) -> None:
        """For ever; whatever goes wrong below a message (the database is away) is waited out."""
        while True:
            try:
                busy = await unbroken(self.once())
            except Exception:  # the edge: a worker outlives its database
                log.exception("delivery.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if not busy:
                await self._bell.wait("outbox", _POLL_SECONDS)

    async def once(self) -> bool:
        """What was left behind and is due, begun; False when nothing was."""
        if not self.room:
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        now = self._clock()
        resting = self._tenants_resting(now)
        async with self._database.transaction(PLATFORM) as connection:
            claimed = await outbox.claim(connection, self._vault, now, resting, self.room)
        self.hand_over(claimed)
        return bool(claimed) or await held.reopen(self._database, self._clock())

    @property
    def room(self) -> int:
        """How many more may be on their way."""
        return 0 if self._ending else max(0, self._abreast - len(self._sending))

    def hand_over(self, messages: Sequence[Message]) -> None:
        for message in messages:
            task = asyncio.create_task(self._try(message))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def follow(self, chats: Sequence[ChatKey]) -> None:
        """These conversations have a new message behind others, which may just have been sent."""
        if not self.room:
            self._bell.ring("outbox")
        elif chats:
            self._marks.submit(chats).add_done_callback(self._followed)

    def _followed(self, followed: "asyncio.Future[None]") -> None:
        if followed.cancelled() or followed.exception():
            self._bell.ring("outbox")

    async def drain(self) -> None:
        """What was claimed is finished, and nothing new begun; receipts are let go."""
        self._ending = True
        self._receipts.drop()
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _try(self, message: Message) -> None:
        """One message; a bug in it is none of the others'. What became of it is written for as long as it is
        ours: forgotten, it would be sent once more."""
        structlog.contextvars.bind_contextvars(**message.about)
        now = self._clock()
        if (rests := self._resting.get(message.tenant_id, now) - now) > timedelta(0):
            taking = self._put(message, "waiting", wait=rests, tries=message.tries - 1)
        else:
            taking = self._take(message, await self._sent(message))
        try:
            await taking
        except Exception:
            log.exception("delivery.unmarked", seq=message.seq, tries=message.tries)

    async def _sent(self, message: Message) -> Outcome | Held | Unwanted:
        try:
            return await self._send(message)
        except Exception as error:
            log.exception("delivery.bug", seq=message.seq, tries=message.tries)
            return Refused(Verdict.RETRY, f"{type(error).__name__}: {error}", None)

    async def _send(self, message: Message) -> Outcome | Held | Unwanted:
        tenant = await self._tenants.by_id(message.tenant_id)
        if tenant.phone_number_id is None or tenant.access_token is None:
            return Refused(Verdict.STOP_AND_ALERT, "the tenant has no WhatsApp number or token", None)
        passes = passing(message, tenant, self._clock())
        if not isinstance(passes, Passes):
            return passes
        number, token = tenant.phone_number_id, tenant.access_token
        content = await self._papers.named(tenant, number, token, passes.body)
        if not isinstance(content, bytes):
            return content
        where = (message.tenant_id, str(message.conversation_id))
        body = outgoing.addressed(
            content,
            self._opened(message.phone_sealed, "conversations.phone", *where),
            self._opened(message.user_id_sealed, "conversations.user_id", *where),
            str(message.seq),
        )
        answer = await self._whatsapp.send(number, token, body)
        self._papers.answered(number, passes.body, answer)
        metrics.sends.labels(type(answer).__name__.lower()).inc()
        if message.reads is not None and isinstance(answer, Sent) and self._may_show(tenant.id):
            self._receipts.begin(tenant, message.reads)
        if passes.template is not None and isinstance(answer, Refused) and answer.of_template:
            return Held(f"Meta refuses the template {passes.template} ({answer.code}): {answer.reason}")
        return answer

    def _may_show(self, tenant: UUID) -> bool:
        return not self._ending and tenant not in self._tenants_resting(self._clock())

    def _opened(self, sealed: bytes | None, column: str, tenant: UUID, row: str) -> str | None:
        return self._vault.open(sealed, tenant, column, row).decode() if sealed else None

    async def _take(self, message: Message, answer: Outcome | Held | Unwanted) -> None:
        match answer:
            case Held(why=why):
                await held.tell_operators(self._database, self._vault, message, why, self._clock())
                await self._put(message, "held", error=why)
            case Unwanted(why=why):
                await self._put(message, "failed", error=why)
            case Sent(wamid=wamid):
                await self._put(message, "sent", wamid=wamid)
            case NotSent(reason=reason):
                await self._once_reached(message, reason)
            case Refused():
                await self._refused(message, answer)
            case _ if message.unknown_sends + 1 < _MOST_UNKNOWN:
                wait = _UNKNOWN_WAIT * 4**message.unknown_sends
                await self._put(message, "unknown", error=answer.reason, wait=wait)
            case _:
                await self._give_up(message, f"its outcome was never known: {answer.reason}")

    async def _refused(self, message: Message, answer: Refused) -> None:
        reason = f"{answer.code}: {answer.reason}" if answer.code is not None else answer.reason
        match answer.verdict:
            case Verdict.RETRY:
                await self._again(message, reason)
            case Verdict.PAUSE_PAIR:
                # Meta's own schedule for this recipient: 4^n seconds.
                wait = timedelta(seconds=4 ** min(message.tries, 6))
                await self._put(message, "waiting", error=reason, wait=wait)
            case Verdict.PAUSE_NUMBER:
                await self._rest(message, reason, timedelta(seconds=5))
            case Verdict.STOP_AND_ALERT:
                log.error("delivery.stopped", tenant_id=str(message.tenant_id), reason=reason)
                await self._rest(message, reason, timedelta(minutes=1))
            case Verdict.WINDOW_CLOSED:
                await self._window_closed(message, reason)
            case Verdict.GIVE_UP:
                await self._give_up(message, reason)

    async def _window_closed(self, message: Message, reason: str) -> None:
        """It was not sent. What is known of the window now decides how it passes, or that it is held."""
        log.warning("delivery.window_closed", seq=message.seq)
        async with self._database.transaction(message.tenant_id) as connection:
            known, now = message.heard_at or message.said_at, self._clock()
            await held.shut(connection, message.tenant_id, message.conversation_id, known, now)
        await self._put(message, "waiting" if message.tries < _MOST_TRIES else "held", error=reason)

    async def _rest(self, message: Message, reason: str, wait: timedelta) -> None:
        """All of the tenant's messages wait, in their order; it is no fault of this one."""
        self._resting[message.tenant_id] = self._clock() + wait
        await self._put(message, "waiting", error=reason, wait=wait, tries=message.tries - 1)

    async def _once_reached(self, message: Message, reason: str) -> None:
        """It never left us, which is no fault of it; tried for as long as the person's window may be open."""
        age = self._clock() - message.said_at
        if age > _WINDOW:
            await self._give_up(message, reason)
        else:
            wait = min(max(age / 2, _SOON), _LATER)
            await self._put(message, "waiting", error=reason, wait=wait, tries=message.tries - 1)

    async def _again(self, message: Message, reason: str) -> None:
        if message.tries >= _MOST_TRIES:
            await self._give_up(message, reason)
        else:
            wait = min(timedelta(seconds=2**message.tries), _LONG)
            await self._put(message, "waiting", error=reason, wait=wait)

    async def _give_up(self, message: Message, reason: str) -> None:
        log.error("delivery.given_up", seq=message.seq, reason=reason)
        await self._put(message, "failed", error=reason)

    async def _put(
        self,
        message: Message,
        state: str,
        *,
        wamid: str | None = None,
        error: str | None = None,
        wait: timedelta = timedelta(0),
        tries: int | None = None,
    ) -> None:
        mark = Mark(
            message.seq,
            state,
            message.tries if tries is None else tries,
            message.unknown_sends + (state == "unknown"),
            wamid,
            redacted(error) if error else None,
            self._clock() + wait,
            (message.tenant_id, message.conversation_id),
        )
        await self._keep(mark)

    async def _keep(self, mark: Mark) -> None:
        """Raises what the database raises to the end."""
        for _ in range(_MOST_MARKINGS):
            try:
                await self._marks.put([mark])
            except Exception as error:  # noqa: BLE001  it may be back in a moment
                log.warning("delivery.not_marked_yet", seq=mark.seq, error=type(error).__name__)
                await asyncio.sleep(_MARK_AGAIN_SECONDS)
            else:
                return
        await self._marks.put([mark])

    async def _mark(self, items: Sequence[Mark | ChatKey]) -> None:
        """Marks, and takes what comes next in their conversations, and in those that are named."""
        marks = [item for item in items if isinstance(item, Mark)]
        chats = {item.chat if isinstance(item, Mark) else item for item in items}
        async with self._database.driver() as driver:
            await outbox.mark(driver, marks)
            now = self._clock()
            resting = self._tenants_resting(now)
            if self._ending or not await outbox.are_due(driver, now, resting, chats):
                return
        async with self._database.transaction(PLATFORM) as connection:
            following = await outbox.claim_of(connection, self._vault, now, resting, chats)
        self.hand_over(following)

    def _tenants_resting(self, now: datetime) -> list[UUID]:
        return [tenant for tenant, until in self._resting.items() if until > now]
