"""Handoff: a person of the staff answers a customer instead of the bot.

One is open for a chat at most, and one of the staff has taken it at most: the database says who was first.
It ends by the customer's word, by the staff's, or when nobody of the staff has written for a while. What both
write is kept, sealed.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.errors import NotFound
from services.errors.handoff import AnsweredBy, AnswersCustomers, HandoffOver, NobodyAnswers, OutsideWindow
from services.facts import Handoff
from services.ids import new_id
from services.news.handoff import CustomerGone, CustomerWrote, Ended, PersonGone, PersonWanted, PersonWrote
from services.payments.asked import called
from services.people import people, window
from services.people.access import HAND_OFF
from services.store.schema import conversations, handoff_lines, handoffs
from services.work import Work

QUIET, LONGEST = timedelta(minutes=30), timedelta(hours=12)
_MOST_SHOWN = 5
_OPEN = handoffs.c.state != "done"


async def ask(work: Work, person_id: UUID, chat: UUID, words: Iterable[str]) -> UUID:
    """The customer wants a person; the staff who answer are told. Asked twice it is asked once.

    Raises AnswersCustomers for one of those, and NobodyAnswers where there is none.
    """
    answering = await people.with_scope(work, HAND_OFF)
    if person_id in answering:
        raise AnswersCustomers
    if not answering:
        raise NobodyAnswers
    handoff_id = new_id()
    opening = work.insert(handoffs).values(
        tenant_id=work.tenant,
        id=handoff_id,
        conversation_id=chat,
        person_id=person_id,
        state="waiting",
        created_at=work.now,
        spoke_at=work.now,
    )
    if not (await work.connection.execute(opening.on_conflict_do_nothing().returning(handoffs.c.id))).first():
        return (await _row(work, handoffs.c.conversation_id == chat, _OPEN)).id  # type: ignore[no-any-return]
    said = "\n".join(each for each in words if each.strip())
    if said:
        await _keep(work, handoff_id, person_id, said)
    news = PersonWanted(handoff_id=handoff_id, customer=await called(work, person_id), words=said)
    await inbox.tell_people(work, answering, news)
    await jobs.schedule(work, "handoff_end", handoff_id, work.now + QUIET)
    await audit.record(work, person_id, "handoff.asked", handoff_id, {})
    return handoff_id


async def pass_on(work: Work, person_id: UUID, handoff_id: UUID, words: str) -> bool:
    """The customer's words, to who answers them, now or once somebody does. False where it has ended."""
    mine = (*_one(work, handoff_id), handoffs.c.person_id == person_id, _OPEN)
    # Locked, or who takes it at this moment would neither find these words nor be told them.
    lock = sa.select(handoffs).where(*mine).with_for_update(key_share=True)
    row = (await work.connection.execute(lock)).first()
    if row is None:
        return False
    await _keep(work, handoff_id, person_id, words)
    if row.taken_chat is not None:
        if not await _still_answers(work, row):
            await _ended(work, audit.OPERATOR, Ended.STAFF, handoffs.c.id == handoff_id)
            return False
        customer = await called(work, person_id)
        await inbox.tell(
            work, row.taken_chat, CustomerWrote(handoff_id=handoff_id, customer=customer, words=words)
        )
    return True


async def take(work: Work, person_id: UUID, chat: UUID, handoff_id: UUID) -> Handoff:
    """One of the staff answers it from now on; whoever does so already goes on, from this chat.

    Raises MissingScope, NotFound, AnsweredBy and HandoffOver.
    """
    await people.require(work, person_id, HAND_OFF)
    taking = (
        sa.update(handoffs)
        .where(
            *_one(work, handoff_id),
            sa.or_(
                handoffs.c.state == "waiting",
                sa.and_(handoffs.c.state == "taken", handoffs.c.taken_by == person_id),
            ),
        )
        .values(state="taken", taken_by=person_id, taken_chat=chat, spoke_at=work.now)
        .returning(handoffs)
    )
    row = (await work.connection.execute(taking)).first()
    if row is None:
        row = await _refuse(work, person_id, handoff_id)
    await jobs.schedule(work, "handoff_end", handoff_id, work.now + QUIET)
    await audit.record(work, person_id, "handoff.taken", handoff_id, {})
    return Handoff(customer=await called(work, row.person_id), words=await _written(work, row))


async def answer(work: Work, person_id: UUID, handoff_id: UUID, words: str) -> None:
    """Words of the staff, to the customer. Raises MissingScope, NotFound, AnsweredBy, HandoffOver, and
    OutsideWindow where WhatsApp no longer lets us write to them freely."""
    await people.require(work, person_id, HAND_OFF)
    mine = (*_one(work, handoff_id), handoffs.c.state == "taken", handoffs.c.taken_by == person_id)
    row = await _row(work, *mine, or_none=True) or await _refuse(work, person_id, handoff_id)
    if not await _window_is_open(work, row.conversation_id):
        raise OutsideWindow
    speaking = sa.update(handoffs).where(*mine).values(spoke_at=work.now)
    if (await work.connection.execute(speaking)).rowcount == 0:  # it has just ended
        await _refuse(work, person_id, handoff_id)
    await _keep(work, handoff_id, person_id, words)
    await inbox.tell(work, row.conversation_id, PersonWrote(handoff_id=handoff_id, words=words))
    await jobs.schedule(work, "handoff_end", handoff_id, work.now + QUIET)


async def leave(work: Work, person_id: UUID, handoff_id: UUID) -> None:
    """The customer goes back to the bot; nothing where it has ended already."""
    await _end(
        work, person_id, Ended.CUSTOMER, handoffs.c.id == handoff_id, handoffs.c.person_id == person_id
    )


async def close(work: Work, person_id: UUID, handoff_id: UUID) -> None:
    """Who answers it is done. Raises MissingScope, NotFound and AnsweredBy; nothing where it has ended."""
    await people.require(work, person_id, HAND_OFF)
    mine = (handoffs.c.id == handoff_id, handoffs.c.taken_by == person_id)
    if not await _end(work, person_id, Ended.STAFF, *mine):
        row = await _row(work, handoffs.c.id == handoff_id)
        if row.state != "done":
            await _refuse(work, person_id, handoff_id)


async def close_of(work: Work, person_id: UUID) -> None:
    """Somebody else may be behind this customer's chat, or behind that of one of the staff who answers."""
    await _end(work, audit.WHATSAPP, Ended.IDENTITY, handoffs.c.person_id == person_id)
    await _end(work, audit.WHATSAPP, Ended.STAFF, handoffs.c.taken_by == person_id)


async def end_if_quiet(work: Work, handoff_id: UUID) -> None:
    """When the job is due: it ends, or its end is put off."""
    row = await _row(work, handoffs.c.id == handoff_id, or_none=True)
    if row is None or row.state == "done":
        await jobs.finish(work, handoff_id, "handoff_end")
        return
    due_at = min(row.spoke_at + QUIET, row.created_at + LONGEST)
    if due_at > work.now:
        await jobs.schedule(work, "handoff_end", handoff_id, due_at)
        return
    because = Ended.NOBODY if row.state == "waiting" else Ended.QUIET
    await _end(work, audit.CLOCK, because, handoffs.c.id == handoff_id, handoffs.c.spoke_at == row.spoke_at)


async def _end(work: Work, actor: UUID | str, because: Ended, *which: sa.ColumnElement[bool]) -> bool:
    """Those that are open; tells whoever did not end it, and is still who they were."""
    rows = await _ended(work, actor, because, *which)
    for row in rows:
        if because not in (Ended.CUSTOMER, Ended.IDENTITY):
            await inbox.tell(work, row.conversation_id, PersonGone(handoff_id=row.id, because=because))
        if because is not Ended.STAFF and row.taken_chat is not None and await _still_answers(work, row):
            customer = await called(work, row.person_id)
            gone = CustomerGone(handoff_id=row.id, customer=customer, because=because)
            await inbox.tell(work, row.taken_chat, gone)
    return bool(rows)


async def _ended(
    work: Work, actor: UUID | str, because: Ended, *which: sa.ColumnElement[bool]
) -> Sequence[Any]:
    """The same, told to nobody."""
    ending = (
        sa.update(handoffs)
        .where(handoffs.c.tenant_id == work.tenant, _OPEN, *which)
        .values(state="done", done_at=work.now, done_because=because.value)
        .returning(handoffs)
    )
    rows: Sequence[Any] = (await work.connection.execute(ending)).all()
    for row in rows:
        await jobs.finish(work, row.id, "handoff_end")
        await audit.record(work, actor, "handoff.ended", row.id, {"because": because.value})
    return rows


async def _still_answers(work: Work, handoff: Any) -> bool:
    """Who took it may still answer customers, and the chat that they took it in is still theirs."""
    query = sa.select(conversations.c.person_id).where(
        conversations.c.tenant_id == work.tenant, conversations.c.id == handoff.taken_chat
    )
    if await work.connection.scalar(query) != handoff.taken_by:
        return False
    return handoff.taken_by in await people.with_scope(work, HAND_OFF)


async def _refuse(work: Work, person_id: UUID, handoff_id: UUID) -> NoReturn:
    row = await _row(work, handoffs.c.id == handoff_id)
    if row.state == "taken" and row.taken_by != person_id:
        raise AnsweredBy(await people.name_of(work, row.taken_by) or "")
    raise HandoffOver


async def _row(work: Work, *which: sa.ColumnElement[bool], or_none: bool = False) -> Any:
    """Raises NotFound, for another tenant's too."""
    query = sa.select(handoffs).where(handoffs.c.tenant_id == work.tenant, *which)
    row = (await work.connection.execute(query)).first()
    if row is None and not or_none:
        raise NotFound("handoff")
    return row


async def _window_is_open(work: Work, chat: UUID) -> bool:
    query = sa.select(conversations.c.heard_at).where(
        conversations.c.tenant_id == work.tenant, conversations.c.id == chat
    )
    return window.is_open(await work.connection.scalar(query), work.now)


async def _keep(work: Work, handoff_id: UUID, person_id: UUID, words: str) -> None:
    line = new_id()
    await work.connection.execute(
        sa.insert(handoff_lines).values(
            tenant_id=work.tenant,
            id=line,
            handoff_id=handoff_id,
            person_id=person_id,
            words_sealed=work.seal(words, "handoff_lines.words", line),
            created_at=work.now,
        )
    )


async def _written(work: Work, handoff: Any) -> tuple[str, ...]:
    """The customer's last words."""
    query = (
        sa.select(handoff_lines.c.id, handoff_lines.c.words_sealed)
        .where(
            handoff_lines.c.tenant_id == work.tenant,
            handoff_lines.c.handoff_id == handoff.id,
            handoff_lines.c.person_id == handoff.person_id,
        )
        .order_by(handoff_lines.c.created_at.desc(), handoff_lines.c.id.desc())
        .limit(_MOST_SHOWN)
    )
    rows = (await work.connection.execute(query)).all()
    return tuple(work.open(row.words_sealed, "handoff_lines.words", row.id) for row in reversed(rows))


def _one(work: Work, handoff_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return handoffs.c.tenant_id == work.tenant, handoffs.c.id == handoff_id
